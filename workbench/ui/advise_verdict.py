"""The verdict: one sentence in large type, how firm it is, what would change it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QSize, Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QWidget

from workbench.advice.attribution import REASONS
from workbench.advice.records import Verdict
from workbench.evaluation.records import Evaluation
from workbench.ui import theme, widgets
from workbench.ui.charts import draw_bar
from workbench.ui.charts_advice import EffectBar, EffectsChart
from workbench.ui.lane_names import lane_title

# What a reason's next step opens, and the words on its link.
NEXT: dict[str, tuple[str, Any]] = {
    "not-indexed": ("documents", QT_TRANSLATE_NOOP("Advice", "See skipped files")),
    "not-retrieved": ("documents", QT_TRANSLATE_NOOP("Advice", "Try a search")),
    "ignored": ("evaluate", QT_TRANSLATE_NOOP("Advice", "See answers")),
    "wrong-format": ("finetune", QT_TRANSLATE_NOOP("Advice", "Add examples")),
    "should-have-refused": ("finetune", QT_TRANSLATE_NOOP("Advice", "Add examples")),
    "refused-wrongly": ("evaluate", QT_TRANSLATE_NOOP("Advice", "See answers")),
    "no-knowledge": ("documents", QT_TRANSLATE_NOOP("Advice", "Add documents")),
    "engine-failure": ("evaluate", QT_TRANSLATE_NOOP("Advice", "Run again")),
}


LEAST = 200  # pixels a sentence can be read in
HEAD = 32  # of a panel, as high as the controls in some: so that those beside each other stand on one line


class _Sentence(QLabel):
    """A sentence on one line where there is room for it, and on several where there is not."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("kind", "muted")
        self.setWordWrap(True)

    def sizeHint(self) -> QSize:
        width = self.fontMetrics().horizontalAdvance(self.text()) + theme.px(4)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(LEAST), self.fontMetrics().height())


class VerdictHead(QWidget):
    """The sentence and what stands under it."""

    questions_wanted = Signal()  # more cases, so that it can be told

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.headline = widgets.label("", "verdict", wrap=True)
        self.reasons = widgets.label("", "question", wrap=True, selectable=True)
        self.scope = widgets.label("", "muted", wrap=True)
        self.signs = QWidget()
        self._flow = widgets.FlowLayout(self.signs, spacing=16, between_lines=6)
        self.more = widgets.link_button(self.tr("Add questions to the suite"), self.questions_wanted.emit)
        self.setLayout(
            widgets.column(self.headline, self.reasons, self.scope, self.signs, widgets.row(self.more, None), spacing=8)
        )

    def show_verdict(self, verdict: Verdict, suggestion: str, doubts: Sequence[str] = ()) -> None:
        """Show a verdict; `suggestion` says how the questionnaire compares, "" where it was not answered; `doubts` are
        what is known to speak against the measurement as it is."""
        self.headline.setText(verdict.headline)
        self.reasons.setText("\n".join(verdict.reasons[:3]))
        self.scope.setText(verdict.scope)
        self.scope.setVisible(bool(verdict.scope))
        widgets.clear_layout(self._flow)
        told = verdict.recommendation != "cannot-tell"
        self.more.setVisible(not told)
        firm = told and verdict.firmness.startswith("Firm")
        self._sign(*(("check-circle", "good") if firm else ("info", "muted")), verdict.firmness)
        if suggestion:
            self._sign("list-bullets", "muted", suggestion)
        for each in doubts:
            self._sign("warning", "warning", each)
        for each in verdict.would_change[:2]:
            self._sign("info", "muted", each)

    def _sign(self, icon: str, role: str, text: str) -> None:
        made = QWidget()
        line = widgets.row(widgets.icon_label(icon, 16, role), _Sentence(text), spacing=6)
        line.setStretch(1, 1)
        made.setLayout(line)
        made.setAccessibleName(text)
        self._flow.addWidget(made)


def effect_bars(evaluation: Evaluation, verdict: Verdict) -> list[EffectBar]:
    """What each thing adds over the bare model, and the extra from having both, in points."""
    translate = QCoreApplication.translate
    titles = {
        "prompting": translate("Advice", "Better prompt"),
        "retrieval": translate("Advice", "Documents"),
        "tuning": translate("Advice", "Fine-tune"),
        "both": translate("Advice", "Documents and fine-tune"),
    }
    whole = {"whole documents": translate("Advice", "Whole documents")}
    cases = translate("Advice", "{0} cases only {1} passed, {2} only {3}")
    found = []
    for effect in verdict.effects:
        if effect.kind or effect.name not in {*titles, *whole, "interaction"}:
            continue
        low, high = (100 * each for each in effect.interval)
        title = {**titles, **whole}.get(effect.name, translate("Advice", "Extra from having both"))
        lane = "" if effect.name == "interaction" else effect.lane
        ours, theirs = lane_title(effect.lane), lane_title(effect.against)
        hint = cases.format(effect.better, ours, effect.worse, theirs)
        found.append(EffectBar(title, lane, 100 * effect.difference, (low, high), hint if lane else ""))
    return sorted(found, key=lambda bar: bar.lane == "")


