"""Hear of changes in the indexed folders: the system tells of them, and a slow clock makes up for what it forgets."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver

log = logging.getLogger("workbench")

LOOK_MS = 50  # how often it is looked whether something was heard
FIRST_MS = 100  # of quiet until news after a quiet time is told: an editor that saves writes several times
LONGEST_MS = 500  # after the first of it, it is told also while more comes
SETTLE_MS = 1500  # the same while more news comes: a copied folder comes file by file
RECONCILE_MS = 5 * 60 * 1000  # network drives tell nothing, and queues overflow: look for oneself this often


def _is_news(record: logging.LogRecord) -> bool:
    """Closing a watch while something changes is no error, though watchdog logs it as one."""
    return "when the thread is inactive" not in record.getMessage()


class Ear:
    """Listens to folders in threads of its own and knows nothing of Qt: a thread that ends late must not reach into a
    window that is gone."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)
        self._heard = threading.Event()
        self._closed = threading.Event()
        self._observer: BaseObserver | None = None
        # Starting walks through every folder, which takes a while for many: nobody waits for that.
        self._thread = threading.Thread(target=self._start, name="folder watch", daemon=True)
        self._thread.start()

    def take(self) -> bool:
        """Whether something was heard since the last time."""
        heard = self._heard.is_set()
        self._heard.clear()
        return heard

    def close(self) -> None:
        """Stop listening; what still starts ends by itself."""
        self._closed.set()
        self._thread.join(1.0)
        if self._observer is not None and self._observer.is_alive():
            self._observer.stop()
            self._observer.join(1.0)

    def _start(self) -> None:
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers import Observer

        logging.getLogger("watchdog.observers.inotify").addFilter(_is_news)
        heard = self._heard

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                if event.event_type not in ("opened", "closed_no_write"):  # reading a file is no change
                    heard.set()

        observer = Observer()
        observer.daemon = True
        try:
            for folder in self.folders:
                if folder.is_dir():
                    observer.schedule(Handler(), str(folder), recursive=True)
            if self._closed.is_set():
                return
            observer.start()
        except OSError as error:  # out of inotify watches: the clock still looks
            log.warning("folders are not watched: %s", error)
        self._observer = observer
        heard.set()  # what changed until now was not heard
        if self._closed.is_set() and observer.is_alive():
            observer.stop()


class FolderWatch(QObject):
    """Emits `touched` a moment after something changed in a folder, then more rarely while more does; and every five
    minutes besides."""

    touched = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ear: Ear | None = None
        self._look = QTimer(self, interval=LOOK_MS)
        self._look.timeout.connect(self._on_look)
        self._settle = QTimer(self, singleShot=True)
        self._settle.timeout.connect(self._on_settled)
        self._told = self._began = -1e9  # when news was told last, and when the first of it came, as monotonic() counts
        self._clock = QTimer(self, interval=RECONCILE_MS)
        self._clock.timeout.connect(self.touched)

    @property
    def folders(self) -> tuple[Path, ...]:
        return self._ear.folders if self._ear is not None else ()

    def watch(self, folders: Sequence[Path]) -> None:
        """Watch these folders and no others; one that cannot be watched is looked at by the clock alone."""
        if tuple(folders) == self.folders:
            return
        self.close()
        if folders:
            self._ear = Ear(folders)
            self._look.start()
            self._clock.start()

    def _on_look(self) -> None:
        if self._ear is None or not self._ear.take():
            return
        now = time.monotonic()
        if not self._settle.isActive():
            self._began = now
            self._settle.start(FIRST_MS if 1000 * (now - self._told) > SETTLE_MS else SETTLE_MS)
        elif self._settle.interval() == FIRST_MS and 1000 * (now - self._began) < LONGEST_MS - FIRST_MS:
            self._settle.start(FIRST_MS)

    def _on_settled(self) -> None:
        self._told = time.monotonic()
        self.touched.emit()

    def close(self) -> None:
        """Stop watching."""
        for timer in (self._look, self._settle, self._clock):
            timer.stop()
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.close()
