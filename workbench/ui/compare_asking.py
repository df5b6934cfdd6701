"""Ask a turn: run the stage as a job, write what comes into the turn, tell which lane changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from workbench.children import Worker
from workbench.errors import Cancelled, ChildCrashed, WorkbenchError
from workbench.events import Event, Result, Stage, Token, Waiting
from workbench.lanes.lane import Answer, Lane, Turn
from workbench.ui.bench import Bench
from workbench.ui.compare_talk import LaneAnswer, Talk, TalkTurn
from workbench.ui.job import JobHandle


def ask_stage(
    question: str,
    lanes: Sequence[Lane],
    project: Path,
    history: dict[str, tuple[Turn, ...]],
    knowledge: Worker,
    engine: Worker,
) -> Stage:
    """The real stage, imported when it is first needed."""
    from workbench.lanes.ask import ask

    stage: Stage = ask(question, tuple(lanes), project, history, knowledge, engine)
    return stage


class Asking(QObject):
    """One question under way at a time: the engine answers one call at a time."""

    lane_changed = Signal(object, str)  # TalkTurn, lane name
    ended = Signal(object)  # TalkTurn

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._turn: TalkTurn | None = None
        self._job: JobHandle | None = None
        self._began = 0.0

    @property
    def busy(self) -> bool:
        return self._turn is not None

    @property
    def turn(self) -> TalkTurn | None:
        return self._turn

    def begin(self, talk: Talk, turn: TalkTurn, lanes: Sequence[Lane]) -> None:
        """Ask these lanes the question of a turn; what they said in it before is replaced."""
        for lane in lanes:
            turn.answers[lane.name] = LaneAnswer(lane)
        history = {lane.name: talk.history(lane.name, turn) for lane in lanes}
        self._turn, self._began = turn, time.monotonic()
        bench, folder = self._bench, self._bench.project.folder
        self._job = bench.jobs.start(
            self.tr("Asking"),
            lambda: ask_stage(turn.question, lanes, folder, history, bench.knowledge, bench.engine),
            self._on_event,
            kind="compare",
            quiet=True,
            on_failed=self._on_failed,
        )
        self._job.finished.connect(self._on_finished)

    def stop(self) -> None:
        """Stop every lane; what was written stays."""
        if self._turn is None:
            return
        for name, said in self._turn.answers.items():
            if said.busy:
                said.state = "stopped"
                self.lane_changed.emit(self._turn, name)
        if self._job is not None:
            self._job.stop()

    def stop_lane(self, name: str) -> None:
        """Stop one lane; when no other is left, all of it."""
        if self._turn is None or not self._turn.answers[name].busy:
            return
        if sum(said.busy for said in self._turn.answers.values()) == 1:
            self.stop()
            return
        self._turn.answers[name].state = "stopped"
        self.lane_changed.emit(self._turn, name)

    def _on_event(self, event: Event) -> None:
        turn = self._turn
        if turn is None:
            return
        if isinstance(event, Waiting) and (said := self._taking(event.lane)) is not None:
            said.waiting = event.message
            self.lane_changed.emit(turn, event.lane)
        elif isinstance(event, Token) and (said := self._taking(event.lane)) is not None:
            said.text, said.state = said.text + event.text, "streaming"
            self.lane_changed.emit(turn, event.lane)
        elif isinstance(event, Result) and isinstance(event.value, Answer):
            self._take_answer(turn, event.value)

    def _taking(self, lane: str) -> LaneAnswer | None:
        """The lane's answer while it still takes news: what a stopped lane goes on to say is not shown."""
        said = self._turn.answers.get(lane) if self._turn is not None else None
        return said if said is not None and said.busy else None

    def _take_answer(self, turn: TalkTurn, answer: Answer) -> None:
        said = turn.answers.get(answer.lane)
        if said is None:
            return
        if said.busy:
            said.text = answer.text or said.text
            states = {"failed": "failed", "cancelled": "stopped"}
            said.state, said.error = states.get(answer.stopped, "done"), answer.error
            said.answer = answer
        elif said.state == "stopped" and said.answer is None and answer.stopped == "cancelled":
            said.answer = answer
        self.lane_changed.emit(turn, answer.lane)

    def _on_failed(self, error: Exception) -> None:
        """The whole question failed: every lane that was not done says so in its own column."""
        turn = self._turn
        if turn is None or isinstance(error, Cancelled):
            return
        for name, said in turn.answers.items():
            if said.busy:
                said.state = "failed"
                said.error = (
                    str(error) if isinstance(error, WorkbenchError) else self.tr("Something unexpected happened.")
                )
                self.lane_changed.emit(turn, name)
        if not isinstance(error, WorkbenchError) or (isinstance(error, ChildCrashed) and error.details):
            self._bench.notices.error(error)

    def _on_finished(self) -> None:
        turn, self._turn, self._job = self._turn, None, None
        if turn is None:
            return
        for said in turn.answers.values():
            if said.busy:  # the stage ended without a word about this lane
                said.state, said.error = "failed", self.tr("This lane gave no answer. Ask again.")
        turn.seconds = time.monotonic() - self._began
        self.ended.emit(turn)
