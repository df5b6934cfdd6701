"""Benchmark: what a lane adds to bare llama.cpp, an adapter to the base, and what a second turn saves."""

from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path

from workbench.bench import _answering
from workbench.bench._answering import STORY, answers, bare_and_tuned, in_turn, reading, rounds, unseen
from workbench.bench._raw import RawLoop
from workbench.events import Result, Stage
from workbench.lanes import pool
from workbench.lanes.engine import Request
from workbench.lanes.lane import Lane, Sampling, Turn
from workbench.retrieval.passage import Passage

FEWEST = 8  # tokens of an answer whose speed says anything


def run(project: Path) -> Stage:
    """Yields Progress and last a Result with a tuple of Figures."""
    with bare_and_tuned(project, _answering.TOKENS) as (bare, tuned, made):
        raw = RawLoop(pool.model(bare.model), pool.thread_limit())
        found = yield from rounds("Decoding", lambda: _one_round(bare, tuned, raw))
        raw.close()
        pool.clear()
    yield Result(
        (
            in_turn("prefill, lane beside bare llama.cpp", found, "prefill", "raw prefill", "tokens/s"),
            in_turn("decode, lane beside bare llama.cpp", found, "decode", "raw decode", "tokens/s"),
            in_turn("long prompt and answer, lane beside bare llama.cpp", found, "whole", "raw whole", "tokens/s"),
            in_turn("decode, fine-tuned beside base", found, "tuned", "as long", "tokens/s", made),
            in_turn("first token, second turn beside first, one document", found, "second turn", "first turn", "s"),
            in_turn("first token, second turn beside its prompt unread", found, "second turn", "unread turn", "s"),
        )
    )


def _one_round(bare: Lane, tuned: Lane, raw: RawLoop) -> dict[str, float]:
    """Tokens per second of each measurement, taken one after the other; reading in the order ours, raw, raw, ours,
    decoding in the order fine-tuned, base, base, fine-tuned, so that a slope in the machine's speed hits both alike."""
    request = reading(bare)
    long = answers((unseen(request),))[0]
    prompt = raw.model.prompt_tokens(long.prompt)
    raw.use_threads(pool.advised_threads())
    raw_prefill = statistics.harmonic_mean([raw.prefill(prompt) for _ in range(2)])
    again = answers((unseen(request),))[0]
    prefill = 2 * len(prompt) / (long.first_token_seconds + again.first_token_seconds)
    whole = answers((unseen(_said(request)),))[0]
    base = answers((Request(STORY, bare),))[0]
    first = answers((Request(STORY, tuned),))[0]
    # As long as the fine-tuned answer, which may end sooner: the first tokens of an answer take longer than later ones.
    short = replace(bare, sampling=Sampling(max_tokens=max(FEWEST, first.answer_tokens)))
    before, after, second = (answers((Request(STORY, lane),))[0] for lane in (short, short, tuned))
    return {
        "prefill": prefill,
        "raw prefill": raw_prefill,
        "whole": (len(prompt) + whole.answer_tokens)
        / (whole.first_token_seconds + (whole.answer_tokens - 1) / whole.tokens_per_second),
        "raw whole": raw.answer(prompt, whole.answer_tokens),
        "decode": base.tokens_per_second,
        "raw decode": raw.decode(raw.model.prompt_tokens(base.prompt), base.answer_tokens),
        "tuned": statistics.harmonic_mean([first.tokens_per_second, second.tokens_per_second]),
        "as long": statistics.harmonic_mean([before.tokens_per_second, after.tokens_per_second]),
        **_conversation(request),
    }


def _said(request: Request) -> Request:
    """The same with an answer as long as the others."""
    return replace(request, lane=replace(request.lane, sampling=Sampling(max_tokens=_answering.TOKENS)))


def _conversation(request: Request) -> dict[str, float]:
    """Seconds to the first token of two turns about one document, and of the second where nothing was kept."""
    document = (Passage("log", "log.txt", "", _answering.DOCUMENT, 1.0),)
    asked = replace(request, lane=replace(request.lane, context="full"), passages=document)
    first = answers((unseen(asked),))[0]
    again = replace(asked, question="Which of the ships came home?", history=(Turn(asked.question, first.text),))
    second = answers((again,))[0]
    unread = answers((unseen(again),))[0]
    times = {"first turn": first, "second turn": second, "unread turn": unread}
    return {name: found.first_token_seconds for name, found in times.items()}
