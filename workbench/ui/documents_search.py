"""Try a search: ranked passages with their places in both legs, before any model is asked."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QWidget

from workbench.events import Event, Result
from workbench.retrieval.passage import Passage, SearchResult
from workbench.ui import documents_source as source
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.documents_filter import SearchFilter
from workbench.ui.job import JobHandle
from workbench.ui.page import scroll_area
from workbench.ui.plain import tooltip
from workbench.ui.words import ordinal

PASSAGES = 8  # shown at once: twice what a lane reads, so that one sees what just missed it


class PassageRow(QFrame):
    """One passage: where it is from, how both legs placed it, how it begins."""

    opened = Signal(str, str, str)  # file, chunk id, folder

    def __init__(self, rank: int, passage: Passage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._passage = passage
        name = widgets.link_button(passage.file.rpartition("/")[2], self._on_clicked)
        name.setToolTip(tooltip(passage.file))
        places = self.tr("meaning {0}, words {1}").format(ordinal(passage.vector_rank), ordinal(passage.keyword_rank))
        if passage.similarity is not None:
            places += self.tr(", similarity {0:.2f}").format(passage.similarity)
        if passage.token_rank is not None:
            places += self.tr(", word by word {0}").format(ordinal(passage.token_rank))
        location = widgets.ElidedLabel(passage.location, "caption")
        head = widgets.row(widgets.label(str(rank), "strong"), name, location, spacing=8)
        head.setStretch(2, 1)
        text = " ".join(passage.text.split())
        body = widgets.label(text[:280] + ("…" if len(text) > 280 else ""), "text", wrap=True, selectable=True)
        self.again = widgets.label(again := self._about_others(), "caption", wrap=True)
        self.again.setVisible(bool(again))
        caption = widgets.label(places, "caption")
        inner = widgets.column(head, body, self.again, caption, widgets.hline(), spacing=4, margins=(0, 6, 0, 0))
        self.setLayout(inner)
        self.setAccessibleName(f"{rank}. {passage.file} {passage.location}, {places}" + (again and f". {again}"))

    def _about_others(self) -> str:
        """Where nearly the same stands, which was left out for this one, and the older edition it was put before."""
        says, others = [], "; ".join(self._passage.same_in)
        if self._passage.newer_than:
            says.append(self.tr("Put before the older edition, {0}").format(self._passage.newer_than))
        if others:
            says.append(self.tr("Nearly the same stands in {0}").format(others))
        return ". ".join(says)

    def _on_clicked(self) -> None:
        self.opened.emit(self._passage.file, self._passage.id, self._passage.folder)


class SearchPanel(QWidget):
    """A question, and the passages found for it."""

    closed = Signal()
    opened = Signal(str, str, str)  # file, chunk id, folder

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._job: JobHandle | None = None
        self.question = QLineEdit()
        self.question.setPlaceholderText(self.tr("A question, or a few words"))
        self.question.setAccessibleName(self.tr("What to search for"))
        self.question.returnPressed.connect(self.search)
        self.filter = SearchFilter()
        self.filter.changed.connect(self.search)
        self.go = widgets.icon_button("magnifying-glass", self.tr("Search"), self.search)
        close = widgets.icon_button("x", self.tr("Close the search"), self.closed.emit)
        self.caption = widgets.label(
            self.tr("Found by meaning and by exact words, then compared word by word; the places are shown."),
            "muted",
            wrap=True,
        )
        self._found = widgets.column(None, spacing=8)
        inner = QWidget()
        inner.setLayout(self._found)
        head = widgets.row(widgets.label(self.tr("Try a search"), "section"), None, close)
        line = widgets.row(self.question, self.go)
        line.setStretch(0, 1)
        self.setLayout(
            widgets.column(head, line, self.filter, self.caption, scroll_area(inner), margins=(24, 12, 16, 12))
        )

    def ask(self, question: str = "") -> None:
        """Come to the front, with a question already asked where there is one."""
        self.question.setFocus()
        if question:
            self.question.setText(question)
            self.search()

    def search(self) -> None:
        """Search for what is typed; a search that still runs is let go of."""
        question = self.question.text().strip()
        if not question:
            return
        if self._job is not None and self._job.running:
            self._job.stop()
        self.caption.setText(self.tr("Searching…"))
        base, worker, only = self._bench.base, self._bench.knowledge, self.filter.only
        self._job = self._bench.jobs.start(
            self.tr("Searching"),
            lambda: source.search_stage(base, worker, question, PASSAGES, only),
            lambda event: self._on_event(event, question),
            on_failed=self._on_failed,
            kind="search",
            quiet=True,
        )

    def _on_event(self, event: Event, question: str) -> None:
        if isinstance(event, Result) and question == self.question.text().strip():
            self.show_result(event.value)

    def _on_failed(self, error: Exception) -> None:
        self.caption.setText(str(error))

    def show_result(self, result: SearchResult) -> None:
        """Show the passages of a search."""
        widgets.clear_layout(self._found)
        for rank, passage in enumerate(result.passages, start=1):
            row = PassageRow(rank, passage)
            row.opened.connect(self.opened)
            self._found.addWidget(row)
        self._found.addStretch(1)
        if result.passages and not result.fits:
            said = self.tr("Nothing in your documents seems to be about this. The nearest there is:")
        elif result.passages:
            said = self.tr("{0} passages in {1}, best first").format(
                len(result.passages), widgets.seconds_text(result.seconds)
            )
        else:
            said = self.tr("No passage was found. Try other words, or look whether the file was skipped.")
        self.caption.setText(said)
