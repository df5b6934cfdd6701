"""The same held-out rows, answered before training and now, beside what was expected."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.tuning.recipe import Sample
from workbench.ui import theme, widgets


@dataclass(frozen=True, slots=True)
class Judgement:
    """How an answer compares with the expected one."""

    same: bool
    reason: str  # in a few words


def judge(sample: Sample) -> Judgement:
    """Compare an answer with what was expected: as JSON where that is JSON, else word by word."""
    translate = QCoreApplication.translate
    expected, answer = _json(sample.expected), _json(sample.answer)
    if isinstance(expected, (dict, list)):
        if answer is None:
            cut = sample.answer.strip().startswith(("{", "["))
            return Judgement(False, translate("judge", "Cut off, not JSON") if cut else translate("judge", "Not JSON"))
        same, why = answer == expected, _difference(expected, answer)
    else:
        same = " ".join(sample.answer.split()).casefold() == " ".join(sample.expected.split()).casefold()
        why = translate("judge", "Not the expected words")
    return Judgement(True, translate("judge", "Same as expected")) if same else Judgement(False, why)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _difference(expected: Any, answer: Any) -> str:
    translate = QCoreApplication.translate
    if isinstance(expected, dict) and isinstance(answer, dict):
        for key, value in expected.items():
            if key not in answer:
                return translate("judge", "{0} is missing").format(key)
            if answer[key] != value:
                wanted = str(value)
                if len(wanted) > 24:
                    return translate("judge", "{0} is another").format(key)
                return translate("judge", "{0} should be {1}").format(key, wanted)
        return translate("judge", "More keys than expected")
    return translate("judge", "Another value")


def breakable(text: str, most: int = 220) -> str:
    """A text that may be broken after commas and colons, as JSON without blanks must be to fit a column."""
    short = text[:most] + ("…" if len(text) > most else "")
    return short.replace(",", ",\u200b").replace(":", ":\u200b")


def question_of(prompt: str) -> str:
    """The question a row asks, without the passages it gives to read before it."""
    _, passages, question = prompt.rpartition("\nQuestion: ")
    return question.strip() if passages else prompt.strip()


def _shortened(text: str, most: int = 160) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[:most].rsplit(" ", 1)[0] + " …"


class SideRule(QWidget):
    """A rule in a lane's colour at the side of what belongs to it."""

    def __init__(self, lane: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lane = lane
        self.setFixedWidth(3)

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.lane_color(self._lane))


class AnswerCell(QWidget):
    """An answer with a rule in its lane's colour, and how it compares."""

    def __init__(self, lane: str, sample: Sample | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        rule = SideRule(lane)
        text = sample.answer if sample is not None else ""
        structured = text.lstrip().startswith(("{", "["))
        shown = widgets.label(breakable(text), "text", wrap=True, selectable=True)
        shown.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        shown.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        shown.setToolTip(text if len(text) > len(shown.text()) else "")
        if structured:
            shown.setFont(theme.mono_font())
        parts = widgets.column(shown, spacing=4)
        parts.addStretch(1)
        if sample is not None:
            found = judge(sample)
            sign = ("check-circle", "good") if found.same else ("x-circle", "bad")
            said = widgets.label(found.reason, "caption")
            parts.addLayout(widgets.row(widgets.icon_label(sign[0], 14, sign[1]), said, None, spacing=6))
            self.setAccessibleName(f"{text} {found.reason}")
        line = widgets.row(rule, spacing=10)
        line.addLayout(parts, 1)
        self.setLayout(line)


class SamplesView(QWidget):
    """Held-out rows in lines; chips choose the step that stands beside "before"."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._by_step: dict[int, tuple[Sample, ...]] = {}
        self._chosen = 0
        self._follow = True  # the newest, until a person picks a step
        self.title = widgets.label(self.tr("The same held-out rows, before and now"), "strong")
        self._chips = widgets.row(spacing=6)
        self._lines = widgets.column(spacing=0)
        head = widgets.row(self.title, None)
        head.addLayout(self._chips)
        self.setLayout(widgets.column(head, self._lines, spacing=8))
        self.hide()

    def show_samples(self, by_step: dict[int, tuple[Sample, ...]]) -> None:
        """Show what was answered at each step."""
        if not by_step:
            self._by_step = {}
            self._follow = True
            self.hide()
            return
        if by_step.keys() == self._by_step.keys():
            return
        self._by_step = dict(by_step)
        if self._follow or self._chosen not in by_step:
            self._chosen = max(by_step)
        self._write()
        self.show()

    @property
    def questions(self) -> tuple[str, ...]:
        """The questions of the held-out rows shown."""
        newest = self._by_step.get(max(self._by_step, default=0), ())
        return tuple(sample.prompt for sample in newest)

    def _write(self) -> None:
        widgets.clear_layout(self._chips)
        later = [step for step in sorted(self._by_step) if step > 0]
        for step in later[-5:]:
            chip = widgets.Chip(str(step))
            chip.setChecked(step == self._chosen)
            chip.setAccessibleName(self.tr("Answers at step {0}").format(step))
            chip.clicked.connect(lambda *_, step=step: self._on_step_clicked(step))
            self._chips.addWidget(chip)
        if later:
            self._chips.addWidget(widgets.label(self.tr("step"), "caption"))
        widgets.clear_layout(self._lines)
        before, now = self._by_step.get(0, ()), self._by_step.get(self._chosen, ())
        now_title = self.tr("Step {0}").format(self._chosen) if self._chosen else ""
        self._lines.addWidget(self._head(now_title))
        for number, sample in enumerate(before or now):
            self._lines.addWidget(widgets.hline())
            later_one = now[number] if self._chosen and number < len(now) else None
            self._lines.addWidget(self._line(sample, later_one))

    def _head(self, now: str) -> QWidget:
        made = QWidget()
        parts: Sequence[tuple[str, str, int]] = (
            ("", self.tr("Question"), 3),
            ("base", self.tr("Before"), 4),
            ("tuned", now, 4),
        )
        line = widgets.row(spacing=16, margins=(0, 0, 0, 6))
        for lane, text, share in parts:
            cell = widgets.row(*([widgets.Dot(lane)] if lane and text else []), widgets.label(text, "caption"), None)
            line.addLayout(cell, share)
        made.setLayout(line)
        return made

    def _line(self, before: Sample, now: Sample | None) -> QWidget:
        made = QWidget()
        asked = _shortened(question_of(before.prompt))
        question = widgets.label(f"\N{LEFT DOUBLE QUOTATION MARK}{asked}\N{RIGHT DOUBLE QUOTATION MARK}", wrap=True)
        question.setAlignment(Qt.AlignmentFlag.AlignTop)
        question.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        question.setToolTip(before.prompt[:1200] + "\n\n" + self.tr("Expected: {0}").format(before.expected[:600]))
        line = widgets.row(spacing=16, margins=(0, 10, 0, 10))
        line.addWidget(question, 3)
        line.addWidget(AnswerCell("base", before), 4)
        line.addWidget(AnswerCell("tuned", now) if now is not None else self._later(), 4)
        made.setLayout(line)
        return made

    def _later(self) -> QWidget:
        """What stands where the first answers of the run will."""
        said = widgets.label(self.tr("Asked again with the first look at the held-out rows"), "caption", wrap=True)
        said.setAlignment(Qt.AlignmentFlag.AlignTop)
        return said

    def _on_step_clicked(self, step: int) -> None:
        self._chosen, self._follow = step, step == max(self._by_step)
        self._write()
