"""Who follows the documents, and who the weights? The sheet of the source-of-knowledge test"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from workbench.evaluation.knowledge import SAYS, SourceAnswer, tell_sources
from workbench.evaluation.records import Suite
from workbench.lanes.lane import Lane
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.boxes import whole_box
from workbench.ui.evaluate_probe import Probe, ProbeStrip
from workbench.ui.lane_names import lane_short, lane_title
from workbench.ui.page import Sheet

USUAL = 12  # facts: each is asked once in every lane
SHOWN = 40  # answers under the counts
TEXT_SHOWN = 160  # characters of an answer


class SourcesSheet(Sheet):
    """Starts the test over a suite and some lanes, and shows what it tells."""

    def __init__(
        self, bench: Bench, probe: Probe, suite: Suite, lanes: Sequence[Lane], parent: QWidget | None = None
    ) -> None:
        super().__init__("", parent=parent)
        self.set_title(self.tr("Documents or weights?"))
        self._bench, self._probe, self._suite, self._lanes = bench, probe, suite, tuple(lanes)
        about = self.tr(
            "One fact is changed in the passages of a question. A lane that then says the changed fact read it; one "
            "that says the old fact knew it. Your documents stay as they are."
        )
        self.content.addWidget(widgets.label(about, "muted", wrap=True))
        self.most = whole_box(1, 500)
        self.most.setValue(USUAL)
        self.most.setAccessibleName(self.tr("Facts at most"))
        said = self.tr("Facts of {0} at most, in {1} lanes").format(suite.name, len(self._lanes))
        line = widgets.row(widgets.label(said, wrap=True), self.most)
        line.setStretch(0, 1)
        self.content.addLayout(line)
        self.strip = ProbeStrip()
        self.counts, self.answers = QWidget(), QWidget()
        self._answers = widgets.column(spacing=8)
        self.answers.setLayout(self._answers)
        for each in (self.strip, self.counts, self.answers):
            self.content.addWidget(each)
        self.content.addStretch(1)
        self.start = widgets.primary_button(self.tr("Start the test"), "", self._on_start)
        self.stop = widgets.button(self.tr("Stop"), "stop", probe.stop)
        self.add_foot(None, self.stop, self.start)
        self._drawn = -1  # answers that are drawn
        probe.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Draw what the test has told so far."""
        probe = self._probe
        self.strip.follow(probe)
        self.stop.setVisible(probe.busy)
        self.start.setVisible(not probe.busy)
        self.start.setEnabled(bool(self._lanes))
        self.start.setText(self.tr("Test again") if probe.told else self.tr("Start the test"))
        if self._drawn != len(probe.told):
            self._draw(probe.told)

    def _draw(self, told: Sequence[SourceAnswer]) -> None:
        self._drawn = len(told)
        made = QWidget()
        made.setLayout(self._table(told))
        self.content.replaceWidget(self.counts, made)
        self.counts.hide()
        self.counts.deleteLater()
        self.counts = made
        widgets.clear_layout(self._answers)
        for each in list(reversed(told))[:SHOWN]:
            self._answers.addWidget(self._answer(each))
        if len(told) > SHOWN:
            more = self.tr("The latest {0} of {1} answers are shown.").format(SHOWN, len(told))
            self._answers.addWidget(widgets.label(more, "caption"))

    def _table(self, told: Sequence[SourceAnswer]) -> QGridLayout:
        """How often each lane followed which."""
        grid = QGridLayout()
        grid.setContentsMargins(0, 8, 0, 8)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 1)
        names = {"document": self.tr("Document"), "weights": self.tr("Weights"), "neither": self.tr("Neither")}
        lanes = list(dict.fromkeys(each.lane for each in told))
        for column, says in enumerate(SAYS, start=1):
            if lanes:
                grid.addWidget(widgets.label(names[says], "caption"), 0, column, Qt.AlignmentFlag.AlignRight)
        for place, lane in enumerate(lanes, start=1):
            name = QWidget()
            name.setLayout(widgets.row(widgets.Dot(lane), widgets.ElidedLabel(lane_title(lane)), spacing=8))
            grid.addWidget(name, place, 0)
            for column, says in enumerate(SAYS, start=1):
                count = sum(each.lane == lane and each.says == says for each in told)
                kind = "strong" if count else "muted"
                grid.addWidget(widgets.label(f"{count:,}", kind), place, column, Qt.AlignmentFlag.AlignRight)
        return grid

    def _answer(self, told: SourceAnswer) -> QWidget:
        words = {
            "document": self.tr("read the changed fact"),
            "weights": self.tr("said the old fact"),
            "neither": self.tr("said neither"),
        }
        head = widgets.row(widgets.Dot(told.lane), widgets.label(lane_short(told.lane), "strong"), spacing=8)
        head.addWidget(widgets.ElidedLabel(words[told.says], "muted"), 1)
        change = self.tr("{0}: “{1}” was changed to “{2}”").format(told.case, told.was, told.now)
        text = " ".join(told.text.split())
        said = text if len(text) <= TEXT_SHOWN else text[: TEXT_SHOWN - 1] + "…"
        made = QWidget()
        parts = (
            widgets.label(change, "caption", wrap=True),
            widgets.label(said or self.tr("No answer"), "small", wrap=True),
        )
        made.setLayout(widgets.column(head, *parts, widgets.hline(), spacing=4))
        return made

    def _on_start(self) -> None:
        suite, lanes, most = self._suite, self._lanes, self.most.value()
        project, engine = self._bench.project.folder, self._bench.engine
        self._probe.start(lambda: tell_sources(suite, lanes, project, engine, most))
