"""The last result of a test beside the suite, as it lies in the project: what its sheet shows of it after a restart"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from workbench.evaluation.records import Suite
from workbench.evaluation.trials import SOURCES, Kept, KeptTests, changed_since, kept_beside
from workbench.lanes.lane import Lane
from workbench.project import Project
from workbench.ui import evaluate_source as source
from workbench.ui import widgets
from workbench.ui.lane_names import lane_short


@dataclass(frozen=True, slots=True)
class LastResult:
    """What a sheet shows of a test that was kept."""

    found: Any  # a SourceTest or a Drill; None without one
    when: str = ""  # when it was made, what has changed since, and what could not be read
    means: str = ""  # for the decision


def last_sources(project: Project, suite: Suite) -> LastResult:
    """The last source test over a suite; works out what it means, which loads scipy."""
    from workbench.advice.trial_words import sources_sentence

    tests = kept_beside(project.folder, suite.name, suite.hash)
    kept = tests.sources
    if kept is None:
        return LastResult(None, _when(tests, None, project))
    return LastResult(kept.found, _when(tests, kept, project, suite), sources_sentence(kept.found, _readers(kept)))


def last_drill(project: Project) -> LastResult:
    """The last update drill of a project."""
    from workbench.advice.trial_words import drill_sentence

    tests = kept_beside(project.folder, "", "")
    kept = tests.drill
    if kept is None:
        return LastResult(None, _when(tests, None, project))
    means = drill_sentence(kept.found, _readers(kept), widgets.seconds_text)
    return LastResult(kept.found, _when(tests, kept, project), means)


def _readers(kept: Kept) -> list[str]:
    return [lane for lane in kept.lanes if kept.reads(lane)]


def _when(tests: KeptTests, kept: Kept | None, project: Project, suite: Suite | None = None) -> str:
    translate, said = QCoreApplication.translate, list[str]()
    if kept is not None:
        said.append(translate("LastResult", "The last result, of {0}.").format(widgets.when_text(kept.created)))
        said += _since(kept, source.all_lanes(project), suite)
    return " ".join((*said, *tests.left_out))


def _since(kept: Kept, lanes: Sequence[Lane], suite: Suite | None) -> list[str]:
    """What has changed since a test was made."""
    translate, said = QCoreApplication.translate, list[str]()
    if kept.kind == SOURCES and suite is not None and kept.suite_hash != suite.hash:
        said.append(translate("LastResult", "The suite was changed since."))
    changed = ", ".join(map(lane_short, changed_since(kept, lanes)))
    if changed:
        said.append(translate("LastResult", "Not made any more as they were then: {0}.").format(changed))
    return said


class LastLine(QWidget):
    """When the shown result was made, what has changed since, and what it means for the decision."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.when = widgets.label("", "caption", wrap=True)
        self.means = widgets.label("", wrap=True, selectable=True)
        self.setLayout(widgets.column(self.when, self.means, spacing=4))
        self.hide()

    def say(self, last: LastResult | None) -> None:
        """Show it, or nothing while a test runs."""
        for part, text in ((self.when, last.when if last else ""), (self.means, last.means if last else "")):
            part.setText(text)
            part.setVisible(bool(text))
        self.setVisible(last is not None and bool(last.when or last.means))
