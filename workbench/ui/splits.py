"""How a person divided a page: the room of a splitter's second part, kept in the project."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QSplitter

from workbench.ui.bench import Bench

SETTLED_MS = 400  # after the last move of the handle


class KeptSplit:
    """Watches a splitter of two parts and opens it as it was left."""

    def __init__(self, bench: Bench, split: QSplitter, key: str, usual: int) -> None:
        """`usual`: pixels of the second part until a person says otherwise."""
        self._bench, self._split, self._key, self._usual = bench, split, key, usual
        self._timer = QTimer(split, singleShot=True)
        self._timer.setInterval(SETTLED_MS)
        self._timer.timeout.connect(self.keep)
        split.splitterMoved.connect(lambda *_: self._timer.start())

    def open(self, least: int = 0) -> None:
        """Give the second part its room; until a person says otherwise, `least` pixels stay for the first one."""
        split, kept = self._split, self._bench.recall(self._key)
        whole = split.width() if split.orientation() is Qt.Orientation.Horizontal else split.height()
        if isinstance(kept, int) and 0 < kept < whole:
            split.setSizes([whole - kept, kept])
        else:
            split.setSizes([max(least, whole - self._usual), self._usual])

    def keep(self) -> None:
        """Write down how it is divided now."""
        self._timer.stop()
        sizes = self._split.sizes()
        if len(sizes) == 2 and sizes[1]:
            self._bench.remember(**{self._key: sizes[1]})
