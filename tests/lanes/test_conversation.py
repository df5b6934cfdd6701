"""What a conversation reads: each part of it once, told by the tokens that were read and not by the clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from workbench import paths
from workbench.bench._answering import weighed, write_adapter
from workbench.events import Result
from workbench.lanes import pool
from workbench.lanes.context import TILE, Context
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Answer, Lane, Sampling, Turn
from workbench.retrieval.passage import Passage

STARTER = paths.starter_model()
BASE = Lane("base", STARTER, sampling=Sampling(max_tokens=100))
RAG = Lane("rag", STARTER, context="passages", sampling=Sampling(max_tokens=12))
FULL = replace(RAG, name="full", context="full")
SENTENCE = "The keeper of the lighthouse wrote down the wind, the tide and every ship that passed. "


@pytest.fixture(autouse=True)
def _engine_is_emptied() -> Iterator[None]:
    pool.clear()
    yield
    pool.clear()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """The adapter's name and the number of tokens of every read, the canary's left out."""
    seen: list[tuple[str, int]] = []
    read, probe = Context.read, Context.probe

    def counting(context: Context, sequence: int, prompt: list[int], start: int, *rest: object) -> int:
        end = read(context, sequence, prompt, start, *rest)  # type: ignore[arg-type]
        seen.append((context.adapter.stem if context.adapter else "", end - start))
        return end

    def probing(context: Context) -> bytes:
        before = len(seen)
        found = probe(context)
        del seen[before:]
        return found

    monkeypatch.setattr(Context, "read", counting)
    monkeypatch.setattr(Context, "probe", probing)
    yield seen


def passages(*texts: str) -> tuple[Passage, ...]:
    return tuple(Passage(f"id{place}", f"file{place}.txt", "", text, 1.0) for place, text in enumerate(texts))


def said(*requests: Request, exact: bool = False) -> dict[str, Answer]:
    found = {event.value.lane: event.value for event in answer(requests, None, exact) if isinstance(event, Result)}
    assert not [each.error for each in found.values() if each.error]
    return found


def total(seen: list[tuple[str, int]]) -> int:
    return sum(count for _, count in seen)


def test_a_second_turn_reads_only_what_is_new(counted: list[tuple[str, int]]) -> None:
    """Though its prompt and answer need a longer context than the first had."""
    system = "You answer questions of visitors, briefly and kindly. " * 12
    lane = replace(BASE, system=system)
    first = said(Request("Tell me about the sea.", lane))["base"]
    before, size = total(counted), pool._idle[-1].length
    turn = Turn(first.question, first.text)
    second = said(Request("And about the shore?", lane, history=(turn,)))["base"]
    read = total(counted) - before
    assert before == first.prompt_tokens
    assert pool._idle[-1].length > size
    new = second.prompt_tokens - first.prompt_tokens - first.answer_tokens
    assert read <= new + 8 < 0.3 * first.prompt_tokens  # text that is tokenised anew may part a few tokens early


def test_a_document_is_read_once_in_a_conversation(counted: list[tuple[str, int]]) -> None:
    document = passages(SENTENCE * 30)
    first = said(Request("What did the keeper write down?", FULL, document))["full"]
    before = total(counted)
    history = (Turn(first.question, first.text),)
    second = said(Request("Which ships were they?", FULL, document, history))["full"]
    assert before == first.prompt_tokens < second.prompt_tokens
    assert total(counted) - before <= 0.3 * before


def test_every_lane_of_a_conversation_goes_on_where_it_was(counted: list[tuple[str, int]]) -> None:
    system = "You answer questions of visitors, briefly and kindly. " * 12
    short = Sampling(max_tokens=8)
    lanes = [
        replace(BASE, sampling=short, system="Be brief. " * 8),
        replace(BASE, name="prompted", sampling=short, system=system),
        replace(FULL, sampling=short),
    ]
    document, talk, asked = passages(SENTENCE * 20), [(), (), ()], ("What is it?", "And why?", "How long?")
    for question in asked:
        counted.clear()
        given = [document if lane.context == "full" else () for lane in lanes]
        requests = [Request(question, *rest) for rest in zip(lanes, given, talk, strict=True)]
        found = said(*requests)
        whole = sum(each.prompt_tokens for each in found.values())
        assert total(counted) <= whole if not talk[0] else total(counted) < 0.25 * whole
        talk = [(*turns, Turn(question, found[lane.name].text)) for lane, turns in zip(lanes, talk, strict=True)]


def test_a_lane_does_not_take_the_context_in_which_another_goes_on(counted: list[tuple[str, int]]) -> None:
    """Both begin alike, and the document's is long enough for the shorter one."""
    document, found = passages(SENTENCE * 30), passages(SENTENCE * 8)
    first = said(Request("What did the keeper write down?", FULL, document))["full"]
    counted.clear()
    history = (Turn(first.question, first.text),)
    both = said(
        Request("Which ships were they?", RAG, found), Request("Which ships were they?", FULL, document, history)
    )
    assert total(counted) <= both["rag"].prompt_tokens + 0.1 * both["full"].prompt_tokens


