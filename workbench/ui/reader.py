"""Read or work out something in the background, for a sheet that may be closed before it is there"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from workbench.events import Progress, Result, Stage
from workbench.ui.bench import Bench
from workbench.ui.job import JobHandle


class Reader(QObject):
    """Reads or works out something in the background; what an earlier reading brings late is passed over."""

    ready = Signal(object)

    def __init__(self, bench: Bench, title: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench, self._title = bench, title
        self._job: JobHandle | None = None

    def read(self, what: Callable[[], Any]) -> None:
        def stage() -> Stage:
            yield Progress(0, 0, "reading")
            yield Result(what())

        self._job = self._bench.jobs.start(
            self._title, stage, on_failed=self._bench.notices.error, kind="list", quiet=True
        )
        self._job.finished.connect(self._on_finished)  # to a method: it is let go of with its sheet

    def _on_finished(self) -> None:
        if self._job is not None and self._job.state == "done":
            self.ready.emit(self._job.value)
