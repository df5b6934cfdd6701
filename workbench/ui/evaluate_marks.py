"""A person's own marks on the answers of a run, and what a model that judged them said of the same answers"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from workbench.errors import WorkbenchError
from workbench.evaluation.judge import Key, mark, read_judgements, read_marks
from workbench.evaluation.records import Evaluation
from workbench.ui.bench import Bench


@dataclass(frozen=True, slots=True)
class Opinions:
    """What is thought of the answers of a run, by lane and case, beside what its checks say."""

    marks: Mapping[Key, bool] = field(default_factory=dict)
    judged: Mapping[Key, bool | None] = field(default_factory=dict)  # None: the model gave no verdict


class RunMarks(QObject):
    """The marks on the run that is shown; they are kept with it at once."""

    changed = Signal()

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self.run: Evaluation | None = None
        self.opinions: Opinions | None = None  # None: nothing is shown that could be marked

    def show_run(self, run: Evaluation | None) -> None:
        """Read the marks on a run; None where one goes on, or none is there."""
        self.run = run
        self.read_again()

    def read_again(self) -> None:
        """After a mark, and after a model has judged."""
        run = self.run
        judged = {(each.lane, each.case): each.right for each in read_judgements(run.folder)} if run is not None else {}
        self.opinions = Opinions(read_marks(run.folder), judged) if run is not None else None
        self.changed.emit()

    def toggle(self, case: str, lane: str, right: bool) -> None:
        """Mark an answer, or take the mark back where it is marked so already."""
        if self.run is None or self.opinions is None:
            return
        again = self.opinions.marks.get((lane, case)) is right
        try:
            mark(self.run, case, lane, None if again else right)
        except (WorkbenchError, OSError) as error:
            self._bench.notices.error(error)
        self.read_again()
