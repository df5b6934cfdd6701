"""The sheet behind "Why": the passages with both legs' places, the exact prompt with its tokens as a bar, the stamp."""

from __future__ import annotations

import json
import re
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QSyntaxHighlighter, QTextCharFormat
from PySide6.QtWidgets import QApplication, QGridLayout, QPlainTextEdit, QWidget

from workbench.lanes.lane import Answer, Lane
from workbench.records import to_plain
from workbench.retrieval.passage import Passage
from workbench.ui import theme, widgets
from workbench.ui.compare_heads import in_words, title_of
from workbench.ui.page import Sheet

PART_COLORS = {"system": "muted", "examples": "warning", "passages": "accent", "history": "good", "question": "text"}
PROMPT_LINES = 12  # of the prompt before "Show more of it"
PROMPT_SHOWN = 40_000  # characters of it; all of it is copied
EXCERPT = 100  # characters of a passage, about two lines
NARROW = 58  # pixels of the columns with the places, at the usual size of text
PLACE, GAP = 20, 12  # pixels of the number before a passage, and between its text and the places


class ControlTokens(QSyntaxHighlighter):
    """The model's own control tokens step back: what people wrote stands out."""

    TOKEN = re.compile(r"<\|[^|<>]{1,40}\|>")

    def highlightBlock(self, text: str) -> None:
        form = QTextCharFormat()
        form.setForeground(theme.color("muted"))
        for match in self.TOKEN.finditer(text):
            self.setFormat(match.start(), len(match[0]), form)


