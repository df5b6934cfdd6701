"""Once the window is there: load in the background what the first question would otherwise wait for."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from workbench.events import Stage
from workbench.ui.bench import Bench
from workbench.ui.job import JobHandle

log = logging.getLogger("workbench")

AFTER_MS = 800  # the window is drawn and answers before anything is loaded behind it
PARTS = ("compare_turn", "compare_why", "compare_source")  # of Compare: they come with the first answer


class Preload(QObject):
    """Has the engine load the project's model, then the document reader its embedder, one after the other.

    It is a convenience, so it says nothing: what fails here fails again, with its sentence, when it is asked for.
    """

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent or bench)
        self._bench = bench
        self._job: JobHandle | None = None
        self._timer = QTimer(self, singleShot=True, interval=AFTER_MS)
        self._timer.timeout.connect(self.start)
        bench.project_changed.connect(self.again)
        self._timer.start()

    @property
    def busy(self) -> bool:
        return self._timer.isActive() or self._job is not None

    def again(self) -> None:
        """Another project: what was being loaded may not be wanted any more."""
        self.stop()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        job, self._job = self._job, None
        if job is not None:
            job.stop()

    def start(self) -> None:
        """Load for the project that is open now."""
        bench, folder = self._bench, self._bench.project.folder
        self._run(partial(warm_engine, bench, folder), partial(self._run, partial(warm_knowledge, bench, folder), None))

    def _run(self, stage: Callable[[], Stage], then: Callable[[], None] | None) -> None:
        job = self._bench.jobs.start(self.tr("Getting ready"), stage, on_failed=_to_log, kind="preload", quiet=True)
        self._job = job
        job.finished.connect(lambda: self._on_finished(job, then))

    def _on_finished(self, job: JobHandle, then: Callable[[], None] | None) -> None:
        if self._job is not job:  # it was stopped, or another project took its place
            return
        self._job = None
        if then is not None:
            then()


def warm_engine(bench: Bench, project: Path) -> Stage:
    """The engine's stage; what is imported here, in the job's thread, is what the first question is spared as well."""
    for name in PARTS:
        importlib.import_module(f"workbench.ui.{name}")
    import workbench.lanes.ask  # noqa: F401
    from workbench.lanes.warm import warm

    return bench.engine.run(warm, project)


def warm_knowledge(bench: Bench, project: Path) -> Stage:
    """The document reader's stages: what a question needs, then a process at hand for a file that is saved."""
    from workbench.documents.fence import stand_by
    from workbench.retrieval.search import warm

    yield from bench.knowledge.run(warm, project)
    if bench.base.info.folders:
        yield from bench.knowledge.run(stand_by)


def _to_log(error: Exception) -> None:
    log.info("not loaded ahead: %s", error)
