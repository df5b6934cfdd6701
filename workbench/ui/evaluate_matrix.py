"""The matrix of cases and lanes: a tree model, its cells and its column heads."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QLineF,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTreeView, QWidget

from workbench.evaluation.records import CaseResult, LaneSummary
from workbench.ui import theme
from workbench.ui.charts import draw_glyph, draw_interval, small_font, write
from workbench.ui.evaluate_rows import CaseRow, Group, Matrix, short_reason
from workbench.ui.lane_names import lane_short
from workbench.ui.theme import color, lane_color

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
ROW_HEIGHT = 28
HEAD_HEIGHT = 112
NUDGE = 20  # a question begins under its group's name: most of a level's indentation is taken back
RowRole = Qt.ItemDataRole.UserRole + 1  # a CaseRow or a Group
CellRole = Qt.ItemDataRole.UserRole + 2  # a CaseResult, or None where the lane has not answered


class MatrixModel(QAbstractItemModel):
    """Groups hold cases; column 0 is the question, the others are lanes."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.matrix = Matrix((), ())
        self._names = {
            "fact": self.tr("Facts"),
            "behaviour": self.tr("Behaviour"),
            "unanswerable": self.tr("Unanswerable"),
        }

    def show_matrix(self, matrix: Matrix) -> None:
        """Show another run, or the same one filtered otherwise."""
        self.beginResetModel()
        self.matrix = matrix
        self.endResetModel()

    def kind_title(self, kind: str) -> str:
        """A kind of case as people read it."""
        return self._names.get(kind, kind)

    def index(self, row: int, column: int, parent: Index = ROOT) -> QModelIndex:
        if not self.hasIndex(row, column, parent):
            return QModelIndex()
        return self.createIndex(row, column, parent.row() + 1 if parent.isValid() else 0)

    def parent(self, child: Index = ROOT) -> Any:
        if not child.isValid() or child.internalId() == 0:
            return QModelIndex()
        return self.createIndex(int(child.internalId()) - 1, 0, 0)

    def rowCount(self, parent: Index = ROOT) -> int:
        if not parent.isValid():
            return len(self.matrix.groups)
        if parent.internalId() or parent.column():
            return 0
        return len(self.matrix.groups[parent.row()].rows)

    def columnCount(self, parent: Index = ROOT) -> int:
        return 1 + len(self.matrix.lanes)

    def row_of(self, index: Index) -> CaseRow | Group:
        """The group or case an index stands for."""
        if index.internalId():
            return self.matrix.groups[int(index.internalId()) - 1].rows[index.row()]
        return self.matrix.groups[index.row()]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self.row_of(index)
        if role == RowRole:
            return row
        lane = self.matrix.lanes[index.column() - 1] if index.column() else ""
        if isinstance(row, Group):
            return self._group_data(row, lane, role)
        if role == CellRole:
            return row.cells.get(lane)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._case_text(row, lane, role == Qt.ItemDataRole.AccessibleTextRole)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._case_tip(row, lane)
        return None

    def _group_data(self, group: Group, lane: str, role: int) -> Any:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        if not lane:
            return self.tr("{0}, {1} cases").format(self.kind_title(group.kind), group.size)
        return self.tr("{0} of {1}").format(*group.passed.get(lane, (0, 0)))

    def _case_text(self, row: CaseRow, lane: str, spoken: bool) -> str:
        if not lane:
            return row.question
        cell = row.cells.get(lane)
        if cell is None:
            said = self.tr("not asked yet") if spoken else ""
        else:
            said = self.tr("pass") if cell.passed else short_reason(cell)
        if spoken and cell is not None and not cell.passed:
            said = self.tr("failed: {0}").format(said)
        return f"{lane_short(lane)}: {said}" if spoken else said

    def _case_tip(self, row: CaseRow, lane: str) -> str | None:
        cell = row.cells.get(lane)
        if cell is None:
            return row.question
        tip = "\n".join(f"{check.check}: {check.reason}" for check in cell.checks if not check.passed)
        before = row.earlier.get(lane)
        if before is not None and before != cell.passed:
            tip += "\n" + (
                self.tr("It passed in the earlier run.") if before else self.tr("It failed in the earlier run.")
            )
        return (tip + "\n\n" + cell.answer.text[:400]).strip()

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return lane_short(self.matrix.lanes[section - 1]) if section else self.tr("Right answers")


