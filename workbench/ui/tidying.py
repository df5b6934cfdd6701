"""Python's search for cycles, kept to the window's own thread."""

from __future__ import annotations

import gc
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject, QTimer

LOOK_MS = 500
OFTEN = 700  # objects made since the last look from which another is worth while, Python's own threshold
STILL, LOOKS = 50, 20  # so few new objects in each of so many looks: nothing goes on, and nobody is kept waiting
GROWN = 1.25  # times the objects that are left alone, from which they are looked through once more
TOO_MANY = 3.0  # times as many, from which that waits for nothing


class Tidying(QObject):
    """Collects garbage by a timer of the window and never in a job's thread.

    Python looks for cycles wherever an object happens to be made. In a job's thread that would take widgets and other
    objects of Qt apart while the window is using them, which ends the program.

    Looking through all that a window with every page holds takes 50 to 80 ms on a busy machine, which a person would
    notice. So what has outlived one look is left alone from then on, until nothing goes on in the window. Python takes
    10 ms only to count what is left alone, so that is done as seldom: meanwhile what joins it is added up.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self.busy: Callable[[], bool] = lambda: False  # whether a person is waiting for something; the window says it
        self._made = self._still = 0
        self._left_alone = 0  # objects after the last look through all of them; 0 before the first look
        self._most = 0  # objects that are left alone now, those among them that are gone included
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect what is young enough, and all there is when that disturbs nobody."""
        if not self._left_alone:  # the program and its first page: most of it stays for good
            gc.freeze()
            self._left_alone = self._most = gc.get_freeze_count()
        made = gc.get_count()[0]
        self._still = self._still + 1 if abs(made - self._made) < STILL and not self.busy() else 0
        self._made = made
        if self._still >= LOOKS:
            self._still = 0
            self._look_through_beyond(GROWN)
        elif self._most > TOO_MANY * self._left_alone:
            self._look_through_beyond(TOO_MANY)
        elif made > OFTEN:
            gc.collect(0)
            self._most += len(gc.get_objects())
            gc.freeze()

    def _look_through_beyond(self, times: float) -> None:
        """Count, and look through all where it is so many times as much as was left before."""
        self._most = gc.get_freeze_count()
        if self._most > times * self._left_alone:
            self.look_through()

    def look_through(self) -> None:
        """Collect from all there is, what was left alone included."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._left_alone = self._most = gc.get_freeze_count()
        self._still = 0


def wait_while(busy: Callable[[], bool]) -> None:
    """Have the application look through everything only when `busy` says no."""
    app = QCoreApplication.instance()
    for each in app.findChildren(Tidying) if app is not None else ():
        each.busy = busy
