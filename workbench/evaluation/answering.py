"""One case answered by one lane, with the suite's passages searched once and the engine's crashes outlived.

It does what `lanes.ask` does, from the same parts, but for two things: all questions of a suite are searched together,
and nothing is written to the transcript, which is a person's own.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from workbench.bases import home_of
from workbench.children import Worker
from workbench.errors import ChildCrashed
from workbench.events import Event, Progress, Result, Stage
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Answer, Lane
from workbench.lanes.material import collect, ranking, read_sections, search_depth, whole_documents
from workbench.retrieval.passage import Passage, SearchResult
from workbench.retrieval.search import search

ATTEMPTS = 2  # a crash may be chance once; the second is the case's own
EVERY = 0.4  # seconds between two signs of life at most


class Finder(Protocol):
    """Where the passages of a case come from."""

    def find(self, question: str, lane: Lane) -> Generator[Event, None, tuple[tuple[Passage, ...], float]]:
        """What goes before a lane's question, best first, and the seconds its search took."""
        ...


class GivenPassages:
    """Passages that are known beforehand: the right ones of an oracle lane, changed ones of a test."""

    def __init__(self, by_question: Mapping[str, tuple[Passage, ...]]) -> None:
        self._passages = by_question

    def find(self, question: str, lane: Lane) -> Generator[Event, None, tuple[tuple[Passage, ...], float]]:
        yield from ()
        return (self._passages.get(question, ()) if lane.context != "none" else ()), 0.0


Searched = tuple[str, Path | None]  # a knowledge base, and the reranker it is searched with


class SharedSearch:
    """The passages of a whole suite, searched for at the first question of the first lane that reads any: once in each
    knowledge base, and once more for each reranker."""

    def __init__(self, knowledge: Worker, project: Path, lanes: tuple[Lane, ...], questions: tuple[str, ...]) -> None:
        self._knowledge, self._project = knowledge, project
        self._questions = tuple(dict.fromkeys(questions))
        # one depth for all lanes over a base, as in a conversation: each takes as many of the best as its prompt holds
        self._k = {key: max(1, search_depth(_over(key, lanes))) for key in {_searched(lane) for lane in lanes}}
        self._found: dict[Searched, dict[str, SearchResult]] = defaultdict(dict)  # question -> result

    def find(self, question: str, lane: Lane) -> Generator[Event, None, tuple[tuple[Passage, ...], float]]:
        """What goes before a lane's question, best first, and the seconds its search took; none for a bare lane."""
        if lane.context == "none":
            return (), 0.0
        key, home = _searched(lane), home_of(self._project, lane.base)
        known = self._found[key]
        if question not in known:
            missing = tuple(each for each in self._questions if each not in known)
            stage = self._knowledge.run(search, home, missing, self._k[key], *ranking(lane.reranker))
            results = yield from collect(stage)
            known.update({each.question: each for each in results})
        found = known[question]
        if lane.context == "passages":
            return found.passages[: lane.passages], found.seconds
        read = read_sections if lane.context == "sections" else whole_documents
        given = yield from read(found.passages, lane.passages, home, self._knowledge)
        return given, found.seconds


def _searched(lane: Lane) -> Searched:
    return lane.base, lane.reranker


def _over(key: Searched, lanes: Iterable[Lane]) -> list[Lane]:
    return [lane for lane in lanes if _searched(lane) == key]


def answer_case(question: str, lane: Lane, finder: Finder, engine: Worker, copied: bool | None = None) -> Stage:
    """Yields what the stages it draws on yield, last a Result with the Answer: a failed one when the engine crashed or
    failed twice on it. `copied` as a Request has it. Raises InputError where nothing is indexed."""
    sentence = ""
    for _ in range(ATTEMPTS):
        try:
            found = yield from _answer_once(question, lane, finder, engine, copied)
        except ChildCrashed as error:
            sentence = str(error)
            continue
        if found is not None and found.stopped != "failed":
            yield Result(found)
            return
        sentence = found.error if found is not None else "the lane gave no answer"
    yield Result(Answer(question, lane.name, "", stopped="failed", error=sentence or "the engine failed"))


def await_answer(
    question: str,
    lane: Lane,
    finder: Finder,
    engine: Worker,
    progress: Callable[[], Progress],
    copied: bool | None = None,
) -> Generator[Event, None, Answer]:
    """The Answer of `answer_case`; meanwhile yields what `progress` tells in place of the tokens nobody reads."""
    shown, found = time.monotonic(), None
    stage = answer_case(question, lane, finder, engine, copied)
    try:
        for event in stage:
            if isinstance(event, Result):
                found = event.value
            elif time.monotonic() - shown > EVERY:
                shown = time.monotonic()
                yield progress()
    finally:
        stage.close()
    assert found is not None  # answer_case always ends with one
    answered: Answer = found
    return answered


def stamped(answer: Answer) -> dict[str, str]:
    """The hashes of the very files an answer was made with, by the runtime's own word; empty where there is none."""
    stamp = answer.stamp
    return {"model": stamp.model if stamp else "", "adapter": stamp.adapter if stamp else ""}


def _answer_once(
    question: str, lane: Lane, finder: Finder, engine: Worker, copied: bool | None
) -> Generator[Event, None, Answer | None]:
    passages, searched = yield from finder.find(question, lane)
    results = yield from collect(engine.run(answer, (Request(question, lane, passages, copied=copied),), None, True))
    found: Answer | None = results[-1] if results else None
    return found and replace(
        found,
        retrieve_seconds=searched,  # its own share, as if it had been asked alone
        first_token_seconds=found.first_token_seconds + searched,
        seconds=found.seconds + searched,
    )
