"""Item models over lists of records, and the table that shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from workbench.ui import icons, roles, theme
from workbench.ui.plain import tooltip

Index = QModelIndex | QPersistentModelIndex
RECORD = int(Qt.ItemDataRole.UserRole)  # the record itself
SORT = int(Qt.ItemDataRole.UserRole) + 1  # what a column sorts by
ROLES = frozenset(
    (roles.DISPLAY, roles.ACCESSIBLE, roles.INK, roles.ALIGNMENT, roles.DECORATION, roles.TIP, RECORD, SORT)
)  # a view asks for twice as many
NOWHERE = QModelIndex()  # the root of a table; an index that is never changed


@dataclass(frozen=True)
class Column:
    """How one column is made from a record."""

    title: str
    text: Callable[[Any], str]
    sort: Callable[[Any], Any] | None = None  # what it sorts by; the text when None
    icon: Callable[[Any], tuple[str, str]] | None = None  # icon name and colour token, ("", "") for none
    role: str | Callable[[Any], str] = "text"  # colour token of the text
    right: bool = False  # figures are aligned at the right
    tip: Callable[[Any], str] | None = None
    width: int = 0  # pixels; 0: takes what is left


class RecordModel(QAbstractTableModel):
    """A table over a list of records; `key` tells which record is which when the list is set again."""

    def __init__(
        self, columns: Sequence[Column], key: Callable[[Any], Any] | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._columns, self._key = tuple(columns), key
        self._records: list[Any] = []

    @property
    def records(self) -> list[Any]:
        return list(self._records)

    @property
    def columns(self) -> tuple[Column, ...]:
        return self._columns

    def set_records(self, records: Sequence[Any]) -> None:
        """Show other records; the same ones by key, in the same order, keep selection and scroll place."""
        new = list(records)
        if self._key is not None and [self._key(r) for r in new] == [self._key(r) for r in self._records]:
            self._records = new
            if new:
                self.dataChanged.emit(self.index(0, 0), self.index(len(new) - 1, len(self._columns) - 1))
            return
        self.beginResetModel()
        self._records = new
        self.endResetModel()

    def append(self, record: Any) -> None:
        """Add one at the end."""
        self.beginInsertRows(QModelIndex(), len(self._records), len(self._records))
        self._records.append(record)
        self.endInsertRows()

    def record(self, index: Index | int) -> Any:
        """The record of a row."""
        return self._records[index if isinstance(index, int) else index.row()]

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._records)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = roles.DISPLAY) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        if role == roles.DISPLAY:
            return self._columns[section].title
        if role == roles.ALIGNMENT:
            return roles.RIGHT if self._columns[section].right else roles.LEFT
        return None

    def data(self, index: Index, role: int = roles.DISPLAY) -> Any:
        if role not in ROLES or not index.isValid() or index.row() >= len(self._records):
            return None
        column, record = self._columns[index.column()], self._records[index.row()]
        if role in (roles.DISPLAY, roles.ACCESSIBLE):
            return column.text(record)
        if role == roles.INK:
            return theme.color(column.role if isinstance(column.role, str) else column.role(record))
        if role == roles.ALIGNMENT:
            return roles.RIGHT if column.right else roles.LEFT
        if role == roles.DECORATION:
            name, color = column.icon(record) if column.icon is not None else ("", "")
            return icons.icon(name, color) if name else None
        if role == RECORD:
            return record
        if role == SORT:
            return column.sort(record) if column.sort is not None else column.text(record).casefold()
        return tooltip(column.tip(record) if column.tip is not None else column.text(record))


class RecordFilter(QSortFilterProxyModel):
    """Sorts by the columns' keys and keeps the records a function accepts."""

    def __init__(self, model: RecordModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._accepts: Callable[[Any], bool] = lambda record: True
        self.setSortRole(SORT)
        self.setSourceModel(model)

    def keep(self, accepts: Callable[[Any], bool]) -> None:
        """Show only the records for which `accepts` is true."""
        self.beginFilterChange()
        self._accepts = accepts
        self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    def record(self, index: Index) -> Any:
        """The record of a shown row."""
        return index.data(RECORD)

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        source = self.sourceModel()
        return not isinstance(source, RecordModel) or self._accepts(source.record(row))

    def lessThan(self, left: Index, right: Index) -> bool:
        first, second = left.data(SORT), right.data(SORT)
        if first is None or second is None:
            return first is None and second is not None
        return bool(first < second)


def make_table(
    model: QAbstractItemModel, name: str, columns: Sequence[Column] = (), row_height: int = 32
) -> QTableView:
    """A table in the window's style: rows 32 high, whole rows selected, no grid, sorted by a click on a head."""
    view = QTableView()
    view.setModel(model)
    view.setAccessibleName(name)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setTabKeyNavigation(False)  # Tab leaves the table, arrows move inside it
    view.verticalHeader().hide()
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    view.verticalHeader().setDefaultSectionSize(theme.px(row_height))
    head = view.horizontalHeader()
    head.setHighlightSections(False)
    head.setMinimumSectionSize(32)
    head.setFixedHeight(theme.px(32))
    if isinstance(model, QSortFilterProxyModel):
        view.setSortingEnabled(True)
        model.sort(-1)
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        head.setSortIndicatorClearable(True)
    for place, column in enumerate(columns):
        if column.width:
            head.setSectionResizeMode(place, QHeaderView.ResizeMode.Interactive)
            view.setColumnWidth(place, theme.px(column.width))
        else:
            head.setSectionResizeMode(place, QHeaderView.ResizeMode.Stretch)
    return view
