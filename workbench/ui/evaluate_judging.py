"""Have a model judge the answers of a run: start, stop, and its word beside a person's own marks. A side sheet"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from workbench.evaluation.judge import JudgeReport, judge, read_report
from workbench.evaluation.records import Evaluation, Rate, Suite
from workbench.ui import evaluate_source as source
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.compare_edit import chat_models
from workbench.ui.evaluate_marks import RunMarks
from workbench.ui.evaluate_probe import Probe, ProbeStrip
from workbench.ui.lane_names import lane_title
from workbench.ui.page import Sheet
from workbench.ui.reader import Reader


class JudgeSheet(Sheet):
    """Starts the judging of one run, and shows what came of it with all that is needed to trust it or not."""

    def __init__(
        self, bench: Bench, probe: Probe, run: Evaluation, suite: Suite, marks: RunMarks, parent: QWidget | None = None
    ) -> None:
        """`marks` tells when a mark was made or taken back."""
        super().__init__("", parent=parent)
        self.set_title(self.tr("Judge with a model"))
        self._bench, self._probe, self._run, self._suite = bench, probe, run, suite
        about = self.tr(
            "A model reads each answer twice, right and wrong changed over, and says which it is. Its word stands "
            "beside your own marks; rates, effects and advice do not follow it."
        )
        self.content.addWidget(widgets.label(about, "muted", wrap=True))
        said = self.tr("{0:,} answers of the run of {1}").format(len(run.results), widgets.when_text(run.created))
        self.content.addWidget(widgets.label(said, wrap=True))
        self.model = widgets.Choice()
        self.model.setAccessibleName(self.tr("The model that judges"))
        self._offer_models()
        self.content.addWidget(self.model)
        self._reader = Reader(bench, self.tr("Reading what a model judged"), self)
        self._reader.ready.connect(self._draw)
        self.strip = ProbeStrip()
        self.content.addWidget(self.strip)
        self.table = QWidget()
        self.content.addWidget(self.table)
        self.said = widgets.label("", "small", wrap=True, selectable=True)
        self.marked = widgets.label("", "small", wrap=True, selectable=True)
        self.content.addWidget(self.said)
        self.content.addWidget(self.marked)
        self.content.addStretch(1)
        self.start = widgets.primary_button(self.tr("Judge the answers"), "", self._on_start)
        self.stop = widgets.button(self.tr("Stop"), "stop", probe.stop)
        self.add_foot(None, self.stop, self.start)
        probe.changed.connect(self.refresh)
        marks.changed.connect(self._read)
        self._read()
        self.refresh()

    def _offer_models(self) -> None:
        lanes = {lane.name: lane for lane in source.all_lanes(self._bench.project)}
        for path, title in chat_models(lanes):
            self.model.addItem(title, path)
        usual = next((lane.model for lane in lanes.values()), None)
        places = [place for place in range(self.model.count()) if self.model.itemData(place) == usual]
        self.model.setCurrentIndex(places[0] if places else 0)

    def refresh(self) -> None:
        """Draw how far it is."""
        probe = self._probe
        self.strip.follow(probe)
        self.stop.setVisible(probe.busy)
        self.start.setVisible(not probe.busy)
        self.start.setEnabled(self.model.count() > 0)

    def _read(self) -> None:
        """Work the report out anew, with the marks as they are now."""
        run = self._run
        self._reader.read(lambda: read_report(run))

    def _draw(self, report: JudgeReport | None) -> None:
        made = QWidget()
        if report is not None:
            made.setLayout(self._table(report))
        self.content.replaceWidget(self.table, made)
        self.table.hide()
        self.table.deleteLater()
        self.table = made
        self.said.setText(report.sentence if report is not None else "")
        self.marked.setText(report.marks_sentence if report is not None else self.tr("Not judged yet."))

    def _table(self, report: JudgeReport) -> QGridLayout:
        """A row for each lane; the agreement with the person's marks stands beside the rate."""
        grid = QGridLayout()
        grid.setContentsMargins(0, 8, 0, 8)
        grid.setVerticalSpacing(8)
        grid.setHorizontalSpacing(12)
        grid.setColumnStretch(0, 1)
        heads = (self.tr("Held right"), self.tr("No verdict"), self.tr("As you marked"))
        for column, head in enumerate(heads, start=1):
            grid.addWidget(widgets.label(head, "caption"), 0, column, Qt.AlignmentFlag.AlignRight)
        for place, (lane, rate) in enumerate(report.lanes.items(), start=1):
            name = QWidget()
            name.setLayout(widgets.row(widgets.Dot(lane), widgets.ElidedLabel(lane_title(lane)), spacing=8))
            grid.addWidget(name, place, 0)
            told = (rate, report.failed_lanes.get(lane), report.marked_lanes.get(lane))
            for column, each in enumerate(told, start=1):
                grid.addWidget(widgets.label(self._count(each)), place, column, Qt.AlignmentFlag.AlignRight)
        return grid

    def _count(self, rate: Rate | None) -> str:
        if rate is None:
            return self.tr("no marks")
        return self.tr("{0:,} of {1:,}").format(rate.passed, rate.total)

    def _on_start(self) -> None:
        run, suite, engine = self._run, self._suite, self._bench.engine
        model = Path(self.model.currentData())
        self._probe.start(lambda: judge(run, suite, model, engine))


def judged_suite(bench: Bench, run: Evaluation, shown: Suite | None) -> Suite | None:
    """The very suite a run was asked from, None where it was not kept."""
    from workbench.evaluation.versions import suite_of_hash

    same = shown is not None and shown.hash == run.suite_hash
    return shown if same else suite_of_hash(bench.project.folder, run.suite_hash)
