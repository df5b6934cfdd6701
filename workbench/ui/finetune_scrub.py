"""One question through a finished run: a slider over its steps, and what the model answers at each"""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QPlainTextEdit, QSlider, QWidget

from workbench.errors import InputError
from workbench.evaluation.scrub import ScrubPoint, points_of, scrub
from workbench.events import Event, Result
from workbench.tuning.recipe import RunInfo
from workbench.tuning.states import size_of
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.finetune_run import read_samples
from workbench.ui.finetune_samples import question_of
from workbench.ui.job import JobHandle

QUESTION_HEIGHT = 56  # two lines; a row that brings its passages is scrolled


class ScrubView(QWidget):
    """Ask one question at every kept state of a run, and slide through the answers."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._run: RunInfo | None = None
        self._handle: JobHandle | None = None
        self.points: list[ScrubPoint] = []
        self.question = QPlainTextEdit()
        self.question.setFixedHeight(QUESTION_HEIGHT)
        self.question.setTabChangesFocus(True)
        self.question.setAccessibleName(self.tr("Question for every step"))
        self.question.textChanged.connect(self._arrange)
        self.ask = widgets.button(self.tr("Ask at every step"), "play", self._on_ask_clicked)
        self.stop = widgets.button(self.tr("Stop"), "stop", self._on_stop_clicked)
        self.space = widgets.label("", "caption", wrap=True)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setFixedHeight(20)
        self.slider.setAccessibleName(self.tr("Step of the run"))
        self.slider.valueChanged.connect(self._show_point)
        self.where = widgets.label("", "strong")
        self.loss = widgets.label("", "muted")
        self.answer = widgets.label("", "text", wrap=True, selectable=True)
        self.answer.setAccessibleName(self.tr("Answer at this step"))
        self._shown = QWidget()
        head = widgets.row(self.where, None, self.loss)
        self._shown.setLayout(widgets.column(self.slider, head, self.answer, spacing=6))
        asking = widgets.row(self.space, self.ask, self.stop, spacing=8)
        asking.setStretch(0, 1)
        title = widgets.label(self.tr("One question through the run"), "strong")
        self.setLayout(widgets.column(title, self.question, asking, self._shown, spacing=8, margins=(0, 16, 0, 0)))
        self.hide()

    def show_run(self, run: RunInfo | None) -> None:
        """A finished run, or none: it shows itself where there are states to ask."""
        known = self._run is not None and run is not None and run.folder == self._run.folder
        self._run = run
        if not known:
            self._begin(run)
        self._arrange()

    def _begin(self, run: RunInfo | None) -> None:
        """Another run: nothing is known of it, and what is being asked is of no use any more."""
        self._on_stop_clicked()
        self._handle, self.points = None, []
        states = _count(run)
        self.setVisible(states > 0)
        if run is None or not states:
            return
        with QSignalBlocker(self.question):
            self.question.setPlainText(held_out_question(run))
        size = widgets.bytes_text(size_of(run.folder))
        self.space.setText(
            self.tr("{0} states of this run are kept, {1}; they go when it is deleted").format(states, size)
        )

    def _arrange(self, *_: object) -> None:
        busy = self._handle is not None and self._handle.running
        self.ask.setVisible(not busy)
        self.ask.setEnabled(bool(self.question.toPlainText().strip()))
        self.stop.setVisible(busy)
        self._shown.setVisible(bool(self.points))

    def _on_ask_clicked(self) -> None:
        run, question = self._run, self.question.toPlainText().strip()
        if run is None or not question:
            return
        self.points = []
        folder, engine = self._bench.project.folder, self._bench.engine
        handle: list[JobHandle] = []

        def on_event(event: Event) -> None:
            if self._handle in handle and isinstance(event, Result) and isinstance(event.value, ScrubPoint):
                self._add(event.value)

        handle.append(
            self._bench.jobs.start(
                self.tr("Asking every step of {0}").format(run.name),
                lambda: scrub(folder, run.name, question, engine),
                on_event=on_event,
                kind="finetune",
            )
        )
        self._handle = handle[0]
        self._handle.finished.connect(self._arrange)
        self._arrange()

    def _on_stop_clicked(self) -> None:
        if self._handle is not None and self._handle.running:
            self._handle.stop()
        self._arrange()

    def _add(self, point: ScrubPoint) -> None:
        """An answer came: the slider goes with it, unless a person has moved it back."""
        newest = self.slider.value() >= len(self.points) - 1
        self.points.append(point)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, len(self.points) - 1)
            if newest:
                self.slider.setValue(len(self.points) - 1)
        self._show_point()
        self._arrange()

    def _show_point(self, *_: object) -> None:
        if not self.points or self._run is None:
            return
        point = self.points[min(self.slider.value(), len(self.points) - 1)]
        where = self.tr("Before training")
        if point.step:
            where = self.tr("Step {0:,} of {1:,}").format(point.step, self._run.total)
        self.where.setText(self.tr("{0}, kept").format(where) if point.kept else where)
        self.loss.setText(self.tr("held-out loss {0:.2f}").format(point.loss) if point.loss is not None else "")
        self.answer.setText(point.text or self.tr("(nothing)"))
        self.slider.setAccessibleDescription(self.where.text())


def _count(run: RunInfo | None) -> int:
    """How many states of a run can be asked beside the bare model."""
    try:
        return len(points_of(run)) - 1 if run is not None and run.state == "done" else 0
    except InputError:
        return 0


def held_out_question(run: RunInfo) -> str:
    """A held-out row to begin with: one that brings no passages where there is one, else one as it was trained."""
    samples = read_samples(run.folder)
    asked = [each.prompt for each in samples.get(max(samples, default=0), ())]
    bare = [prompt for prompt in asked if question_of(prompt) == prompt.strip()]
    return next(iter(bare or asked), "").strip()
