"""Python's search for cycles, kept to the window's own thread."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

LOOK_MS = 500
OFTEN, SELDOM = 700, 10  # Python's own thresholds: objects made since the last look, looks of one kind before the next


class Tidying(QObject):
    """Collects garbage by a timer of the window and never in a job's thread.

    Python looks for cycles wherever an object happens to be made. In a job's thread that would take widgets and other
    objects of Qt apart while the window is using them, which ends the program.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect what has grown enough, the youngest first."""
        made, young, old = gc.get_count()
        if made > OFTEN:
            gc.collect(2 if old > SELDOM else 1 if young > SELDOM else 0)
