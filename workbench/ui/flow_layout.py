"""A layout of a line that goes on in the next where room is short."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


class FlowLayout(QLayout):
    """Puts widgets beside each other and goes on in the next line where room is short."""

    def __init__(
        self, parent: QWidget | None = None, spacing: int = 8, between_lines: int = 0, centred: bool = False
    ) -> None:
        """`between_lines` is the same as `spacing` unless it is given; `centred` lines stand in the middle of the
        height there is, not at its top."""
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._known: dict[int, list[list[tuple[QLayoutItem, QSize]]]] = {}  # lines by width, until something changes
        self._sizes: tuple[QSize, QSize] | None = None  # hint and minimum, likewise
        self._gap, self._line_gap, self._centred = spacing, between_lines or spacing, centred
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)
        self.invalidate()

    def invalidate(self) -> None:
        """Forget what was worked out: Qt asks for it a dozen times each time anything is laid out."""
        self._known, self._sizes = {}, None
        super().invalidate()

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        self._known, self._sizes = {}, None
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)  # a layout takes all the room there is unless it says so

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        spare = rect.height() - self.heightForWidth(rect.width()) if self._centred else 0
        self._place(rect.translated(0, max(0, spare) // 2), move=True)

    def sizeHint(self) -> QSize:
        return QSize(self._both()[0])

    def minimumSize(self) -> QSize:
        return QSize(self._both()[1])

    def _both(self) -> tuple[QSize, QSize]:
        if self._sizes is None:
            self._sizes = self._hint(), self._minimum()
        return self._sizes

    def _hint(self) -> QSize:
        hints = [each.sizeHint() for each in self._items if not each.isEmpty()]
        width = sum(hint.width() for hint in hints) + self._gap * max(0, len(hints) - 1)
        return QSize(width, max((hint.height() for hint in hints), default=0))

    def _minimum(self) -> QSize:
        sizes = [each.minimumSize() for each in self._items]
        return QSize(max((s.width() for s in sizes), default=0), max((s.height() for s in sizes), default=0))

    def _place(self, rect: QRect, move: bool) -> int:
        """Fill line after line; in each, what is lower stands in the middle of what is tallest."""
        parent = self.parentWidget()
        mirrored = parent is not None and parent.isRightToLeft()
        y = rect.y()
        for line in self._lines(rect.width()):
            tall, x = max(hint.height() for _, hint in line), 0
            for item, hint in line:
                left = rect.width() - x - hint.width() if mirrored else x
                if move:
                    middle = y + (tall - hint.height()) // 2
                    item.setGeometry(QRect(QPoint(rect.x() + left, middle), hint))
                x += hint.width() + self._gap
            y += tall + self._line_gap
        return max(0, y - self._line_gap - rect.y())

    def _lines(self, room: int) -> list[list[tuple[QLayoutItem, QSize]]]:
        if room not in self._known:
            self._known[room] = self._fill(room)
        return self._known[room]

    def _fill(self, room: int) -> list[list[tuple[QLayoutItem, QSize]]]:
        lines: list[list[tuple[QLayoutItem, QSize]]] = []
        x = 0
        for item in self._items:
            if item.isEmpty():
                continue
            hint = item.sizeHint().boundedTo(QSize(max(1, room), 1 << 20))
            if item.hasHeightForWidth():  # it flows by itself where it is wider than the whole line
                hint.setHeight(max(item.minimumSize().height(), item.heightForWidth(hint.width())))
            if not lines or x + hint.width() > room:
                lines.append([])
                x = 0
            lines[-1].append((item, hint))
            x += hint.width() + self._gap
        return lines
