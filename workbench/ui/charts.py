"""Charts drawn with QPainter from the theme's tokens: loss, lengths, intervals, effects and costs.

Each is a plain widget with a `show_…` method. What a chart shows is also said in words as its accessible description,
and the labels stand on the lines, so that none needs a legend.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.ui import icons, theme
from workbench.ui.theme import color

SMOOTHING = 0.25  # weight of a new step in the smoothed training loss: about the last eight steps


def nice_top(value: float) -> float:
    """The first of 1, 2, 4, 5, 8 times a power of ten that is not below a value; 1 for nothing."""
    if not math.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((each * power for each in (1, 2, 4, 5, 8) if each * power >= value * 0.999), 10.0 * power)


def short_number(value: float) -> str:
    """A number for an axis: no more digits than it needs."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.3g}"


def signed(value: float) -> str:
    """Points with their sign; a true minus sign, so that columns line up."""
    rounded = round(value)
    return f"+{rounded}" if rounded > 0 else (f"\N{MINUS SIGN}{-rounded}" if rounded < 0 else "0")


def round_estimate(value: float) -> int:
    """An estimate with two digits that count: 328 is about 330."""
    if value < 10:
        return round(value)
    power = 10 ** (int(math.log10(value)) - 1)
    return int(round(value / power) * power)


def smooth(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """An exponential mean of a curve, started at its first value."""
    found: list[tuple[int, float]] = []
    for step, value in points:
        found.append((step, value if not found else found[-1][1] + SMOOTHING * (value - found[-1][1])))
    return found


def draw_interval(painter: QPainter, rect: QRectF, rate: float, interval: tuple[float, float], ink: QColor) -> None:
    """A share from 0 to 1 on a thin line: its interval as a pale bar, the value as a tick."""
    middle = rect.center().y()
    painter.setPen(QPen(color("line"), 2))
    painter.drawLine(QLineF(rect.left(), middle, rect.right(), middle))
    low, high = (rect.left() + rect.width() * min(1.0, max(0.0, each)) for each in interval)
    pale = QColor(ink)
    pale.setAlphaF(0.35)
    painter.fillRect(QRectF(low, middle - 3, max(2.0, high - low), 6), pale)
    painter.fillRect(QRectF(rect.left() + rect.width() * rate - 1.5, middle - 5, 3, 10), ink)


def small_font(font: QFont) -> QFont:
    """A font at the size of captions and figures."""
    found = QFont(font)
    found.setPixelSize(theme.px(theme.SMALL))
    return found


def glyph(name: str, role: str = "text", size: int = 16) -> QPixmap:
    """An icon as a pixmap in a token's colour, for models and for what is drawn by hand.

    A pixmap and not a QIcon: it is drawn once for each colour and size, where a table would have an icon's engine,
    which is Python, draw the glyph afresh in every cell at every repaint.
    """
    return _glyph(name, theme.color(role).name(), role, size)


@lru_cache(maxsize=512)
def _glyph(name: str, _color: str, role: str, size: int) -> QPixmap:
    return icons.pixmap(name, size, role)


def draw_glyph(painter: QPainter, name: str, role: str, left: float, middle: float, size: int = 12) -> None:
    """Draw an icon with its left edge at x, centred on y."""
    painter.drawPixmap(QRectF(left, middle - size / 2, size, size).toRect(), glyph(name, role, size))


def draw_bar(widget: QWidget, ink: QColor, share: float) -> None:
    """Fill a share of a widget's width with a rounded bar, 8 high, from the side reading begins."""
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    width = max(8.0, widget.width() * min(1.0, share))
    left = widget.width() - width if widget.layoutDirection() == Qt.LayoutDirection.RightToLeft else 0.0
    painter.drawRoundedRect(QRectF(left, widget.height() / 2 - 4, width, 8), 2, 2)


class Chart(QWidget):
    """What the charts share: the small font, a fresh picture when the theme changes, text helpers."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self.update()
        super().changeEvent(event)

    def small(self, bold: bool = False) -> QFont:
        font = small_font(self.font())
        font.setBold(bold)
        return font

    def _painter(self) -> QPainter:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.small())
        return painter

    def _mirrored(self) -> bool:
        return self.layoutDirection() == Qt.LayoutDirection.RightToLeft


def write(
    painter: QPainter, x: float, y: float, text: str, ink: QColor, side: str = "left", font: QFont | None = None
) -> None:
    """Write one line vertically centred on y: to the right of x ("left"), to the left of it ("right") or around it."""
    if font is not None:
        painter.setFont(font)
    metrics = QFontMetricsF(painter.font())
    width = metrics.horizontalAdvance(text)
    start = {"left": x, "right": x - width, "centre": x - width / 2}[side]
    painter.setPen(ink)
    painter.drawText(QPointF(start, y + (metrics.ascent() - metrics.descent()) / 2), text)


def draw_curve(painter: QPainter, points: Sequence[QPointF], pen: QPen) -> None:
    """A line through points."""
    if len(points) < 2:
        return
    path = QPainterPath(points[0])
    for point in points[1:]:
        path.lineTo(point)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)
