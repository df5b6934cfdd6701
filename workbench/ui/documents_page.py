"""Documents: choose folders, watch them being read, see what was found and what was not, try a search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QSplitter, QStackedWidget, QWidget

from workbench.ui import documents_source as source
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.documents_bases import BaseChooser, watched_folders
from workbench.ui.documents_folders import FolderActions
from workbench.ui.documents_preview import PreviewPanel
from workbench.ui.documents_reading import Reading
from workbench.ui.documents_rows import FileRow
from workbench.ui.documents_search import SearchPanel
from workbench.ui.documents_settings import CutSettingsDialog
from workbench.ui.documents_status import ChangesStrip, IndexingStrip, SettingsFoot
from workbench.ui.documents_table import FilesTable
from workbench.ui.documents_watch import FolderWatch
from workbench.ui.page import Page
from workbench.ui.splits import KeptSplit

SIDE = 368  # pixels of what stands beside the table


class DocumentsPage(Page):
    """The folders and files of the project's knowledge base, of one at a time where there are several."""

    title = "Documents"

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._wanted: tuple[str, str, str] | None = None  # a file, chunk and folder to show once the files are listed
        self.setAcceptDrops(True)
        self.reading = Reading(bench, self)
        self.watch = FolderWatch(self)
        self._build_header()
        self._build_body()
        self._connect()
        find = QShortcut(QKeySequence.StandardKey.Find, self, self.files.focus_find)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.reload()

    # What the page is made of

    def _build_header(self) -> None:
        self.bases = BaseChooser(self.bench, self.reading, self)
        self.bases.recall()
        self.add_picker(self.bases.picker)
        self.folders = FolderActions(self.bench, self.reading, self.bases, self)
        self.add_picker(self.folders.picker)
        self.try_search = widgets.button(self.tr("Try a search"), "magnifying-glass", self._on_search_clicked)
        self.add_folder = widgets.primary_button(self.tr("Add folder"), "plus", self.folders.ask)
        self.add_action(self.try_search)
        self.add_action(self.add_folder)

    def _build_body(self) -> None:
        self.empty = widgets.EmptyState(
            "folder-plus",
            self.tr("Drop a folder of documents here"),
            self.tr(
                "PDF, Word, Excel, PowerPoint, Markdown, HTML, e-mail and text are read where they are and never "
                "changed. Lanes with documents then answer from them, with the place they found it."
            ),
            self.tr("Choose a folder"),
            self.folders.ask,
        )
        self.preview, self.search = PreviewPanel(self.bench), SearchPanel(self.bench)
        self.side = QStackedWidget()
        for panel in (self.preview, self.search):
            self.side.addWidget(panel)
            panel.closed.connect(self._on_side_closed)
        self.side.hide()
        self.side.setMinimumWidth(240)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self._build_list())
        self.split.addWidget(self.side)
        self.split.setStretchFactor(0, 1)
        self._kept_split = KeptSplit(self.bench, self.split, "documents_side", SIDE)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.split)
        self.body.addWidget(self.stack)

    def _build_list(self) -> QWidget:
        self.strip, self.changes, self.foot = IndexingStrip(), ChangesStrip(), SettingsFoot()
        self.files = FilesTable()
        inner = widgets.column(self.strip, self.changes, self.files, spacing=12, margins=(24, 12, 24, 16))
        inner.setStretch(2, 1)
        made = QWidget()
        layout = widgets.column(inner, self.foot, spacing=0)
        layout.setStretch(0, 1)
        made.setLayout(layout)
        return made

    def _connect(self) -> None:
        reading, bench = self.reading, self.bench
        reading.listed.connect(self._on_listed)
        reading.started.connect(self.strip.follow)
        reading.started.connect(lambda *_: self.changes.show_changes(source.Changes(())))
        reading.moved_on.connect(self.files.model.mark_reading)
        reading.changes_found.connect(self._on_changes_found)
        reading.ended.connect(self._on_ended)
        self.watch.touched.connect(reading.follow_changes)
        self.files.chosen.connect(self._on_row_chosen)
        self.files.acted.connect(reading.read_one)
        self.changes.wanted.connect(self.index_folders)
        self.foot.change_wanted.connect(self._on_change_settings)
        self.search.opened.connect(self.show_chunk)
        bench.project_changed.connect(self._on_project_changed)
        bench.base_changed.connect(self.reload)
        bench.index_changed.connect(self.refresh)
        bench.settings_changed.connect(self.folders.refresh)
        self.folders.changed.connect(self.refresh)

    # What it shows

    def _on_project_changed(self) -> None:
        self.bases.recall()
        self.reload()

    def reload(self) -> None:
        """Another project or knowledge base is shown: read everything again."""
        self.side.hide()
        self.reading.forget()
        self.files.show_rows([])
        self.changes.show_changes(source.Changes(()))
        self.refresh()
        self.reading.look_for_changes()

    def refresh(self) -> None:
        """Read the list of files again; the chosen row stays."""
        folders = self.bench.base.info.folders
        self.bases.refresh()
        self.stack.setCurrentWidget(self.split if folders else self.empty)
        self.try_search.setVisible(bool(folders))
        widgets.set_kind(self.add_folder, "plain" if not folders else "primary")
        self.folders.refresh()
        self.watch.watch(watched_folders(self.bench.project))
        self.reading.read_list()
        self.foot.said.set_text(source.settings_line(self.bench.base))

    def _on_listed(self, rows: list[FileRow]) -> None:
        self.files.show_rows(rows, in_order=True)
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._show_wanted(*wanted)

    def shown(self, **what: Any) -> None:
        """Open with `search` (a question to try), `file` (a file to show) or `state` (a chip to turn on)."""
        if "search" in what:
            self._open_side(self.search)
            self.search.ask(str(what["search"]))
        if "state" in what:
            self.files.show_state(str(what["state"]))
        if "file" in what:
            self.show_chunk(*(str(what.get(each, "")) for each in ("file", "chunk", "folder")))
        if what.get("add"):
            self.folders.ask()

    def show_chunk(self, file: str, chunk: str, folder: str = "") -> None:
        """Show a file's chunks with one of them in view, as soon as the files are listed."""
        self.files.show_state("")
        self.files.find_line.clear()
        if not self._show_wanted(file, chunk, folder):
            self._wanted = (file, chunk, folder)

    def _show_wanted(self, file: str, chunk: str, folder: str) -> bool:
        alike = [row for row in self.files.model.rows if row.file == file]  # two folders may each hold a notes.md
        row = next((row for row in alike if not folder or row.folder == folder), None)
        if row is None:
            return False
        self.files.choose(row.key)
        self.files.view.scrollTo(self.files.view.currentIndex())
        self.preview.show_row(row, chunk)
        self._open_side(self.preview)
        return True

    def _open_side(self, panel: QWidget) -> None:
        if panel is self.search:
            self.search.filter.offer(row.file for row in self.files.model.rows)
        self.side.setCurrentWidget(panel)
        if not self.side.isVisible():
            self.side.show()
            self._kept_split.open(480)

    # What a person does

    def _on_side_closed(self) -> None:
        self.side.hide()
        self.files.view.setFocus()

    def _on_search_clicked(self) -> None:
        self._open_side(self.search)
        self.search.ask()

    def _on_row_chosen(self, row: FileRow) -> None:
        shown = self.side.isVisible() and self.side.currentWidget() is self.preview
        if not shown or self.preview.row != row:
            self.preview.show_row(row)
            self._open_side(self.preview)

    def add_folders(self, folders: list[Path]) -> None:
        """Add folders to the project and read them."""
        self.folders.add(folders)

    def _on_change_settings(self) -> None:
        dialog = CutSettingsDialog(self.bench.base, self.files.model.rows, self)
        if dialog.exec():
            self.refresh()
            self.index_folders()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(Path(url.toLocalFile()).exists() for url in event.mimeData().urls() if url.isLocalFile()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.folders.take_dropped(paths)

    # Reading

    def index_folders(self) -> None:
        """Bring the index level with the folders; a reading that is paused goes on, one that runs is left alone."""
        self.reading.start()

    def _on_ended(self) -> None:
        self.bench.index_changed.emit()
        self.reading.look_for_changes()

    def _on_changes_found(self, found: source.Changes) -> None:
        if not (self.reading.here and (self.reading.busy or self.reading.paused)):
            self.changes.show_changes(found)

    def closed(self) -> None:
        self.watch.close()
