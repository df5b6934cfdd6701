"""What evicted contexts held comes back from the disk: bit for bit, within bounds, and nothing of it is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from workbench import paths
from workbench.events import Result
from workbench.lanes import pool
from workbench.lanes.context import Context
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Answer, Lane, Sampling, Turn
from workbench.lanes.shelf import LEAST, Shelf
from workbench.retrieval.passage import Passage

STARTER = paths.starter_model()
FULL = Lane("full", STARTER, context="full", sampling=Sampling(max_tokens=12))
DOCUMENT = (Passage("id", "log.txt", "", "The keeper wrote down the wind, the tide and every ship. " * 40, 1.0),)


@pytest.fixture(autouse=True)
def _engine_is_emptied() -> Iterator[None]:
    pool.clear()
    yield
    pool.clear()


def said(request: Request) -> Answer:
    [found] = [event.value for event in answer((request,)) if isinstance(event, Result)]
    assert isinstance(found, Answer) and not found.error
    return found


def second_turn(first: Answer) -> Request:
    return Request("Which ships were they?", FULL, DOCUMENT, (Turn(first.question, first.text),))


def evict_all() -> None:
    while pool._idle:
        pool._put_away(pool._idle.pop())


def context(length: int = 512) -> Context:
    return Context(pool.model(STARTER), None, 0.0, length, 2, 1)


def filled(tokens: list[int], sequence: int = 0) -> Context:
    made, place = context(), 0
    while place < len(tokens):
        place = made.read(sequence, tokens, place, lambda: False)
    return made


def test_a_conversation_whose_context_was_closed_goes_on_without_being_read_again() -> None:
    first = said(Request("What did the keeper write down?", FULL, DOCUMENT))
    usual = said(second_turn(first))
    pool.clear()
    first = said(Request("What did the keeper write down?", FULL, DOCUMENT))
    evict_all()
    assert pool._shelf.size > 0
    again = said(second_turn(first))
    context = pool._idle[-1]
    assert context.tokens_read < 0.3 * again.prompt_tokens
    assert again.text == usual.text and pool._shelf.size == 0


def test_a_sequence_comes_back_bit_for_bit_in_another_place_of_another_context() -> None:
    tokens, following = list(range(100, 400)), list(range(900, 930))
    before, after, shelf = filled(tokens), context(), Shelf()
    shelf.keep(before)
    shelf.give_back(after, (((*tokens, *following), False),), lambda context: None)
    for each in (before, after):
        place = max(range(2), key=lambda sequence: len(each.cached[sequence]))
        assert each.reuse(place, [*tokens, *following]) == len(tokens) // each.chunk * each.chunk
    logits = []
    for each in (before, after):
        place = max(range(2), key=lambda sequence: len(each.cached[sequence]))
        read = len(each.cached[place])
        while read < len(tokens) + len(following):
            read = each.read(place, [*tokens, *following], read, lambda: False)
        logits.append(each.logits(-1).tobytes())
        each.close()
    assert logits[0] == logits[1]


def test_the_shelf_is_bounded_and_short_sequences_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = filled(list(range(100, 400))), filled(list(range(1000, 1300)))
    short = filled(list(range(100, 100 + LEAST // 2)))
    shelf = Shelf()
    shelf.keep(short)
    assert shelf.size == 0
    shelf.keep(first)
    size = shelf.size
    bounded = Shelf(most=size + size // 2)
    for each in (first, second):
        bounded.keep(each)
    assert bounded.size == size
    again = context()
    bounded.give_back(again, (([*range(100, 400), 5], True),), lambda context: None)
    assert again.cached == [[], []], "the first had to make room for the second"
    monkeypatch.setattr("workbench.catalog.memory.free", lambda here=True: 1000)
    shelf.clear()
    shelf.keep(first)
    assert shelf.size == 0, "no memory to write it from"
    for each in (first, second, short, again):
        each.close()


def test_nothing_is_kept_for_another_state_of_the_model(tmp_path: Path) -> None:
    tokens = list(range(100, 400))
    before, shelf = filled(tokens), Shelf()
    shelf.keep(before)
    other = Context(pool.model(STARTER), None, 0.0, 512, 2, 1, flash=True)
    shelf.give_back(other, (([*tokens, 5], True),), lambda context: None)
    assert other.cached == [[], []] and shelf.size > 0
    for each in (before, other):
        each.close()


def test_what_is_kept_has_no_name_in_any_folder() -> None:
    before = set(paths.cache_folder().rglob("*"))
    held, shelf = filled(list(range(100, 400))), Shelf()
    shelf.keep(held)
    assert shelf.size > 0 and set(paths.cache_folder().rglob("*")) <= before
    shelf.clear()
    assert shelf.size == 0
    held.close()


def test_a_question_about_something_else_leaves_the_shelf_alone() -> None:
    first = said(Request("What did the keeper write down?", FULL, DOCUMENT))
    evict_all()
    size = pool._shelf.size
    said(Request("Hello?", replace(FULL, context="none")))
    assert pool._shelf.size == size > 0
    assert said(second_turn(first)).text
