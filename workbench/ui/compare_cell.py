"""One lane's answer in a turn: the text, the passages it read, its figures and what can be done with it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QCoreApplication, QSize, Qt, Signal
from PySide6.QtWidgets import QApplication, QWidget

from workbench.lanes.lane import Answer
from workbench.retrieval.support import unsupported
from workbench.ui import widgets
from workbench.ui.compare_sources import SourceLines
from workbench.ui.compare_talk import LaneAnswer
from workbench.ui.compare_text import AnswerText
from workbench.ui.plain import tooltip

SIDE = 16  # left and right of the text
BETWEEN = 4  # the buttons of an answer, where there is room


class Pager(QWidget):
    """Which characters of a long answer are shown, and the parts before and after."""

    turned = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = widgets.ElidedLabel("", "caption")
        self.before = widgets.icon_button("caret-left", self.tr("The part before"), partial(self.turned.emit, -1))
        self.after = widgets.icon_button("caret-right", self.tr("The next part"), partial(self.turned.emit, 1))
        line = widgets.row(self.words, self.before, self.after, spacing=4)
        line.setStretch(0, 1)
        self.setLayout(line)
        self.hide()

    def show_part(self, start: int, end: int, total: int) -> None:
        self.setVisible(start > 0 or end < total)
        said = self.tr("Characters {0:,} to {1:,} of {2:,}").format(start + 1, end, total)
        self.words.set_text(said, f"{start + 1:,}–{end:,} / {total:,}")
        self.before.setEnabled(start > 0)
        self.after.setEnabled(end < total)


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
    drawn = Signal()  # its height may be another now

    def __init__(self, said: LaneAnswer | None, width: int = 0, parent: QWidget | None = None) -> None:
        """`width`: of the column, 0 while that is not known."""
        super().__init__(parent)
        self.setProperty("kind", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.said, self._hidden, self._best = said, False, False
        self._doubting: Answer | None = None  # whose sentences are held against its passages
        self.revealed = widgets.label("", "caption")
        self.waiting = widgets.label("", "muted", wrap=True)
        self.waiting.setContentsMargins(0, 3, 0, 0)  # on the line where an answer begins
        self.text = AnswerText()
        self.error = widgets.label("", "text", wrap=True, selectable=True)
        self.sources = SourceLines()
        self.figures = widgets.ElidedLabel("", "caption")
        self._build()
        if width:
            self.set_width(width)
        self.refresh()

    def _build(self) -> None:
        text = self.text
        text.cited.connect(self.source_clicked)
        self.sources.chosen.connect(self.source_clicked)
        text.link_clicked.connect(self.link_clicked)
        text.setAccessibleName(self.tr("Answer"))
        text.drawn.connect(self._on_drawn)
        self.pager = Pager()
        self.pager.turned.connect(text.turn_to)
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
        parts = (self.vote, self.correct, self.keep, self.copy, self.retry, None, self.stop, self.why)
        self.buttons = buttons = widgets.row(*parts, spacing=BETWEEN)
        buttons.addStrut(30)
        above_figures = (self.revealed, self.waiting, self.text, self.pager, self.error_line)
        above = widgets.column(
            *above_figures, self.sources, None, 8, self.figures, spacing=6, margins=(SIDE, 14, SIDE, 0)
        )
        buttons.setContentsMargins(10, 6, SIDE, 14)  # the icons, not their frames, stand in line with the text
        self.setLayout(widgets.column(above, buttons, spacing=0))

    def set_width(self, width: int) -> None:
        """The column's width; how high the text is then is known before anything is laid out."""
        self.setFixedWidth(width)
        self.text.set_room(width - 2 * SIDE)
        self._pack_buttons()

    def settle(self) -> None:
        """Lay out at once what has changed: a line that waits its turn would be drawn over the one under it."""
        layout = self.layout()
        if layout is not None:
            layout.activate()

    def _pack_buttons(self) -> None:
        """In a narrow column the buttons stand closer."""
        self.buttons.setSpacing(BETWEEN)
        if self.buttons.sizeHint().width() > self.width():
            self.buttons.setSpacing(0)

    def _on_drawn(self) -> None:
        self.pager.show_part(*self.text.part)
        self.drawn.emit()

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
        self.text.set_answer(said.text, len(answer.passages) if answer is not None else 0, said.busy)
        self._show_doubts(answer if not said.busy and not self._hidden else None)
        self.error.setText(self._sentence(said))
        self.error_icon.set_icon(*_end_icon(said))
        self.error_line.setVisible(bool(self.error.text()))
        self.sources.show(answer if not self._hidden else None)
        told = answer is not None and not self._hidden and said.state != "failed"
        self.figures.set_text(*(figures_text(answer), figures_text(answer, short=True)) if answer and told else ("",))
        self.figures.setToolTip(tooltip(self._explain(answer)) if answer is not None and told else "")
        self._show_buttons(said)

    def _show_doubts(self, answer: Answer | None) -> None:
        """Underline what no passage supports; not in blind mode, where it would tell which lane has documents."""
        answer = answer if answer is not None and answer.passages else None
        if answer is self._doubting:
            return
        self._doubting = answer
        if answer is None:
            self.text.set_doubts(None)
        else:
            question, passages = answer.question, answer.passages
            self.text.set_doubts(lambda shown: unsupported(shown, question, passages))

    def _show_nothing(self) -> None:
        for each in (
            self.revealed,
            self.text,
            self.pager,
            self.error_line,
            self.stop,
            self.why,
            self.vote,
            self.correct,
        ):
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
        self.vote.setIconSize(QSize(22 if self._best else 16, 16))  # some air between the icon and its word
        self._pack_buttons()

    def _sentence(self, said: LaneAnswer) -> str:
        if said.state == "failed":
            return said.error or self.tr("This lane failed.")
        if said.state == "stopped":
            return self.tr("Stopped. What was written so far is kept.") if said.text else self.tr("Stopped.")
        if said.answer is not None and said.answer.stopped == "length":
            return self.tr("Cut off at {0} tokens, the longest answer this lane may give.").format(
                said.answer.answer_tokens
            )
        if said.answer is not None and said.answer.stopped == "repeats":
            return self.tr("Ended here, for it went on to say the same again and again.")
        return ""

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
    translate, count = QCoreApplication.translate, answer.answer_tokens
    search = "{0}" if short else translate("compare", "search {0}")
    first = "{0}" if short else translate("compare", "first {0}")
    tokens = translate("compare", "{0:,} token") if count == 1 else translate("compare", "{0:,} tokens")
    parts = [search.format(widgets.seconds_text(answer.retrieve_seconds))] if answer.passages else []
    if count:
        parts.append(first.format(widgets.seconds_text(answer.first_token_seconds)))
    if count > 1:  # one token has no speed
        parts.append(translate("compare", "{0:.0f} tok/s").format(answer.tokens_per_second))
    parts.append((translate("compare", "{0:,} tok") if short else tokens).format(count))
    return " · ".join(parts)
