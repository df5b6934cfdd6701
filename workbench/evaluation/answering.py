"""One case answered by one lane, with the suite's passages searched once and the engine's crashes outlived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.children import Worker
from workbench.errors import ChildCrashed
from workbench.events import Result, Stage
from workbench.lanes.lane import Answer, Lane
from workbench.retrieval.passage import SearchResult

ATTEMPTS = 2  # a crash may be chance once; the second is the case's own


class SharedSearch:
    """A knowledge worker that searches the questions of a whole suite at once, the first time one is asked for.

    Lanes ask it as they ask the real one, so nothing else knows; everything but `search` is passed on.
    """

    def __init__(self, knowledge: Worker, questions: tuple[str, ...]) -> None:
        self._knowledge = knowledge
        self._questions = tuple(dict.fromkeys(questions))
        self._found: dict[tuple[Path, int], dict[str, SearchResult]] = {}

    def run(self, function: Callable[..., Stage], *arguments: Any) -> Stage:
        from workbench.retrieval.search import search

        if function is not search:
            yield from self._knowledge.run(function, *arguments)
            return
        project, questions, k = arguments
        found = self._found.setdefault((project, k), {})
        missing = tuple(each for each in dict.fromkeys((*questions, *self._questions)) if each not in found)
        if any(question not in found for question in questions):
            for event in self._knowledge.run(search, project, missing, k):
                if isinstance(event, Result):
                    found[event.value.question] = event.value
                else:
                    yield event
        for question in questions:
            yield Result(found[question])

    def close(self) -> None:
        """Nothing of its own: the real worker belongs to whoever made it."""

    def seconds(self, question: str) -> float | None:
        """What searching for this question took, None when it was not searched for."""
        for found in self._found.values():
            if question in found:
                return found[question].seconds
        return None


def answer_case(question: str, lane: Lane, project: Path, knowledge: SharedSearch, engine: Worker) -> Stage:
    """Yields what `ask` yields, last a Result with the Answer: a failed one when the engine crashed twice on it.

    Raises what a person must mend first, such as BadModel or MissingFile.
    """
    sentence = ""
    for _ in range(ATTEMPTS):
        try:
            answer = yield from _ask(question, lane, project, knowledge, engine)
        except ChildCrashed as error:
            sentence = str(error)
            continue
        if answer is not None and answer.stopped != "failed":
            yield Result(_with_search_time(answer, knowledge.seconds(question)))
            return
        sentence = answer.error if answer is not None else "the lane gave no answer"
    yield Result(Answer(question, lane.name, "", stopped="failed", error=sentence or "the engine failed"))


def _ask(question: str, lane: Lane, project: Path, knowledge: SharedSearch, engine: Worker) -> Any:
    """Pull one ask along; returns its Answer."""
    from workbench.lanes.ask import ask

    answer: Answer | None = None
    stage = ask(question, (lane,), project, {}, knowledge, engine)
    try:
        for event in stage:
            if isinstance(event, Result):
                answer = event.value
            else:
                yield event
    finally:
        stage.close()
    return answer


def _with_search_time(answer: Answer, seconds: float | None) -> Answer:
    """An answer's times as if it had been asked alone: with what its own search took, not the whole suite's or none."""
    if seconds is None or not answer.retrieve_seconds:
        return answer
    shift = seconds - answer.retrieve_seconds
    return replace(
        answer,
        retrieve_seconds=seconds,
        first_token_seconds=max(seconds, answer.first_token_seconds + shift),
        seconds=max(seconds, answer.seconds + shift),
    )
