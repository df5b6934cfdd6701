"""Benchmark: does it hold out? Questions over mixed lanes, some stopped, some given up, the engine killed now and then.

Everything is real but the search, which finds the same passages at once: the starter, an adapter, the engine's process.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from workbench.bench import Figure
from workbench.bench._answering import SENTENCE, write_adapter
from workbench.children import Child
from workbench.errors import ChildCrashed
from workbench.events import Progress, Result, Stage, Token, Waiting
from workbench.lanes.ask import ask
from workbench.lanes.lane import Answer, Lane, Sampling, Turn
from workbench.lanes.presets import chat_model
from workbench.lanes.stamp import file_hash
from workbench.lanes.transcript import read_transcript
from workbench.project import Project
from workbench.retrieval.passage import Passage, SearchResult
from workbench.retrieval.prompt import parse_citations
from workbench.stops import Stops

COUNT = 1000  # questions
SEED = 7
STOPPED, GIVEN_UP, KILLED = (
    0.2,
    0.05,
    0.02,
)  # share of the questions of which a lane is stopped, all is, the engine dies
GOES_ON = 0.4  # share of the questions that go on with a lane's conversation
MOST_LANES = 4  # asked at once
SETTLED = 10  # answers an engine has given before its memory counts: by then it has loaded what it needs
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
                yield Progress(number, count, f"Asking, {soak.deaths} engines killed so far", "questions")
                soak.ask_one(number)
        finally:
            soak.engine.close()
        yield Result(soak.figures())


def _lanes(model: Path, adapter: Path) -> tuple[Lane, ...]:
    bare = Lane("base", model)
    rag = replace(bare, name="rag", context="passages")
    return (
        bare,
        replace(bare, name="prompted", system="You answer briefly and plainly. " * 8),
        rag,
        replace(bare, name="tuned", adapter=adapter),
        replace(rag, name="rag+tuned", adapter=adapter, grounded_examples=False),
        replace(bare, name="full", context="full", passages=1),
    )


class _Found:
    """A search that finds the same for every question, in this process."""

    def run(self, function: Callable[..., Stage], *arguments: Any) -> Stage:
        texts = [f"Page {number}. {SENTENCE * 2}" for number in range(2)]
        passages = tuple(Passage(str(place), f"log {place}.txt", "", text, 1.0) for place, text in enumerate(texts))
        if function.__name__ == "whole":
            yield Result(replace(passages[0], text=SENTENCE * 12))
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
        self.deaths = 0
        self._folder, self._lanes = folder, lanes
        self._random = random.Random(SEED)
        self._talks: dict[str, tuple[Turn, ...]] = {}
        self._expected: Counter[tuple[str, str, str]] = Counter()  # question, lane, how it ended
        self._given = self._right = 0
        self._engine_memory: list[float] = []  # MB, after questions, once the engine has settled
        self._own_memory: list[float] = []
        self._pid, self._since = 0, 0  # the engine, and how many questions it has answered

    def ask_one(self, number: int) -> None:
        """One question, disturbed or not, and its outcome held against what was asked."""
        draw = self._random
        asked = draw.sample(self._lanes, draw.randint(1, MOST_LANES))
        lanes = tuple(replace(each, sampling=Sampling(max_tokens=draw.randint(2, 12))) for each in asked)
        history = {each.name: self._talks.get(each.name, ()) for each in lanes if draw.random() < GOES_ON}
        question = f"{number}. Tell me about {draw.choice(SUBJECTS)}."
        fate, moment = draw.random(), draw.randint(1, 4 * len(lanes))  # what happens, and at which event
        heard = self._hear(question, lanes, history, fate, moment)
        self._judge(question, lanes, heard)
        self._weigh()

    def _hear(
        self, question: str, lanes: Sequence[Lane], history: dict[str, tuple[Turn, ...]], fate: float, moment: int
    ) -> _Heard:
        heard, stops, victim = _Heard(), Stops(), self._random.choice(lanes).name
        stage = ask(question, tuple(lanes), self._folder, history, _Found(), self.engine, stops)
        ended = "cancelled"
        try:
            for place, event in enumerate(stage):
                self._note(heard, lanes, event)
                if place != moment:
                    continue
                if fate < KILLED:
                    self._kill()
                elif fate < KILLED + GIVEN_UP:
                    break
                elif fate < KILLED + GIVEN_UP + STOPPED:
                    stops.add(victim)
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

    def _kill(self) -> None:
        if self.engine.pid is not None:
            psutil.Process(self.engine.pid).kill()
            self.deaths += 1

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

    def _weigh(self) -> None:
        pid = self.engine.pid
        self._since = self._since + 1 if pid == self._pid else 0
        self._pid = pid or 0
        if pid is not None and self._since >= SETTLED:
            self._engine_memory.append(psutil.Process(pid).memory_info().rss / 1e6)
        self._own_memory.append(psutil.Process(os.getpid()).memory_info().rss / 1e6)

    def figures(self) -> tuple[Figure, ...]:
        """Each count beside what it should be, and memory at the end beside memory early on."""
        kept = Counter(
            (each.answer.question, each.answer.lane, each.answer.stopped) for each in read_transcript(self._folder)
        )
        there = sum((kept & self._expected).values())
        wanted, extra = sum(self._expected.values()), sum((kept - self._expected).values())
        return (
            Figure(
                "answers of the very lane they name", self._right, self._given, _share(self._right, self._given), ""
            ),
            Figure("answers in the transcript", there, wanted, _share(there, wanted), "", f"{extra} that nobody gave"),
            _growth("the engine's memory, last quarter beside second", self._engine_memory, f"{self.deaths} killed"),
            _growth("the asking process's memory, the same", self._own_memory, ""),
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


def _growth(name: str, values: list[float], note: str) -> Figure:
    """Medians of the last and the second quarter: in the first a process still loads."""
    quarter = max(1, len(values) // 4)
    early, late = values[quarter : 2 * quarter] or values[:1] or [0.0], values[-quarter:] or [0.0]
    ours, yardstick = statistics.median(late), statistics.median(early)
    measured = f"{len(values)} looks, {min(values, default=0):.0f} to {max(values, default=0):.0f} MB"
    ratio = ours / yardstick if yardstick else 1.0
    return Figure(name, ours, yardstick, ratio, "MB", "; ".join(part for part in (measured, note) if part))