class EffectsPanel(QWidget):
    """What each thing adds, over the noise."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = widgets.SectionHead(self.tr("What each thing adds"), self.tr("points, 95 % intervals"))
        self.noise = widgets.label("", "caption")
        self.head.add_action(self.noise)
        self.head.setMinimumHeight(HEAD)
        self.chart = EffectsChart()
        self.setLayout(
            widgets.column(widgets.panel(widgets.column(self.head, self.chart, None, margins=(16, 12, 16, 12))))
        )

    def show_effects(self, evaluation: Evaluation, verdict: Verdict) -> None:
        """Show the effects of a run."""
        noise = 100 * evaluation.noise.margin if evaluation.noise is not None else 0.0
        self.chart.show_effects(effect_bars(evaluation, verdict), noise)
        said = self.tr("grey: {0} against itself, ±{1:.0f}")
        self.noise.setText(
            said.format(lane_title(evaluation.noise.lane), noise) if evaluation.noise is not None else ""
        )


class ShareBar(QWidget):
    """A count as a short bar in a lane's colour."""

    def __init__(self, lane: str, share: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lane, self._share = lane, share
        self.setFixedSize(64, 16)

    def paintEvent(self, event: object) -> None:
        draw_bar(self, theme.lane_color(self._lane), self._share)


class FailuresPanel(QWidget):
    """Why cases still fail, each reason with the next thing to try."""

    next_wanted = Signal(str, str)  # reason, lane

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._verdict: Verdict | None = None
        self.title = widgets.label("", "section")
        self.lane = QComboBox()
        self.lane.setAccessibleName(self.tr("Lane whose failures are shown"))
        self.lane.setMinimumContentsLength(16)
        self.lane.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.lane.currentIndexChanged.connect(self._fill)
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(12)
        self.grid.setVerticalSpacing(0)
        head = widgets.row(self.title, None, self.lane)
        self.setLayout(widgets.column(widgets.panel(widgets.column(head, self.grid, None, margins=(16, 12, 16, 12)))))

    def show_failures(self, verdict: Verdict, lanes: Sequence[str]) -> None:
        """Show the failures of the lane that was chosen, or of another one on demand."""
        self._verdict = verdict
        self.lane.blockSignals(True)
        self.lane.clear()
        for lane in lanes:
            self.lane.addItem(lane_title(lane), lane)
        self.lane.setCurrentIndex(max(0, self.lane.findData(verdict.lane or (lanes[-1] if lanes else ""))))
        self.lane.blockSignals(False)
        self._fill()

    def _fill(self) -> None:
        widgets.clear_layout(self.grid)
        lane = str(self.lane.currentData() or "")
        counts = self._verdict.failures.get(lane, {}) if self._verdict is not None else {}
        total = sum(counts.values())
        self.title.setText(self.tr("Why {0} still fail").format(total) if total else self.tr("Nothing fails here"))
        for number, (reason, count) in enumerate(counts.items()):
            found = REASONS.get(reason)
            self.grid.addWidget(widgets.hline(), number * 2, 0, 1, 4)
            name = widgets.label(found.title if found is not None else reason)
            name.setToolTip(f"{found.sentence} {found.next_step}" if found is not None else "")
            name.setContentsMargins(0, 7, 0, 7)
            link = widgets.link_button(
                QCoreApplication.translate("Advice", NEXT.get(reason, NEXT["ignored"])[1]),
                partial(self.next_wanted.emit, reason, lane),
            )
            link.setToolTip(found.next_step if found is not None else "")
            link.setAccessibleName(f"{name.text()}: {link.text()}")
            parts = (name, widgets.label(str(count), "strong"), ShareBar(lane, count / max(counts.values())), link)
            for column, part in enumerate(parts):
                self.grid.addWidget(part, number * 2 + 1, column)
            self.grid.setAlignment(link, Qt.AlignmentFlag.AlignRight)
        self.grid.setColumnStretch(0, 1)
