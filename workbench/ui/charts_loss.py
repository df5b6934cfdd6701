"""The curves and bars of a fine-tune: loss over the run, lengths of the examples."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from workbench.ui.charts import Chart, draw_curve, nice_top, short_number, smooth, write
from workbench.ui.theme import color, lane_color


class LossChart(Chart):
    """Training and held-out loss over the whole run; what is still to come is reserved in grey."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Loss over the run"))
        self.setMinimumHeight(160)
        self._total, self._step, self._ended = 0, 0, False
        self._train: list[tuple[int, float]] = []
        self._eval: list[tuple[int, float]] = []
        self._marks: tuple[tuple[int, str], ...] = ()
        self._left = ""
        self._top = 0.0  # of the axis; it only ever grows, so that the curve does not jump

    def sizeHint(self) -> QSize:
        return QSize(560, 220)

    def clear(self) -> None:
        """Forget the run: the next one gets an axis of its own."""
        self._top = 0.0
        self.show_run(0, 0, (), ())

    def show_run(
        self,
        step: int,
        total: int,
        train: Sequence[tuple[int, float]],
        held_out: Sequence[tuple[int, float]],
        marks: tuple[tuple[int, str], ...] = (),
        time_left: str = "",
        ended: bool = False,
    ) -> None:
        """Show a run: losses as (step, nats per token), marks as (step, label) on the axis below."""
        self._step, self._total, self._marks, self._left, self._ended = step, max(total, step), marks, time_left, ended
        self._train = [each for each in train if math.isfinite(each[1])]
        self._eval = [each for each in held_out if math.isfinite(each[1])]
        highest = max((value for _, value in (*self._eval, *smooth(self._train))), default=0.0)
        self._top = max(self._top, nice_top(highest) if highest else 0.0)
        self.setAccessibleDescription(self._in_words())
        self.update()

    def _in_words(self) -> str:
        said = [self.tr("Step {0} of {1}.").format(self._step, self._total)]
        if self._eval:
            said.append(self.tr("Held-out loss {0:.2f}, {1:.2f} at first.").format(self._eval[-1][1], self._eval[0][1]))
        if self._train:
            said.append(self.tr("Training loss {0:.2f}.").format(smooth(self._train)[-1][1]))
        return " ".join(said)

    def _plot(self) -> QRectF:
        return QRectF(self.rect()).adjusted(34, 8, -8, -24)

    def _place(self, plot: QRectF, step: float, value: float) -> QPointF:
        share = step / self._total if self._total else 0.0
        y = plot.bottom() - plot.height() * min(1.0, value / (self._top or 1.0))
        return QPointF(plot.left() + plot.width() * share, y)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, plot = self._painter(), self._plot()
        self._draw_reserved(painter, plot)
        self._draw_axes(painter, plot)
        self._draw_to_go(painter, plot)
        painter.setClipRect(plot.adjusted(-5, -5, 5, 5))
        self._draw_losses(painter, plot)
        painter.setClipping(False)
        self._draw_ends(painter, plot)

    def _draw_reserved(self, painter: QPainter, plot: QRectF) -> None:
        if self._ended and self._step >= self._total > 0:
            return
        begin = self._place(plot, self._step, 0).x()
        painter.fillRect(QRectF(begin, plot.top(), plot.right() - begin, plot.height()), color("sunken"))

    def _draw_to_go(self, painter: QPainter, plot: QRectF) -> None:
        """What is still to come, in words on the reserved ground; the lines of the axis do not run through them."""
        begin, width = self._place(plot, self._step, 0).x(), QFontMetricsF(painter.font()).horizontalAdvance(self._left)
        if self._left and plot.right() - begin > width + 24:
            middle, y = (begin + plot.right()) / 2, plot.top() + plot.height() * 3 / 8
            painter.fillRect(QRectF(middle - width / 2 - 6, y - 9, width + 12, 18), color("sunken"))
            write(painter, middle, y, self._left, color("muted"), "centre")

    def _draw_axes(self, painter: QPainter, plot: QRectF) -> None:
        for part in range(5):
            value = (self._top or 1.0) * part / 4
            y = self._place(plot, 0, value).y()
            painter.setPen(QPen(color("line"), 1))
            painter.drawLine(QLineF(plot.left(), y, plot.right(), y))
            if self._top:
                write(painter, plot.left() - 8, y, short_number(value), color("muted"), "right")
        taken = -1e9
        for step, label in ((0, "0"), *self._marks, (self._total, f"{self._total:,}")):
            x, width = self._place(plot, step, 0).x(), QFontMetricsF(painter.font()).horizontalAdvance(label)
            last = step == self._total
            side, begin = ("right", x - width) if last else ("centre", x - width / 2)
            if self._total and begin > taken + 8 and (last or x + width < plot.right() - 30):
                painter.setPen(QPen(color("line"), 1))
                painter.drawLine(QLineF(x, plot.top(), x, plot.bottom()))
                write(painter, x, plot.bottom() + 14, label, color("muted"), side)
                taken = begin + width

    def _draw_losses(self, painter: QPainter, plot: QRectF) -> None:
        ink = lane_color("tuned")
        pale = QColor(ink)
        pale.setAlphaF(0.35)
        draw_curve(painter, [self._place(plot, *each) for each in self._train], QPen(pale, 1))
        draw_curve(painter, [self._place(plot, *each) for each in smooth(self._train)], QPen(ink, 2))
        held_out = [self._place(plot, *each) for each in self._eval]
        draw_curve(painter, held_out, QPen(color("text"), 1.5, Qt.PenStyle.DashLine))
        painter.setPen(QPen(color("text"), 1.5))
        painter.setBrush(color("surface"))
        for point in held_out:
            painter.drawEllipse(point, 3, 3)

    def _draw_ends(self, painter: QPainter, plot: QRectF) -> None:
        """Name each curve where it ends; the two labels are kept a line apart."""
        ends = []
        if self._eval:
            ends.append((self._place(plot, *self._eval[-1]).y(), self.tr("Held-out {0:.2f}").format(self._eval[-1][1])))
        if self._train:
            value = smooth(self._train)[-1][1]
            ends.append((self._place(plot, self._step, value).y(), self.tr("Training {0:.2f}").format(value)))
        x = self._place(plot, self._step, 0).x()
        room = plot.right() - x > 110
        bottom = plot.bottom() - 8
        metrics = QFontMetricsF(painter.font())
        for place, (y, text) in enumerate(sorted(ends, reverse=True)):
            bottom = min(bottom, y if room else y - 16)
            if not room:  # a ground behind the words, so that the curve does not run through them
                width = metrics.horizontalAdvance(text) + 6
                painter.fillRect(QRectF(plot.right() - 3 - width, bottom - 8, width, 16), color("surface"))
            write(
                painter, x + 10 if room else plot.right() - 6, bottom, text, color("text"), "left" if room else "right"
            )
            bottom -= 16 * (place + 1 > 0)


