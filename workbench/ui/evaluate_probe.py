"""A test beside the suite, as a job: what it has told so far, whether or not its sheet is open"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from workbench.events import Event, Note, Result, Stage
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.job import JobHandle


class Probe(QObject):
    """Runs one kind of test at a time; a stage tells single values first and the whole last."""

    changed = Signal()  # it began, went on or ended
    ended = Signal()

    def __init__(self, bench: Bench, title: str, whole: type, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench, self._title, self._kind = bench, title, whole
        self._job: JobHandle | None = None
        self.told: list[Any] = []  # single values, in the order they came
        self.whole: Any = None
        self.error = ""  # one sentence, when it failed

    @property
    def busy(self) -> bool:
        return self._job is not None and self._job.running

    @property
    def job(self) -> JobHandle | None:
        return self._job

    def start(self, factory: Callable[[], Stage]) -> None:
        """Begin; what an earlier one told is forgotten. One that runs goes on."""
        if self.busy:
            return
        self.told, self.whole, self.error = [], None, ""
        self._job = self._bench.jobs.start(
            self._title, factory, self._on_event, on_failed=self._on_failed, kind="evaluate"
        )
        self._job.changed.connect(self.changed)
        self._job.finished.connect(self._on_finished)
        self.changed.emit()

    def stop(self) -> None:
        if self._job is not None:
            self._job.stop()

    def forget(self) -> None:
        """Another project is open: nothing that was told is about it."""
        self.stop()
        self.told, self.whole, self.error = [], None, ""
        self.changed.emit()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Note):
            self._bench.notices.tell(event.message, event.level)
        elif isinstance(event, Result):
            if isinstance(event.value, self._kind):
                self.whole = event.value
            else:
                self.told.append(event.value)
            self.changed.emit()

    def _on_failed(self, error: Exception) -> None:
        self.error = str(error)
        self._bench.notices.error(error)

    def _on_finished(self) -> None:
        self.changed.emit()
        self.ended.emit()


class ProbeStrip(QWidget):
    """How far a test is, over its results in a sheet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = widgets.ProgressLine()
        self.said = widgets.ElidedLabel("", "caption")
        self.setLayout(widgets.column(self.bar, self.said, spacing=4))
        self.hide()

    def follow(self, probe: Probe) -> None:
        """Draw a test as it is now."""
        self.setVisible(probe.busy)
        if not probe.busy or probe.job is None:
            return
        progress = probe.job.progress
        if probe.job.state == "stopping":
            self.said.set_text(self.tr("Stopping; what is done is kept"))
        elif progress is None:
            self.bar.set_share(None)
            self.said.set_text(self.tr("Starting"))
        else:
            self.bar.set_share(progress.done / progress.total if progress.total else None)
            counted = self.tr("{0:,} of {1:,} {2}").format(progress.done, progress.total, progress.unit)
            self.said.set_text(f"{progress.note}, {counted.strip()}" if progress.total else progress.note)
