"""Documents: choose folders, watch them being read, see what was found and what was not, try a search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QHeaderView, QLineEdit, QMenu, QSplitter, QStackedWidget, QTableView, QWidget

from workbench.errors import WorkbenchError
from workbench.events import Event, Note, Progress, Stage
from workbench.ui import documents_source as source
from workbench.ui import theme, widgets
from workbench.ui.bench import Bench
from workbench.ui.documents_preview import PreviewPanel
from workbench.ui.documents_rows import (
    ACTION,
    CHUNKS,
    EDITED,
    FILE,
    FOLDER,
    FOUND,
    STATE,
    FileRow,
    FilesFilter,
    FilesModel,
    RowRole,
)
from workbench.ui.documents_search import SearchPanel
from workbench.ui.documents_settings import CutSettingsDialog
from workbench.ui.documents_status import ChangesStrip, IndexingStrip, SettingsFoot
from workbench.ui.documents_watch import FolderWatch
from workbench.ui.job import JobHandle
from workbench.ui.page import Page
from workbench.ui.tables import make_table

REFRESH_MS = 1000  # how often the table is read again while files are coming in
WIDTHS = {FOLDER: 112, STATE: 108, CHUNKS: 72, ACTION: 96, EDITED: 120}
PATH_SHOWN = 36  # characters of a folder's path in the header; its end tells more than its beginning
CHIPS = ("indexed", "reading", "waiting", "new", "changed", "gone", "skipped")


class DocumentsPage(Page):
    """The project's folders and files."""

    title = "Documents"

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._job: JobHandle | None = None
        self._looking: JobHandle | None = None
        self._reading = ""
        self._waiting: list[FileRow] = []  # files the running build has not come to yet
        self._again = QTimer(self)
        self._again.setInterval(REFRESH_MS)
        self._again.timeout.connect(self._show_rows)
        self.setAcceptDrops(True)
        self.model = FilesModel(self)
        self.filter = FilesFilter(self.model, self)
        self.watch = FolderWatch(self)
        self.watch.touched.connect(self.look_for_changes)
        self._build_header()
        self._build_body()
        bench.project_changed.connect(self.reload)
        bench.index_changed.connect(self.refresh)
        find = QShortcut(QKeySequence.StandardKey.Find, self, self._on_find)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.reload()

    # What the page is made of

    def _build_header(self) -> None:
        self._folders_menu = QMenu(self)
        self.folders = widgets.menu_button("", self._folders_menu, "", self.tr("Folders"))
        self.add_picker(self.folders)
        self.try_search = widgets.button(self.tr("Try a search"), "magnifying-glass", self._on_search_clicked)
        self.add_folder = widgets.primary_button(self.tr("Add folder"), "plus", self._on_add_clicked)
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
            self._on_add_clicked,
        )
        self.side = QStackedWidget()
        self.preview, self.search = PreviewPanel(), SearchPanel(self.bench)
        for panel in (self.preview, self.search):
            self.side.addWidget(panel)
            panel.closed.connect(self._on_side_closed)
        self.search.opened.connect(self.show_chunk)
        self.side.hide()
        self.side.setMinimumWidth(280)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self._build_list())
        self.split.addWidget(self.side)
        self.split.setStretchFactor(0, 1)
        self.split.setSizes([820, 352])
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.split)
        self.body.addWidget(self.stack)

    def _build_list(self) -> QWidget:
        self.strip, self.changes, self.foot = IndexingStrip(), ChangesStrip(), SettingsFoot()
        self.changes.wanted.connect(self.index_folders)
        self.foot.change_wanted.connect(self._on_change_settings)
        names = {"": self.tr("All"), **self.model.words}
        self.chips = widgets.ChipRow([(key, names[key]) for key in ("", *CHIPS)], self.tr("Which files are shown"))
        self.chips.chosen.connect(self.filter.show_state)
        self.find_line = QLineEdit()
        self.find_line.setPlaceholderText(self.tr("Find a file"))
        self.find_line.setAccessibleName(self.tr("Find a file"))
        self.find_line.setClearButtonEnabled(True)
        self.find_line.setMaximumWidth(160)
        self.find_line.textChanged.connect(self.filter.show_text)
        self._order_menu = QMenu(self)
        self.order = widgets.menu_button(
            self.tr("Needs you first"), self._order_menu, "", self.tr("Order of the files")
        )
        for text, first in ((self.tr("Needs you first"), True), (self.tr("By column"), False)):
            widgets.add_action(self._order_menu, text, partial(self._on_order, first, text))
        tools, line = QWidget(), QWidget()
        tools.setLayout(widgets.row(self.find_line, self.order))
        flow = widgets.FlowLayout(line)
        self.chips.setMinimumHeight(tools.sizeHint().height())  # both stand on one line
        for each in (self.chips, tools):
            flow.addWidget(each)
        self.table = self._build_table()
        inner = widgets.column(self.strip, self.changes, line, self.table, spacing=12, margins=(24, 12, 24, 16))
        made = QWidget()
        layout = widgets.column(inner, self.foot, spacing=0)
        layout.setStretch(0, 1)
        made.setLayout(layout)
        return made

    def _build_table(self) -> QTableView:
        view = make_table(self.filter, self.tr("Files"))
        self.filter.sort(FILE)
        head = view.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in WIDTHS.items():
            view.setColumnWidth(column, theme.px(width))
        head.setSectionResizeMode(FILE, QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(FOUND, QHeaderView.ResizeMode.Stretch)
        view.viewport().installEventFilter(self)
        view.clicked.connect(self._on_row_clicked)
        view.activated.connect(self._on_row_activated)
        view.selectionModel().currentRowChanged.connect(self._on_current_changed)
        return view

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Where room is short the date goes first, then the folder, which the name's tooltip has as well."""
        if event.type() == QEvent.Type.Resize and hasattr(self, "table"):
            width = self.table.viewport().width()
            self.table.setColumnHidden(EDITED, width < theme.px(800))
            self.table.setColumnHidden(FOLDER, width < theme.px(620))
        return super().eventFilter(watched, event)

    # What it shows

    def reload(self) -> None:
        """Another project is open: read everything again."""
        self.side.hide()
        self._waiting = []
        self.changes.show_counts(0, 0, 0)
        self.refresh()
        self.look_for_changes()

    def refresh(self) -> None:
        """Read the list of files again and keep the chosen row."""
        folders = self.bench.project.info.folders
        self.stack.setCurrentWidget(self.split if folders else self.empty)
        for each in (self.folders, self.try_search):
            each.setVisible(bool(folders))
        widgets.set_kind(self.add_folder, "plain" if not folders else "primary")
        self._show_folders(folders)
        self.watch.watch(folders)
        self._show_rows()
        self.foot.said.set_text(source.settings_line(self.bench.project))

    def _show_rows(self) -> None:
        """The files of the index, and those that are known to change; the chosen row and the place stay."""
        chosen, scroll = self.table.currentIndex().data(RowRole), self.table.verticalScrollBar().value()
        known = source.list_rows(self.bench.project)
        waiting = {(row.folder, row.file): row for row in self._waiting}
        if self._busy():
            for row in known:
                before = waiting.get((row.folder, row.file))
                if before is not None and (before.chunks != row.chunks or row.state != "indexed" or not before.chunks):
                    waiting.pop((row.folder, row.file))
            self._waiting = list(waiting.values())
        rows = [row for row in known if (row.folder, row.file) not in waiting] + self._waiting
        self.model.show_rows([replace(row, state="reading") if row.file == self._reading else row for row in rows])
        self._count()
        if isinstance(chosen, FileRow):
            self._choose(chosen.file, scroll=False)
            self.table.verticalScrollBar().setValue(scroll)

    def _busy(self) -> bool:
        return self._job is not None and self._job.state in ("running", "stopping")

    def _show_folders(self, folders: tuple[Path, ...]) -> None:
        text = str(folders[0]) if len(folders) == 1 else self.tr("{0} folders").format(len(folders))
        home = str(Path.home())
        short = text.replace(home, "~", 1) if text.startswith(home) else text
        self.folders.setText(short if len(short) <= PATH_SHOWN else f"…{short[-PATH_SHOWN:]}")
        self.folders.setToolTip("\n".join(str(folder) for folder in folders))
        self._folders_menu.clear()
        for folder in folders:
            remove = self.tr("Remove {0} from the project").format(folder.name)
            widgets.add_action(self._folders_menu, remove, partial(self._on_remove_folder, folder), "trash")

    def _count(self) -> None:
        counts = self.model.counts()
        self.chips.set_counts({"": sum(counts.values()), **counts})
        for state in CHIPS[1:]:
            self.chips.chip(state).setVisible(bool(counts[state]) or self.chips.current == state)
        needed = any(counts[state] for state in self.model.actions)
        self.table.setColumnHidden(ACTION, not needed)  # its room is worth more to what was found

    def _choose(self, file: str, scroll: bool = True) -> bool:
        """Select a file's row, if it is shown."""
        for row in range(self.filter.rowCount()):
            index = self.filter.index(row, FILE)
            if index.data(RowRole).file == file:
                self.table.setCurrentIndex(index)
                if scroll:
                    self.table.scrollTo(index)
                return True
        return False

    def shown(self, **what: Any) -> None:
        """Open with `search` (a question to try), `file` (a file to show) or `state` (a chip to turn on)."""
        if "search" in what:
            self._open_side(self.search)
            self.search.ask(str(what["search"]))
        if "state" in what:
            self.chips.choose(str(what["state"]))
            self.filter.show_state(str(what["state"]))
        if "file" in what:
            self.show_chunk(str(what["file"]), str(what.get("chunk", "")))
        if what.get("add"):
            self._on_add_clicked()

    def show_chunk(self, file: str, chunk: str) -> None:
        """Show a file's chunks with one of them in view."""
        self.chips.choose("")
        self.filter.show_state("")
        self.find_line.clear()
        self._choose(file)
        row = next((row for row in self.model.rows if row.file == file), None)
        if row is not None:
            self._show_preview(row, chunk)

    def _show_preview(self, row: FileRow, marked: str = "") -> None:
        try:
            chunks = source.chunks_of(self.bench.project, row)
        except WorkbenchError as error:
            self.bench.notices.error(error)
            return
        if chunks:
            caption = self.tr("{0} chunks. Grey repeats the one before.").format(len(chunks))
            caption = f"{row.found}. {caption}" if row.found and row.state == "indexed" else caption
        else:
            caption = row.found or self.tr("Nothing of this file is in the index yet.")
        self.preview.show_file(row.name, Path(row.folder) / row.file, chunks, caption, marked)
        self._open_side(self.preview)

    def _open_side(self, panel: QWidget) -> None:
        self.side.setCurrentWidget(panel)
        if not self.side.isVisible():
            self.side.show()
            self.split.setSizes([max(480, self.split.width() - 368), 368])

    # What a person does

    def _on_side_closed(self) -> None:
        self.side.hide()
        self.table.setFocus()

    def _on_find(self) -> None:
        self.find_line.setFocus()
        self.find_line.selectAll()

    def _on_order(self, first: bool, text: str) -> None:
        self.order.setText(text)
        self.filter.put_needs_first(first)

    def _on_search_clicked(self) -> None:
        self._open_side(self.search)
        self.search.ask()

    def _on_current_changed(self, current: QModelIndex) -> None:
        row = current.data(RowRole)
        if isinstance(row, FileRow) and self.table.hasFocus():
            self._show_preview(row)

    def _on_row_clicked(self, index: QModelIndex) -> None:
        row = index.data(RowRole)
        if isinstance(row, FileRow):
            if index.column() == ACTION and index.data():
                self._act(row)
            elif not self.side.isVisible() or self.side.currentWidget() is not self.preview:
                self._show_preview(row)

    def _on_row_activated(self, index: QModelIndex) -> None:
        """Enter or a double click: what the row's last words offer, else its preview."""
        row = index.data(RowRole)
        if isinstance(row, FileRow):
            self._act(row) if index.siblingAtColumn(ACTION).data() else self._show_preview(row)

    def _act(self, row: FileRow) -> None:
        if row.state == "skipped" and not self._busy():
            try:
                source.forget(self.bench.project, row)
            except WorkbenchError as error:
                self.bench.notices.error(error)
                return
        self.index_folders()

    def _on_add_clicked(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Choose a folder of documents"), str(Path.home()))
        if chosen:
            self.add_folders([Path(chosen)])

    def add_folders(self, folders: list[Path]) -> None:
        """Add folders to the project and read them."""
        known = self.bench.project.info.folders
        new = [folder.absolute() for folder in folders if folder.is_dir() and folder.absolute() not in known]
        inside = [each for each in new if any(each.is_relative_to(other) for other in known)]
        for each in inside:
            self.bench.notices.tell(
                self.tr("{0} is read already: it lies inside a folder of the project.").format(each)
            )
        new = [each for each in new if each not in inside]
        if new:
            self.bench.project.change(folders=(*known, *new))
            self.refresh()
            self.index_folders()

    def _on_remove_folder(self, folder: Path) -> None:
        """Taken out of the project with its chunks; the files stay, and one click takes it back."""
        from workbench.index.build import forget

        if self._busy():
            self.bench.notices.tell(
                self.tr("Stop the reading first: a folder is taken out once nothing is being read.")
            )
            return
        project, worker = self.bench.project, self.bench.knowledge
        self._waiting = []
        project.change(folders=tuple(each for each in project.info.folders if each != folder))
        self._start(self.tr("Taking out a folder"), lambda: worker.run(forget, project.folder, (folder,)))
        self.refresh()

        def undo() -> None:
            self.add_folders([folder])

        said = self.tr("{0} is no longer part of the project. Its files are untouched.").format(folder.name)
        self.bench.notices.tell(said, action_text=self.tr("Undo"), action=undo)

    def _on_change_settings(self) -> None:
        dialog = CutSettingsDialog(self.bench.project, self.model.rows, self)
        if dialog.exec():
            self.refresh()
            self.index_folders()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(Path(url.toLocalFile()).exists() for url in event.mimeData().urls() if url.isLocalFile()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        folders = [path for path in paths if path.is_dir()]
        if not folders and paths:
            parent = paths[0].parent
            said = self.tr("A folder is read as a whole. Add {0}, which holds what you dropped?").format(parent)
            action = self.tr("Add folder")
            self.bench.notices.tell(said, "warning", action_text=action, action=lambda: self.add_folders([parent]))
        self.add_folders(folders)

    # Reading

    def index_folders(self) -> None:
        """Bring the index level with the folders; a reading that is paused goes on, one that runs is left alone."""
        if self._job is not None and self._job.state == "paused":
            self._job.resume()
        elif not self._busy():
            from workbench.index.build import build

            project, worker = self.bench.project, self.bench.knowledge
            self._start(self.tr("Indexing"), lambda: worker.run(build, project.folder, project.info.folders))

    def _start(self, title: str, factory: Callable[[], Stage]) -> None:
        self.changes.show_counts(0, 0, 0)
        self._waiting = [replace(row, state="waiting") for row in self._waiting]
        handle = self.bench.jobs.start(
            title, factory, self._on_index_event, self._on_indexed, kind="documents", can_pause=True
        )
        self._job = handle
        handle.finished.connect(self._on_index_ended)
        self.strip.follow(handle)
        self._again.start()
        self._show_rows()
        if not self._waiting:
            self._look()

    def _on_index_event(self, event: Event) -> None:
        if isinstance(event, Progress):
            file = source.file_of(event)
            if file and file != self._reading:
                self.model.change_row(file, state="reading")
                self._reading = file
                self._count()
        elif isinstance(event, Note) and event.level == "warning":
            self.bench.notices.tell(event.message, "warning")

    def _on_indexed(self, report: Any) -> None:
        if report is not None:
            self.bench.notices.tell(source.report_line(report), "good")

    def _on_index_ended(self) -> None:
        self._reading = ""
        self._again.stop()
        if self._job is not None and self._job.state != "paused":
            self._waiting = []
        self.bench.index_changed.emit()
        self.look_for_changes()

    def closed(self) -> None:
        self.watch.close()

    def look_for_changes(self) -> None:
        """Compare the folders with the index, in the background; what is found waits for a click."""
        paused = self._job is not None and self._job.state == "paused"
        if self.bench.project.info.folders and not self._busy() and not paused:
            self._look()

    def _look(self) -> None:
        if self._looking is not None and self._looking.running:
            return
        project = self.bench.project
        self._looking = self.bench.jobs.start(
            self.tr("Looking for changes"),
            lambda: source.find_changes(project),
            on_done=lambda rows: self._on_changes(project, rows or []),
            kind="changes",
            quiet=True,
        )

    def _on_changes(self, project: object, rows: list[FileRow]) -> None:
        if project is not self.bench.project:
            return
        busy = self._busy()
        self._waiting = [replace(row, state="waiting") for row in rows] if busy else rows
        self._show_rows()
        counts = self.model.counts()
        self.changes.show_counts(*((0, 0, 0) if busy else (counts["new"], counts["changed"], counts["gone"])))
