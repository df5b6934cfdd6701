"""What the Evaluate page shows before there is a suite, and before the suite was run."""

from __future__ import annotations

from collections.abc import Callable

from workbench.evaluation.records import Suite
from workbench.ui import widgets


class NoSuite(widgets.EmptyState):
    """What a suite is, with the one action that begins one."""

    def __init__(self, on_new: Callable[[], object]) -> None:
        title, new = self.tr("Questions with known answers"), self.tr("New suite")
        said = self.tr(
            "A suite is a table of questions, each with the checks its answer must pass. Run over several lanes it "
            "shows what documents and fine-tuning really change. Twenty questions are a start, a hundred tell more."
        )
        super().__init__("check-square", title, said, new, on_new, primary=True)


class NotMeasured(widgets.EmptyState):
    """A suite that was never run: what a run will take, and the button that starts it."""

    def __init__(self, on_run: Callable[[], object]) -> None:
        title, run = self.tr("Nothing measured yet"), self.tr("Run")
        super().__init__("check-square", title, "", run, on_run, primary=True)

    def say(self, suite: Suite, lanes: int) -> None:
        """How many answers so many lanes will give; without lanes or cases nothing can be started."""
        said = self.tr(
            "{0} has {1:,} cases, and {2} lanes are chosen: {3:,} answers. What was answered is kept when you stop, "
            "and a second start goes on from there."
        ).format(suite.name, len(suite.cases), lanes, lanes * len(suite.cases))
        if not suite.cases:
            said = self.tr("{0} has no cases yet: Edit cases adds them.").format(suite.name)
        self.set_text(said)
        self.action.setEnabled(bool(suite.cases) and lanes > 0)
