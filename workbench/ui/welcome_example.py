"""The right half of the welcome page: one question with the answers of four lanes, or what each of them does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QWidget

from workbench import paths, records
from workbench.ui import widgets
from workbench.ui.compare_text import AnswerText
from workbench.ui.lane_names import lane_title

RECORD = "welcome.json"  # in the resources, written by packaging/record_welcome.py
LANES = ("base", "rag", "tuned", "rag+tuned")
SIDE = 16  # left and right of a text
LONGEST = 180  # characters of a recorded answer that are shown
NOTES: dict[str, Any] = {
    "base": QT_TRANSLATE_NOOP("welcome", "the model alone"),
    "prompted": QT_TRANSLATE_NOOP("welcome", "your prompt and examples"),
    "rag": QT_TRANSLATE_NOOP("welcome", "reads your documents"),
    "tuned": QT_TRANSLATE_NOOP("welcome", "learned from your examples"),
    "rag+tuned": QT_TRANSLATE_NOOP("welcome", "learned, and reads"),
}
DOES: dict[str, Any] = {
    "base": QT_TRANSLATE_NOOP(
        "welcome", "Answers from what it learned long ago. Of your products, prices and rules it knows nothing."
    ),
    "rag": QT_TRANSLATE_NOOP(
        "welcome", "Is handed the passages of your documents that fit the question, and says which ones it used."
    ),
    "tuned": QT_TRANSLATE_NOOP(
        "welcome", "Has practised on your examples: the form, the tone and the decisions are yours."
    ),
    "rag+tuned": QT_TRANSLATE_NOOP("welcome", "Takes the facts from your documents and the form from your examples."),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What the example says."""

    question: str
    answers: tuple[dict[str, Any], ...]  # lane, text, figures, passages
    note: str
    recorded: bool = True


def read_record() -> Told | None:
    """Answers that were really given; None where there is no record, or none that can be read."""
    try:
        told = records.read_json(paths.resources() / RECORD)
        answers = tuple(dict(each) for each in told["answers"][: len(LANES)])
        whole = answers and all({"lane", "text", "figures"} <= each.keys() for each in answers)
        return Told(str(told["question"]), answers, str(told.get("note", ""))) if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def explanation() -> Told:
    """What each lane does, in the place of its answer."""
    translate = QCoreApplication.translate
    answers = tuple({"lane": lane, "text": translate("welcome", DOES[lane]), "figures": ""} for lane in LANES)
    return Told(
        translate("welcome", "One question, four answers"),
        answers,
        translate("welcome", "What differs between two of them is what that one thing changed."),
        recorded=False,
    )


class Example(QWidget):
    """The panel with what it says underneath."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for text in self.findChildren(AnswerText):  # how high they are is known before they are laid out
            text.set_room(event.size().width() // 2 - 2 * SIDE - 2)


def example() -> Example:
    """Recorded answers where there are some, the explanation otherwise."""
    told = read_record() or explanation()
    band = QFrame()
    band.setProperty("kind", "band")
    band.setLayout(widgets.row(widgets.label(told.question, "question", wrap=True), margins=(16, 14, 16, 14)))
    layout = widgets.column(band, spacing=0, margins=(1, 1, 1, 1))
    layout.addLayout(_grid(told.answers, told.recorded))
    panel = widgets.panel(layout)
    note = widgets.label(told.note, "caption", wrap=True)
    note.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    made = Example()
    made.setLayout(widgets.column(None, panel, note, None, spacing=12))
    return made


def _grid(answers: Sequence[dict[str, Any]], recorded: bool) -> QGridLayout:
    grid = QGridLayout()
    grid.setSpacing(0)
    for place, answer in enumerate(answers):
        grid.addWidget(_cell(answer, recorded, left=place % 2 == 0), place // 2, place % 2)
    for column in (0, 1):
        grid.setColumnStretch(column, 1)
    return grid


def _cell(answer: dict[str, Any], recorded: bool, left: bool) -> QWidget:
    """One recorded answer as the Compare page would show it, or one explained lane."""
    lane = str(answer["lane"])
    name = widgets.row(widgets.Dot(lane), widgets.label(lane_title(lane), "strong"), None, spacing=8)
    said = QCoreApplication.translate("welcome", NOTES.get(lane.split(":")[0], ""))
    note = widgets.row(widgets.label(said, "caption"), margins=(16, 0, 0, 0))
    text = _answer(answer) if recorded else widgets.label(str(answer["text"]), "muted", wrap=True)
    parts = (name, note, 8, text, None, 8, widgets.label(str(answer["figures"]), "caption"))
    inner = widgets.row(spacing=0)
    inner.addLayout(widgets.column(*parts, spacing=2, margins=(SIDE, 12, SIDE, 12)), 1)
    if left:
        inner.addWidget(widgets.vline())
    made = QWidget()
    layout = widgets.column(widgets.LaneRule(lane), spacing=0)
    layout.addLayout(inner, 1)
    made.setLayout(layout)
    return made


def _answer(answer: dict[str, Any]) -> AnswerText:
    text = AnswerText()
    text.set_answer(_shortened(str(answer["text"])), int(answer.get("passages", 0)))
    text.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    text.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
    return text


def _shortened(text: str) -> str:
    """The beginning of a long answer, cut between words."""
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"
