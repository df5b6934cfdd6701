"""The answers of all lanes to one case, side by side, with what each check said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from workbench.evaluation.records import CaseResult
from workbench.ui import theme, widgets
from workbench.ui.evaluate_marks import Opinions
from workbench.ui.evaluate_rows import CaseRow
from workbench.ui.lane_names import lane_title
from workbench.ui.page import scroll_area

LANE_WIDTH = 232  # the narrowest column an answer can be read in


class AnswerColumn(QFrame):
    """One lane's answer to the case, and what the person thinks of it."""

    marked = Signal(str, bool)  # lane, whether it was called right

    def __init__(self, lane: str, result: CaseResult | None, chosen: bool, first: bool) -> None:
        """The `first` column begins where the question over it does."""
        super().__init__()
        self.lane, self._answered = lane, result is not None
        self.setProperty("kind", "surface")
        self.setMinimumWidth(LANE_WIDTH)
        name = widgets.ElidedLabel(lane_title(lane), "strong")
        head = widgets.row(widgets.Dot(lane), name, spacing=8)
        head.setStretch(1, 1)
        parts = widgets.column(head, self._build_marks(), spacing=8, margins=(24 if first else 16, 10, 16, 12))
        if result is None:
            parts.addWidget(widgets.label(self.tr("Not asked yet"), "muted"))
        else:
            self._fill(parts, result, head)
        parts.addStretch(1)
        self.setLayout(widgets.column(widgets.LaneRule(lane), parts, spacing=0))
        self.layout().setStretch(1, 1)  # type: ignore[union-attr]
        if chosen:
            widgets.set_kind(self, "sunken")

    def _fill(self, parts: Any, result: CaseResult, head: Any) -> None:
        sign = ("check-circle", "good") if result.passed else ("x-circle", "bad")
        head.addWidget(widgets.icon_label(sign[0], 16, sign[1]))
        head.addWidget(widgets.label(self.tr("pass") if result.passed else self.tr("fail"), "caption"))
        text = result.answer.text or result.answer.error or self.tr("(an empty answer)")
        shown = widgets.label(text, "text", wrap=True, selectable=True)
        shown.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        shown.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        if text.lstrip().startswith(("{", "[")):
            shown.setFont(theme.mono_font())
        parts.addWidget(shown)
        for check in result.checks:
            if not check.passed:
                parts.addWidget(widgets.label(f"{check.check}: {check.reason}", "bad", wrap=True))
        answer = result.answer
        said = [widgets.seconds_text(answer.seconds), self.tr("{0} tokens").format(answer.answer_tokens)]
        if answer.passages:
            files = dict.fromkeys(passage.file.rpartition("/")[2] for passage in answer.passages)
            said.append(self.tr("read {0}").format(", ".join(files)))
        parts.addWidget(widgets.label(" \N{MIDDLE DOT} ".join(said), "caption", wrap=True))

    def _build_marks(self) -> QWidget:
        """Two buttons, of which one at most is down; pressing that one again takes the mark back."""
        self.right, self.wrong = (
            widgets.button(text, icon, partial(self.marked.emit, self.lane, right), "small")
            for text, icon, right in (
                (self.tr("Right"), "check", True),
                (self.tr("Wrong"), "x", False),
            )
        )
        self.right.setToolTip(self.tr("I hold this answer right (R)"))
        self.wrong.setToolTip(self.tr("I hold this answer wrong (W)"))
        for each in (self.right, self.wrong):
            each.setCheckable(True)
            each.setAccessibleName(f"{each.text()}, {lane_title(self.lane)}")
        self.judged = widgets.ElidedLabel("", "caption")
        self.judged.hide()
        self.marks = QWidget()
        self.marks.setLayout(widgets.column(widgets.row(self.right, self.wrong, None), self.judged, spacing=4))
        self.marks.hide()
        return self.marks

    def show_opinions(self, opinions: Opinions | None, case: str) -> None:
        """Show the person's mark, and beside a mark alone what a judging model said: it is to lead nobody."""
        key = (self.lane, case)
        mark = opinions.marks.get(key) if opinions is not None else None
        self.marks.setVisible(opinions is not None and self._answered)
        self.right.setChecked(mark is True)
        self.wrong.setChecked(mark is False)
        said = ""
        if opinions is not None and mark is not None and key in opinions.judged:
            words = {
                True: self.tr("The model: right"),
                False: self.tr("The model: wrong"),
                None: self.tr("The model: no verdict"),
            }
            said = words[opinions.judged[key]]
        self.judged.set_text(said)
        self.judged.setVisible(bool(said))


