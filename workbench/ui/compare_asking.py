"""Ask a turn: run the stage as a job, write what comes into the turn, tell which lane changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from workbench.children import Worker
from workbench.errors import Cancelled, ChildCrashed, WorkbenchError
from workbench.events import Event, Result, Stage, Token, Waiting
from workbench.lanes.lane import Answer, Lane, Turn
from workbench.stops import Stops
from workbench.ui.bench import Bench
from workbench.ui.compare_talk import LaneAnswer, Talk, TalkTurn
from workbench.ui.job import JobHandle

PATIENCE_MS = 300  # how long lanes that were stopped have to say so; then the whole call is ended
ENDINGS = {"failed": "failed", "cancelled": "stopped"}  # how an Answer ended to a state; any other way it is done


def ask_stage(
    question: str,
    lanes: Sequence[Lane],
    project: Path,
    history: dict[str, tuple[Turn, ...]],
    knowledge: Worker,
    engine: Worker,
    stops: Stops,
) -> Stage:
    """The real stage, imported when it is first needed."""
    from workbench.lanes.ask import ask

    stage: Stage = ask(question, tuple(lanes), project, history, knowledge, engine, stops)
    return stage


@dataclass(eq=False)
class Call:
    """Some lanes that are being asked together. A lane that is asked again leaves its old call without a listener."""

    talk: Talk
    turn: TalkTurn
    project: Path  # the folder it belongs to, whatever is open when it ends
    said: dict[str, LaneAnswer]
    kept: bool = True  # whether it goes into the history when it ends
    stops: Stops = field(default_factory=Stops)
    job: JobHandle | None = None
    began: float = field(default_factory=time.monotonic)

    def current(self, lane: str) -> LaneAnswer | None:
        """What this call writes into for a lane, None where the lane has been asked again since."""
        said = self.said.get(lane)
        return said if said is not None and self.turn.answers.get(lane) is said else None


class Asking(QObject):
    """The calls under way: one for a question, and one for each lane of it that is asked again meanwhile."""

    lane_changed = Signal(object, str)  # TalkTurn, lane name
    ended = Signal(object)  # Call, when no lane of its turn is being asked any more

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._calls: list[Call] = []

    @property
    def busy(self) -> bool:
        return bool(self._calls)

    def asks(self, turn: TalkTurn) -> bool:
        """Whether any lane of a turn is being asked."""
        return any(call.turn is turn for call in self._calls)

    def begin(self, talk: Talk, turn: TalkTurn, lanes: Sequence[Lane]) -> None:
        """Ask these lanes the question of a turn; what they said in it before is replaced."""
        bench, folder = self._bench, self._bench.project.folder
        call = Call(talk, turn, folder, {lane.name: LaneAnswer(lane) for lane in lanes})
        turn.answers.update(call.said)
        history = {lane.name: talk.history(lane.name, turn) for lane in lanes}
        self._calls.append(call)
        call.job = bench.jobs.start(
            self.tr("Asking"),
            lambda: ask_stage(turn.question, lanes, folder, history, bench.knowledge, bench.engine, call.stops),
            partial(self._on_event, call),
            kind="compare",
            quiet=True,
            on_failed=partial(self._on_failed, call),
        )
        call.job.finished.connect(partial(self._on_finished, call))

    def stop(self, keep: bool = True) -> None:
        """Stop every lane; what was written stays, unless nobody wants it any more."""
        for call in list(self._calls):
            call.kept = keep
            for name in call.said:
                self._stop_lane(call, name)
            QTimer.singleShot(PATIENCE_MS, self, partial(self._end, call))

    def stop_lane(self, turn: TalkTurn, name: str) -> None:
        """Stop one lane of a turn; the others go on."""
        for call in self._calls:
            if call.turn is turn:
                self._stop_lane(call, name)

    def let_go(self) -> list[Call]:
        """The window closes and there is no time to wait: the calls under way, their lanes stopped where they are."""
        for call in self._calls:
            for said in call.said.values():
                said.state = "stopped" if said.busy else said.state
        return [call for call in self._calls if call.kept]

    def _stop_lane(self, call: Call, name: str) -> None:
        said = call.current(name)
        if said is None or not said.busy:
            return
        call.stops.add(name)
        said.state = "stopped"
        self.lane_changed.emit(call.turn, name)

    def _end(self, call: Call) -> None:
        """A stage that does not listen, because a library holds on, is closed from outside."""
        if call in self._calls and call.job is not None:
            call.job.stop()

    def _on_event(self, call: Call, event: Event) -> None:
        if isinstance(event, Result) and isinstance(event.value, Answer):
            self._take_answer(call, event.value)
        elif isinstance(event, (Waiting, Token)):
            said = call.current(event.lane)
            if said is None or not said.busy:  # what a stopped lane still says comes with its Answer
                return
            if isinstance(event, Waiting):
                said.waiting = event.message
            else:
                said.text, said.state = said.text + event.text, "streaming"
            self.lane_changed.emit(call.turn, event.lane)

    def _take_answer(self, call: Call, answer: Answer) -> None:
        said = call.current(answer.lane)
        if said is None or said.answer is not None:
            return
        said.answer, said.text = answer, answer.text or said.text
        said.state, said.error = ENDINGS.get(answer.stopped, "done"), answer.error
        self.lane_changed.emit(call.turn, answer.lane)

    def _on_failed(self, call: Call, error: Exception) -> None:
        """The whole question failed: every lane that was not done says so in its own column."""
        if isinstance(error, Cancelled):
            return
        unexpected = self.tr("Something unexpected happened.")
        for name, said in call.said.items():
            if said.busy:
                said.state = "failed"
                said.error = str(error) if isinstance(error, WorkbenchError) else unexpected
                self.lane_changed.emit(call.turn, name)
        if not isinstance(error, WorkbenchError) or (isinstance(error, ChildCrashed) and error.details):
            self._bench.notices.error(error)

    def _on_finished(self, call: Call) -> None:
        self._calls.remove(call)
        for said in call.said.values():
            if said.busy:  # the stage ended without a word about this lane
                said.state, said.error = "failed", self.tr("This lane gave no answer. Ask again.")
        whole = len(call.said) == len(call.turn.answers)  # else a lane or two asked again beside those that answered
        took = time.monotonic() - call.began
        call.turn.seconds = took if whole else max(took, call.turn.seconds)
        if not self.asks(call.turn):
            self.ended.emit(call)
