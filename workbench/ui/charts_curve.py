"""The data learning curve: right answers over the share of rows that was learnt, and lines for what learns nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from workbench.evaluation.curve_records import CurveLine
from workbench.ui.charts import Chart, draw_curve, write
from workbench.ui.theme import color, lane_color

LEAST = 0.1  # of the rows, at the left edge; the axis is in tenfolds, as what more rows add is
NAMES_LEFT = 28  # pixels from the plot to the names of the lines


class CurveChart(Chart):
    """The tuned ones with their intervals, the others as dashed lines; names stand at the right with their figures."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Right answers by the share of the rows"))
        self.setMinimumHeight(200)
        self._lines: tuple[tuple[CurveLine, str], ...] = ()

    def sizeHint(self) -> QSize:
        return QSize(480, 220)

    def show_lines(self, lines: Sequence[tuple[CurveLine, str]]) -> None:
        """Show the lines, each with its name for people."""
        self._lines = tuple(lines)
        words = self.tr("{0}: {1} of {2}.")
        said = (words.format(name, line.right.passed, line.right.total) for line, name in self._lines)
        self.setAccessibleDescription(" ".join(said))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = self._painter()
        named = [(line, f"{name}: {line.right.rate:.0%}") for line, name in self._lines if line.share in (0, 1)]
        metrics = painter.fontMetrics()
        width = max((metrics.horizontalAdvance(text) for _, text in named), default=0)
        room = min(width + NAMES_LEFT + 4, self.width() // 2)
        plot = QRectF(self.rect()).adjusted(metrics.horizontalAdvance("100 %") + 12, 10, -room, -metrics.height() - 10)
        self._draw_axes(painter, plot)
        tuned = sorted((line for line, _ in self._lines if line.share), key=lambda line: line.share)
        labels = []
        for line, text in named:
            y = plot.bottom() - plot.height() * line.right.rate
            ink = lane_color(line.name.split("-")[0] if line.share else line.name)
            if not line.share:
                painter.setPen(QPen(ink, 1.5, Qt.PenStyle.DashLine))
                painter.drawLine(QLineF(plot.left(), y, plot.right(), y))
            short = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(room - NAMES_LEFT))
            labels.append((y, short, ink))
        ink = lane_color("tuned")
        places = [_place(plot, line.share, line.right.rate) for line in tuned]
        for line, place in zip(tuned, places, strict=True):
            low, high = (_place(plot, line.share, each).y() for each in line.right.interval)
            painter.setPen(QPen(ink, 1.5))
            painter.drawLine(QLineF(place.x(), low, place.x(), high))
        draw_curve(painter, places, QPen(ink, 2))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        for place in places:
            painter.drawEllipse(place, 4, 4)
        self._draw_names(painter, plot, labels)

    def _draw_axes(self, painter: QPainter, plot: QRectF) -> None:
        for part in range(5):
            y = plot.bottom() - plot.height() * part / 4
            painter.setPen(QPen(color("line"), 1))
            painter.drawLine(QLineF(plot.left(), y, plot.right(), y))
            write(painter, plot.left() - 8, y, f"{25 * part} %", color("muted"), "right")
        for share in (0.1, 0.3, 1.0):
            x = _place(plot, share, 0).x()
            side = "right" if share == 1 else ("left" if share == LEAST else "centre")
            write(painter, x, plot.bottom() + 13, f"{round(100 * share)} %", color("muted"), side)

    def _draw_names(self, painter: QPainter, plot: QRectF, labels: list[tuple[float, str, QColor]]) -> None:
        """Each beside its line's end, a line apart, and all of them inside the chart."""
        apart = painter.fontMetrics().height() + 2
        below = plot.bottom() + apart
        for at, text, ink in sorted(labels, key=lambda label: label[0], reverse=True):
            y = below = min(at, below - apart)
            painter.setPen(QPen(ink, 1))
            painter.drawLine(QLineF(plot.right() + 2, at, plot.right() + 12, y))
            painter.fillRect(QRectF(plot.right() + 14, y - 4, 8, 8), ink)
            write(painter, plot.right() + NAMES_LEFT, y, text, color("text"))


def _place(plot: QRectF, share: float, rate: float) -> QPointF:
    along = math.log10(max(LEAST, share) / LEAST) / math.log10(1 / LEAST)
    return QPointF(plot.left() + plot.width() * along, plot.bottom() - plot.height() * rate)