class AnswersPanel(QWidget):
    """Opens under the matrix."""

    closed = Signal()
    edit_wanted = Signal(str)  # case id
    compare_wanted = Signal(str)  # question
    marked = Signal(str, str, bool)  # case, lane, whether the answer was called right

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row: CaseRow | None = None
        self.chosen = ""  # the lane in question
        self.columns: list[AnswerColumn] = []
        self.question = widgets.ElidedLabel("", "question")
        self.checks = widgets.ElidedLabel("", "caption")
        ask = widgets.quiet_button(self.tr("Ask in Compare"), "columns", self._on_ask_clicked)
        edit = widgets.quiet_button(self.tr("Edit case"), "pencil-simple", self._on_edit_clicked)
        close = widgets.icon_button("x", self.tr("Close the answers"), self.closed.emit)
        head = widgets.row(self.question, ask, edit, close, margins=(24, 8, 16, 0))
        head.setStretch(0, 1)
        self._lanes = widgets.row(spacing=1)
        inner = QWidget()
        inner.setProperty("kind", "sunken")
        inner.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        inner.setLayout(self._lanes)
        self.area = scroll_area(inner, horizontal=True)
        checks = widgets.row(self.checks, margins=(24, 0, 24, 4))
        self.setLayout(widgets.column(widgets.hline(), head, checks, widgets.hline(), self.area, spacing=4))
        self.layout().setStretch(4, 1)  # type: ignore[union-attr]

    def show_case(
        self,
        row: CaseRow,
        lanes: Sequence[str],
        chosen: str,
        checks: Sequence[dict[str, Any]],
        opinions: Opinions | None = None,
    ) -> None:
        """Show one case; the chosen lane is in view and on a darker ground. Answers of a finished run can be marked."""
        self._row, self.chosen = row, chosen
        self.question.set_text(row.question)
        self.checks.set_text("; ".join(f"{key}: {_plain(value)}" for check in checks for key, value in check.items()))
        widgets.clear_layout(self._lanes)
        self.columns = [AnswerColumn(each, row.cells.get(each), each == chosen, each == lanes[0]) for each in lanes]
        for column in self.columns:
            column.marked.connect(self._on_marked)
            self._lanes.addWidget(column, 1)
        self.show_opinions(opinions)
        place = list(lanes).index(chosen) if chosen in lanes else 0
        self.area.horizontalScrollBar().setValue(place * LANE_WIDTH)

    @property
    def case(self) -> str:
        """The id of the case that is shown, "" before the first."""
        return self._row.case if self._row is not None else ""

    def show_opinions(self, opinions: Opinions | None) -> None:
        """Show the marks as they are now, the answers staying as they are."""
        for column in self.columns:
            column.show_opinions(opinions, self.case)

    def mark_chosen(self, right: bool) -> None:
        """The same as the button under the answer of the lane in question."""
        if self._row is not None and self.isVisible() and self.chosen in self._row.cells:
            self._on_marked(self.chosen, right)

    def _on_marked(self, lane: str, right: bool) -> None:
        if self._row is not None:
            self.marked.emit(self._row.case, lane, right)

    def _on_ask_clicked(self) -> None:
        if self._row is not None:
            self.compare_wanted.emit(self._row.question)

    def _on_edit_clicked(self) -> None:
        if self._row is not None:
            self.edit_wanted.emit(self._row.case)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return " | ".join(str(each) for each in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
