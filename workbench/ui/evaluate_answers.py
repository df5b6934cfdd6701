"""The answers of all lanes to one case, side by side, with what each check said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from workbench.evaluation.records import CaseResult
from workbench.ui import theme, widgets
from workbench.ui.evaluate_rows import CaseRow
from workbench.ui.lane_names import lane_title
from workbench.ui.page import scroll_area

LANE_WIDTH = 232  # the narrowest column an answer can be read in


class AnswerColumn(QFrame):
    """One lane's answer to the case."""

    def __init__(self, lane: str, result: CaseResult | None, chosen: bool, first: bool) -> None:
        """The `first` column begins where the question over it does."""
        super().__init__()
        self.setProperty("kind", "surface")
        self.setMinimumWidth(LANE_WIDTH)
        name = widgets.ElidedLabel(lane_title(lane), "strong")
        head = widgets.row(widgets.Dot(lane), name, spacing=8)
        head.setStretch(1, 1)
        parts = widgets.column(head, spacing=8, margins=(24 if first else 16, 10, 16, 12))
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


class AnswersPanel(QWidget):
    """Opens under the matrix."""

    closed = Signal()
    edit_wanted = Signal(str)  # case id
    compare_wanted = Signal(str)  # question

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row: CaseRow | None = None
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

    def show_case(self, row: CaseRow, lanes: Sequence[str], chosen: str, checks: Sequence[dict[str, Any]]) -> None:
        """Show one case; the chosen lane is in view and on a darker ground."""
        self._row = row
        self.question.set_text(row.question)
        self.checks.set_text("; ".join(f"{key}: {_plain(value)}" for check in checks for key, value in check.items()))
        widgets.clear_layout(self._lanes)
        for lane in lanes:
            column = AnswerColumn(lane, row.cells.get(lane), lane == chosen, lane == lanes[0])
            self._lanes.addWidget(column, 1)
        place = list(lanes).index(chosen) if chosen in lanes else 0
        self.area.horizontalScrollBar().setValue(place * LANE_WIDTH)

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
