"""Python's search for cycles, kept to the window's own thread."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

LOOK_MS = 500
OFTEN, SELDOM = 700, 10  # Python's own thresholds: objects made since the last look, looks of one kind before the next
STILL, LOOKS = 50, 20  # so few new objects in each of so many looks: nothing goes on, and nobody is kept waiting
GROWN = 1.25  # times the objects that are left alone, from which they are looked through once more


class Tidying(QObject):
    """Collects garbage by a timer of the window and never in a job's thread.

    Python looks for cycles wherever an object happens to be made. In a job's thread that would take widgets and other
    objects of Qt apart while the window is using them, which ends the program.

    Looking through all that a window with every page holds takes 50 ms on a busy machine, which a person would notice.
    So what has outlived a look at everything is left alone from then on, until nothing goes on in the window.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._made = self._still = 0
        self._left_alone = -1  # objects after the last look through all of them; -1 before the first look
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect what has grown enough, the youngest first."""
        if self._left_alone < 0:  # the program and its first page: most of it stays for good
            gc.freeze()
            self._left_alone = 0
        made, young, old = gc.get_count()
        self._still = self._still + 1 if abs(made - self._made) < STILL else 0
        self._made = made
        if made > OFTEN:
            generation = 2 if old > SELDOM else 1 if young > SELDOM else 0
            gc.collect(generation)
            if generation == 2:
                gc.freeze()
        elif self._still >= LOOKS and gc.get_freeze_count() > GROWN * self._left_alone:
            self.look_through()

    def look_through(self) -> None:
        """Collect from all there is, what was left alone included."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._left_alone, self._still = gc.get_freeze_count(), 0
