"""The sheet behind "Why": the passages with each leg's places, the exact prompt with its tokens as a bar, the stamp."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt, Signal
from PySide6.QtGui import QSyntaxHighlighter, QTextCharFormat
from PySide6.QtWidgets import QApplication, QGridLayout, QPlainTextEdit, QWidget

from workbench.lanes.lane import Answer, Lane
from workbench.records import to_plain
from workbench.ui import theme, widgets
from workbench.ui.compare_found import FoundPassages
from workbench.ui.compare_heads import title_of
from workbench.ui.page import Sheet

PARTS: dict[str, tuple[Any, str]] = {  # of a prompt: what each is called, and its colour
    "system": (QT_TRANSLATE_NOOP("prompt", "system"), "muted"),
    "examples": (QT_TRANSLATE_NOOP("prompt", "examples"), "warning"),
    "passages": (QT_TRANSLATE_NOOP("prompt", "passages"), "accent"),
    "history": (QT_TRANSLATE_NOOP("prompt", "history"), "good"),
    "question": (QT_TRANSLATE_NOOP("prompt", "question"), "text"),
}
PROMPT_LINES = 12  # of the prompt before "Show more of it"
PROMPT_SHOWN = 40_000  # characters of it; all of it is copied


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
        found = FoundPassages(answer)
        found.chosen.connect(partial(self.source_clicked.emit, answer))
        self.content.addWidget(found)
        self._prompt()
        self._stamp()
        self.content.addStretch(1)

    def _prompt(self) -> None:
        answer = self.answer
        self._prompt_head = head = widgets.SectionHead(self.tr("Exact prompt"))
        self.set_context(0)
        head.add_action(widgets.quiet_button(self.tr("Copy"), "copy", partial(_copy, answer.prompt)))
        self.content.addSpacing(8)
        self.content.addWidget(head)
        bar = widgets.TokenBar()
        named = [(PARTS.get(key, (key, "strong")), amount) for key, amount in answer.prompt_parts]
        parts = [(QCoreApplication.translate("prompt", name), amount, role) for (name, role), amount in named]
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
            lines.append((self.tr("Adapter"), self.tr("{0} at {1:g}").format(stamp.adapter[:16], stamp.adapter_scale)))
        if stamp.base:
            lines.append((self.tr("Knowledge base"), stamp.base))
        lines.append((self.tr("Prompt"), stamp.prompt_hash[:16]))
        chance = (
            self.tr("the likeliest token each time")
            if not sampling.temperature
            else self.tr("temperature {0:g}").format(sampling.temperature)
        )
        most = self.tr("at most {0} tokens").format(sampling.max_tokens)
        lines.append((self.tr("Sampling"), self.tr("seed {0}, {1}, {2}").format(stamp.seed, chance, most)))
        lines.append((self.tr("Engine"), stamp.build))
        return lines


def _copy(text: str) -> None:
    QApplication.clipboard().setText(text)


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
