"""The cases and lanes of a run as a tree model: groups of one kind hold cases, every column but one is a lane."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from workbench.ui import roles
from workbench.ui.evaluate_rows import CaseRow, Group, Matrix, short_reason
from workbench.ui.lane_names import lane_short
from workbench.ui.plain import tooltip

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
RowRole = int(Qt.ItemDataRole.UserRole) + 1  # a CaseRow or a Group
CellRole = int(Qt.ItemDataRole.UserRole) + 2  # a CaseResult, or None where the lane has not answered
ROLES = frozenset((roles.DISPLAY, roles.ACCESSIBLE, roles.TIP, RowRole, CellRole))


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

    def data(self, index: Index, role: int = roles.DISPLAY) -> Any:
        if role not in ROLES or not index.isValid():
            return None
        row = self.row_of(index)
        if role == RowRole:
            return row
        lane = self.matrix.lanes[index.column() - 1] if index.column() else ""
        if isinstance(row, Group):
            return self._group_data(row, lane, role)
        if role == CellRole:
            return row.cells.get(lane)
        if role == roles.TIP:
            return tooltip(self._case_tip(row, lane))
        return self._case_text(row, lane, role == roles.ACCESSIBLE)

    def _group_data(self, group: Group, lane: str, role: int) -> Any:
        if role not in (roles.DISPLAY, roles.ACCESSIBLE):
            return None
        if not lane:
            return self.tr("{0}, {1} cases").format(self.kind_title(group.kind), group.size)
        passed, answered = group.passed.get(lane, (0, 0))
        return self.tr("{0} of {1}").format(passed, answered) if answered else ""

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

    def _case_tip(self, row: CaseRow, lane: str) -> str:
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

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = roles.DISPLAY) -> Any:
        if orientation != Qt.Orientation.Horizontal or role != roles.DISPLAY:
            return None
        return lane_short(self.matrix.lanes[section - 1]) if section else self.tr("Right answers")
