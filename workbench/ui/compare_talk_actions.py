"""What a person does with whole conversations: find one, open it again, rename it, take it out of the history."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMenu

from workbench.ui import compare_talk, widgets
from workbench.ui.bench import Bench
from workbench.ui.compare_talk import Talk

if TYPE_CHECKING:
    from workbench.ui.compare_history import HistorySheet

IN_MENU = 8  # conversations in the picker's menu; the others are in the sheet
MENU_WIDTH = 320  # pixels of a name there


class TalkActions(QObject):
    """Reads and changes the history of the project that is open."""

    new_wanted = Signal()
    opened = Signal(object)  # Talk
    renamed = Signal(object)  # Talk, with its new title
    removed = Signal(object)  # Talk

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench

    @property
    def file(self) -> Path:
        """Where the conversations are kept."""
        return self._bench.project.folder / compare_talk.CONVERSATIONS

    def read(self, only: str = "") -> list[Talk]:
        """The conversations, newest first, or the one with an id."""
        return compare_talk.read_talks(self.file, only)

    def fill_menu(self, menu: QMenu) -> None:
        menu.clear()
        widgets.add_action(menu, self.tr("New conversation"), self.new_wanted.emit, "plus")
        menu.addSeparator()
        for talk in self.read()[:IN_MENU]:
            name = menu.fontMetrics().elidedText(talk.name, Qt.TextElideMode.ElideRight, MENU_WIDTH)
            widgets.add_action(menu, name.replace("&", "&&"), partial(self.opened.emit, talk))
        widgets.add_action(menu, self.tr("All conversations…"), self.open_history, "chats")

    def open_history(self) -> None:
        from workbench.ui.compare_history import HistorySheet

        sheet = HistorySheet(self.read())
        sheet.opened.connect(self.opened)
        sheet.renamed.connect(partial(self._on_renamed, sheet))
        sheet.removed.connect(partial(self._on_removed, sheet))
        self._bench.show_sheet(sheet)

    def _on_renamed(self, sheet: HistorySheet, talk: Talk, title: str) -> None:
        talk.title = title
        compare_talk.keep_title(self.file, talk)
        sheet.set_talks(self.read())
        self.renamed.emit(talk)

    def _on_removed(self, sheet: HistorySheet, talk: Talk) -> None:
        path = self.file
        compare_talk.keep_removed(path, talk)
        sheet.set_talks(self.read())
        self.removed.emit(talk)

        def undo() -> None:
            for turn in talk.turns:
                compare_talk.keep_turn(path, talk, turn)

        said = self.tr("The conversation is out of the history.")
        self._bench.notices.tell(said, action_text=self.tr("Undo"), action=undo)