class WhySheet(Sheet):
    """Explains one answer."""

    source_clicked = Signal(object, int)  # Answer, number of the passage

    def __init__(self, lane: Lane, answer: Answer, parent: QWidget | None = None) -> None:
        super().__init__("", lane.name, title_of(lane), parent)
        self.set_title(self.tr("Why this answer"))
        self.lane, self.answer = lane, answer
        self.prompt = QPlainTextEdit(readOnly=True)
        self._passages()
        self._prompt()
        self._stamp()
        self.content.addStretch(1)

    def _passages(self) -> None:
        answer = self.answer
        self.content.addWidget(widgets.label(self._passages_sentence(), wrap=True))
        if not answer.passages and not answer.retrieved:
            return
        head = widgets.row(PLACE, widgets.label(self.tr("Passage, best first"), "caption"), None, GAP, spacing=0)
        for text in (self.tr("Meaning"), self.tr("Words")):
            made = widgets.label(text, "caption")
            made.setFixedWidth(theme.px(NARROW))
            head.addWidget(made)
        rows = widgets.column(head, 4, spacing=0, margins=(0, 8, 0, 0))
        for number, passage in enumerate(answer.passages, start=1):
            rows.addWidget(widgets.hline())
            rows.addWidget(self._row(number, passage, number in answer.cited))
        rows.addWidget(widgets.hline())
        self.content.addLayout(rows)
        left = [each for each in answer.retrieved if each.id not in {used.id for used in answer.passages}]
        if left:
            self._left_out(left)

    def _passages_sentence(self) -> str:
        answer = self.answer
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
        top = widgets.row(widgets.ElidedLabel(passage.file.rsplit("/", 1)[-1], "strong", hug=True), spacing=8)
        top.addWidget(widgets.ElidedLabel(passage.location, "caption"), 1)
        if cited:
            top.addWidget(widgets.label(self.tr("cited"), "accent_small"))
        middle = widgets.column(top, spacing=2)
        middle.addWidget(widgets.label(_excerpt(passage.text), "small", wrap=True))
        line = widgets.row(place, spacing=0, margins=(0, 8, 0, 8))
        line.setAlignment(place, Qt.AlignmentFlag.AlignTop)
        line.addLayout(middle, 1)
        line.addSpacing(GAP)
        for rank, note in ((passage.vector_rank, _cosine(passage)), (passage.keyword_rank, "")):
            leg = widgets.column(widgets.label(ordinal(rank)), widgets.label(note, "caption"), None, spacing=2)
            holder = QWidget()
            holder.setFixedWidth(theme.px(NARROW))
            holder.setLayout(leg)
            line.addWidget(holder)
        said = self.tr("Passage {0}: {1} {2}").format(number, passage.file, passage.location)
        made = widgets.ClickRow(said, line, partial(self.source_clicked.emit, self.answer, number) if number else None)
        made.setToolTip(self.tr("Show it in the document") if number else "")
        return made

    def _left_out(self, left: list[Passage]) -> None:
        one = self.tr("One more was found and stayed out")
        note = one if len(left) == 1 else self.tr("{0} more were found and stayed out").format(len(left))
        show = widgets.link_button(self.tr("Show it") if len(left) == 1 else self.tr("Show them"))
        line = widgets.row(widgets.label(note, "caption"), None, show)
        self.content.addLayout(line)
        holder = QWidget()
        rows = widgets.column(spacing=4)
        holder.setLayout(rows)
        holder.hide()
        self.content.addWidget(holder)

        def show_them() -> None:
            show.hide()
            for passage in left:
                rows.addWidget(self._row(0, passage, False))
                rows.addWidget(widgets.hline())
            holder.show()

        show.clicked.connect(lambda *_: show_them())

    def _prompt(self) -> None:
        answer = self.answer
        self._prompt_head = head = widgets.SectionHead(self.tr("Exact prompt"))
        self.set_context(0)
        head.add_action(widgets.quiet_button(self.tr("Copy"), "copy", partial(_copy, answer.prompt)))
        self.content.addSpacing(8)
        self.content.addWidget(head)
        bar = widgets.TokenBar()
        parts = [(name, amount, PART_COLORS.get(name, "strong")) for name, amount in answer.prompt_parts]
        bar.set_parts(parts, answer.prompt_tokens + self.lane.sampling.max_tokens)  # and room for the answer
        self.content.addWidget(bar)
        legend = widgets.FlowLayout(spacing=12)
        holder = QWidget()
        holder.setLayout(legend)
        for name, part_tokens, role in parts:
            legend.addWidget(_key(f"{name} {part_tokens:,}", role))
        legend.addWidget(_key(self.tr("answer, up to {0}").format(self.lane.sampling.max_tokens), ""))
        self.content.addWidget(holder)
        lines = answer.prompt.splitlines()
        self.prompt.setProperty("kind", "code")
        self.prompt.setAccessibleName(self.tr("Exact prompt"))
        self.prompt.setFont(theme.mono_font(theme.SMALL))
        self.prompt.setPlainText(answer.prompt[:PROMPT_SHOWN])
        self._control = ControlTokens(self.prompt.document())
        self.prompt.setFixedHeight(theme.px(16) * min(PROMPT_LINES, len(lines) + 1) + 16)
        self.content.addWidget(self.prompt)
        if len(lines) > PROMPT_LINES:
            taller = theme.px(16) * min(48, len(lines) + 8)
            more = widgets.link_button(self.tr("Show more of it"), lambda: self.prompt.setFixedHeight(taller))
            self.content.addWidget(more, 0, Qt.AlignmentFlag.AlignLeft)

    def set_context(self, tokens: int) -> None:
        """How many tokens the model's context holds; 0 while that is not known."""
        amount, of = self.answer.prompt_tokens, self.tr("{0:,} of {1:,} tokens")
        self._prompt_head.set_note(of.format(amount, tokens) if tokens else self.tr("{0:,} tokens").format(amount))

    def _stamp(self) -> None:
        stamp = self.answer.stamp
        self.content.addSpacing(8)
        head = widgets.SectionHead(self.tr("Stamp"))
        self.content.addWidget(head)
        if stamp is None:
            said = self.tr("This answer carries no stamp: it ended before the engine wrote one.")
            self.content.addWidget(widgets.label(said, "muted", wrap=True))
            return
        plain = json.dumps(to_plain(stamp), indent=2, ensure_ascii=False)
        head.add_action(widgets.quiet_button(self.tr("Copy"), "copy", partial(_copy, plain)))
        checked = {
            "ok": ("check-circle", "good", self.tr("The lane is what its label says")),
            "": ("info", "muted", self.tr("Not checked")),
        }
        icon, role, said = checked.get(stamp.canary, ("warning-circle", "bad", stamp.canary))
        verdict = widgets.row(widgets.icon_label(icon, 16, role), widgets.label(said, "muted", wrap=True), spacing=8)
        verdict.setStretch(1, 1)
        self.content.addLayout(verdict)
        grid = QGridLayout()
        grid.setContentsMargins(0, 4, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for place, (name, value) in enumerate(self._stamp_lines()):
            grid.addWidget(widgets.label(name, "caption"), place, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(widgets.label(value, "small", wrap=True, selectable=True), place, 1)
        self.content.addLayout(grid)

    def _stamp_lines(self) -> list[tuple[str, str]]:
        stamp, sampling = self.answer.stamp, self.lane.sampling
        if stamp is None:
            return []
        lines = [(self.tr("Model"), f"{self.lane.model.stem}  {stamp.model[:16]}")]
        if stamp.adapter:
            lines.append((self.tr("Adapter"), f"{stamp.adapter[:16]} at {stamp.adapter_scale:g}"))
        if stamp.base:
            lines.append((self.tr("Knowledge base"), stamp.base))
        lines.append((self.tr("Prompt"), stamp.prompt_hash[:16]))
        chance = (
            self.tr("the likeliest token each time")
            if not sampling.temperature
            else f"temperature {sampling.temperature:g}"
        )
        most = self.tr("at most {0} tokens").format(sampling.max_tokens)
        lines.append((self.tr("Sampling"), f"seed {stamp.seed}, {chance}, {most}"))
        lines.append((self.tr("Engine"), stamp.build))
        return lines


def _copy(text: str) -> None:
    QApplication.clipboard().setText(text)


def _excerpt(text: str) -> str:
    flat = " ".join(text[: 4 * EXCERPT].split())
    return flat if len(flat) <= EXCERPT else flat[: EXCERPT - 1].rsplit(" ", 1)[0].rstrip(" .,;:") + "…"


def _cosine(passage: Passage) -> str:
    return "" if passage.similarity is None else f"{passage.similarity:.2f}"


def ordinal(rank: int | None) -> str:
    """ "1st", "2nd"; a dash where the leg did not find it."""
    if rank is None:
        return "–"
    if 10 <= rank % 100 <= 20:
        return f"{rank}th"
    return f"{rank}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(rank % 10, 'th') }"


def _key(text: str, role: str) -> QWidget:
    """A square in a part's colour with its name."""
    made = QWidget()
    line = widgets.row(spacing=6)
    if role:
        line.addWidget(Square(role))
    line.addWidget(widgets.label(text, "small" if role else "caption"))
    made.setLayout(line)
    return made


class Square(QWidget):
    """A small square in a token's colour."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role
        self.setFixedSize(8, 8)

    def paintEvent(self, event: object) -> None:
        from PySide6.QtGui import QPainter

        QPainter(self).fillRect(self.rect(), theme.color(self._role))
