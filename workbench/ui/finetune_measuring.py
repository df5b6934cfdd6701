"""Measure once, quietly, what fine-tunes take here, by a dry run; and know what was measured."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from workbench.errors import TooLittleMemory
from workbench.tuning import dry_run
from workbench.tuning.dataset import DatasetReport
from workbench.tuning.forecast import Measured
from workbench.tuning.recipe import Recipe, RunInfo
from workbench.ui.bench import Bench
from workbench.ui.finetune_presets import Basis, last_speed
from workbench.ui.job import JobHandle

QUIET_MS = 1500  # a page that was only passed through has nothing measured


class Measuring(QObject):
    """What is known of what fine-tunes take, and the dry run that measures it."""

    due = Signal()  # nothing else goes on for a while: a good moment, should a measurement be missing
    changed = Signal()  # a dry run began or ended

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self.basis: Basis | None = None
        self.job: JobHandle | None = None
        self.short = ""  # why not even a dry run fits into the memory
        self._tried: set[tuple[object, ...]] = set()  # what was stopped or failed is not tried again unasked
        self._quiet = QTimer(self, singleShot=True, interval=QUIET_MS)
        self._quiet.timeout.connect(self._on_quiet)

    @property
    def measured(self) -> bool:
        """Whether a dry run on these very rows was made here."""
        return isinstance(self.basis, Measured) and self.basis.here

    def soon(self) -> None:
        """Ask for a dry run once it has been quiet for a moment."""
        self._quiet.start()

    def not_now(self) -> None:
        """The page was left."""
        self._quiet.stop()

    def look_up(self, recipe: Recipe, report: DatasetReport, runs: Sequence[RunInfo]) -> None:
        """What is known of what a recipe takes on these rows."""
        self.basis = dry_run.estimate(recipe, report) or last_speed(runs, recipe)
        if self.measured:
            self.short = ""

    def start(self, recipe: Recipe, report: DatasetReport, asked: bool = True) -> None:
        """A few steps of the real thing, thrown away afterwards; not twice for the same rows unless a person asks."""
        rows = (recipe.model, recipe.datasets, report.examples, report.tokens)
        if self.job is not None or (not asked and rows in self._tried):
            return
        self._tried.add(rows)
        self.job = self._bench.jobs.start(
            self.tr("Measuring what training takes"),
            lambda: dry_run.dry_run(recipe, report, anew=True),
            on_failed=self._on_failed,
            kind="finetune",
        )
        self.job.finished.connect(self._on_ended)
        self.changed.emit()

    def stop(self) -> None:
        """It would make a run slow, and is not needed any more."""
        if self.job is not None:
            self.job.stop()

    def _on_quiet(self) -> None:
        if not self.measured and not self._bench.jobs.running():
            self.due.emit()

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, TooLittleMemory):
            self.short = str(error)  # said where the figures would stand
        else:
            self._bench.notices.error(error)

    def _on_ended(self) -> None:
        self.job = None
        self.changed.emit()
