"""One question through both workers, with workers that only play their parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import ChildCrashed, InputError
from workbench.events import Event, Result, Stage, Token, Waiting
from workbench.lanes.ask import ask
from workbench.lanes.engine import Request
from workbench.lanes.lane import Answer, Lane, Turn
from workbench.lanes.transcript import append_answer, read_transcript, search_transcript
from workbench.retrieval.narrow import EVERYTHING
from workbench.retrieval.passage import Passage, SearchResult
from workbench.stops import Stops

BASE = Lane("base", Path("model.gguf"))
RAG = Lane("rag", Path("model.gguf"), context="passages", passages=2)
FULL = Lane("full", Path("model.gguf"), context="full", passages=1)


class Knowledge:
    """Finds the same passages for every question, and counts how often it was asked."""

    def __init__(self, fails: bool = False, fits: bool = True) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._fits = fits
        self._fails = fails

    def run(self, function: Callable[..., Stage], *arguments: Any) -> Stage:
        self.calls.append((function.__name__, arguments))
        if self._fails:
            raise InputError("Nothing is indexed yet: index a folder first.")
        yield Waiting("", "searching")
        if function.__name__ == "whole":
            for _, file in arguments[1]:
                yield Result(Passage(file, file, "", f"all of {file}", 1.0))
            return
        if function.__name__ == "sections":
            for each in arguments[1][: arguments[2]]:
                yield Result(replace(each, text=f"around {each.text}"))
            return
        found = tuple(
            Passage(f"p{place}", f"file{place}.txt", "", f"text {place}", 1.0) for place in range(arguments[2])
        )
        for question in arguments[1]:
            yield Result(SearchResult(question, found, 0.1, self._fits))

    def close(self) -> None:
        pass


class Engine:
    """Answers each request with its lane's name; crashes as often as it is told to, after so many events."""

    def __init__(self, crashes: int = 0, after: int = 0) -> None:
        self.requests: tuple[Request, ...] = ()
        self.stops = Stops()
        self.runs = 0
        self._crashes, self._after = crashes, after

    def run(self, function: Callable[..., Stage], *arguments: Any) -> Stage:
        self.requests, self.stops, self.runs = arguments[0], arguments[1], self.runs + 1
        for number, event in enumerate(self._events()):
            if self.runs <= self._crashes and number == self._after:
                raise ChildCrashed("The model engine stopped unexpectedly.")
            yield event

    def _events(self) -> Iterator[Event]:
        for each in self.requests:
            yield Waiting(each.lane.name, "starting")
            yield Token(each.lane.name, "Hi")
            stopped = "cancelled" if each.lane.name in self.stops else "end"
            yield Result(
                Answer(each.question, each.lane.name, "Hi", passages=each.passages, seconds=0.5, stopped=stopped)
            )

    def close(self) -> None:
        pass


def results(stage: Stage) -> dict[str, Answer]:
    return {event.value.lane: event.value for event in stage if isinstance(event, Result)}


def test_one_search_serves_all_lanes_and_every_answer_is_written_down(tmp_path: Path) -> None:
    knowledge, engine = Knowledge(), Engine()
    other = replace(RAG, name="rag+tuned:x", passages=3)
    history = {"rag": (Turn("Before?", "Yes."),)}
    found = results(ask("How long?", (BASE, RAG, other, FULL), tmp_path, history, knowledge, engine))
    assert [name for name, _ in knowledge.calls] == ["search", "whole"]
    assert [len(found[name].passages) for name in ("base", "rag", "rag+tuned:x", "full")] == [0, 2, 3, 1]
    assert found["full"].passages[0].text == "all of file0.txt"
    assert [each.history for each in engine.requests] == [(), history["rag"], (), ()]
    assert found["base"].retrieve_seconds == 0.0 < found["rag"].retrieve_seconds
    assert [entry.answer.lane for entry in read_transcript(tmp_path)] == ["base", "rag", "rag+tuned:x", "full"]


def test_a_lane_reads_the_sections_of_as_many_passages_as_it_takes(tmp_path: Path) -> None:
    knowledge, engine = Knowledge(), Engine()
    wide = replace(RAG, name="wide", context="sections")
    found = results(ask("How long?", (RAG, wide), tmp_path, {}, knowledge, engine))
    assert [(name, arguments[2]) for name, arguments in knowledge.calls] == [("search", 6), ("sections", 2)]
    assert [each.text for each in found["rag"].passages] == ["text 0", "text 1"]
    assert [each.text for each in found["wide"].passages] == ["around text 0", "around text 1"]


def test_lanes_with_a_reranker_are_searched_for_apart(tmp_path: Path) -> None:
    knowledge, engine = Knowledge(), Engine()
    reread = replace(RAG, name="reread", reranker=Path("ranker"))
    results(ask("How long?", (RAG, reread), tmp_path, {}, knowledge, engine))
    assert [arguments[3:] for _, arguments in knowledge.calls] == [(), (EVERYTHING, Path("ranker"))]


def test_a_question_that_leans_on_the_one_before_is_searched_for_with_it(tmp_path: Path) -> None:
    knowledge, engine = Knowledge(), Engine()
    history = {"rag": (Turn("How long is the ferry's crossing?", "An hour."), Turn("And what does it cost?", "Ten."))}
    found = results(ask("Who runs it?", (BASE, RAG), tmp_path, history, knowledge, engine))
    before = "And what does it cost? How long is the ferry's crossing? And what does it cost?"
    whole = f"Who runs it? {before} Who runs it?"
    assert knowledge.calls[0][1][1] == (whole,)
    assert (found["rag"].question, found["rag"].searched, found["base"].searched) == ("Who runs it?", whole, "")
    assert [each.question for each in engine.requests] == ["Who runs it?"] * 2
    found = results(ask("Which seals does the pump need?", (RAG,), tmp_path, history, knowledge, engine))
    assert knowledge.calls[1][1][1] == ("Which seals does the pump need?",) and found["rag"].searched == ""


