"""Small widgets that are painted by hand, from the theme's tokens: icons, a lane's dot and rule, bars."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.ui import icons, theme
from workbench.ui.plain import tooltip


class IconLabel(QWidget):
    """Paints one icon."""

    def __init__(self, icon: str, size: int = 16, role: str = "text", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size = size
        self.setFixedSize(size, size)
        self.set_icon(icon, role)

    def set_icon(self, icon: str, role: str = "text") -> None:
        self._icon = icons.icon(icon, role)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._icon.paint(painter, QRect(QPoint(0, 0), self.size()))


class Dot(QWidget):
    """A lane's dot."""

    def __init__(self, lane: str = "", size: int = 8, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lane, self._dot = lane, size
        self.setFixedSize(size, size + 2)

    def set_lane(self, lane: str) -> None:
        self._lane = lane
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.lane_color(self._lane) if self._lane else theme.color("muted"))
        painter.drawEllipse(0, 1, self._dot, self._dot)


class LaneRule(QWidget):
    """The 3-pixel rule in a lane's colour; an empty lane paints the line colour (blind mode)."""

    def __init__(self, lane: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lane = lane
        self.setFixedHeight(3)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_lane(self, lane: str) -> None:
        self._lane = lane
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.lane_color(self._lane) if self._lane else theme.color("strong"))


class ProgressLine(QWidget):
    """A slim bar, 4 high; `None` as value is a full-width quiet line: working, no end in sight."""

    def __init__(self, parent: QWidget | None = None, height: int = 4) -> None:
        super().__init__(parent)
        self._share: float | None = 0.0
        self._lane = ""
        self.setFixedHeight(height)
        self.setAccessibleName(self.tr("Progress"))

    def set_share(self, share: float | None, lane: str = "") -> None:
        """`share` from 0 to 1, drawn in the accent or in a lane's colour."""
        self._share, self._lane = share, lane
        self.setAccessibleDescription("" if share is None else f"{round(100 * share)} %")
        self.update()

    @property
    def share(self) -> float | None:
        return self._share

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("line"))
        radius = self.height() / 2
        painter.drawRoundedRect(self.rect(), radius, radius)
        share = 1.0 if self._share is None else min(1.0, max(0.0, self._share))
        painter.setBrush(theme.lane_color(self._lane) if self._lane else theme.color("accent"))
        painter.setOpacity(0.35 if self._share is None else 1.0)
        width = round(self.width() * share)
        if width:
            left = self.width() - width if self.layoutDirection() == Qt.LayoutDirection.RightToLeft else 0
            painter.drawRoundedRect(left, 0, width, self.height(), radius, radius)


class TokenBar(QWidget):
    """Parts of a whole as one bar, 8 high: (name, amount, colour token) each; what is left of `total` stays sunken."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: tuple[tuple[str, int, str], ...] = ()
        self._total = 1
        self.setFixedHeight(8)

    def set_parts(self, parts: Sequence[tuple[str, int, str]], total: int) -> None:
        self._parts, self._total = tuple(parts), max(1, total)
        self.setAccessibleName(", ".join(f"{name} {amount}" for name, amount, _ in parts))
        self.setToolTip(tooltip(self.accessibleName()))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("line"))
        left = 0.0
        for _, amount, role in self._parts:
            width = self.width() * amount / self._total
            painter.fillRect(QRect(round(left), 0, max(1, round(width) - 1), self.height()), theme.color(role))
            left += width


def tint(color: QColor, strength: float = 0.3) -> QColor:
    """A colour mixed into the surface: the pale band of an interval, the fill of a bar."""
    ground = theme.color("surface")
    back = 1 - strength
    return QColor.fromRgbF(
        color.redF() * strength + ground.redF() * back,
        color.greenF() * strength + ground.greenF() * back,
        color.blueF() * strength + ground.blueF() * back,
    )
