"""Do a long list of small things a few at a time: the window answers meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import QObject, QTimer

AT_A_TIME = 0.012  # seconds of work before the event loop has its turn


class Gradual(QObject):
    """Hands one item after the other to a function; what was begun before is forgotten when something else begins."""

    def __init__(self, do: Callable[[Any], object], parent: QObject, at_a_time: float = AT_A_TIME) -> None:
        """`at_a_time`: seconds of work before the event loop has its turn; one thing is always done."""
        super().__init__(parent)
        self._do, self._at_a_time = do, at_a_time
        self._left: deque[Any] = deque()
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._go_on)

    @property
    def busy(self) -> bool:
        return bool(self._left)

    def begin(self, items: Iterable[Any]) -> None:
        """The first few are done before this returns."""
        self.begin_later(items)
        self._go_on()

    def begin_later(self, items: Iterable[Any]) -> None:
        """The first is done in the event loop's next turn, after what is to be drawn now."""
        self._left = deque(items)
        self._timer.start()

    def stop(self) -> None:
        self._left.clear()
        self._timer.stop()

    def _go_on(self) -> None:
        end = time.monotonic() + self._at_a_time
        while self._left:
            self._do(self._left.popleft())
            if time.monotonic() >= end:
                break
        if self._left:
            self._timer.start()
        else:
            self._timer.stop()
