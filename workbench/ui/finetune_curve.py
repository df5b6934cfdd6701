"""Would fewer rows have done, or a prompt? The learning curve of a finished run: its cost first, then its chart."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from workbench.children import Worker
from workbench.evaluation.curve_cost import curve_cost
from workbench.evaluation.curve_records import Curve, CurveLine, example_lane, read_curve
from workbench.events import Event, Note, Result, Stage
from workbench.tuning.recipe import RunInfo
from workbench.ui import compare_lanes, widgets
from workbench.ui.bench import Bench
from workbench.ui.charts_curve import CurveChart
from workbench.ui.job import JobHandle


class CurveView(QWidget):
    """Measure a curve, or show the one that was measured."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._run: RunInfo | None = None
        self._handles: dict[Path, JobHandle] = {}  # by run: one that is measured goes on while another is looked at
        self.curve: Curve | None = None
        self.why = widgets.label("", "muted", wrap=True)
        self.cost = widgets.label("", "caption", wrap=True)
        self.measure = widgets.button("", "chart-line", self._on_measure_clicked)
        self.stop = widgets.button(self.tr("Stop and keep"), "stop", self._on_stop_clicked)
        self.chart = CurveChart()
        self._table = QGridLayout()
        self._table.setHorizontalSpacing(16)
        self._table.setVerticalSpacing(6)
        self._table.setColumnStretch(3, 1)
        self.remarks = widgets.label("", "caption", wrap=True)
        self.keep = widgets.link_button(self.tr("Keep the rows in the prompt as a lane"), self._on_keep_clicked)
        starting = widgets.row(self.cost, self.measure, self.stop, spacing=8)
        starting.setStretch(0, 1)
        title = widgets.label(self.tr("Would fewer rows have done, or a prompt?"), "strong")
        parts = (title, self.why, starting, self.chart, self._table, self.remarks, widgets.row(self.keep, None))
        self.setLayout(widgets.column(*parts, spacing=8, margins=(0, 20, 0, 0)))
        self.hide()

    def show_run(self, run: RunInfo | None) -> None:
        """A finished run, or none; one that came from elsewhere has no rows to learn from again."""
        known = self._run is not None and run is not None and run.folder == self._run.folder
        self._run = run
        if not known:
            self.curve = read_curve(run.folder) if run is not None else None
        self.setVisible(run is not None and bool(run.recipe.get("datasets")) and bool(run.eval_loss))
        self._arrange()

    def _arrange(self) -> None:
        run, found = self._run, self.curve
        busy = self._handle is not None
        complete = found is not None and found.complete
        if run is not None and not busy and not complete and not self.isHidden():
            self._show_cost(run)
        self.why.setVisible(not complete)
        self.cost.setVisible(not complete and not busy)
        self.measure.setVisible(not busy and not complete)
        self.stop.setVisible(busy)
        self._show_curve(found)

    def _show_cost(self, run: RunInfo) -> None:
        cost = curve_cost(run)
        self.why.setText(
            self.tr(
                "Trains again on 10 % and on 30 % of the rows, with the same recipe and as many steps (but 8 passes at "
                "most), and has those, this run, the bare model, the system prompt alone, rows as examples in the "
                "prompt, and your documents answer the same held-out rows."
            )
        )
        about = self.tr("Takes {0} here: {1} of training, {2} of answers. It can be stopped, and goes on where it was.")
        self.cost.setText(about.format(*map(widgets.about_text, (cost.seconds, cost.training, cost.answering))))
        begun = self.curve is not None
        self.measure.setText(self.tr("Go on measuring") if begun else self.tr("Measure it"))

    def _show_curve(self, found: Curve | None) -> None:
        widgets.clear_layout(self._table)
        lines = found.lines if found is not None else ()
        self.chart.setVisible(bool(lines))
        self.remarks.setVisible(bool(lines))
        self.keep.setVisible(found is not None and bool(found.examples))
        if found is None:
            return
        ordered = sorted(lines, key=lambda line: (line.share, lines.index(line)))
        self.chart.show_lines([(line, self._name(line)) for line in ordered])
        for number, line in enumerate(ordered):
            for column, text in enumerate(self._words(line)):
                cell = widgets.label(text, "text" if column == 1 else "muted", wrap=column == 3)
                self._table.addWidget(cell, number, column, Qt.AlignmentFlag.AlignTop)
        said = self.tr("{0} held-out rows, {1}. Right: the same value where JSON is expected, else the same words.")
        first = said.format(found.held_out, widgets.when_text(found.created))
        chose = self.tr("They also chose the run's state, which flatters it a little.")
        self.remarks.setText(" ".join((first, chose, *found.left_out)))

    def _name(self, line: CurveLine) -> str:
        if line.share:
            return self.tr("{0} % of the rows").format(round(100 * line.share))
        names = {
            "base": self.tr("Bare model"),
            "prompted": self.tr("System prompt alone"),
            "few-shot": self.tr("{0} rows in the prompt").format(line.rows),
            "rag": self.tr("Documents"),
        }
        return names.get(line.name, line.name)

    def _words(self, line: CurveLine) -> tuple[str, str, str, str]:
        """A line's name, its right answers, its loss, and what the run adds over it."""
        right = self.tr("{0} of {1} right").format(line.right.passed, line.right.total)
        loss = self.tr("loss {0:.2f}").format(line.loss) if line.loss is not None else ""
        return self._name(line), right, loss, self._difference(line)

    def _difference(self, line: CurveLine) -> str:
        effect = line.against_run
        if effect is None:
            low, high = line.right.interval
            return self.tr("this run; with 95 % confidence {0} to {1} %").format(round(100 * low), round(100 * high))
        low, high = effect.interval
        points = [f"{100 * each:+.0f}".replace("-", "\N{MINUS SIGN}") for each in (effect.difference, low, high)]
        said = self.tr("the run adds {0} points ({1} to {2})").format(*points)
        return said if low > 0 or high < 0 else self.tr("{0}: cannot be told apart").format(said)

    def _on_measure_clicked(self) -> None:
        run, bench = self._run, self._bench
        if run is None:
            return
        folder = bench.project.folder

        def on_event(event: Event) -> None:
            if isinstance(event, Note) and event.level == "warning":
                bench.notices.tell(event.message, "warning")
            shown = self._run is not None and self._run.folder == run.folder
            if shown and isinstance(event, Result) and isinstance(event.value, Curve):
                self.curve = event.value
                self._arrange()

        title = self.tr("Learning curve of {0}").format(run.name)
        handle = bench.jobs.start(
            title,
            lambda: measure_curve(folder, run.name, bench.knowledge, bench.engine),
            on_event=on_event,
            kind="finetune",
        )
        self._handles[run.folder] = handle
        handle.finished.connect(self._arrange)
        self._arrange()

    @property
    def _handle(self) -> JobHandle | None:
        """The job that measures the run that is shown, None where none does."""
        handle = self._handles.get(self._run.folder) if self._run is not None else None
        return handle if handle is not None and handle.running else None

    def _on_keep_clicked(self) -> None:
        """The equal-data prompt becomes a lane, to be asked beside the run on anything."""
        run, found, bench = self._run, self.curve, self._bench
        if run is None or found is None:
            return
        known, title = compare_lanes.known_lanes(bench.project), self.tr("{0} rows of {1}")
        name = compare_lanes.own_name(title.format(len(found.examples), run.name), list(known))
        lane = example_lane(found, name)
        compare_lanes.keep_lane(bench.project, lane)
        bench.lanes_changed.emit()
        lanes = ["base", name, f"tuned:{run.name}"]
        said = self.tr("The lane “{0}” is kept.").format(lane.title)
        bench.notices.tell(
            said,
            "good",
            action_text=self.tr("Compare now"),
            action=lambda: bench.open_page("compare", lanes=lanes, question="", ask=False),
        )

    def _on_stop_clicked(self) -> None:
        if self._handle is not None:
            self._handle.stop()


def measure_curve(project: Path, name: str, knowledge: Worker, engine: Worker) -> Stage:
    """The stage; what it is made of loads the statistics, which the window needs for nothing else."""
    from workbench.evaluation.curve import curve

    yield from curve(project, name, knowledge, engine)
