"""STAGE ask(question, lanes, ...): passages, then tokens of all lanes as they come, then an Answer each.

Runs in the parent and draws on both workers; one search serves all lanes that read the same knowledge base by the same
ranking.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.bases import home_of
from workbench.children import Worker
from workbench.errors import ChildCrashed, InputError, WorkbenchError
from workbench.events import Event, Result, Stage, Token, Waiting
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Answer, Lane, Turn
from workbench.lanes.material import collect, ranking, read_sections, search_depth, whole_documents
from workbench.lanes.transcript import append_answer
from workbench.retrieval.followup import self_contained
from workbench.retrieval.passage import Passage
from workbench.stops import Stops


def ask(
    question: str,
    lanes: tuple[Lane, ...],
    project: Path,
    history: Mapping[str, tuple[Turn, ...]],
    knowledge: Worker,
    engine: Worker,
    stops: Stops | None = None,
) -> Stage:
    """Yields Waiting and Token of every lane and a Result with each lane's Answer, which is then in the transcript.

    A lane that fails gets an Answer with `stopped` "failed" and the sentence in `error`; one whose name is added to
    `stops` ends there, "cancelled", with what it has said; others go on. Raises InputError for an empty question and
    ChildCrashed when the engine died; the next question starts it afresh. What a lane had said by then, or by the time
    the stage was closed, is in the transcript as well.
    """
    started, stops = time.perf_counter(), stops or Stops()
    if not question.strip():
        raise InputError("The question is empty: write one.")
    if not lanes:
        raise InputError("No lane was chosen: choose at least one to ask.")
    searched_for = self_contained(question, _earlier(lanes, history))
    found = yield from _find(searched_for, lanes, project, knowledge)
    searched = time.perf_counter() - started
    requests, unfit = [], set()
    for lane in lanes:
        got = found.get(_reads(lane), NOTHING)
        if lane.name in stops:
            yield _keep(project, Answer(question, lane.name, "", seconds=searched, stopped="cancelled"))
            continue
        if isinstance(got, str):
            yield _keep(project, Answer(question, lane.name, "", seconds=searched, stopped="failed", error=got))
            continue
        requests.append(Request(question, lane, got.passages[: lane.passages], tuple(history.get(lane.name, ()))))
        if not got.fits:
            unfit.add(lane.name)
    if not requests:
        return
    late = time.perf_counter() - started  # the engine's clock begins here
    unfinished = {each.lane.name: "" for each in requests}  # what each lane has said so far
    try:
        for event in _answer(tuple(requests), engine, stops):
            if isinstance(event, Token) and event.lane in unfinished:
                unfinished[event.lane] += event.text
            elif isinstance(event, Result):
                needed = event.value.lane in {each.lane.name for each in requests if each.lane.context != "none"}
                whole = _with_search(event.value, searched if needed else 0.0, late)
                if needed and searched_for != question:
                    whole = replace(whole, searched=searched_for)
                if whole.lane in unfit:
                    whole = replace(whole, fits=False)
                event = _keep(project, whole)
                unfinished.pop(event.value.lane, None)
            yield event
    except ChildCrashed as error:
        _keep_unfinished(project, question, unfinished, "failed", str(error))
        raise
    except GeneratorExit:
        _keep_unfinished(project, question, unfinished, "cancelled")
        raise


def _earlier(lanes: tuple[Lane, ...], history: Mapping[str, tuple[Turn, ...]]) -> tuple[str, ...]:
    """The questions before this one in the longest talk of a lane that reads documents, oldest first."""
    talks = [history.get(lane.name, ()) for lane in lanes if lane.context != "none"]
    return tuple(turn.question for turn in max(talks, key=len, default=()))


def _keep(project: Path, found: Answer) -> Result:
    append_answer(project, found)
    return Result(found)


def _keep_unfinished(project: Path, question: str, said: Mapping[str, str], stopped: str, error: str = "") -> None:
    """Write down what lanes had said when everything ended; a full disk is no news in the middle of that."""
    with suppress(WorkbenchError, OSError):
        for lane, text in said.items():
            if text:
                append_answer(project, Answer(question, lane, text, stopped=stopped, error=error))


def _with_search(found: Answer, searched: float, late: float) -> Answer:
    return replace(
        found,
        retrieve_seconds=searched,
        first_token_seconds=found.first_token_seconds + late,
        seconds=found.seconds + late,
    )


def _answer(requests: tuple[Request, ...], engine: Worker, stops: Stops) -> Stage:
    """The engine's stage; when it dies before a word was said it is tried once more, from the beginning."""
    said = False
    for attempt in range(2):
        stage = engine.run(answer, requests, stops)
        try:
            for event in stage:
                said = said or isinstance(event, (Token, Result))
                yield event
            return
        except ChildCrashed:
            if said or attempt:
                raise
        finally:
            stage.close()


Reads = tuple[str, Path | None, str]  # what a lane is given to read: its knowledge base, reranker and `context`
Found = dict[Reads, "_Given | str"]  # what is given, or why nothing is


@dataclass(frozen=True, slots=True)
class _Given:
    """What a search brings a lane: what it reads, and whether any of that seems to be about the question."""

    passages: tuple[Passage, ...]
    fits: bool


NOTHING = _Given((), True)  # for a lane that reads no documents


def _reads(lane: Lane) -> Reads:
    return lane.base, lane.reranker, lane.context


def _find(question: str, lanes: tuple[Lane, ...], project: Path, knowledge: Worker) -> Generator[Event, None, Found]:
    """What the lanes read, each base searched once for each reranker; a failing search fails the lanes that need it."""
    needing = [lane for lane in lanes if lane.context != "none"]
    for lane in needing:
        yield Waiting(lane.name, "searching the documents")
    found: Found = {}
    for searched in dict.fromkeys((lane.base, lane.reranker) for lane in needing):
        reading = [lane for lane in needing if (lane.base, lane.reranker) == searched]
        found |= yield from _find_in(*searched, question, reading, project, knowledge)
    return found


def _find_in(
    base: str, reranker: Path | None, question: str, lanes: list[Lane], project: Path, knowledge: Worker
) -> Generator[Event, None, Found]:
    """What lanes over one knowledge base and ranking read."""
    try:
        home = home_of(project, base)
        given = yield from _search(question, home, search_depth(lanes), reranker, knowledge)
    except WorkbenchError as error:
        return {_reads(lane): str(error) for lane in lanes}
    found: Found = {(base, reranker, "passages"): given}
    for context, read in (("sections", read_sections), ("full", whole_documents)):
        most = max((lane.passages for lane in lanes if lane.context == context), default=0)
        if most:
            try:
                passages = yield from read(given.passages, most, home, knowledge)
                found[base, reranker, context] = _Given(passages, given.fits)
            except WorkbenchError as error:
                found[base, reranker, context] = str(error)
    return found


def _search(
    question: str, home: Path, k: int, reranker: Path | None, knowledge: Worker
) -> Generator[Event, None, _Given]:
    from workbench.retrieval.search import search

    results = yield from collect(knowledge.run(search, home, (question,), k, *ranking(reranker)))
    return _Given(results[-1].passages, results[-1].fits) if results else NOTHING
