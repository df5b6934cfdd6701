"""The cases of a suite as a table that is edited in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from workbench.errors import BadSuite
from workbench.evaluation.records import Case
from workbench.ui import roles
from workbench.ui.evaluate_checks import read_checks, write_checks
from workbench.ui.plain import tooltip
from workbench.ui.theme import color

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
QUESTION, KIND, CHECKS, SOURCE, TAGS, ID = range(6)
ROLES = frozenset((roles.DISPLAY, roles.EDIT, roles.TIP, roles.ACCESSIBLE, roles.GROUND))
KINDS = ("fact", "behaviour", "unanswerable")


@dataclass(frozen=True, slots=True)
class Draft:
    """A case while it is edited: its checks as they were typed, whole or not."""

    id: str
    question: str = ""
    kind: str = "fact"
    checks: str = ""
    source: str = ""
    tags: str = ""

    def problems(self) -> dict[int, str]:
        """What is wrong, by column."""
        found, translate = {}, QCoreApplication.translate
        if not self.id.strip():
            found[ID] = translate("CasesModel", "A case needs an id: results are kept under it.")
        if not self.question.strip():
            found[QUESTION] = translate("CasesModel", "A case needs a question.")
        try:
            read_checks(self.checks)
        except BadSuite as error:
            found[CHECKS] = str(error)
        return found

    def case(self) -> Case:
        """The case itself. Raises BadSuite when something is wrong with it."""
        for problem in self.problems().values():
            raise BadSuite(problem)
        tags = tuple(each.strip() for each in self.tags.split(",") if each.strip())
        checks = read_checks(self.checks)
        return Case(self.id.strip(), self.question.strip(), self.kind, checks, self.source.strip() or None, tags)


def draft_of(case: Case) -> Draft:
    """A case, ready to be edited."""
    return Draft(case.id, case.question, case.kind, write_checks(case.checks), case.source or "", ", ".join(case.tags))


class CasesModel(QAbstractTableModel):
    """Drafts in rows; every change is kept at once in the model, and `edited` says so."""

    edited = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.drafts: list[Draft] = []
        self._heads = (
            self.tr("Question"),
            self.tr("Kind"),
            self.tr("Checks its answer must pass"),
            self.tr("Source file"),
            self.tr("Tags"),
            self.tr("Id"),
        )

    def show_cases(self, cases: Sequence[Case]) -> None:
        """Start from the cases of a file."""
        self.show_drafts([draft_of(case) for case in cases])

    def show_drafts(self, drafts: Sequence[Draft]) -> None:
        """Start from drafts, whole or not."""
        self.beginResetModel()
        self.drafts = list(drafts)
        self.endResetModel()

    def cases(self) -> tuple[Case, ...]:
        """All cases. Raises BadSuite for the first that is not whole, naming its row."""
        found: list[Case] = []
        for number, draft in enumerate(self.drafts, start=1):
            try:
                found.append(draft.case())
            except BadSuite as error:
                raise BadSuite(self.tr("Row {0}: {1}").format(number, error)) from error
        return tuple(found)

    def problems_of(self, row: int) -> dict[int, str]:
        """What is wrong in a row, by column, ids used twice included."""
        found = self.drafts[row].problems()
        if sum(draft.id.strip() == self.drafts[row].id.strip() for draft in self.drafts) > 1:
            found.setdefault(ID, self.tr("Another case has this id."))
        return found

    def problem_count(self) -> int:
        """How many rows have something wrong."""
        return sum(bool(self.problems_of(row)) for row in range(len(self.drafts)))

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.drafts)

    def columnCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self._heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = roles.DISPLAY) -> Any:
        if role == roles.ALIGNMENT:
            return roles.LEFT
        if role != roles.DISPLAY:
            return None
        return self._heads[section] if orientation == Qt.Orientation.Horizontal else str(section + 1)

    def flags(self, index: Index) -> Qt.ItemFlag:
        found = super().flags(index)
        return found | Qt.ItemFlag.ItemIsEditable if index.isValid() else found

    def data(self, index: Index, role: int = roles.DISPLAY) -> Any:
        if role not in ROLES or not index.isValid():
            return None
        draft = self.drafts[index.row()]
        value = (draft.question, draft.kind, draft.checks, draft.source, draft.tags, draft.id)[index.column()]
        if role in (roles.DISPLAY, roles.EDIT):
            return value
        problem = self.problems_of(index.row()).get(index.column())
        if role == roles.TIP:
            return tooltip(problem or value) or None
        if problem:
            return color("bad_tint") if role == roles.GROUND else f"{value}. {problem}"
        return None

    def setData(self, index: Index, value: Any, role: int = roles.EDIT) -> bool:
        if not index.isValid() or role != roles.EDIT:
            return False
        field = ("question", "kind", "checks", "source", "tags", "id")[index.column()]
        if field == "kind" and value not in KINDS:
            return False
        self.drafts[index.row()] = replace(self.drafts[index.row()], **{field: str(value)})
        row = index.row()
        self.dataChanged.emit(self.index(row, 0), self.index(row, len(self._heads) - 1))
        self.edited.emit()
        return True

    def add_case(self, after: int, draft: Draft | None = None) -> int:
        """Put a new case, or a copy of one, below a row; its row is given back."""
        row = min(len(self.drafts), after + 1)
        new = draft or Draft("")
        new = replace(new, id=self._free_id(new.id or "case"))
        self.beginInsertRows(QModelIndex(), row, row)
        self.drafts.insert(row, new)
        self.endInsertRows()
        self.edited.emit()
        return row

    def remove_case(self, row: int) -> Draft:
        """Take a case out; it is given back, so that this can be undone."""
        self.beginRemoveRows(QModelIndex(), row, row)
        gone = self.drafts.pop(row)
        self.endRemoveRows()
        self.edited.emit()
        return gone

    def restore_case(self, row: int, draft: Draft) -> None:
        """Put back what `remove_case` took."""
        self.beginInsertRows(QModelIndex(), row, row)
        self.drafts.insert(row, draft)
        self.endInsertRows()
        self.edited.emit()

    def _free_id(self, wanted: str) -> str:
        taken, number = {draft.id for draft in self.drafts}, 1
        while f"{wanted}-{number}" in taken:
            number += 1
        return f"{wanted}-{number}"
