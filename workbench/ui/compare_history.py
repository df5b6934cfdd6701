"""The sheet with earlier conversations: search them, open one again, rename it, take it away."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QInputDialog, QLineEdit, QMenu, QVBoxLayout, QWidget

from workbench.ui import widgets
from workbench.ui.compare_talk_list import TalkEntry
from workbench.ui.gradual import Gradual
from workbench.ui.page import Sheet

MOST = 200  # rows shown at once; a search narrows them


class TalkRow(QWidget):
    """One conversation: its name, when it was, how many questions."""

    opened = Signal(object)
    renamed = Signal(object, str)
    removed = Signal(object)

    def __init__(self, talk: TalkEntry) -> None:
        super().__init__()
        self._talk = talk
        name = widgets.button("", "", lambda: self.opened.emit(talk), "fold")
        name.setAccessibleName(self.tr("Open {0}").format(talk.name))
        text = widgets.ElidedLabel(talk.name, "text")
        text.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inner = widgets.row(text, margins=(0, 0, 4, 0))
        inner.setStretch(0, 1)
        name.setLayout(inner)
        count = len(talk.turns)
        questions = self.tr("{0} question") if count == 1 else self.tr("{0} questions")
        when = widgets.when_text(talk.created)
        note = widgets.label(f"{when} · {questions.format(count)}", "caption")
        menu = QMenu(self)
        widgets.add_action(menu, self.tr("Rename…"), self._on_rename, "pencil-simple")
        widgets.add_action(menu, self.tr("Take out of the history"), lambda: self.removed.emit(talk), "trash")
        more = widgets.icon_button("dots-three", self.tr("More for {0}").format(talk.name))
        more.clicked.connect(lambda: menu.exec(more.mapToGlobal(more.rect().bottomLeft())))
        top = widgets.row(name, more, spacing=4)
        top.setStretch(0, 1)
        under = widgets.row(note, margins=(0, 0, 0, 6))
        self.setLayout(widgets.column(top, under, widgets.hline(), spacing=0))

    def _on_rename(self) -> None:
        name, ok = QInputDialog.getText(self, self.tr("Rename"), self.tr("Name"), text=self._talk.name)
        if ok and name.strip():
            self.renamed.emit(self._talk, name.strip())


class HistorySheet(Sheet):
    """All conversations of the project, newest first."""

    opened = Signal(object)
    renamed = Signal(object, str)
    removed = Signal(object)

    def __init__(self, talks: list[TalkEntry] | None, parent: QWidget | None = None) -> None:
        """`talks` are None while the history is being read."""
        super().__init__("", parent=parent)
        self._talks = talks
        self.set_title(self.tr("Conversations"))
        self.search = QLineEdit(placeholderText=self.tr("Find words in questions and answers"))
        self.search.setAccessibleName(self.tr("Find a conversation"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._fill)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        self._note = widgets.label("", "muted", wrap=True)
        self._adding = Gradual(self._add_row, self)
        self.content.addWidget(self.search)
        self.content.addLayout(self._rows)
        self.content.addWidget(self._note)
        self.content.addStretch(1)
        self._fill()
        self.search.setFocus()

    def set_talks(self, talks: list[TalkEntry] | None) -> None:
        self._talks = talks
        self._fill()

    def rows(self) -> list[TalkRow]:
        found = [self._rows.itemAt(place).widget() for place in range(self._rows.count())]  # type: ignore[union-attr]
        return [each for each in found if isinstance(each, TalkRow)]

    def _fill(self, *_: object) -> None:
        widgets.clear_layout(self._rows)
        words, talks = self.search.text(), self._talks
        found = [talk for talk in talks or () if talk.matches(words)]
        self._adding.begin(found[:MOST])
        self._note.setText(self._said(words, len(found)))
        self._note.setVisible(bool(self._note.text()))

    def _said(self, words: str, found: int) -> str:
        if self._talks is None:
            return self.tr("Reading the history…")
        if not found:
            return self.tr("No conversation has these words.") if words else self.tr("What you ask is kept here.")
        return self.tr("Older ones are found by their words.") if found > MOST else ""

    def _add_row(self, talk: TalkEntry) -> None:
        row = TalkRow(talk)
        row.opened.connect(self.opened)
        row.renamed.connect(self.renamed)
        row.removed.connect(self.removed)
        self._rows.addWidget(row)
