"""Run a suite over lanes as a job, and know what was answered so far: while it goes on, and after it was stopped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from workbench.evaluation.records import CaseResult, Evaluation, Measuring, Suite
from workbench.events import Event, Note, Progress, Result
from workbench.lanes.lane import Lane
from workbench.ui.bench import Bench
from workbench.ui.job import JobHandle
from workbench.ui.lane_names import lane_short


class SuiteRun(QObject):
    """The run that goes on, or the one that was stopped and can be gone on with."""

    answered = Signal()  # a case more
    progressed = Signal(object)  # Progress
    ended = Signal(bool)  # whether it was stopped

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._job: JobHandle | None = None
        self._results: dict[tuple[str, str], CaseResult] = {}
        self.lanes: tuple[str, ...] = ()
        self.total = 0  # answers the run will have

    @property
    def busy(self) -> bool:
        return self._job is not None and self._job.running

    @property
    def results(self) -> tuple[CaseResult, ...]:
        """What was answered so far."""
        return tuple(self._results.values())

    def start(self, suite: Suite, lanes: tuple[Lane, ...], measuring: Measuring) -> None:
        """Start a run, or go on with the one of this suite that was stopped."""
        from workbench.evaluation.evaluate import evaluate

        self.forget()
        self.lanes, self.total = tuple(lane.name for lane in lanes), len(lanes) * len(suite.cases)
        project, knowledge, engine = self._bench.project.folder, self._bench.knowledge, self._bench.engine
        job = self._job = self._bench.jobs.start(
            self.tr("Evaluating"),
            lambda: evaluate(suite, lanes, project, knowledge, engine, measuring=measuring),
            self._on_event,
            self._on_done,
            kind="evaluate",
        )
        job.finished.connect(partial(self._on_finished, job))

    def stop(self) -> None:
        if self._job is not None:
            self._job.stop()

    def forget(self) -> None:
        """Nothing is under way: another suite is shown, or the run is whole."""
        self._results, self.lanes, self.total = {}, (), 0

    def show_stopped(self, results: Sequence[CaseResult], lanes: Sequence[str], cases: int) -> None:
        """What a run that was stopped, in this window or before it, has kept; `lanes` are asked when it goes on."""
        self._results = {(each.lane, each.case): each for each in results}
        self.lanes = tuple(dict.fromkeys((*(each.lane for each in results), *lanes))) if results else ()
        self.total = cases * len(self.lanes)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Result) and isinstance(event.value, CaseResult):
            self._results[event.value.lane, event.value.case] = event.value
            self.answered.emit()
        elif isinstance(event, Progress):
            self.progressed.emit(event)
        elif isinstance(event, Note):
            self._bench.notices.tell(event.message, event.level)

    def _on_done(self, value: Any) -> None:
        if not isinstance(value, Evaluation):
            return
        best = max(value.lanes.values(), key=lambda lane: lane.overall.rate)
        said = self.tr("{0} cases over {1} lanes are measured. {2} has the most right answers.").format(
            best.overall.total, len(value.lanes), lane_short(best.lane)
        )
        advice = partial(self._bench.open_page, "advise")
        self._bench.notices.tell(said, "good", action_text=self.tr("See the advice"), action=advice)

    def _on_finished(self, job: JobHandle) -> None:
        if job is self._job:
            self.ended.emit(job.state == "stopped")
