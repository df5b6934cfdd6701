"""Once the window is there: load in the background what the first question would otherwise wait for."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from workbench.events import Stage
from workbench.ui.bench import Bench
from workbench.ui.job import JobHandle

log = logging.getLogger("workbench")

AFTER_MS = 800  # the window is drawn and answers before anything is loaded behind it
QUIET_MS = 3000  # nothing else has gone on for so long before a trial begins
LATER_MS = 60_000  # before it is tried again on a computer that was too busy to time anything
PARTS = ("compare_turn", "compare_why", "compare_source")  # of Compare: they come with the first answer


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A stage that is run ahead."""

    stage: Callable[[], Stage]
    trial: bool = False  # times something, so that nothing else may go on


class Preload(QObject):
    """Has the engine load the project's model, then the document reader its embedder, one after the other; then, when
    nothing has gone on for a while, finds out once how this computer reads the model fastest, and has it loaded so.

    It is a convenience, so it says nothing: what fails here fails again, with its sentence, when it is asked for. A
    trial ends as soon as anything else begins and is made up for later, for it would slow that down and be misled.
    """

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent or bench)
        self._bench = bench
        self._job: JobHandle | None = None
        self._steps: list[Step] = []  # what is still to be done, in order
        self._timer = QTimer(self, singleShot=True, interval=AFTER_MS)
        self._timer.timeout.connect(self.start)
        self._quiet = QTimer(self, singleShot=True, interval=QUIET_MS)
        self._quiet.timeout.connect(self._next)
        bench.project_changed.connect(self.again)
        bench.jobs.changed.connect(self._on_jobs_changed)
        self._timer.start()

    @property
    def busy(self) -> bool:
        """Whether something is loaded, or will be soon; not while a trial waits for a quiet moment."""
        return self._timer.isActive() or self._job is not None

    def again(self) -> None:
        """Another project: what was being loaded may not be wanted any more."""
        self.stop()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        self._quiet.stop()
        self._steps = []
        job, self._job = self._job, None
        if job is not None:
            job.stop()

    def start(self) -> None:
        """Load for the project that is open now."""
        bench, folder = self._bench, self._bench.project.folder
        loads, trials = (warm_engine, warm_knowledge), (settle_engine, settle_knowledge)
        self._steps = [Step(partial(each, bench, folder), each in trials) for each in (*loads, *trials)]
        self._next()

    def _next(self) -> None:
        if self._job is not None or not self._steps:
            return
        step = self._steps[0]
        if step.trial and (self._quiet.isActive() or self._others()):
            return  # the end of those is heard
        job = self._bench.jobs.start(
            self.tr("Getting ready"), step.stage, on_failed=_to_log, kind="preload", quiet=True
        )
        self._job = job
        job.finished.connect(lambda: self._on_finished(job, step))

    def _others(self) -> bool:
        return any(each.kind != "preload" for each in self._bench.jobs.running())

    def _on_jobs_changed(self) -> None:
        """Something else began or ended: a trial gives way, and comes when it has been quiet for a while."""
        if not self._steps or not self._steps[0].trial:
            return
        if self._others():
            self._quiet.stop()
            if self._job is not None:
                self._job.stop()
        elif self._job is None and not self._quiet.isActive():
            self._quiet.start(QUIET_MS)

    def _on_finished(self, job: JobHandle, step: Step) -> None:
        if self._job is not job:  # it was stopped, or another project took its place
            return
        self._job = None
        if step.trial and (job.state == "stopped" or job.value is False):  # it was put off
            if not self._others():
                self._quiet.start(LATER_MS)
            return
        self._steps.remove(step)
        if step.trial and job.state == "done" and not self._steps:
            self._steps.append(Step(partial(warm_engine, self._bench, self._bench.project.folder)))
        elif self._steps and self._steps[0].trial and not step.trial:
            self._on_jobs_changed()
            return
        self._next()


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


def settle_engine(bench: Bench, project: Path) -> Stage:
    """The trials of the project's model; nothing to do on a computer that has had them."""
    from workbench.lanes.presets import chat_model
    from workbench.lanes.settle import settle
    from workbench.project import Project

    return bench.engine.run(settle, (chat_model(Project.open(project)),))


def settle_knowledge(bench: Bench, project: Path) -> Stage:
    """The document reader's, which then has its embedder loaded so."""
    from workbench.index.embed import settle

    return bench.knowledge.run(settle)


def _to_log(error: Exception) -> None:
    log.info("not loaded ahead: %s", error)
