"""The table of files with its chips, its order and what finds a file; it tells which row a person chose or acted on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtWidgets import QHeaderView, QLineEdit, QMenu, QTableView, QWidget

from workbench.ui import theme, widgets
from workbench.ui.documents_rows import (
    ACTION,
    CHUNKS,
    EDITED,
    FILE,
    FOLDER,
    FOUND,
    STATE,
    FileRow,
    FilesModel,
    RowRole,
)
from workbench.ui.tables import make_table

WIDTHS = {FOLDER: 112, STATE: 108, CHUNKS: 72, ACTION: 96, EDITED: 120}
CHIPS = ("indexed", "reading", "waiting", "new", "changed", "gone", "skipped")
LEAST = {EDITED: 880, FOLDER: 620, CHUNKS: 500, FOUND: 420}  # pixels of the table below which a column gives way


class FilesTable(QWidget):
    """The files; `chosen` when a person moves to one, `acted` when the last words of its row are wanted."""

    chosen = Signal(object)  # FileRow
    acted = Signal(object)  # FileRow

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = FilesModel(self)
        self._told: tuple[str, str] | None = None  # the row `chosen` was last emitted for
        names = {"": self.tr("All"), **self.model.words}
        self.chips = widgets.ChipRow([(key, names[key]) for key in ("", *CHIPS)], self.tr("Which files are shown"))
        self.chips.chosen.connect(self._on_chip_chosen)
        self.find_line = QLineEdit()
        self.find_line.setPlaceholderText(self.tr("Find a file"))
        self.find_line.setAccessibleName(self.tr("Find a file"))
        self.find_line.setClearButtonEnabled(True)
        self.find_line.setMaximumWidth(theme.px(160))
        self.find_line.textChanged.connect(self._on_find_changed)
        self._order_menu = QMenu(self)
        self.order = widgets.menu_button(
            self.tr("Needs you first"), self._order_menu, "", self.tr("Order of the files")
        )
        for text, first in ((self.tr("Needs you first"), True), (self.tr("By column"), False)):
            widgets.add_action(self._order_menu, text, partial(self._on_order, first, text))
        tools, line = QWidget(), QWidget()
        tools.setLayout(widgets.row(self.find_line, self.order))
        flow = widgets.FlowLayout(line)
        for each in (self.chips, tools):
            flow.addWidget(each)
        self.view = self._build_view()
        self.setLayout(widgets.column(line, self.view, spacing=12))
        self._count()

    def _build_view(self) -> QTableView:
        view = make_table(self.model, self.tr("Files"))
        view.setSortingEnabled(True)
        head = view.horizontalHeader()
        head.setSortIndicator(FILE, Qt.SortOrder.AscendingOrder)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in WIDTHS.items():
            view.setColumnWidth(column, theme.px(width))
        head.setSectionResizeMode(FILE, QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(FOUND, QHeaderView.ResizeMode.Stretch)
        view.viewport().installEventFilter(self)
        view.clicked.connect(self._on_clicked)
        view.activated.connect(self._on_activated)
        view.selectionModel().currentRowChanged.connect(self._on_current_changed)
        return view

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Where room is short columns give way, the date first; the preview and the tooltip have all of it as well."""
        if event.type() == QEvent.Type.Resize and hasattr(self, "view"):
            width = self.view.viewport().width()
            for column, least in LEAST.items():
                self.view.setColumnHidden(column, width < theme.px(least))
        return super().eventFilter(watched, event)

    # What it shows

    def show_rows(self, rows: Sequence[FileRow], in_order: bool = False) -> None:
        """Show another list of files, perhaps in order already; the chosen row and the place stay."""
        with _Place(self):
            self.model.show_rows(rows, in_order)
        self._count()

    def show_state(self, state: str) -> None:
        """Let one state through, "" for all, and turn on its chip."""
        self.chips.choose(state)
        self._on_chip_chosen(state)

    def choose(self, key: tuple[str, str]) -> bool:
        """Select a file's row without telling anybody, if it is shown."""
        place = self.model.place_of(key)
        if place is None:
            return False
        self._told = key
        self.view.setCurrentIndex(self.model.index(place, FILE))
        return True

    def current(self) -> FileRow | None:
        """The row a person is at."""
        row = self.view.currentIndex().data(RowRole)
        return row if isinstance(row, FileRow) else None

    def focus_find(self) -> None:
        self.find_line.setFocus()
        self.find_line.selectAll()

    def _count(self) -> None:
        counts = self.model.counts()
        self.chips.set_counts({"": sum(counts.values()), **counts})
        for state in CHIPS:
            wanted = state == "indexed" or bool(counts[state]) or self.chips.current == state
            self.chips.chip(state).setVisible(wanted)
        self.view.setColumnHidden(ACTION, not self.model.needs_actions())  # its room is worth more to what was found

    # What a person does

    def _on_chip_chosen(self, state: str) -> None:
        with _Place(self):
            self.model.show_state(state)

    def _on_find_changed(self, text: str) -> None:
        with _Place(self):
            self.model.show_text(text)

    def _on_order(self, first: bool, text: str) -> None:
        self.order.setText(text)
        with _Place(self):
            self.model.put_needs_first(first)

    def _on_current_changed(self, current: QModelIndex) -> None:
        row = current.data(RowRole)
        if isinstance(row, FileRow) and self.view.hasFocus() and row.key != self._told:
            self._told = row.key
            self.chosen.emit(row)

    def _on_clicked(self, index: QModelIndex) -> None:
        row = index.data(RowRole)
        if isinstance(row, FileRow):
            acts = index.column() == ACTION and index.data()
            self._told = row.key
            self.acted.emit(row) if acts else self.chosen.emit(row)

    def _on_activated(self, index: QModelIndex) -> None:
        """Enter or a double click: what the row's last words offer, else its preview."""
        row = index.data(RowRole)
        if isinstance(row, FileRow):
            self.acted.emit(row) if index.siblingAtColumn(ACTION).data() else self.chosen.emit(row)


class _Place:
    """Keeps the chosen row and the scroll place of a table while its list is set anew."""

    def __init__(self, table: FilesTable) -> None:
        self._table = table

    def __enter__(self) -> None:
        row = self._table.current()
        self._key = row.key if row is not None else None
        self._scroll = self._table.view.verticalScrollBar().value()

    def __exit__(self, *_: object) -> None:
        row = self._table.current()
        if self._key is not None and (row is None or row.key != self._key) and self._table.choose(self._key):
            self._table.view.verticalScrollBar().setValue(self._scroll)
