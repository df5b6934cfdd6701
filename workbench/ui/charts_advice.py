"""The charts of a verdict: what each thing adds, and what each way costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from workbench.ui import theme
from workbench.ui.charts import Chart, draw_curve, nice_top, round_estimate, short_number, signed, write
from workbench.ui.theme import color, lane_color

ROW = 38  # pixels of one effect, at the usual size of text


@dataclass(frozen=True, slots=True)
class EffectBar:
    """One row of the effects chart, in points (hundredths of the rate)."""

    title: str
    lane: str  # whose colour it has; "" draws it in grey, without a bar from zero
    difference: float
    interval: tuple[float, float]
    hint: str = ""  # said in the tool tip


class EffectsChart(Chart):
    """What each thing adds, as bars with intervals over the grey noise band."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("What each thing adds"))
        self._rows: tuple[EffectBar, ...] = ()
        self._noise = 0.0

    def sizeHint(self) -> QSize:
        return QSize(theme.px(620), int(self._row * max(1, len(self._rows)) + theme.px(28)))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(380), self.sizeHint().height())

    @property
    def _row(self) -> float:
        """Pixels from one row to the next."""
        return theme.px(ROW)

    def show_effects(self, rows: Sequence[EffectBar], noise: float) -> None:
        """Rows from top to bottom, the noise as half the width of the band in points (0: none is known)."""
        self._rows, self._noise = tuple(rows), noise
        said = [f"{row.title}: {signed(row.difference)}, {self._range(row)}." for row in rows]
        self.setAccessibleDescription(" ".join(said))
        self.updateGeometry()
        self.update()

    def _range(self, row: EffectBar) -> str:
        return self.tr("{0} to {1}").format(signed(row.interval[0]), signed(row.interval[1])).replace("+", "")

    def _bounds(self) -> tuple[float, float]:
        lows = [min(0.0, row.difference, row.interval[0]) for row in self._rows]
        highs = [max(0.0, row.difference, row.interval[1]) for row in self._rows]
        low = min([-self._noise, -5.0, *lows])
        high = max([self._noise, 20.0, *highs])
        return low - 2, min(102.0, high + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = self._painter()
        metrics = QFontMetricsF(self.font())
        titles = max([metrics.horizontalAdvance(row.title) for row in self._rows] or [0]) + 44
        plot = QRectF(titles, 0, self.width() - titles - theme.px(122), self.height() - theme.px(26))
        low, high = self._bounds()

        def place(value: float) -> float:
            return plot.left() + plot.width() * (value - low) / (high - low)

        if self._noise:
            band = QRectF(place(-self._noise), plot.top(), place(self._noise) - place(-self._noise), plot.height())
            painter.fillRect(band, color("line"))
        self._draw_scale(painter, plot, low, high, place(0), plot.width() / (high - low))
        for number, row in enumerate(self._rows):
            self._draw_row(painter, row, self._row * (number + 0.5), place(0), place)

    def _draw_scale(self, painter: QPainter, plot: QRectF, low: float, high: float, zero: float, unit: float) -> None:
        step = 20 if high - low > 50 else 10
        for value in range(-100, 101, step):
            if low <= value <= high:
                x = zero + value * unit
                painter.setPen(QPen(color("strong" if value == 0 else "line"), 1))
                painter.drawLine(QLineF(x, plot.top(), x, plot.bottom()))
                write(painter, x, plot.bottom() + theme.px(14), signed(value), color("muted"), "centre", self.small())

    def _draw_row(
        self, painter: QPainter, row: EffectBar, y: float, zero: float, place: Callable[[float], float]
    ) -> None:
        ink = lane_color(row.lane) if row.lane else color("muted")
        painter.setPen(Qt.PenStyle.NoPen)
        if row.lane:
            painter.setBrush(ink)
            painter.drawEllipse(QPointF(4, y), 4, 4)
            pale = QColor(ink)
            pale.setAlphaF(0.30)
            end = place(row.difference)
            painter.fillRect(QRectF(min(zero, end), y - 6, abs(end - zero), 12), pale)
        write(painter, 18, y, row.title, color("text"), font=QFont(self.font()))
        low, high = place(row.interval[0]), place(row.interval[1])
        painter.setPen(QPen(ink, 2))
        painter.drawLine(QLineF(low, y, high, y))
        for end in (low, high):
            painter.drawLine(QLineF(end, y - 4, end, y + 4))
        painter.setBrush(ink)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(QPointF(place(row.difference), y), 4, 4)
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        write(painter, self.width() - theme.px(72), y, signed(row.difference), color("text"), "right", bold)
        write(painter, self.width() - 2, y, self._range(row), color("muted"), "right", self.small())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            number = int(event.pos().y() // self._row)
            if 0 <= number < len(self._rows) and self._rows[number].hint:
                QToolTip.showText(event.globalPos(), self._rows[number].hint, self)
            return True
        return super().event(event)


@dataclass(frozen=True, slots=True)
class CostLine:
    """A straight line of the cost chart."""

    title: str
    lane: str
    start: float  # cost before the first answer
    each: float  # cost of one answer more


class CostChart(Chart):
    """Cost over answers for two ways, with the point where they meet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Cost over the number of answers"))
        self.setMinimumHeight(180)
        self._lines: tuple[CostLine, ...] = ()
        self._answers, self._meet, self._currency = 1000.0, 0.0, ""

    def sizeHint(self) -> QSize:
        return QSize(380, 260)

    def show_costs(self, lines: Sequence[CostLine], answers: float, meet: float | None, currency: str) -> None:
        """Lines over 0 to `answers`, and the number of answers where they meet, if they do."""
        self._lines, self._answers, self._meet, self._currency = tuple(lines), max(1.0, answers), meet or 0.0, currency
        said = [
            self.tr("{0}: {1}{2} at first, {1}{3} after {4} answers.").format(
                line.title,
                currency,
                short_number(line.start),
                short_number(line.start + line.each * answers),
                int(answers),
            )
            for line in lines
        ]
        self.setAccessibleDescription(" ".join(said))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._lines:
            return
        painter = self._painter()
        plot = QRectF(self.rect()).adjusted(44, 10, -10, -24)
        top = nice_top(max(max(line.start, line.start + line.each * self._answers) for line in self._lines))

        def place(answers: float, cost: float) -> QPointF:
            return QPointF(
                plot.left() + plot.width() * answers / self._answers, plot.bottom() - plot.height() * cost / top
            )

        for part in range(5):
            y = place(0, top * part / 4).y()
            painter.setPen(QPen(color("line"), 1))
            painter.drawLine(QLineF(plot.left(), y, plot.right(), y))
            mark = self._currency if part in (0, 4) else ""
            write(painter, plot.left() - 8, y, mark + short_number(top * part / 4), color("muted"), "right")
        for share, side in ((0.0, "centre"), (0.5, "centre"), (1.0, "right")):
            at = place(self._answers * share, 0)
            write(painter, at.x(), plot.bottom() + 14, f"{self._answers * share:,.0f}", color("muted"), side)
        highest = max(self._lines, key=lambda line: line.start + line.each * self._answers)
        for line in self._lines:
            begin, end = place(0, line.start), place(self._answers, line.start + line.each * self._answers)
            draw_curve(painter, [begin, end], QPen(lane_color(line.lane), 2))
            left = plot.right() - QFontMetricsF(painter.font()).horizontalAdvance(line.title)
            along = place(self._answers * (left - plot.left()) / plot.width(), 0).x()
            before = begin.y() + (end.y() - begin.y()) * (along - plot.left()) / plot.width()
            above = line is highest and end.y() > plot.top() + 16
            y = min(before, end.y()) - 10 if above else max(before, end.y()) + 12
            write(painter, plot.right(), y, line.title, color("text"), "right")
        self._draw_meeting(painter, plot, place)

    def _draw_meeting(self, painter: QPainter, plot: QRectF, place: Callable[[float, float], QPointF]) -> None:
        if not 0 < self._meet < self._answers:
            return
        line = self._lines[0]
        at = place(self._meet, line.start + line.each * self._meet)
        painter.setPen(QPen(color("strong"), 1))
        painter.drawLine(QLineF(at.x(), at.y(), at.x(), plot.bottom()))
        painter.setPen(QPen(color("text"), 1.5))
        painter.setBrush(color("surface"))
        painter.drawEllipse(at, 4, 4)
        side = "right" if at.x() > plot.left() + 110 else "left"
        text = self.tr("about {0}").format(f"{round_estimate(self._meet):,}")
        write(painter, at.x() + (-8 if side == "right" else 8), at.y() - 16, text, color("text"), side)
