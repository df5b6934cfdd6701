"""The files of a project as the Documents page lists them: a model that filters and puts "needs you first" itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QDateTime,
    QLocale,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)

from workbench.documents.readers import never_read
from workbench.ui import roles
from workbench.ui.charts import glyph
from workbench.ui.plain import tooltip
from workbench.ui.theme import color
from workbench.ui.widgets import path_text

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
FILE, FOLDER, STATE, CHUNKS, FOUND, ACTION, EDITED = range(7)
RowRole = int(Qt.ItemDataRole.UserRole) + 1

ROLES = frozenset(
    (roles.DISPLAY, roles.INK, roles.ALIGNMENT, roles.DECORATION, RowRole, roles.TIP, roles.ACCESSIBLE)
)  # a view asks for twice as many

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
    anew: bool = False  # its folder is to be read again with other settings, not for what changed in it

    @property
    def key(self) -> tuple[str, str]:
        """What tells one file from another: two folders may each hold a notes.md."""
        return self.folder, self.file

    @property
    def name(self) -> str:
        return self.file.rpartition("/")[2]

    @property
    def place(self) -> str:
        return self.file.rpartition("/")[0]


KEY: Final = attrgetter("folder", "file")


def by_name(row: FileRow) -> tuple[str, str, str]:
    """What the files are sorted by unless a person asks for something else."""
    return row.name.casefold(), row.file, row.folder


class FilesModel(QAbstractTableModel):
    """One row per file that is let through; `actions` says what a click on a row's last words does.

    It filters and sorts by itself: a proxy asks Python for every comparison, which takes a second for 10,000 files.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[FileRow] = []  # all of them
        self.shown: list[FileRow] = []  # those let through, in order
        self._places: dict[tuple[str, str], int] = {}  # of those shown
        self._state, self._text = "", ""
        self._column, self._falling, self._needs_first = FILE, False, True
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

    @property
    def needs_first(self) -> bool:
        return self._needs_first

    def show_rows(self, rows: Sequence[FileRow], in_order: bool = False) -> None:
        """Show another list of files; `in_order` says that it is sorted by `by_name` already."""
        self.rows = list(rows) if in_order else sorted(rows, key=by_name)
        self._arrange()

    def show_state(self, state: str) -> None:
        """Let one state through, "" for all."""
        self._state = state
        self._arrange()

    def show_text(self, text: str) -> None:
        """Let through what has a text in its name or reason."""
        self._text = text.casefold().strip()
        self._arrange()

    def put_needs_first(self, wanted: bool) -> None:
        """Order by what needs a person first, or by the sorted column alone."""
        self._needs_first = wanted
        self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order by a column; the views ask for this when its head is clicked."""
        self._column, self._falling = max(FILE, column), order == Qt.SortOrder.DescendingOrder
        self._arrange()

    def _arrange(self) -> None:
        """Work out what is shown; the same files in the same places keep whatever a view holds on to."""
        found = [row for row in self.rows if self._lets_through(row)] if self._state or self._text else list(self.rows)
        if self._column != FILE:
            found.sort(key=self._sort_value, reverse=self._falling)
        elif self._falling:
            found.reverse()
        if self._needs_first:
            by_state: dict[str, list[FileRow]] = {state: [] for state in STATES}
            for row in found:
                by_state[row.state].append(row)
            found = [row for rows in by_state.values() for row in rows]
        keys = list(map(KEY, found))
        if keys == list(self._places):
            self.shown = found
            if found:
                self.dataChanged.emit(self.index(0, 0), self.index(len(found) - 1, EDITED))
            return
        self.beginResetModel()
        self.shown = found
        self._places = {key: place for place, key in enumerate(keys)}
        self.endResetModel()

    def action_of(self, row: FileRow) -> str:
        """What a click on a row's last words does; "" for nothing, as where no reading could give any text."""
        return "" if row.state == "skipped" and never_read(row.file) else self.actions.get(row.state, "")

    def needs_actions(self) -> bool:
        """Whether any of the files offers something."""
        return any(row.state in self.actions and self.action_of(row) for row in self.rows)

    def _lets_through(self, row: FileRow) -> bool:
        fits = not self._text or self._text in row.file.casefold() or self._text in row.found.casefold()
        return fits and self._state in ("", row.state)

    def place_of(self, key: tuple[str, str]) -> int | None:
        """The row a file is shown in, None while it is not let through."""
        return self._places.get(key)

    def mark_reading(self, file: str) -> None:
        """Show that a file is being read, where it stands, until the list is shown again."""
        place = next((place for key, place in self._places.items() if key[1] == file), None)
        if place is not None:
            self.shown[place] = replace(self.shown[place], state="reading")
            self.dataChanged.emit(self.index(place, 0), self.index(place, EDITED))

    def counts(self) -> Counter[str]:
        """How many files are in each state."""
        return Counter(map(attrgetter("state"), self.rows))

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self._heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = roles.DISPLAY) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == roles.DISPLAY:
            return self._heads[section]
        if role == roles.ALIGNMENT:
            return roles.RIGHT if section in (CHUNKS, EDITED) else roles.LEFT
        return None

    def data(self, index: Index, role: int = roles.DISPLAY) -> Any:
        if role not in ROLES or not index.isValid():
            return None
        row, column = self.shown[index.row()], index.column()
        if role == roles.DISPLAY:
            return self._text_of(row, column)
        if role == roles.INK:
            return self._ink(row, column)
        if role == roles.ALIGNMENT:
            return roles.RIGHT if column in (CHUNKS, EDITED, ACTION) else None
        if role == roles.DECORATION:
            return self._decoration(row, column)
        if role == RowRole:
            return row
        if role == roles.TIP:
            return tooltip(row.found if column == FOUND else f"{row.folder}/{row.file}")
        return f"{row.name}, {self.words[row.state]}, {row.found}" if column == FILE else None

    def _text_of(self, row: FileRow, column: int) -> str:
        if column == FILE:
            return path_text(row.name)
        if column == FOLDER:
            return path_text(row.place)
        if column == STATE:
            return self.words[row.state]
        if column == CHUNKS:
            return self._locale.toString(row.chunks) if row.chunks else ""
        if column == FOUND:
            return row.found
        return self.action_of(row) if column == ACTION else _date(row.edited)

    def _sort_value(self, row: FileRow) -> Any:
        if self._column in (CHUNKS, EDITED):
            return row.chunks if self._column == CHUNKS else row.edited
        return self._text_of(row, self._column).casefold()

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


def _date(seconds: float) -> str:
    return QDateTime.fromSecsSinceEpoch(int(seconds)).toString("d MMM yyyy") if seconds else ""
