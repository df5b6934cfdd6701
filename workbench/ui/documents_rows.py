"""The files of a project as the Documents page lists them: a model, a filter and the order "needs you first"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QLocale,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)

from workbench.ui.charts import glyph
from workbench.ui.theme import color

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
FILE, FOLDER, STATE, CHUNKS, FOUND, ACTION, EDITED = range(7)
RowRole = Qt.ItemDataRole.UserRole + 1
SortRole = Qt.ItemDataRole.UserRole + 2

STATES = ("skipped", "changed", "new", "gone", "reading", "waiting", "indexed")  # in the order "needs you first"
ICONS = {
    "skipped": ("prohibit", "warning"),
    "changed": ("arrow-clockwise", "warning"),
    "new": ("plus-circle", "warning"),
    "gone": ("minus-circle", "warning"),
    "reading": ("circle-dashed", "accent"),
    "waiting": ("clock", "muted"),
    "indexed": ("check-circle", "good"),
}


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file, in the index or about to be."""

    file: str  # relative to the indexed folder, with forward slashes
    folder: str  # the indexed folder, absolute
    state: str  # one of STATES
    chunks: int = 0
    found: str = ""  # what was found in it, or why it was skipped
    edited: float = 0.0  # seconds since 1970; 0 when it is not known

    @property
    def name(self) -> str:
        return self.file.rpartition("/")[2]

    @property
    def place(self) -> str:
        return self.file.rpartition("/")[0]


class FilesModel(QAbstractTableModel):
    """One row per file; `action` of a row is what a click on its last words does."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[FileRow] = []
        self._places: dict[str, int] = {}
        self._heads = (
            self.tr("File"),
            self.tr("Folder"),
            self.tr("State"),
            self.tr("Chunks"),
            self.tr("What was found"),
            "",
            self.tr("Edited"),
        )
        self.words = {
            "skipped": self.tr("Skipped"),
            "changed": self.tr("Changed"),
            "new": self.tr("New"),
            "gone": self.tr("Gone"),
            "reading": self.tr("Reading"),
            "waiting": self.tr("Waiting"),
            "indexed": self.tr("Indexed"),
        }
        self.actions = {
            "skipped": self.tr("Retry"),
            "changed": self.tr("Read again"),
            "new": self.tr("Read"),
            "gone": self.tr("Remove"),
        }
        self._locale = QLocale()

    def show_rows(self, rows: Sequence[FileRow]) -> None:
        """Show another list of files."""
        self.beginResetModel()
        self.rows = list(rows)
        self._places = {row.file: place for place, row in enumerate(self.rows)}
        self.endResetModel()

    def change_row(self, file: str, **changes: Any) -> None:
        """Change what is known of one file, keeping everything else where it is."""
        place = self._places.get(file)
        if place is not None:
            self.rows[place] = replace(self.rows[place], **changes)
            self.dataChanged.emit(self.index(place, 0), self.index(place, EDITED))

    def counts(self) -> Counter[str]:
        """How many files are in each state."""
        return Counter(row.state for row in self.rows)

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self._heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._heads[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = section in (CHUNKS, EDITED)
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._texts(row)[column]
        if role == RowRole:
            return row
        if role == SortRole:
            return self._sort_value(row, column)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._decoration(row, column)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._ink(row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (CHUNKS, EDITED, ACTION):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.found if column == FOUND else f"{row.folder}/{row.file}"
        if role == Qt.ItemDataRole.AccessibleTextRole and column == FILE:
            return f"{row.name}, {self.words[row.state]}, {row.found}"
        return None

    def _texts(self, row: FileRow) -> tuple[str, ...]:
        chunks = self._locale.toString(row.chunks) if row.chunks else ""
        action = self.actions.get(row.state, "")
        return (row.name, row.place, self.words[row.state], chunks, row.found, action, self._date(row.edited))

    def _date(self, seconds: float) -> str:
        from PySide6.QtCore import QDateTime

        if not seconds:
            return ""
        return QDateTime.fromSecsSinceEpoch(int(seconds)).toString("d MMM yyyy")

    def _sort_value(self, row: FileRow, column: int) -> Any:
        if column in (CHUNKS, EDITED):
            return float(row.chunks if column == CHUNKS else row.edited)
        return str(self._texts(row)[column]).casefold()

    def _decoration(self, row: FileRow, column: int) -> Any:
        if column == FILE:
            kind = row.name.rpartition(".")[2].lower()
            return glyph("file-pdf" if kind == "pdf" else "file-text", "muted")
        return glyph(*ICONS[row.state]) if column == STATE else None

    def _ink(self, row: FileRow, column: int) -> Any:
        if column == ACTION:
            return color("accent")
        quiet = column in (FOLDER, EDITED) or column == FOUND and row.state in ("indexed", "reading", "waiting")
        return color("muted" if quiet else "text")


class FilesFilter(QSortFilterProxyModel):
    """Lets one state through; sorted by "needs you first", or by a column a person clicked."""

    def __init__(self, source: FilesModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._text = "", ""
        self._needs_first = True
        self.setSortRole(SortRole)
        self.setSourceModel(source)
        self.setDynamicSortFilter(True)
        self.sort(FILE)

    @property
    def needs_first(self) -> bool:
        return self._needs_first

    def show_state(self, state: str) -> None:
        """Let one state through, "" for all."""
        self.beginFilterChange()
        self._state = state
        self.endFilterChange()

    def show_text(self, text: str) -> None:
        """Let through what has a text in its name or reason."""
        self.beginFilterChange()
        self._text = text.casefold().strip()
        self.endFilterChange()

    def put_needs_first(self, wanted: bool) -> None:
        """Order by what needs a person first, or by the sorted column alone."""
        self._needs_first = wanted
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        source = self.sourceModel()
        assert isinstance(source, FilesModel)
        file = source.rows[row]
        fits = not self._text or self._text in file.file.casefold() or self._text in file.found.casefold()
        return fits and self._state in ("", file.state)

    def lessThan(self, left: Index, right: Index) -> bool:
        if self._needs_first:
            source = self.sourceModel()
            assert isinstance(source, FilesModel)
            first, second = (STATES.index(source.rows[each.row()].state) for each in (left, right))
            if first != second:
                return (first < second) == (self.sortOrder() == Qt.SortOrder.AscendingOrder)
        found = bool(super().lessThan(left, right))
        return found
