"""The tests beside the suite: who follows the documents, and how soon a change arrives. They outlive their sheets"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from workbench.evaluation.drill import Drill
from workbench.evaluation.knowledge import SourceTest
from workbench.evaluation.records import Suite
from workbench.lanes.lane import Lane
from workbench.ui.bench import Bench
from workbench.ui.evaluate_probe import Probe


class SuiteTests(QObject):
    """Holds both tests and opens the sheet of either."""

    def __init__(self, bench: Bench, lanes: Callable[[], tuple[Lane, ...]], parent: QObject | None = None) -> None:
        """`lanes` says which are asked: those that are ticked when a sheet is opened."""
        super().__init__(parent)
        self._bench, self._lanes = bench, lanes
        self.sources = Probe(bench, self.tr("Documents or weights?"), SourceTest, self)
        self.drill = Probe(bench, self.tr("Update drill"), Drill, self)
        self.drill.ended.connect(bench.index_changed)  # the documents may have been read again
        bench.project_changed.connect(self.forget)

    def forget(self) -> None:
        """Another project is open."""
        self.sources.forget()
        self.drill.forget()

    def open_sources(self, suite: Suite | None) -> None:
        from workbench.ui.evaluate_sources import SourcesSheet

        if suite is None or not suite.cases:
            self._bench.notices.tell(self.tr("This test changes the facts of a suite: write or import one first."))
            return
        self._bench.show_sheet(SourcesSheet(self._bench, self.sources, suite, self._lanes()))

    def open_drill(self) -> None:
        from workbench.ui.evaluate_drill import DrillSheet

        if not self._bench.project.info.folders:
            self._bench.notices.tell(self.tr("A drill needs documents: add a folder first."))
            return
        self._bench.show_sheet(DrillSheet(self._bench, self.drill, self._lanes()))
