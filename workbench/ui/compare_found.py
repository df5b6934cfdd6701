"""The passages behind an answer, best first, with the place each leg of the search gave them"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from workbench.lanes.lane import Answer
from workbench.retrieval.passage import Passage
from workbench.ui import theme, widgets
from workbench.ui.words import in_words, ordinal

EXCERPT = 80  # characters of a passage, two to three lines
NARROW = 52  # pixels of the columns with the places, at the usual size of text
PLACE, GAP = 20, 12  # pixels of the number before a passage, and between its text and the places


class FoundPassages(QWidget):
    """How many were found and cited, what was searched for, and a row for each."""

    chosen = Signal(int)  # the number of a passage that was clicked

    def __init__(self, answer: Answer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._answer = answer
        known = (*answer.passages, *answer.retrieved)
        self._word_by_word = any(each.token_rank is not None for each in known)  # answers of before have no such place
        self._reread = any(each.reread_rank is not None for each in known)
        self._content = widgets.column(spacing=8)
        self.setLayout(self._content)
        self._build()

    def _build(self) -> None:
        answer = self._answer
        self._content.addWidget(widgets.label(self._sentence(), wrap=True))
        if answer.searched:
            said = self.tr("The question leans on the one before it, so this was searched for: “{0}”")
            self._content.addWidget(widgets.label(said.format(answer.searched), "muted", wrap=True, selectable=True))
        if not answer.passages and not answer.retrieved:
            return
        head = widgets.row(PLACE, widgets.label(self.tr("Passage, best first"), "caption"), None, GAP, spacing=0)
        for text, explained in self._legs():
            made = widgets.label(text, "caption", wrap=True)
            made.setToolTip(explained)
            made.setFixedWidth(theme.px(NARROW))
            head.addWidget(made)
            head.setAlignment(made, Qt.AlignmentFlag.AlignBottom)
        rows = widgets.column(head, 4, spacing=0, margins=(0, 8, 0, 0))
        for number, passage in enumerate(answer.passages, start=1):
            rows.addWidget(widgets.hline())
            rows.addWidget(self._row(number, passage, number in answer.cited))
        rows.addWidget(widgets.hline())
        self._content.addLayout(rows)
        left = [each for each in answer.retrieved if each.id not in {used.id for used in answer.passages}]
        if left:
            self._left_out(left)

    def _legs(self) -> list[tuple[str, str]]:
        """Over the columns of places: what was compared, and how."""
        legs = [
            (self.tr("Meaning"), self.tr("The place by what the passage is about, and how close that is to it")),
            (self.tr("Words"), self.tr("The place by the question's own words in it")),
        ]
        if self._word_by_word:
            each = self.tr("The place among all that was found, each word of the question compared by its meaning")
            legs.append((self.tr("Word by word"), each))
        if self._reread:
            each = self.tr("The place the reranker gave it, which reads question and passage together")
            legs.append((self.tr("Reread"), each))
        return legs

    def _places(self, passage: Passage) -> list[tuple[int | None, str]]:
        """Where each leg placed a passage, with a figure under it."""
        places = [(passage.vector_rank, _cosine(passage)), (passage.keyword_rank, "")]
        places += [(passage.token_rank, "")] if self._word_by_word else []
        return [*places, (passage.reread_rank, "")] if self._reread else places

    def _sentence(self) -> str:
        answer = self._answer
        if not answer.passages:
            if answer.retrieved:
                return self.tr("Passages were found, and none of them fitted the prompt.")
            return self.tr("No passages reached this prompt: this lane does not read your documents.")
        count, cited = len(answer.passages), len(answer.cited)
        known = max(count, len(answer.retrieved))
        found = self.tr("{0} of the {1} passages found reached the prompt.").format(count, known)
        if known == count:
            found = self.tr("All {0} passages found reached the prompt.").format(count)
        if count == 1:
            found = self.tr("One passage reached the prompt.")
        says = (
            self.tr("The answer cites {0} of them.").format(in_words(cited))
            if cited
            else self.tr("The answer cites none of them.")
        )
        dropped = answer.dropped_citations
        if dropped:
            one = self.tr("One citation pointed at nothing and was removed.")
            many = self.tr("{0} citations pointed at nothing and were removed.").format(dropped)
            says += " " + (one if dropped == 1 else many)
        return f"{found} {says}"

    def _row(self, number: int, passage: Passage, cited: bool) -> QWidget:
        place = widgets.label(str(number) if number else "", "accent" if cited else "muted")
        place.setFixedWidth(PLACE)
        top = widgets.row(widgets.ElidedLabel(passage.file.rsplit("/", 1)[-1], "strong", middle=True), spacing=8)
        top.setStretch(0, 1)
        if cited:
            top.addWidget(widgets.label(self.tr("cited"), "accent_small"))
        middle = widgets.column(top, spacing=2)
        if passage.location:
            middle.addWidget(widgets.ElidedLabel(passage.location, "caption"))
        middle.addWidget(widgets.label(_excerpt(passage.text), "small", wrap=True))
        if passage.newer_than:
            said = self.tr("Put before the older edition, {0}").format(passage.newer_than.rsplit("/", 1)[-1])
            middle.addWidget(widgets.label(said, "caption", wrap=True))
        line = widgets.row(place, spacing=0, margins=(0, 8, 0, 8))
        line.setAlignment(place, Qt.AlignmentFlag.AlignTop)
        line.addLayout(middle, 1)
        line.addSpacing(GAP)
        for rank, note in self._places(passage):
            leg = widgets.column(widgets.label(ordinal(rank)), widgets.label(note, "caption"), None, spacing=2)
            holder = QWidget()
            holder.setFixedWidth(theme.px(NARROW))
            holder.setLayout(leg)
            line.addWidget(holder)
        said = self.tr("Passage {0}: {1} {2}").format(number, passage.file, passage.location)
        made = widgets.ClickRow(said, line, partial(self.chosen.emit, number) if number else None)
        made.setToolTip(self.tr("Show it in the document") if number else "")
        return made

    def _left_out(self, left: list[Passage]) -> None:
        one = self.tr("One more was found and stayed out")
        note = one if len(left) == 1 else self.tr("{0} more were found and stayed out").format(len(left))
        show = widgets.link_button(self.tr("Show it") if len(left) == 1 else self.tr("Show them"))
        line = widgets.row(widgets.label(note, "caption"), None, show)
        self._content.addLayout(line)
        holder = QWidget()
        rows = widgets.column(spacing=4)
        holder.setLayout(rows)
        holder.hide()
        self._content.addWidget(holder)

        def show_them() -> None:
            show.hide()
            for passage in left:
                rows.addWidget(self._row(0, passage, False))
                rows.addWidget(widgets.hline())
            holder.show()

        show.clicked.connect(lambda *_: show_them())


def _excerpt(text: str) -> str:
    flat = " ".join(text[: 4 * EXCERPT].split())
    return flat if len(flat) <= EXCERPT else flat[: EXCERPT - 1].rsplit(" ", 1)[0].rstrip(" .,;:") + "…"


def _cosine(passage: Passage) -> str:
    return "" if passage.similarity is None else f"{passage.similarity:.2f}"
