"""What is done beside the suite: draft questions, see who follows the documents and how soon a change arrives, judge"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from workbench.bases import all_bases
from workbench.evaluation.drill import Drill
from workbench.evaluation.judge import JudgeReport
from workbench.evaluation.knowledge import SourceTest
from workbench.evaluation.records import Suite
from workbench.lanes.lane import Lane
from workbench.ui.bench import Bench
from workbench.ui.evaluate_marks import RunMarks
from workbench.ui.evaluate_probe import Probe
from workbench.ui.evaluate_source import new_suite_file


class SuiteTests(QObject):
    """Holds what runs and opens the sheet of each."""

    accepted = Signal(object)  # the Path of a suite that a drafted question was put into

    def __init__(self, bench: Bench, lanes: Callable[[], tuple[Lane, ...]], parent: QObject | None = None) -> None:
        """`lanes` says which are asked: those that are ticked when a sheet is opened."""
        super().__init__(parent)
        self._bench, self._lanes = bench, lanes
        self.sources = Probe(bench, self.tr("Documents or weights?"), SourceTest, self)
        self.drill = Probe(bench, self.tr("Update drill"), Drill, self)
        self.drafts = Probe(bench, self.tr("Drafting questions"), tuple, self)
        self.judging = Probe(bench, self.tr("Judging"), JudgeReport, self)
        self.marks = RunMarks(bench, self)
        self.judging.ended.connect(self.marks.read_again)
        self.drill.ended.connect(bench.index_changed)  # the documents may have been read again
        self._sheet: object = None  # the one that is open, of whatever page
        bench.sheet_changed.connect(self._on_sheet_changed)
        bench.project_changed.connect(self.forget)

    def forget(self) -> None:
        """Another project is open."""
        self.sources.forget()
        self.drill.forget()
        self.drafts.forget()
        self.judging.forget()

    def open_drafts(self, shown: Callable[[], Suite | None]) -> None:
        """What is accepted goes into the suite that is `shown` then, or into a new one."""
        from workbench.ui.evaluate_drafts import DraftsSheet

        def into() -> tuple[str, Path]:
            suite, name = shown(), self.tr("My questions")
            if suite is not None:
                return suite.name, suite.path
            return name, new_suite_file(self._bench.project, name)

        sheet = DraftsSheet(self._bench, self.drafts, into)
        sheet.accepted.connect(self.accepted)
        self._bench.show_sheet(sheet)

    def close_drafts(self) -> None:
        """Close the sheet of drafts, where that is open."""
        from workbench.ui.evaluate_drafts import DraftsSheet

        if isinstance(self._sheet, DraftsSheet):
            self._bench.show_sheet(None)

    def _on_sheet_changed(self, sheet: object) -> None:
        self._sheet = sheet

    def open_sources(self, suite: Suite | None) -> None:
        from workbench.ui.evaluate_sources import SourcesSheet

        if suite is None or not suite.cases:
            self._bench.notices.tell(self.tr("This test changes the facts of a suite: write or import one first."))
            return
        self._bench.show_sheet(SourcesSheet(self._bench, self.sources, suite, self._lanes()))

    def open_drill(self) -> None:
        from workbench.ui.evaluate_drill import DrillSheet

        if not any(base.info.folders for base in all_bases(self._bench.project)):
            self._bench.notices.tell(self.tr("A drill needs documents: add a folder first."))
            return
        self._bench.show_sheet(DrillSheet(self._bench, self.drill, self._lanes()))

    def open_judging(self, suite: Suite | None) -> None:
        """Have the answers of the run that is shown judged; `suite` is the one that is shown."""
        from workbench.ui.evaluate_judging import JudgeSheet, judged_suite

        run = self.marks.run
        if run is None:
            self._bench.notices.tell(self.tr("A model judges the answers of a finished run: run the suite first."))
            return
        asked = judged_suite(self._bench, run, suite)
        if asked is None:
            said = self.tr("The suite of this run was not kept: run it again, then have that run judged.")
            self._bench.notices.tell(said)
            return
        self._bench.show_sheet(JudgeSheet(self._bench, self.judging, run, asked, self.marks))