def test_lanes_without_passages_never_search(tmp_path: Path) -> None:
    knowledge = Knowledge()
    results(ask("How long?", (BASE,), tmp_path, {}, knowledge, Engine()))
    assert knowledge.calls == []


def test_a_search_that_fails_fails_only_the_lanes_that_need_it(tmp_path: Path) -> None:
    found = results(ask("How long?", (BASE, RAG), tmp_path, {}, Knowledge(fails=True), Engine()))
    assert (found["base"].stopped, found["base"].text) == ("end", "Hi")
    assert (found["rag"].stopped, found["rag"].error) == ("failed", "Nothing is indexed yet: index a folder first.")


def test_an_engine_that_dies_before_a_word_is_tried_once_more(tmp_path: Path) -> None:
    engine = Engine(crashes=1, after=1)
    assert results(ask("How long?", (BASE,), tmp_path, {}, Knowledge(), engine))["base"].text == "Hi"
    assert engine.runs == 2


@pytest.mark.parametrize(("crashes", "after", "runs"), [(1, 2, 1), (2, 0, 2)])
def test_an_engine_that_dies_while_speaking_or_twice_is_one_clear_error(
    tmp_path: Path, crashes: int, after: int, runs: int
) -> None:
    engine = Engine(crashes, after)
    with pytest.raises(ChildCrashed, match="stopped unexpectedly"):
        list(ask("How long?", (BASE,), tmp_path, {}, Knowledge(), engine))
    assert engine.runs == runs


def test_a_lane_that_is_stopped_while_it_speaks_is_kept_as_cancelled(tmp_path: Path) -> None:
    stops, found = Stops(), {}
    for event in ask("How long?", (BASE, replace(BASE, name="other")), tmp_path, {}, Knowledge(), Engine(), stops):
        if event == Token("base", "Hi"):
            stops.add("base")
        elif isinstance(event, Result):
            found[event.value.lane] = (event.value.stopped, event.value.text)
    assert found == {"base": ("cancelled", "Hi"), "other": ("end", "Hi")}
    written = [(entry.answer.lane, entry.answer.stopped) for entry in read_transcript(tmp_path)]
    assert written == [("base", "cancelled"), ("other", "end")]


def test_a_lane_that_is_stopped_while_the_documents_are_searched_never_reaches_the_engine(tmp_path: Path) -> None:
    stops, engine, found = Stops(), Engine(), {}
    for event in ask("How long?", (BASE, RAG), tmp_path, {}, Knowledge(), engine, stops):
        if event == Waiting("rag", "searching the documents"):
            stops.add("rag")
        elif isinstance(event, Result):
            found[event.value.lane] = event.value.stopped
    assert found == {"rag": "cancelled", "base": "end"}
    assert [each.lane.name for each in engine.requests] == ["base"]


def test_what_a_lane_had_said_is_written_down_when_everything_ends(tmp_path: Path) -> None:
    stage = ask("How long?", (BASE,), tmp_path, {}, Knowledge(), Engine())
    while not isinstance(next(stage), Token):
        pass
    stage.close()
    with pytest.raises(ChildCrashed):
        list(ask("How long?", (BASE,), tmp_path, {}, Knowledge(), Engine(crashes=1, after=2)))
    kept = [(entry.answer.text, entry.answer.stopped) for entry in read_transcript(tmp_path)]
    assert kept == [("Hi", "cancelled"), ("Hi", "failed")]


def test_closing_half_way_leaves_what_was_answered_in_the_transcript(tmp_path: Path) -> None:
    stage = ask("How long?", (BASE, replace(BASE, name="other")), tmp_path, {}, Knowledge(), Engine())
    for event in stage:
        if isinstance(event, Result):
            stage.close()
    assert [entry.answer.lane for entry in read_transcript(tmp_path)] == ["base"]


@pytest.mark.parametrize(("question", "lanes"), [("  ", (BASE,)), ("How long?", ())])
def test_an_empty_question_and_no_lane_are_said(tmp_path: Path, question: str, lanes: tuple[Lane, ...]) -> None:
    with pytest.raises(InputError):
        list(ask(question, lanes, tmp_path, {}, Knowledge(), Engine()))


def test_the_transcript_is_searched_by_words_and_outlives_a_broken_line(tmp_path: Path) -> None:
    append_answer(tmp_path, Answer("What is the Warranty?", "base", "Two years."))
    with (tmp_path / "transcript.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"at": 1, "ans')
    append_answer(tmp_path, Answer("Who are you?", "base", "A model."))
    assert [entry.answer.text for entry in search_transcript(tmp_path, "warranty years")] == ["Two years."]
    assert len(read_transcript(tmp_path)) == 2
    assert read_transcript(tmp_path, newest=1)[0].answer.question == "Who are you?"


@pytest.mark.parametrize("fits", [True, False])
def test_an_answer_says_where_nothing_in_the_documents_is_about_the_question(fits: bool, tmp_path: Path) -> None:
    sections = replace(RAG, name="sections", context="sections")
    stage = ask("How?", (BASE, RAG, sections, FULL), tmp_path, {}, Knowledge(fits=fits), Engine())
    found = {event.value.lane: event.value.fits for event in stage if isinstance(event, Result)}
    assert found == {"base": True, "rag": fits, "sections": fits, "full": fits}
    assert {entry.answer.lane: entry.answer.fits for entry in read_transcript(tmp_path)} == found
