"""One lane's answer in a turn: the text, the passages it read, its figures and what can be done with it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget

from workbench.lanes.lane import Answer
from workbench.retrieval.passage import Passage
from workbench.ui import icons, widgets
from workbench.ui.compare_talk import LaneAnswer
from workbench.ui.compare_text import AnswerText


class SourceLine(QPushButton):
    """A passage the answer names: its number, its file and where in it."""

    def __init__(self, number: int, passage: Passage, cited: bool) -> None:
        super().__init__()
        self.setProperty("kind", "fold")
        self.setAutoDefault(False)
        name = passage.file.rsplit("/", 1)[-1]
        self.setAccessibleName(self.tr("Passage {0}: {1} {2}").format(number, passage.file, passage.location))
        self.setToolTip(f"{passage.file}  {passage.location}\n\n{passage.text[:300]}")
        number_label = widgets.label(str(number), "accent" if cited else "muted")
        parts = [widgets.IconLabel("caret-right", 12, "muted"), number_label, widgets.ElidedLabel(name, hug=True)]
        where = widgets.ElidedLabel(passage.location, "caption")
        for each in (*parts, where):
            each.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        line = widgets.row(*parts, spacing=8, margins=(2, 0, 2, 0))
        line.addWidget(where, 1)
        self.setLayout(line)
        self.setFixedHeight(24)


class AnswerCell(QWidget):
    """A column of a turn. It shows what its LaneAnswer says and tells which of its parts was clicked."""

    why_clicked = Signal()
    source_clicked = Signal(int)  # 1-based number of the passage
    vote_clicked = Signal()
    correct_clicked = Signal()
    keep_clicked = Signal()
    stop_clicked = Signal()
    retry_clicked = Signal()
    link_clicked = Signal(str)

    def __init__(self, said: LaneAnswer | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.said, self._hidden, self._best, self._all_sources = said, False, False, False
        self._shown_sources: object = None
        self.revealed = widgets.label("", "caption")
        self.waiting = widgets.label("", "muted", wrap=True)
        self.waiting.setContentsMargins(0, 3, 0, 0)  # on the line where an answer begins
        self.text = AnswerText()
        self.error = widgets.label("", "text", wrap=True, selectable=True)
        self.sources = QVBoxLayout()
        self.sources.setSpacing(0)
        self.figures = widgets.ElidedLabel("", "caption")
        self._build()
        self.refresh()

    def _build(self) -> None:
        text = self.text
        text.cited.connect(self.source_clicked)
        text.link_clicked.connect(self.link_clicked)
        text.setAccessibleName(self.tr("Answer"))
        self.error_icon = widgets.IconLabel("warning-circle", 16, "bad")
        self.error_line = QWidget()
        error = widgets.row(self.error_icon, self.error, spacing=8)
        error.setAlignment(self.error_icon, Qt.AlignmentFlag.AlignTop)
        error.setStretch(1, 1)
        self.error_line.setLayout(error)
        self.vote = widgets.icon_button("thumbs-up", self.tr("This answer is the best"), self.vote_clicked.emit)
        self.vote.setCheckable(True)
        self.correct = widgets.icon_button(
            "pencil-simple", self.tr("Correct this answer and keep it as training data"), self.correct_clicked.emit
        )
        self.keep = widgets.icon_button("plus", self.tr("Add this question to the suite"), self.keep_clicked.emit)
        self.copy = widgets.icon_button("copy", self.tr("Copy this answer"), self._on_copy)
        self.retry = widgets.icon_button("arrow-clockwise", self.tr("Ask this lane again"), self.retry_clicked.emit)
        self.stop = widgets.button(self.tr("Stop"), "stop", self.stop_clicked.emit, "small")
        self.why = widgets.button(self.tr("Why"), "", self.why_clicked.emit, "small")
        self.why.setCheckable(True)
        self.why.setToolTip(self.tr("The passages, the exact prompt and the stamp behind this answer"))
        buttons = widgets.row(
            self.vote, self.correct, self.keep, self.copy, self.retry, None, self.stop, self.why, spacing=4
        )
        buttons.addStrut(30)
        parts = (self.revealed, self.waiting, self.text, self.error_line)
        above = widgets.column(*parts, self.sources, None, 8, self.figures, spacing=6, margins=(16, 14, 16, 0))
        buttons.setContentsMargins(10, 6, 16, 14)  # the icons, not their frames, stand in line with the text
        self.setLayout(widgets.column(above, buttons, spacing=0))

    def set_hidden(self, hidden: bool, best: bool, revealed: str = "") -> None:
        """Blind mode: hide what would give the lane away; `best` marks the voted answer."""
        self._hidden, self._best = hidden, best
        self.revealed.setText(revealed)
        self.refresh()

    def refresh(self) -> None:
        """Draw the answer as it is now."""
        said = self.said
        if said is None:
            self._show_nothing()
            return
        answer = said.answer
        self.revealed.setVisible(bool(self.revealed.text()))
        self.waiting.setText((said.waiting or self.tr("Waiting its turn")) if not self._hidden else self.tr("Waiting"))
        self.waiting.setVisible(said.state == "waiting")
        if not self.waiting.isHidden():
            self.waiting.setText(self.waiting.text() + "…" * (not self.waiting.text().endswith("…")))
        self.text.setVisible(bool(said.text))
        self.text.set_answer(said.text, len(answer.passages) if answer is not None else 0)
        self.error.setText(self._sentence(said))
        self.error_icon.set_icon(*_end_icon(said))
        self.error_line.setVisible(bool(self.error.text()))
        self._show_sources(answer)
        told = answer is not None and not self._hidden and said.state != "failed"
        self.figures.set_text(*(figures_text(answer), figures_text(answer, short=True)) if answer and told else ("",))
        self.figures.setToolTip(self._explain(answer) if answer is not None and told else "")
        self._show_buttons(said)

    def _show_nothing(self) -> None:
        for each in (self.revealed, self.text, self.error_line, self.stop, self.why, self.vote, self.correct):
            each.hide()
        for each in (self.keep, self.copy, self.retry):
            each.hide()
        self.waiting.setText(self.tr("Not asked"))

    def _show_buttons(self, said: LaneAnswer) -> None:
        over, hidden = not said.busy, self._hidden
        self.stop.setVisible(said.busy)
        for each in (self.vote, self.copy):
            each.setVisible(over and bool(said.text))
        for each in (self.correct, self.keep):
            each.setVisible(over and bool(said.text) and not hidden)
        self.retry.setVisible(over and not hidden)
        self.why.setVisible(over and said.answer is not None and bool(said.answer.prompt) and not hidden)
        self.vote.setChecked(self._best)
        self.vote.setText(self.tr("Best") if self._best else "")
        beside = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if self._best else Qt.ToolButtonStyle.ToolButtonIconOnly
        self.vote.setToolButtonStyle(beside)
        widgets.set_kind(self.vote, "best" if self._best else "icon")

    def _sentence(self, said: LaneAnswer) -> str:
        if said.state == "failed":
            return said.error or self.tr("This lane failed.")
        if said.state == "stopped":
            return self.tr("Stopped. What was written so far is kept.") if said.text else self.tr("Stopped.")
        if said.answer is not None and said.answer.stopped == "length":
            return self.tr("Cut off at {0} tokens, the longest answer this lane may give.").format(
                said.answer.answer_tokens
            )
        return ""

    def _show_sources(self, answer: Answer | None) -> None:
        wanted = (answer, self._hidden, self._all_sources)
        if wanted == self._shown_sources:
            return
        self._shown_sources = wanted
        widgets.clear_layout(self.sources)
        if answer is None or self._hidden or not answer.passages:
            return
        self.sources.addSpacing(8)
        for number, passage in enumerate(answer.passages, start=1):
            cited = number in answer.cited
            if cited or self._all_sources:
                line = SourceLine(number, passage, cited)
                line.clicked.connect(partial(self.source_clicked.emit, number))
                self.sources.addWidget(line)
        rest = len(answer.passages) - len(answer.cited)
        if rest and not self._all_sources:
            self.sources.addWidget(self._more_line(rest, bool(answer.cited)))

    def _more_line(self, rest: int, more: bool) -> QPushButton:
        count = self.tr("{0} passages read") if rest != 1 else self.tr("{0} passage read")
        if more:
            count = self.tr("{0} more passages read") if rest != 1 else self.tr("{0} more passage read")
        made = QPushButton("  " + count.format(rest))
        made.setProperty("kind", "fold")
        made.setAutoDefault(False)
        made.setIcon(icons.icon("caret-right", "muted"))
        made.setIconSize(QSize(12, 12))
        made.setFixedHeight(24)
        made.setStyleSheet("color: palette(placeholder-text);")
        made.clicked.connect(self._on_more)
        return made

    def _on_more(self) -> None:
        self._all_sources = True
        self.refresh()

    def _on_copy(self) -> None:
        if self.said is not None:
            QApplication.clipboard().setText(self.said.text)

    def _explain(self, answer: Answer) -> str:
        lines = []
        if answer.passages or answer.retrieve_seconds:
            lines.append(self.tr("search: finding the passages in the index"))
        lines.append(self.tr("first: from the question to the first word, search included"))
        lines.append(self.tr("tok/s: how fast the answer was written, without the wait"))
        lines.append(self.tr("tokens: length of the answer; the prompt was {0:,} tokens").format(answer.prompt_tokens))
        lines.append(self.tr("all in all {0}").format(widgets.seconds_text(answer.seconds)))
        return "\n".join(lines)


def _end_icon(said: LaneAnswer) -> tuple[str, str]:
    """The icon beside how an answer ended: it failed, a person stopped it, or it was cut off."""
    if said.state == "failed":
        return "warning-circle", "bad"
    return ("hand", "muted") if said.state == "stopped" else ("scissors", "warning")


def figures_text(answer: Answer, short: bool = False) -> str:
    """The figures under an answer on one line; `short` for narrow columns."""
    tokens = " tokens" if answer.answer_tokens != 1 else " token"
    search, first, token = ("", "", " tok") if short else ("search ", "first ", tokens)
    parts = [f"{search}{widgets.seconds_text(answer.retrieve_seconds)}"] if answer.passages else []
    if answer.answer_tokens:
        parts.append(f"{first}{widgets.seconds_text(answer.first_token_seconds)}")
        parts.append(f"{answer.tokens_per_second:.0f} tok/s")
    parts.append(f"{answer.answer_tokens:,}{token}")
    return " · ".join(parts)
