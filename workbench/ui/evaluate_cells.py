"""How the cells of the matrix are drawn: a pass quietly, a failure with its reason, a group with its counts."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from workbench.evaluation.records import CaseResult
from workbench.ui import theme
from workbench.ui.charts import draw_glyph, small_font, write
from workbench.ui.evaluate_model import CellRole, Index, MatrixModel, RowRole
from workbench.ui.evaluate_rows import MET, CaseRow, Group
from workbench.ui.theme import color

ROW_HEIGHT = 28
NUDGE = 20  # a question begins under its group's name: most of a level's indentation is taken back


class CellDelegate(QStyledItemDelegate):
    """Draws a pass quietly and a failure with its reason, on a pale cell."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(120, theme.px(ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(RowRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRect(option.rect)
        focused = bool(option.state & QStyle.StateFlag.State_Selected)
        mirrored = bool(option.direction == Qt.LayoutDirection.RightToLeft)
        if isinstance(row, Group):
            self._paint_group(painter, rect, index, row, mirrored)
        elif index.column() == 0:
            self._paint_question(painter, rect, row, focused, mirrored)
        else:
            self._paint_cell(painter, rect, index, row, focused)
        painter.restore()

    def _paint_group(self, painter: QPainter, rect: QRect, index: Index, group: Group, mirrored: bool) -> None:
        painter.fillRect(rect, color("sunken"))
        painter.setPen(QPen(color("line"), 1))
        painter.drawLine(rect.topLeft(), rect.topRight())
        font, small = QFont(painter.font()), small_font(painter.font())
        middle = rect.center().y() + 0.5
        if index.column() == 0:
            font.setWeight(QFont.Weight.DemiBold)
            model = index.model()
            title = model.kind_title(group.kind) if isinstance(model, MatrixModel) else group.kind
            start, step, side = (rect.right(), -1, "right") if mirrored else (rect.left(), 1, "left")
            write(painter, start + step * 4, middle, title, color("text"), side, font)
            x = start + step * (12 + QFontMetrics(font).horizontalAdvance(title))
            shown = len(group.rows)
            count = self.tr("{0} cases").format(group.size)
            if shown != group.size:
                count = self.tr("{0} of {1} cases shown").format(shown, group.size)
            write(painter, x, middle, count, color("muted"), side, small)
        else:
            write(painter, rect.left() + 12, middle, str(index.data()), color("muted"), font=small)

    def _paint_question(self, painter: QPainter, rect: QRect, row: CaseRow, focused: bool, mirrored: bool) -> None:
        if focused:
            painter.fillRect(rect, color("selected"))
        metrics = QFontMetrics(painter.font())
        question = row.question.replace("\n", " ")
        said = self.tr("Left out: {0}").format(question) if MET in row.tags else question
        text = metrics.elidedText(said, Qt.TextElideMode.ElideRight, rect.width() - 12 + NUDGE)
        x, side = (rect.right() + NUDGE, "right") if mirrored else (rect.left() - NUDGE, "left")
        write(painter, x, rect.center().y() + 0.5, text, color("text"), side)

    def _paint_cell(self, painter: QPainter, rect: QRect, index: Index, row: CaseRow, focused: bool) -> None:
        cell = index.data(CellRole)
        box = QRectF(rect).adjusted(1, 1, -1, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("sunken") if cell is None else color("good_tint" if cell.passed else "bad_tint"))
        painter.drawRoundedRect(box, 3, 3)
        if isinstance(cell, CaseResult):
            self._paint_outcome(painter, box, row, cell, str(index.data()))
        if focused:
            painter.setPen(QPen(color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 3, 3)

    def _paint_outcome(self, painter: QPainter, box: QRectF, row: CaseRow, cell: CaseResult, said: str) -> None:
        sign = ("check", "good") if cell.passed else ("x", "bad")
        draw_glyph(painter, *sign, box.left() + 9, box.center().y())
        font = small_font(painter.font())
        room = int(box.width()) - 36
        before = row.earlier.get(cell.lane)
        if before is not None and before != cell.passed:
            mark = "arrow-up" if cell.passed else "arrow-down"
            draw_glyph(painter, mark, "muted", box.right() - 18, box.center().y())
            room -= 16
        text = QFontMetrics(font).elidedText(said, Qt.TextElideMode.ElideRight, room)
        ink = color("muted") if cell.passed else color("text")
        write(painter, box.left() + 27, box.center().y(), text, ink, font=font)
