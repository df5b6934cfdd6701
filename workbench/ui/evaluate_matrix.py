"""The matrix of cases and lanes: the view that fills the Evaluate page."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QLineF, QModelIndex, QPersistentModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QTreeView, QWidget

from workbench.ui import theme
from workbench.ui.charts import draw_glyph
from workbench.ui.evaluate_cells import CellDelegate
from workbench.ui.evaluate_heads import MatrixHeader
from workbench.ui.evaluate_model import MatrixModel, RowRole
from workbench.ui.evaluate_rows import CaseRow, Group
from workbench.ui.theme import color


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
        each = max(theme.px(112), min(theme.px(200), int(room * 0.7) // max(1, lanes)))
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
