"""Measure once, quietly, how fast this computer trains, and know what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from workbench.tuning.dataset import DatasetReport
from workbench.tuning.recipe import Recipe, RunInfo
from workbench.ui import finetune_trial as trial
from workbench.ui.bench import Bench
from workbench.ui.finetune_presets import Speed, last_speed
from workbench.ui.job import JobHandle

QUIET_MS = 1500  # a page that was only passed through has no speed measured


class Measuring(QObject):
    """The speed that is known, and the trial that measures it."""

    due = Signal()  # nothing else goes on for a while: a good moment, should a speed be missing
    changed = Signal()  # a trial began or ended

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self.speed: Speed | None = None
        self.trial: JobHandle | None = None
        self._tried = False  # once is enough: one that was stopped or failed is not tried again unasked
        self._quiet = QTimer(self, singleShot=True, interval=QUIET_MS)
        self._quiet.timeout.connect(self._on_quiet)

    def soon(self) -> None:
        """Ask for a trial once it has been quiet for a moment."""
        self._quiet.start()

    def not_now(self) -> None:
        """The page was left."""
        self._quiet.stop()

    def look_up(self, recipe: Recipe, runs: Sequence[RunInfo]) -> None:
        """What is known of the speed a recipe's model is trained with."""
        self.speed = trial.kept_speed(recipe.model) or last_speed(runs, recipe)

    def start(self, recipe: Recipe, report: DatasetReport) -> None:
        """A short trial of the real thing, thrown away afterwards."""
        if self.trial is not None:
            return
        self._tried = True
        self.trial = self._bench.jobs.start(
            self.tr("Measuring speed"),
            lambda: trial.measure(recipe, report.examples),
            on_done=partial(self.take, recipe.model),
            kind="finetune",
        )
        self.trial.finished.connect(self._on_ended)
        self.changed.emit()

    def stop(self) -> None:
        """It would make a run slow, and is not needed any more."""
        if self.trial is not None:
            self.trial.stop()

    def take(self, model: Path, speed: Speed | None) -> None:
        """Keep what was measured."""
        if speed is not None:
            trial.keep_speed(model, speed)

    def take_run(self, run: RunInfo, memory: int) -> None:
        """What a run itself took is the best estimate for the next one."""
        if run.model is not None and run.tokens_per_second and memory:
            before = trial.kept_speed(run.model)
            said = self.tr("From the run {0} on this computer.").format(run.name)
            start = before.start_seconds if before is not None else 0.0
            trial.keep_speed(run.model, Speed(run.tokens_per_second, memory, said, start))

    def _on_quiet(self) -> None:
        if self.speed is None and not self._tried and not self._bench.jobs.running():
            self.due.emit()

    def _on_ended(self) -> None:
        self.trial = None
        self.changed.emit()
