"""Benchmark: what lanes side by side take beside one of them, and beside bare llama.cpp decoding them in one batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from workbench.bench import Figure, _answering
from workbench.bench._answering import (
    STORY,
    SYSTEMS,
    answers,
    bare_and_tuned,
    in_turn,
    reading,
    rounds,
    unseen,
    weighed,
)
from workbench.bench._raw import RawLoop, seconds_of
from workbench.events import Progress, Result, Stage
from workbench.lanes import pool
from workbench.lanes.engine import Request
from workbench.lanes.lane import Lane

FOUR = 4  # lanes side by side


def run(project: Path) -> Stage:
    """Yields Progress and last a Result with a tuple of Figures."""
    with bare_and_tuned(project, _answering.TOKENS) as (bare, tuned, made):
        raw = RawLoop(pool.model(bare.model), pool.thread_limit(), FOUR)
        found = yield from rounds("Asking side by side", lambda: _one_round(bare, tuned, raw))
        raw.close()
        pool.clear()
        figures = [
            in_turn("four lanes in one batch beside bare llama.cpp", found, "together", "raw together", "tokens/s"),
            in_turn("four lanes with prompts of their own beside the slowest", found, "own", "slowest own", "s"),
            in_turn("base, prompted, tuned, documents beside the slowest", found, "kinds", "slowest kind", "s", made),
            in_turn("four lanes with one prompt beside one", found, "four", "one", "s"),
        ]
        yield Progress(0, 0, "Weighing the lanes")
        figures += _memory(bare, tuned)
    yield Result(tuple(figures))


def _one_round(bare: Lane, tuned: Lane, raw: RawLoop) -> dict[str, float]:
    """Seconds and tokens per second of each measurement, taken one after the other."""
    raw.use_threads(pool.advised_threads())
    same = tuple(Request(STORY, replace(bare, name=f"lane {number}")) for number in range(FOUR))
    own = tuple(
        Request(STORY, replace(bare, name=f"lane {number}", system=system)) for number, system in enumerate(SYSTEMS)
    )
    found = {**_beside_slowest("own", own), **_beside_slowest("kind", _kinds(bare, tuned))}
    found["kinds"] = found.pop("kind")
    pool.forget()
    found["four"] = seconds_of(lambda: answers(same))
    pool.forget()
    found["one"] = seconds_of(lambda: answers(same[:1]))
    together = answers(same)
    tokens = raw.model.prompt_tokens(together[0].prompt)
    found["together"] = sum(each.tokens_per_second for each in together)
    found["raw together"] = raw.decode_together(tokens, together[0].answer_tokens)
    return found


def _kinds(bare: Lane, tuned: Lane) -> tuple[Request, ...]:
    """One lane of each kind, so that they share neither prompt nor, all of them, a batch."""
    asked = reading(bare)
    plain = (bare, replace(bare, name="prompted", system=SYSTEMS[1]), tuned)
    return (*(Request(asked.question, lane) for lane in plain), asked)


def _beside_slowest(name: str, requests: tuple[Request, ...]) -> dict[str, float]:
    """Seconds of all lanes together, and of the slowest of them alone; nothing was read before."""
    slowest = max(seconds_of(lambda each=each: answers((unseen(each),))) for each in requests)  # type: ignore[misc]
    pool.forget()
    return {f"slowest {name}": slowest, name: seconds_of(lambda: answers(requests))}


def _memory(bare: Lane, tuned: Lane) -> list[Figure]:
    """The engine's memory after four and five kinds of lanes answered, beside that after one and what was planned."""
    asked, four = reading(bare), _kinds(bare, tuned)
    both = replace(asked.lane, name="rag+tuned", adapter=tuned.adapter, grounded_examples=False)
    five = (*four, replace(asked, lane=both))
    (fours, _, fours_cache) = weighed(four)
    (ours, ours_planned, ours_cache), (one, one_planned, one_cache) = weighed(five), weighed((asked,))
    without, without_four, without_one = ours - ours_cache, fours - fours_cache, one - one_cache
    note = "the engine's process, weights included"
    four_note = f"{note}; caches of {fours_cache:.0f} and {one_cache:.0f} MB taken off"
    bare_note = f"{note}; caches of {ours_cache:.0f} and {one_cache:.0f} MB taken off"
    four_ratio = without_four / without_one
    return [
        Figure("memory, four lanes beside one, without caches", without_four, without_one, four_ratio, "MB", four_note),
        Figure("memory, five lanes beside one", ours, one, ours / one, "MB", note),
        Figure("the same without key-value caches", without, without_one, without / without_one, "MB", bare_note),
        Figure("memory, five lanes beside what was planned", ours, ours_planned, ours / ours_planned, "MB"),
        Figure("memory, one lane beside what was planned", one, one_planned, one / one_planned, "MB"),
    ]