class CellDelegate(QStyledItemDelegate):
    """Draws a pass quietly and a failure with its reason, on a pale cell."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(120, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(RowRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRect(option.rect)
        focused = bool(option.state & QStyle.StateFlag.State_Selected)
        if isinstance(row, Group):
            self._paint_group(painter, rect, index, row)
        elif index.column() == 0:
            self._paint_question(painter, rect, row, focused)
        else:
            self._paint_cell(painter, rect, index, row, focused)
        painter.restore()

    def _paint_group(self, painter: QPainter, rect: QRect, index: Index, group: Group) -> None:
        painter.fillRect(rect, color("sunken"))
        painter.setPen(QPen(color("line"), 1))
        painter.drawLine(rect.topLeft(), rect.topRight())
        font, small = QFont(painter.font()), small_font(painter.font())
        middle = rect.center().y() + 0.5
        if index.column() == 0:
            font.setWeight(QFont.Weight.DemiBold)
            model = index.model()
            title = model.kind_title(group.kind) if isinstance(model, MatrixModel) else group.kind
            write(painter, rect.left() + 4, middle, title, color("text"), font=font)
            x = rect.left() + 12 + QFontMetrics(font).horizontalAdvance(title)
            shown = len(group.rows)
            count = self.tr("{0} cases").format(group.size)
            if shown != group.size:
                count = self.tr("{0} of {1} cases shown").format(shown, group.size)
            write(painter, x, middle, count, color("muted"), font=small)
        else:
            write(painter, rect.left() + 12, middle, str(index.data()), color("muted"), font=small)

    def _paint_question(self, painter: QPainter, rect: QRect, row: CaseRow, focused: bool) -> None:
        if focused:
            painter.fillRect(rect, color("selected"))
        metrics = QFontMetrics(painter.font())
        text = metrics.elidedText(
            row.question.replace("\n", " "), Qt.TextElideMode.ElideRight, rect.width() - 12 + NUDGE
        )
        write(painter, rect.left() - NUDGE, rect.center().y() + 0.5, text, color("text"))

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


class MatrixHeader(QHeaderView):
    """Column heads with each lane's rate, its interval as figures and as a bar, and the count behind it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.lanes: tuple[str, ...] = ()
        self.summaries: dict[str, LaneSummary] = {}
        self.counts: dict[str, tuple[int, int]] = {}  # while a run goes on: passed, answered
        self.caption = ""
        self.verified = ""  # "" or why a lane may not carry its label
        self.setSectionsClickable(False)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(96)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), HEAD_HEIGHT)

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
        write(painter, rect.left() + 12, rect.top() + 24, self.tr("Right answers"), color("text"), font=bold)
        small = small_font(self.font())
        painter.setFont(small)
        painter.setPen(color("muted"))
        area = QRect(rect.left() + 12, rect.top() + 38, rect.width() - 24, 36)
        painter.drawText(area, Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop, self.caption)
        if self.summaries:
            sign = ("warning", "warning") if self.verified else ("check-circle", "good")
            draw_glyph(painter, *sign, rect.left() + 12, rect.top() + 87, 14)
            said = self.verified or self.tr("Every lane is what its label says")
            text = QFontMetrics(small).elidedText(said, Qt.TextElideMode.ElideRight, rect.width() - 44)
            write(painter, rect.left() + 32, rect.top() + 87, text, color("muted"), font=small)

    def _paint_lane(self, painter: QPainter, rect: QRect, lane: str) -> None:
        ink, left = lane_color(lane), rect.left() + 12
        painter.fillRect(QRect(rect.left() + 1, rect.top(), rect.width() - 1, 3), ink)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(QPointF(left + 4, rect.top() + 24), 4, 4)
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        name = QFontMetrics(bold).elidedText(lane_short(lane), Qt.TextElideMode.ElideRight, rect.width() - 36)
        write(painter, left + 14, rect.top() + 24, name, color("text"), font=bold)
        summary = self.summaries.get(lane)
        small = small_font(self.font())
        if summary is None:
            said = self.tr("{0} of {1} so far").format(*self.counts.get(lane, (0, 0)))
            write(painter, left, rect.top() + 92, said, color("muted"), font=small)
            return
        rate = summary.overall
        large = QFont(self.font())
        large.setPixelSize(theme.px(theme.PAGE_TITLE))
        large.setWeight(QFont.Weight.DemiBold)
        percent = self.tr("{0} %").format(round(100 * rate.rate))
        write(painter, left, rect.top() + 50, percent, color("text"), font=large)
        x = left + QFontMetrics(large).horizontalAdvance(percent) + 8
        low, high = (round(100 * each) for each in rate.interval)
        write(painter, x, rect.top() + 51, self.tr("{0} to {1}").format(low, high), color("muted"), font=small)
        draw_interval(painter, QRectF(left, rect.top() + 68, rect.width() - 32, 12), rate.rate, rate.interval, ink)
        said = self.tr("{0} of {1}").format(rate.passed, rate.total)
        write(painter, left, rect.top() + 93, said, color("muted"), font=small)


