"""The held-out loss of two runs over their course, one drawn whole and one dashed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from workbench.ui.charts import Chart, draw_curve, nice_top, short_number, write
from workbench.ui.theme import color, lane_color

Curve = tuple[str, Sequence[tuple[int, float]]]


class VersusChart(Chart):
    """Each curve over its own steps, both on one axis of loss; their names stand where they end."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Held-out loss of two runs"))
        self.setMinimumHeight(180)
        self._curves: tuple[Curve, ...] = ()

    def sizeHint(self) -> QSize:
        return QSize(380, 200)

    def show_runs(self, curves: Sequence[Curve]) -> None:
        """Show the curves, each as (name, (step, loss) in order)."""
        self._curves = tuple((name, [each for each in points if math.isfinite(each[1])]) for name, points in curves)
        words = self.tr("{0}: {1:.2f} to {2:.2f}.")
        said = [words.format(name, points[0][1], points[-1][1]) for name, points in self._curves if points]
        self.setAccessibleDescription(" ".join(said))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, plot = self._painter(), QRectF(self.rect()).adjusted(34, 8, -8, -22)
        values = [value for _, points in self._curves for _, value in points]
        top = nice_top(max(values, default=1.0))
        steps = max((points[-1][0] for _, points in self._curves if points), default=1)
        self._draw_axes(painter, plot, top, steps)
        labels = []
        for number, (name, points) in enumerate(self._curves):
            style = Qt.PenStyle.DashLine if number else Qt.PenStyle.SolidLine
            ink = color("text") if number else lane_color("tuned")
            places = [
                QPointF(plot.left() + plot.width() * step / max(1, steps), plot.bottom() - plot.height() * value / top)
                for step, value in points
            ]
            draw_curve(painter, places, QPen(ink, 2, style))
            if places:
                labels.append((places[-1].y(), f"{name} {points[-1][1]:.2f}"))
        self._draw_labels(painter, plot, labels)

    def _draw_axes(self, painter: QPainter, plot: QRectF, top: float, steps: int) -> None:
        for part in range(5):
            y = plot.bottom() - plot.height() * part / 4
            painter.setPen(QPen(color("line"), 1))
            painter.drawLine(QLineF(plot.left(), y, plot.right(), y))
            write(painter, plot.left() - 8, y, short_number(top * part / 4), color("muted"), "right")
        write(painter, plot.left(), plot.bottom() + 12, "0", color("muted"), "centre")
        write(painter, plot.right(), plot.bottom() + 12, self.tr("{0:,} steps").format(steps), color("muted"), "right")

    def _draw_labels(self, painter: QPainter, plot: QRectF, labels: list[tuple[float, str]]) -> None:
        """Over the end of each curve, a line apart, and always inside the plot."""
        bottom = plot.bottom() - 8
        for y, text in sorted(labels, reverse=True):
            bottom = max(plot.top() + 8, min(bottom, y - 12))
            width = painter.fontMetrics().horizontalAdvance(text) + 8
            painter.fillRect(QRectF(plot.right() - width, bottom - 8, width, 16), color("surface"))
            write(painter, plot.right() - 4, bottom, text, color("text"), "right")
            bottom -= 18
