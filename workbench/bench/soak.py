"""Benchmark: does it hold out? Questions over mixed lanes, some stopped, some given up, the engine killed now and then.

Everything is real but the search, which finds the same passages at once: the starter, an adapter, the engine's process.
What is known so far is said at every look, so that a run that is ended early has told what it saw.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from workbench.bench import Figure
from workbench.bench._answering import SENTENCE, write_adapter
from workbench.bench._looks import Look, drift, growth, look, settled
from workbench.children import Child
from workbench.errors import ChildCrashed
from workbench.events import Note, Progress, Result, Stage, Token, Waiting
from workbench.lanes.ask import ask
from workbench.lanes.engine import Request, answer, unload
from workbench.lanes.lane import Answer, Lane, Sampling, Turn
from workbench.lanes.presets import chat_model
from workbench.lanes.stamp import file_hash
from workbench.lanes.transcript import TRANSCRIPT, read_transcript
from workbench.project import Project
from workbench.retrieval.passage import Passage, SearchResult
from workbench.retrieval.prompt import parse_citations
from workbench.stops import Stops

COUNT = 1000  # questions
SEED = 7
STOPPED, GIVEN_UP = 0.2, 0.05  # share of the questions of which a lane is stopped, all is
KILLED, CALM = 0.03, 0.4  # share of the questions at which the engine dies; in so many at the end it may grow old
GOES_ON = 0.4  # share of the questions that go on with a lane's conversation
MOST_LANES = 4  # asked at once
LOOKS = 20  # at memory, evenly over the questions
SUBJECTS = ("the sea", "a lamp", "the harbour", "a storm", "the keeper", "tea", "the north pier", "a long journey")


def run(project: Path, count: int = COUNT) -> Stage:
    """Yields Progress and last a Result with a tuple of Figures; the project only lends its chat model and adapter."""
    opened = Project.open(project)
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        made = [each.path for each in opened.adapters()]
        adapter = made[-1] if made else write_adapter(Path(name) / "adapter.gguf", chat_model(opened))
        soak = _Soak(Path(name), _lanes(chat_model(opened), adapter))
        try:
            for number in range(count):
                yield Progress(number, count, f"Asking, {soak.killed} engines killed so far", "questions")
                soak.ask_one(number, KILLED if number < (1 - CALM) * count else 0.0)
                if (number + 1) % max(1, count // LOOKS) == 0:
                    soak.look(number + 1)
                    yield Note(soak.said())
        finally:
            soak.engine.close()
        yield Result(soak.figures())


def _lanes(model: Path, adapter: Path) -> tuple[Lane, ...]:
    bare = Lane("base", model)
    # without worked examples: a thousand questions are to be read soon
    rag = replace(bare, name="rag", context="passages", grounded_examples=False)
    return (
        bare,
        replace(bare, name="prompted", system="You answer briefly and plainly. " * 8),
        rag,
        replace(bare, name="tuned", adapter=adapter),
        replace(rag, name="rag+tuned", adapter=adapter),
        replace(bare, name="full", context="full", passages=1),
    )


class _Found:
    """A search that finds the same for every question, in this process."""

    @staticmethod
    def passages() -> tuple[Passage, ...]:
        texts = [f"Page {number}. {SENTENCE}" for number in range(2)]
        return tuple(Passage(str(place), f"log {place}.txt", "", text, 1.0) for place, text in enumerate(texts))

    def run(self, function: Callable[..., Stage], *arguments: Any) -> Stage:
        passages = self.passages()
        if function.__name__ == "whole":
            yield Result(replace(passages[0], text=SENTENCE * 8))
        else:
            yield Result(SearchResult(arguments[1][0], passages, 0.0))

    def close(self) -> None:
        pass


@dataclass(slots=True)
class _Heard:
    """What came of one question, lane by lane."""

    said: dict[str, str] = field(default_factory=dict)  # tokens so far
    answers: dict[str, Answer] = field(default_factory=dict)
    strange: int = 0  # words for a lane that was not asked, or that had ended


class _Soak:
    """The questions and what is known of them."""

    def __init__(self, folder: Path, lanes: tuple[Lane, ...]) -> None:
        self.engine = Child("The model engine")
        self.killed = self.stopped = self.given_up = 0
        self.looks: list[Look] = []
        self._folder, self._lanes = folder, lanes
        self._random = random.Random(SEED)
        self._talks: dict[str, tuple[Turn, ...]] = {}
        self._expected: Counter[tuple[str, str, str]] = Counter()  # question, lane, how it ended
        self._given = self._right = 0
        self._pid, self._age = 0, 0  # the engine, and how many questions it has answered

    def ask_one(self, number: int, killed: float) -> None:
        """One question, disturbed or not (the engine dies at a share `killed`), and its outcome held against it."""
        draw = self._random
        asked = draw.sample(self._lanes, draw.randint(1, MOST_LANES))
        lanes = tuple(replace(each, sampling=Sampling(max_tokens=draw.randint(2, 6))) for each in asked)
        history = {each.name: self._talks.get(each.name, ()) for each in lanes if draw.random() < GOES_ON}
        question = f"{number}. Tell me about {draw.choice(SUBJECTS)}."
        fate, moment = draw.random(), draw.randint(1, 3 * len(lanes))  # what happens, and at which event
        shares = ((killed, self._kill), (GIVEN_UP, self._give_up), (STOPPED, self._stop))
        disturb = None
        for share, way in shares:
            if 0 <= fate < share:
                disturb = way
            fate -= share
        heard = self._hear(question, lanes, history, disturb, moment)
        self._judge(question, lanes, heard)
        self._age = self._age + 1 if self.engine.pid == self._pid else 1
        self._pid = self.engine.pid or 0

    def _hear(
        self,
        question: str,
        lanes: Sequence[Lane],
        history: dict[str, tuple[Turn, ...]],
        disturb: Callable[[Stops, str], bool] | None,
        moment: int,
    ) -> _Heard:
        heard, stops, victim = _Heard(), Stops(), self._random.choice(lanes).name
        stage = ask(question, tuple(lanes), self._folder, history, _Found(), self.engine, stops)
        ended = "cancelled"
        try:
            for place, event in enumerate(stage):
                self._note(heard, lanes, event)
                if disturb is not None and place == moment and disturb(stops, victim):
                    break
        except ChildCrashed:
            ended = "failed"
        finally:
            stage.close()
        for name, text in heard.said.items():
            if text and name not in heard.answers:
                self._expected[question, name, ended] += 1
        return heard

    def _note(self, heard: _Heard, lanes: Sequence[Lane], event: object) -> None:
        if isinstance(event, (Token, Waiting)):
            heard.strange += event.lane not in {each.name for each in lanes} or event.lane in heard.answers
        if isinstance(event, Token):
            heard.said[event.lane] = heard.said.get(event.lane, "") + event.text
        elif isinstance(event, Result):
            heard.answers[event.value.lane] = event.value

    def _kill(self, stops: Stops, victim: str) -> bool:
        if self.engine.pid is not None:
            psutil.Process(self.engine.pid).kill()
            self.killed += 1
        return False

    def _stop(self, stops: Stops, victim: str) -> bool:
        stops.add(victim)
        self.stopped += 1
        return False

    def _give_up(self, stops: Stops, victim: str) -> bool:
        self.given_up += 1
        return True

    def _judge(self, question: str, lanes: Sequence[Lane], heard: _Heard) -> None:
        """Whether each answer is of the lane it names, told by what the runtime used and what was said."""
        self._given += heard.strange
        for lane in lanes:
            found = heard.answers.get(lane.name)
            if found is None:
                continue
            self._expected[question, lane.name, found.stopped] += 1
            self._given += 1
            self._right += _is_of(found, lane, question, heard.said.get(lane.name, ""))
            if found.text and found.stopped != "failed":
                turns = (*self._talks.get(lane.name, ()), Turn(question, found.text))
                self._talks[lane.name] = turns[-3:]

    def look(self, questions: int) -> None:
        """Weigh both processes, the engine in the same state every time: after it forgot all, and one question of
        every lane."""
        for _ in self.engine.run(unload):
            pass
        passages = _Found.passages()
        asked = tuple(
            Request("What is there to be seen?", replace(each, sampling=Sampling(max_tokens=4)), passages)
            for each in self._lanes
        )
        for _ in self.engine.run(answer, asked):
            pass
        pid = self.engine.pid
        if pid is not None:
            self.looks.append(look(questions, pid, self._age if pid == self._pid else 0))

    def said(self) -> str:
        """What is known so far, in one line."""
        if not self.looks:
            return "no look yet"
        last, old = self.looks[-1], settled(self.looks)
        lost = sum(self._expected.values()) - _lines(self._folder / TRANSCRIPT)
        engine = f"{last.held:.1f} MB" + (f" ({drift([each.held for each in old])})" if last in old else "")
        asking = f"{last.asking:.1f} MB ({drift([each.asking for each in self.looks])})"
        disturbed = f"{self.killed} engines killed, {self.stopped} lanes stopped, {self.given_up} given up"
        kept = f"wrong lanes {self._given - self._right} of {self._given}, transcript lines lost {lost}"
        return f"{last.questions} questions: {disturbed}; {kept}; engine {engine} at {last.age}; this process {asking}"

    def figures(self) -> tuple[Figure, ...]:
        """Each count beside what it should be, and memory at the end beside memory early on."""
        kept = Counter(
            (each.answer.question, each.answer.lane, each.answer.stopped) for each in read_transcript(self._folder)
        )
        there = sum((kept & self._expected).values())
        wanted, extra = sum(self._expected.values()), sum((kept - self._expected).values())
        looks = settled(self.looks)
        engine = [each.held for each in looks]
        own = [each.own for each in looks] or [0.0]
        note = f"{self.killed} killed; not mapped {own[0]:.1f}, {own[len(own) // 2]:.1f}, {own[-1]:.1f} MB"
        return (
            Figure(
                "answers of the very lane they name", self._right, self._given, _share(self._right, self._given), ""
            ),
            Figure("answers in the transcript", there, wanted, _share(there, wanted), "", f"{extra} that nobody gave"),
            growth("the engine's memory in the same state, its last look beside its first", engine, note),
            growth("the asking process's memory, the same", [each.asking for each in self.looks]),
        )


def _is_of(found: Answer, lane: Lane, question: str, said: str) -> bool:
    if found.stopped == "failed":
        return False
    if found.stamp is None:  # stopped before it had a place
        return found.stopped == "cancelled" and not said
    adapter = file_hash(lane.adapter) if lane.adapter else ""
    told = parse_citations(said.strip(), len(found.passages))[0]  # it may have been cut where a new prompt began
    return (
        found.stamp.adapter == adapter
        and found.stamp.canary == "ok"
        and question in found.prompt
        and lane.system in found.prompt
        and (len(found.passages) > 0) is (lane.context != "none")
        and told.startswith(found.text)
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _lines(file: Path) -> int:
    """Lines of a file, without holding it: what this process takes is measured here."""
    if not file.exists():
        return 0
    with file.open("rb") as open_file:
        return sum(1 for _ in open_file)