class MatrixView(QTreeView):
    """The matrix itself; Enter or a click on a cell asks for the answers side by side."""

    opened = Signal(object, str)  # CaseRow, lane ("" for the question)

    def __init__(self, model: MatrixModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Cases and lanes"))
        self.head = MatrixHeader(self)
        self.setHeader(self.head)
        self.setModel(model)
        self.setItemDelegate(CellDelegate(self))
        self.setSelectionBehavior(QTreeView.SelectionBehavior.SelectItems)
        self.setUniformRowHeights(True)
        self.setIndentation(24)
        self.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.setExpandsOnDoubleClick(True)
        self.clicked.connect(self._on_clicked)
        model.modelReset.connect(self._on_reset)

    def _on_reset(self) -> None:
        self.expandAll()
        self.fit_columns()

    def fit_columns(self) -> None:
        """Give the question what the lanes leave, and each lane the same."""
        lanes = self.model().columnCount() - 1
        if lanes < 0:
            return
        self.head.setStretchLastSection(False)
        room = self.viewport().width()
        each = max(112, min(200, int(room * 0.7) // max(1, lanes)))
        first = max(240, room - each * lanes)
        self.head.resizeSection(0, first)
        for column in range(1, lanes + 1):
            self.head.resizeSection(column, each)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self.fit_columns()

    def drawBranches(self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        row, first = index.data(RowRole), index.sibling(index.row(), 0)
        if not isinstance(row, Group):
            if self.selectionModel().isSelected(first):
                painter.fillRect(rect, color("selected"))
            return
        painter.fillRect(rect, color("sunken"))
        painter.setPen(QPen(color("line"), 1))
        painter.drawLine(QLineF(rect.left(), rect.top(), rect.right() + 1, rect.top()))
        caret = "caret-down" if self.isExpanded(first) else "caret-right"
        draw_glyph(painter, caret, "muted", rect.right() - 16, rect.center().y() + 0.5)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._on_clicked(self.currentIndex())
            return
        super().keyPressEvent(event)

    def _on_clicked(self, index: QModelIndex) -> None:
        row = index.data(RowRole)
        if isinstance(row, CaseRow):
            lanes = self.head.lanes
            self.opened.emit(row, lanes[index.column() - 1] if index.column() else "")
        elif isinstance(row, Group):
            first = index.siblingAtColumn(0)
            self.setExpanded(first, not self.isExpanded(first))
