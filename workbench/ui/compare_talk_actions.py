"""What a person does with whole conversations: find one, open it again, rename it, take it out of the history."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMenu

from workbench.events import Result, Stage
from workbench.ui import compare_talk, widgets
from workbench.ui.bench import Bench
from workbench.ui.compare_talk import Talk
from workbench.ui.compare_talk_list import TalkEntry, TalkList, read_list

if TYPE_CHECKING:
    from workbench.ui.compare_history import HistorySheet

IN_MENU = 8  # conversations in the picker's menu; the others are in the sheet
MENU_WIDTH = 320  # pixels of a name there


class TalkActions(QObject):
    """Reads and changes the history of the project that is open."""

    new_wanted = Signal()
    opened = Signal(object)  # Talk
    renamed = Signal(str, str)  # a conversation's id, its title
    removed = Signal(str)  # a conversation's id
    loaded = Signal()  # the history was read

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._list: TalkList | None = None
        self._sheet: HistorySheet | None = None
        bench.sheet_changed.connect(self._on_sheet_changed)

    @property
    def file(self) -> Path:
        """Where the conversations are kept."""
        return self._bench.project.folder / compare_talk.CONVERSATIONS

    def begin(self) -> None:
        """Another project: read its history, beside everything else."""
        self._list, path = None, self.file

        def stage() -> Stage:
            yield Result(read_list(path))

        title = self.tr("Reading the history")
        self._bench.jobs.start(title, stage, on_done=partial(self._on_read, path), kind="history", quiet=True)

    def entries(self) -> list[TalkEntry] | None:
        """The conversations, newest first; None while they are being read."""
        if self._list is None:
            return None
        self._list.update()
        return self._list.entries()

    def fill_menu(self, menu: QMenu) -> None:
        menu.clear()
        widgets.add_action(menu, self.tr("New conversation"), self.new_wanted.emit, "plus")
        menu.addSeparator()
        for entry in (self.entries() or [])[:IN_MENU]:
            name = menu.fontMetrics().elidedText(entry.name, Qt.TextElideMode.ElideRight, MENU_WIDTH)
            widgets.add_action(menu, name, partial(self.open, entry))
        widgets.add_action(menu, self.tr("All conversations…"), self.open_history, "chats")

    def open(self, entry: TalkEntry) -> None:
        """Go on with an earlier conversation."""
        talk = self._list.read(entry.id) if self._list is not None else None
        if talk is not None:
            self.opened.emit(talk)

    def open_history(self) -> None:
        from workbench.ui.compare_history import HistorySheet

        sheet = HistorySheet(self.entries())
        sheet.opened.connect(self.open)
        sheet.renamed.connect(self._on_renamed)
        sheet.removed.connect(self._on_removed)
        self._bench.show_sheet(sheet)
        self._sheet = sheet

    def _on_read(self, path: Path, found: TalkList) -> None:
        if path == self.file:  # else another project was opened meanwhile
            self._list = found
            self._refresh()
            self.loaded.emit()

    def _refresh(self) -> None:
        if self._sheet is not None:
            self._sheet.set_talks(self.entries())

    def _on_sheet_changed(self, sheet: object) -> None:
        if sheet is not self._sheet:
            self._sheet = None

    def _on_renamed(self, entry: TalkEntry, title: str) -> None:
        compare_talk.keep_title(self.file, Talk(entry.id, title))
        self._refresh()
        self.renamed.emit(entry.id, title)

    def _on_removed(self, entry: TalkEntry) -> None:
        path, talk = self.file, self._list.read(entry.id) if self._list is not None else None
        compare_talk.keep_removed(path, Talk(entry.id))
        self._refresh()
        self.removed.emit(entry.id)
        if getattr(self._bench.engine, "pid", None) is not None:  # else nothing of it is kept
            self._bench.jobs.start(self.tr("Forgetting"), self._forget, kind="forget", quiet=True)

        def undo() -> None:
            for turn in talk.turns if talk is not None else ():
                compare_talk.keep_turn(path, Talk(entry.id), turn)
            self._refresh()

        said = self.tr("The conversation is out of the history.")
        self._bench.notices.tell(said, action_text=self.tr("Undo"), action=undo)

    def _forget(self) -> Stage:
        """Nothing of a conversation that is gone stays where the engine keeps what it has read."""
        from workbench.lanes.engine import forget_kept

        return self._bench.engine.run(forget_kept)
