"""Draw what changed in a turn one lane at a time: the window answers in between, however many lanes stream."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from workbench.ui.compare_talk import TalkTurn


class Redraw(QObject):
    """Remembers which lanes of which turns are to be drawn again and has `draw` do it, one in each turn of the loop.

    Four lanes that have news together would be drawn in one go otherwise, which on a busy machine takes longer than a
    person should wait for the window.
    """

    def __init__(self, draw: Callable[[TalkTurn, str], None], parent: QObject) -> None:
        super().__init__(parent)
        self._draw = draw
        self._waiting: dict[tuple[str, str], TalkTurn] = {}  # turn's id and lane, in the order they changed
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._next)

    def lane_changed(self, turn: TalkTurn, lane: str) -> None:
        """A lane is to be drawn; one that waits already keeps its place."""
        self._waiting.setdefault((turn.id, lane), turn)
        if not self._timer.isActive():
            self._timer.start()

    def forget(self, turn: TalkTurn) -> None:
        """All of a turn is drawn now, so nothing of it waits any more."""
        self._waiting = {key: each for key, each in self._waiting.items() if each is not turn}

    def _next(self) -> None:
        key = next(iter(self._waiting), None)
        if key is None:
            return
        turn = self._waiting.pop(key)
        if self._waiting:
            self._timer.start()
        self._draw(turn, key[1])