def test_no_passage_is_read_twice_in_one_state_of_the_adapter(counted: list[tuple[str, int]], tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "mine.gguf", STARTER)
    given = passages(*[SENTENCE * 6] * 3)
    lanes = [
        replace(RAG, name=name, adapter=path)
        for name, path in (("rag", None), ("rag+", None), ("rag+tuned", adapter), ("rag+tuned+", adapter))
    ]
    found = said(*[Request("What did the keeper write down?", lane, given) for lane in lanes])
    once = found["rag"].prompt_tokens
    by_state = {state: sum(count for name, count in counted if name == state) for state in ("", "mine")}
    assert by_state == {"": once, "mine": once}
    counted.clear()
    found = said(*[Request("Who passed by?", lane, given) for lane in lanes])
    most = max(each.prompt_tokens for each in found.values())
    chunk = pool._idle[-1].chunk
    for state in ("", "mine"):  # the passages stand before the question, and are there in whole chunks
        assert 0 < sum(count for name, count in counted if name == state) < 2 * chunk < most / 2


def test_what_was_decoded_is_no_part_of_an_exact_answer(counted: list[tuple[str, int]]) -> None:
    turn = Turn("Tell me about the sea.", said(Request("Tell me about the sea.", BASE), exact=True)["base"].text)
    again = Request("And about the shore?", replace(BASE, sampling=Sampling(max_tokens=12)), history=(turn,))
    counted.clear()
    after = said(again, exact=True)["base"]
    assert total(counted) == after.prompt_tokens
    pool.clear()
    assert said(again, exact=True)["base"].text == after.text


def test_what_was_read_from_the_middle_of_a_chunk_is_no_part_of_an_exact_answer() -> None:
    context = pool.take_context(pool.model(STARTER), None, 0.0, 448, 1)
    try:
        long, other = list(range(10, 410)), [*range(10, 110), *range(1000, 1300)]
        for prompt, kept, firm in ((long, 0, 384), (other, 100, 0)):
            read = context.reuse(0, prompt, loose=True)
            assert read == kept
            while read < len(prompt):
                read = context.read(0, prompt, read, lambda: False)
            assert context.shared(0, [*prompt, 5]) == firm
            assert context.shared(0, [*prompt, 5], loose=True) == len(prompt)
    finally:
        pool.give_back(context)


def test_contexts_of_all_lanes_wait_for_the_next_turn(counted: list[tuple[str, int]]) -> None:
    """A context that served several lanes serves one of them, when it holds what that lane needs."""
    system = "You answer questions of visitors, briefly and kindly. " * 12
    lanes = [replace(BASE, name=name, system=system, sampling=Sampling(max_tokens=8)) for name in ("a", "b", "c")]
    first = said(*[Request(f"What is {lane.name}?", lane) for lane in lanes])
    counted.clear()
    history = (Turn(first["b"].question, first["b"].text),)
    second = said(Request("And why?", lanes[1], history=history))["b"]
    assert total(counted) < 0.3 * second.prompt_tokens


@pytest.mark.slow
def test_memory_is_as_planned_for_one_lane_and_for_five(tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "mine.gguf", STARTER)
    given = passages(*[SENTENCE * 6] * 3)
    short = Sampling(max_tokens=4)
    one = Request("What did the keeper write down?", replace(RAG, sampling=short), given)
    plain = [replace(BASE, name="base"), replace(BASE, name="prompted", system="Be brief."), replace(BASE, name="t")]
    lanes = [*plain[:2], replace(plain[2], adapter=adapter)]
    five = [*[Request("Hello?", replace(lane, sampling=short)) for lane in lanes], one]
    five.append(replace(one, lane=replace(one.lane, name="rag+tuned", adapter=adapter)))
    for requests in ((one,), tuple(five)):
        held, planned, _ = weighed(requests)
        assert 0.8 < held / planned < 1.2


def test_a_context_that_memory_does_not_hold_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(BASE, sampling=Sampling(max_tokens=2))
    said(Request("Hello?", short))
    pool._idle.pop().close()
    monkeypatch.setattr("workbench.catalog.memory.free", lambda here=True: 1000)
    [found] = [event.value for event in answer((Request("Hello?", short),)) if isinstance(event, Result)]
    assert found.stopped == "failed" and "context" in found.error and "are free" in found.error


def test_idle_contexts_give_way_where_memory_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(BASE, sampling=Sampling(max_tokens=2))
    adapter = write_adapter(tmp_path / "mine.gguf", STARTER)
    tuned = replace(short, name="tuned", adapter=adapter)
    said(*[Request("Hello?", each) for each in (short, tuned, replace(tuned, name="half", adapter_scale=0.5))])
    assert len(pool._idle) == 3
    monkeypatch.setattr("workbench.catalog.memory.free", lambda here=True: 1000)
    said(Request("Hello?", short))
    assert [each.adapter for each in pool._idle] == [None]


@pytest.mark.parametrize("wide", [False, True])
def test_a_prompt_is_cut_where_flash_attention_has_its_blocks(wide: bool) -> None:
    context = pool.take_context(pool.model(STARTER), None, 0.0, 448, 1, flash=True)
    try:
        for start in (0, 64, 128, 200, 512, 701):
            for left in range(1, 1600):
                ends, whole = [start], start + left
                while ends[-1] < whole:
                    ends.append(context._chunk_end(ends[-1], whole, wide))
                sizes = [after - before for before, after in pairwise(ends)]
                assert max(sizes) <= 512 and ends[-1] == whole
                assert min(sizes) >= min(left, TILE), f"{start} to {whole}: {sizes}"
                assert all(end % TILE == 0 for end in ends[1:-1])
                if start % context.chunk == 0:  # later prompts share whole chunks only
                    assert all(end % context.chunk == 0 for end in ends[:-1])
    finally:
        pool.give_back(context)
