"""A step's number in a ring, or a tick once it is done."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from workbench.ui import theme
from workbench.ui.charts import draw_glyph


class StepBadge(QWidget):
    """The number of a step of the page; it is said as well, for those who do not see it."""

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._number, self._done = number, False
        self.setFixedSize(24, 24)
        self.set_done(False)

    def set_done(self, done: bool) -> None:
        self._done = done
        self.setAccessibleName(self.tr("done") if done else self.tr("step {0}").format(self._number))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("good" if self._done else "accent"), 1.2))
        painter.drawEllipse(self.rect().adjusted(2, 2, -2, -2))
        if self._done:
            draw_glyph(painter, "check", "good", 6, 12)
        else:
            font = painter.font()
            font.setPixelSize(theme.px(theme.SMALL))
            painter.setFont(font)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, str(self._number))
