"""The column heads of the matrix: each lane's rate, its interval as figures and as a bar, and the count behind it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QHeaderView, QWidget

from workbench.evaluation.records import LaneSummary
from workbench.ui import theme
from workbench.ui.charts import draw_interval, small_font, write
from workbench.ui.lane_names import lane_short
from workbench.ui.theme import color, lane_color

HEAD_HEIGHT = 112


class MatrixHeader(QHeaderView):
    """Column heads with each lane's rate, its interval as figures and as a bar, and the count behind it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.lanes: tuple[str, ...] = ()
        self.summaries: dict[str, LaneSummary] = {}
        self.counts: dict[str, tuple[int, int]] = {}  # while a run goes on: passed, answered
        self.setSectionsClickable(False)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(theme.px(96))

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), theme.px(HEAD_HEIGHT))

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(rect, color("surface"))
        painter.setPen(QPen(color("line"), 1))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.setFont(QFont(self.font()))
        if section == 0:
            self._paint_first(painter, rect)
        elif section <= len(self.lanes):
            painter.drawLine(rect.topLeft(), rect.bottomLeft())
            self._paint_lane(painter, rect, self.lanes[section - 1])
        painter.restore()

    def _paint_first(self, painter: QPainter, rect: QRect) -> None:
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        write(painter, rect.left() + 12, rect.top() + theme.px(24), self.tr("Right answers"), color("text"), font=bold)

    def _paint_lane(self, painter: QPainter, rect: QRect, lane: str) -> None:
        ink, left = lane_color(lane), rect.left() + 12
        painter.fillRect(QRect(rect.left() + 1, rect.top(), rect.width() - 1, 3), ink)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(QPointF(left + 4, rect.top() + theme.px(24)), 4, 4)
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        name = QFontMetrics(bold).elidedText(lane_short(lane), Qt.TextElideMode.ElideRight, rect.width() - 36)
        write(painter, left + 14, rect.top() + theme.px(24), name, color("text"), font=bold)
        summary = self.summaries.get(lane)
        small = small_font(self.font())
        if summary is None:
            passed, answered = self.counts.get(lane, (0, 0))
            said = self.tr("{0} of {1} so far").format(passed, answered) if answered else self.tr("not asked yet")
            write(painter, left, rect.top() + theme.px(50), said, color("muted"), font=small)
            return
        rate = summary.overall
        large = QFont(self.font())
        large.setPixelSize(theme.px(theme.PAGE_TITLE))
        large.setWeight(QFont.Weight.DemiBold)
        percent = self.tr("{0} %").format(round(100 * rate.rate))
        write(painter, left, rect.top() + theme.px(50), percent, color("text"), font=large)
        x = left + QFontMetrics(large).horizontalAdvance(percent) + 8
        low, high = (round(100 * each) for each in rate.interval)
        write(
            painter, x, rect.top() + theme.px(51), self.tr("{0} to {1}").format(low, high), color("muted"), font=small
        )
        draw_interval(
            painter, QRectF(left, rect.top() + theme.px(68), rect.width() - 32, 12), rate.rate, rate.interval, ink
        )
        said = self.tr("{0} of {1}").format(rate.passed, rate.total)
        write(painter, left, rect.top() + theme.px(93), said, color("muted"), font=small)