class Histogram(Chart):
    """How long the examples are, as bars of equal width; the ends of the axis are named."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Lengths of the examples"))
        self.setFixedHeight(56)
        self._bars: tuple[tuple[int, int], ...] = ()
        self._ends = (0, 0)
        self._limit = 0

    def show_bars(self, bars: Sequence[tuple[int, int]], shortest: int, median: int, longest: int, limit: int) -> None:
        """Bars as (up to this many tokens, examples); those over `limit` are drawn in the colour of a warning."""
        self._bars, self._ends, self._limit = _without_empty_start(bars), (shortest, longest), limit
        words = self.tr("From {0} to {1} tokens, half of them up to {2}.").format(shortest, longest, median)
        self.setAccessibleDescription(words)
        self.setToolTip(words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._bars:
            return
        painter = self._painter()
        area = QRectF(self.rect()).adjusted(0, 2, 0, -18)
        width, top = area.width() / max(4, len(self._bars)), max(count for _, count in self._bars) or 1
        for place, (up_to, count) in enumerate(self._bars):
            height = max(2.0, area.height() * count / top) if count else 0.0
            bar = QRectF(area.left() + width * place, area.bottom() - height, width - 1, height)
            painter.fillRect(bar, color("warning" if self._limit and up_to > self._limit else "strong"))
        painter.setPen(QPen(color("line"), 1))
        painter.drawLine(QLineF(area.left(), area.bottom(), area.right(), area.bottom()))
        base, end = area.bottom() + 10, area.left() + width * max(4, len(self._bars))
        write(painter, area.left(), base, self.tr("{0:,} tokens").format(self._ends[0]), color("muted"))
        write(painter, end, base, f"{self._ends[1]:,}", color("muted"), "right")


def _without_empty_start(bars: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The bars from the first that counts anything: they begin at nothing, and no example is that short."""
    first = next((place for place, (_, count) in enumerate(bars) if count), 0)
    return tuple(bars[first:])
