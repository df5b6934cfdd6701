"""Start, follow and stop one fine-tune: it is a process of its own, so that letting go of it does not end it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from workbench.events import Event, Stage
from workbench.tuning.recipe import Recipe, RunInfo
from workbench.ui import finetune_source as source
from workbench.ui.bench import Bench
from workbench.ui.job import JobHandle


class RunWatch(QObject):
    """The run that is followed; its news come as signals, and none of a run that was let go of."""

    came = Signal(object)  # Event
    done = Signal(object)  # RunInfo, or None
    failed = Signal(object)  # Exception
    stopping = Signal()  # it was asked to stop and is writing what it learnt
    ended = Signal()  # however it ended

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._job: JobHandle | None = None
        self.folder = Path()  # of the run
        self.ending = False

    @property
    def busy(self) -> bool:
        """Whether a run is followed, or is being stopped."""
        return self.ending or (self._job is not None and self._job.running)

    def start(self, recipe: Recipe, anew: bool = False) -> None:
        """Start a run, or go on with one, or begin it `anew`."""
        self._follow(recipe.name, recipe.folder, lambda: source.start_and_watch(recipe, anew))

    def follow(self, run: RunInfo) -> None:
        """Follow a run that was started before the window was opened, or elsewhere."""
        self._follow(run.name, run.folder, lambda: source.watch(run.folder))

    def stop(self) -> None:
        """Stop the run itself; what was learnt so far is kept."""
        if self._job is not None:
            self._job.stop()

    def let_go(self) -> None:
        """Follow the run no longer and leave it alone."""
        job, self._job, self.ending = self._job, None, False
        if job is not None and job.running:
            job.message = self.tr("It goes on by itself; its project shows it again.")
            job.stop()

    def _follow(self, name: str, folder: Path, stage: Callable[[], Stage]) -> None:
        self.let_go()
        self.folder = folder
        job: JobHandle | None = None
        job = self._job = self._bench.jobs.start(
            self.tr("Fine-tuning {0}").format(name),
            stage,
            lambda event: self._tell(job, self.came.emit, event),
            lambda run: self._tell(job, self.done.emit, run),
            lambda error: self._tell(job, self.failed.emit, error),
            kind="finetune",
        )
        job.finished.connect(lambda: self._on_finished(job))

    def _tell(self, job: JobHandle | None, tell: Callable[[object], None], what: Event | Exception | object) -> None:
        if job is self._job:
            tell(what)

    def _on_finished(self, job: JobHandle) -> None:
        """A job that a person stopped only let go of the run: the run itself is told to stop now."""
        if job is not self._job:
            return
        if job.state != "stopped":
            self.ended.emit()
            return
        folder, self.ending = self.folder, True
        self.stopping.emit()
        title = self.tr("Stopping the fine-tune")
        stopping = self._bench.jobs.start(title, lambda: source.stop_run(folder), kind="finetune", quiet=True)
        stopping.finished.connect(lambda: self._on_stopped(job))

    def _on_stopped(self, job: JobHandle) -> None:
        if job is self._job:
            self.ending = False
            self.ended.emit()
