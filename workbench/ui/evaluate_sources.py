"""Who follows the documents, and who the weights? The sheet of the source-of-knowledge test"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from workbench.evaluation.knowledge import SAYS, SourceAnswer, tell_sources
from workbench.evaluation.records import Suite
from workbench.evaluation.trials import keep_test
from workbench.lanes.lane import Lane
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.boxes import whole_box
from workbench.ui.evaluate_kept import LastLine, LastResult, last_sources
from workbench.ui.evaluate_probe import Probe, ProbeStrip
from workbench.ui.lane_names import lane_short, lane_title
from workbench.ui.page import Sheet
from workbench.ui.reader import Reader

USUAL = 12  # facts: each is asked once in every lane
SHOWN = 40  # answers under the counts
TEXT_SHOWN = 160  # characters of an answer


class SourcesSheet(Sheet):
    """Starts the test over a suite and some lanes, and shows what it tells; before that, what the last one told."""

    def __init__(
        self, bench: Bench, probe: Probe, suite: Suite, lanes: Sequence[Lane], parent: QWidget | None = None
    ) -> None:
        super().__init__("", parent=parent)
        self.set_title(self.tr("Documents or weights?"))
        self._bench, self._probe, self._suite, self._lanes = bench, probe, suite, tuple(lanes)
        self._last: LastResult | None = None
        self._reader = Reader(bench, self.tr("Reading the last result"), self)
        self._reader.ready.connect(self._on_read)
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
        self.strip, self.last = ProbeStrip(), LastLine()
        self.counts, self.answers = QWidget(), QWidget()
        self._answers = widgets.column(spacing=8)
        self.answers.setLayout(self._answers)
        for each in (self.strip, self.last, self.counts, self.answers):
            self.content.addWidget(each)
        self.content.addStretch(1)
        self.start = widgets.primary_button(self.tr("Start the test"), "", self._on_start)
        self.stop = widgets.button(self.tr("Stop"), "stop", probe.stop)
        self.add_foot(None, self.stop, self.start)
        self._drawn: tuple[bool, int] | None = None  # whether they are of this very test, and how many
        probe.changed.connect(self.refresh)
        probe.ended.connect(self._read_last)
        self.refresh()
        self._read_last()

    def _read_last(self) -> None:
        project, suite = self._bench.project, self._suite
        self._reader.read(lambda: last_sources(project, suite))

    def _on_read(self, last: LastResult) -> None:
        self._last = last
        self.refresh()

    def refresh(self) -> None:
        """Draw what the test has told so far; once it is whole, or where none was started, what was kept last."""
        probe, last = self._probe, self._last
        kept = last.found if last is not None else None
        own = probe.busy or (bool(probe.told) and (probe.whole is None or kept != probe.whole))
        told = probe.told if own else kept.answers if kept is not None else ()
        self.strip.follow(probe)
        self.stop.setVisible(probe.busy)
        self.start.setVisible(not probe.busy)
        self.start.setEnabled(bool(self._lanes))
        self.start.setText(self.tr("Test again") if told else self.tr("Start the test"))
        self.last.say(None if own else last)
        if self._drawn != (own, len(told)):
            self._drawn = own, len(told)
            self._draw(told)

    def _draw(self, told: Sequence[SourceAnswer]) -> None:
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
        self._probe.start(lambda: keep_test(tell_sources(suite, lanes, project, engine, most), project, lanes, suite))
