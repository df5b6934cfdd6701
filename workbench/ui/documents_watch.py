"""Hear of changes in the indexed folders: the system tells of them, and a slow clock makes up for what it forgets."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver

log = logging.getLogger("workbench")

SETTLE_MS = 1500  # an editor that saves writes several times; a copied folder comes file by file
RECONCILE_MS = 5 * 60 * 1000  # network drives tell nothing, and queues overflow: look for oneself this often


class FolderWatch(QObject):
    """Emits `touched` a moment after something changed in a folder, and every five minutes besides."""

    touched = Signal()
    _heard = Signal()  # from watchdog's thread

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._observer: BaseObserver | None = None
        self._folders: tuple[Path, ...] = ()
        self._lock = threading.Lock()
        self._starting: threading.Thread | None = None
        self._settle = QTimer(self, singleShot=True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.touched)
        self._heard.connect(self._settle.start, Qt.ConnectionType.QueuedConnection)
        self._clock = QTimer(self)
        self._clock.setInterval(RECONCILE_MS)
        self._clock.timeout.connect(self.touched)

    @property
    def folders(self) -> tuple[Path, ...]:
        return self._folders

    def watch(self, folders: Sequence[Path]) -> None:
        """Watch these folders and no others; one that cannot be watched is looked at by the clock alone."""
        wanted = tuple(folders)
        if wanted == self._folders:
            return
        self.close()
        self._folders = wanted
        if wanted:
            self._clock.start()
            # It walks through every folder, which takes a while for many: the window does not wait for that.
            self._starting = threading.Thread(target=self._start, args=(wanted,), name="folder watch", daemon=True)
            self._starting.start()

    def _start(self, folders: Sequence[Path]) -> None:
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers import Observer

        watch = self

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                if event.event_type not in ("opened", "closed_no_write"):  # reading a file is no change
                    watch._heard.emit()

        observer = Observer()
        observer.daemon = True
        with self._lock:
            if folders != self._folders:  # others are wanted by now
                return
            self._observer = observer
        try:
            for folder in folders:
                if folder.is_dir():
                    observer.schedule(Handler(), str(folder), recursive=True)
            observer.start()
            self._heard.emit()  # what changed until now was not heard
        except OSError as error:  # out of inotify watches: the clock still looks
            log.warning("folders are not watched: %s", error)

    def close(self) -> None:
        """Stop watching."""
        self._settle.stop()
        self._clock.stop()
        with self._lock:
            self._folders = ()
            observer, self._observer = self._observer, None
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.join(1.0)
        if observer is not None and observer.is_alive():
            observer.stop()
            observer.join(1.0)
