"""The only thread of the window: pull a stage along and hand what it yields to the window, gathered."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, QThread, QTimer, Signal

from workbench.errors import WorkbenchError
from workbench.events import Event, Progress, Result, Stage, Token

GATHER_MS = 40  # what comes is drawn at most 25 times a second
CLOSE_SECONDS = 1.5  # how long a stage has to end when the window closes; then its process is ended

StageFactory = Callable[[], Stage]


class Job(QThread):
    """Pull one stage along. What it yields waits in `arrived`, which `Jobs` empties by a timer."""

    def __init__(self, factory: StageFactory, parent: QObject) -> None:
        super().__init__(parent)
        self._factory = factory
        self.arrived: deque[Event] = deque()
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            stage = self._factory()
            try:
                for event in stage:
                    self.arrived.append(event)
                    if self.isInterruptionRequested():
                        break
            finally:
                stage.close()
        except Exception as error:
            self.error = error


class JobHandle(QObject):
    """One job as the rest of the window sees it. It is alive for as long as `Jobs` keeps it."""

    changed = Signal()  # progress or state
    finished = Signal()  # done, failed, stopped or paused

    def __init__(self, title: str, kind: str, can_pause: bool, quiet: bool, parent: QObject) -> None:
        super().__init__(parent)
        self.title, self.kind, self.can_pause, self.quiet = title, kind, can_pause, quiet
        self.state = "running"  # "running", "stopping", "paused", "done", "failed" or "stopped"
        self.progress: Progress | None = None
        self.message = ""  # how it ended, one sentence
        self.error: Exception | None = None
        self.value: Any = None  # of the last Result
        self.seconds = 0.0
        self.started = time.monotonic()
        self._job: Job | None = None
        self._after_stop = "stopped"

    @property
    def running(self) -> bool:
        return self.state in ("running", "stopping")

    def stop(self) -> None:
        """Ask it to stop; it ends at its next yield and keeps what is done."""
        self._end("stopped")

    def pause(self) -> None:
        """Stop it in a way that `resume` goes on from: only for stages that begin where they were left."""
        if self.can_pause:
            self._end("paused")

    def resume(self) -> None:
        if self.state == "paused":
            self.resume_requested.emit(self)

    resume_requested = Signal(object)

    def _end(self, state: str) -> None:
        if self.state == "running" and self._job is not None:
            self._after_stop, self.state = state, "stopping"
            self._job.requestInterruption()
            self.changed.emit()
        elif self.state == "paused" and state == "stopped":
            self.state = "stopped"
            self.changed.emit()
            self.finished.emit()


class _Wiring:
    """Who is told what about one job."""

    def __init__(
        self,
        factory: StageFactory,
        on_event: Callable[[Event], None] | None,
        on_done: Callable[[Any], None] | None,
        on_failed: Callable[[Exception], None] | None,
    ) -> None:
        self.factory, self.on_event, self.on_done, self.on_failed = factory, on_event, on_done, on_failed


class Jobs(QObject):
    """The jobs that run and those that ended and were not looked at yet."""

    added = Signal(object)  # JobHandle
    removed = Signal(object)
    changed = Signal()
    failed = Signal(object)  # an exception nobody else took

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.handles: list[JobHandle] = []
        self._wirings: dict[JobHandle, _Wiring] = {}
        self._closing = False
        self._timer = QTimer(self)
        self._timer.setInterval(GATHER_MS)
        self._timer.timeout.connect(self._gather)

    def start(
        self,
        title: str,
        stage_factory: StageFactory,
        on_event: Callable[[Event], None] | None = None,
        on_done: Callable[[Any], None] | None = None,
        on_failed: Callable[[Exception], None] | None = None,
        kind: str = "",
        can_pause: bool = False,
        quiet: bool = False,
    ) -> JobHandle:
        """Run a stage. `on_done` is given the value of its last Result (also None), once it ended by itself;
        a stopped job tells nobody but its handle's `finished`. `quiet` jobs stay out of the tray: a page shows them.
        """
        handle = JobHandle(title, kind, can_pause, quiet, self)
        handle.resume_requested.connect(self._run)
        self._wirings[handle] = _Wiring(stage_factory, on_event, on_done, on_failed)
        self.handles.append(handle)
        self._run(handle)
        self.added.emit(handle)
        return handle

    def running(self, kind: str = "") -> list[JobHandle]:
        """The jobs that run now, of one kind or of all."""
        return [each for each in self.handles if each.running and kind in ("", each.kind)]

    def forget(self, handle: JobHandle) -> None:
        """A finished job was seen: let go of it."""
        if not handle.running and handle in self.handles:
            self.handles.remove(handle)
            self._wirings.pop(handle, None)
            self.removed.emit(handle)
            handle.deleteLater()

    def close(self, end_workers: Callable[[], None]) -> None:
        """Stop every job and wait a moment; then end their processes, which ends those that are left."""
        self._closing = True
        self._timer.stop()
        threads = [each._job for each in self.handles if each._job is not None and each._job.isRunning()]
        for thread in threads:
            thread.requestInterruption()
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in threads:
            thread.wait(max(1, int((deadline - time.monotonic()) * 1000)))
        end_workers()
        for thread in threads:
            thread.wait(3000)

    def _run(self, handle: JobHandle) -> None:
        job = Job(self._wirings[handle].factory, self)
        job.finished.connect(lambda: self._on_ended(handle, job))
        handle._job, handle.state, handle.started = job, "running", time.monotonic()
        job.start()
        self._timer.start()
        handle.changed.emit()
        self.changed.emit()

    def _gather(self) -> None:
        running = [each for each in self.handles if each._job is not None]
        for handle in running:
            self._drain(handle)
        if not running:
            self._timer.stop()

    def _drain(self, handle: JobHandle) -> None:
        job, wiring = handle._job, self._wirings.get(handle)
        if job is None or wiring is None or self._closing:
            return
        waiting = [job.arrived.popleft() for _ in range(len(job.arrived))]
        progressed = False
        for event in join_tokens(waiting):
            if isinstance(event, Progress):
                handle.progress, progressed = event, True
            elif isinstance(event, Result):
                handle.value = event.value
            if wiring.on_event is not None:
                wiring.on_event(event)
        if progressed:
            handle.changed.emit()

    def _on_ended(self, handle: JobHandle, job: Job) -> None:
        if self._closing or handle._job is not job:
            return
        self._drain(handle)
        handle._job = None
        handle.seconds = time.monotonic() - handle.started
        self._settle(handle, job.error)
        job.deleteLater()
        handle.changed.emit()
        handle.finished.emit()
        self.changed.emit()

    def _settle(self, handle: JobHandle, error: Exception | None) -> None:
        wiring = self._wirings[handle]
        if handle.state == "stopping":
            handle.state = handle._after_stop
        elif error is None:
            handle.state = "done"
            if wiring.on_done is not None:
                wiring.on_done(handle.value)
        else:
            handle.state, handle.error, handle.message = "failed", error, _sentence(error)
            if wiring.on_failed is not None:
                wiring.on_failed(error)
            else:
                self.failed.emit(error)
        if handle.quiet and not handle.running:
            QTimer.singleShot(0, lambda: self.forget(handle))


def _sentence(error: Exception) -> str:
    """Why a job failed: our own errors say it, what a library says may be pages long and goes into the notice."""
    unexpected = QCoreApplication.translate("Jobs", "Something unexpected happened")
    return str(error) if isinstance(error, WorkbenchError) else unexpected


def join_tokens(waiting: Iterable[Event]) -> list[Event]:
    """The same events with the tokens of a lane joined where nothing else came between: one write in place of many."""
    joined: list[Event] = []
    open_tokens: dict[str, int] = {}
    for event in waiting:
        if not isinstance(event, Token):
            joined.append(event)
            open_tokens.clear()
        elif event.lane in open_tokens:
            place = open_tokens[event.lane]
            before = joined[place]
            assert isinstance(before, Token)
            joined[place] = Token(event.lane, before.text + event.text)
        else:
            open_tokens[event.lane] = len(joined)
            joined.append(event)
    return joined
