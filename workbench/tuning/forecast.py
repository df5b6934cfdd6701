"""What a fine-tune takes here, told from what a dry run measured: seconds, memory, and what would fit instead.

Nothing heavy is needed for it. A step's cost is what the layers below the adapter take forwards, once, plus what those
with an adapter take both ways; both were measured, so a recipe of more layers or passes is told from the same figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Protocol

from workbench.tuning.recipe import Recipe, held_out_count

MEASURED_ROWS = 32  # held-out rows that are measured during a run, as loop.MEASURED
LOOKS = 5  # times they are measured after the first, as the loop's rhythm has it
SAMPLED = 3  # times held-out rows are answered: before, half-way, at the end
BUSY = 0.5  # processor cores that other programs use, from where on they are felt
LEAST_AT_ONCE, LEAST_ROW = 128, 128  # tokens; fewer at once save nothing any more, and shorter rows hold no example


@dataclass(frozen=True, slots=True)
class Offer:
    """A change of a recipe that makes it fit."""

    changes: dict[str, Any]  # of the recipe's fields
    memory: int  # bytes it takes then
    words: str  # "with" which it fits: "320 tokens at once"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a recipe takes."""

    steps: int
    seconds: float  # from the start to the adapter
    memory: int  # bytes at the peak
    memory_needed: int  # bytes without which it cannot run: what it remembers takes what else is free
    fits: bool
    offer: Offer | None  # where it does not


class Shape(Protocol):
    """What must be known of the rows; a tuning.dataset.DatasetReport has it."""

    @property
    def examples(self) -> int: ...
    @property
    def tokens(self) -> int: ...
    @property
    def lengths(self) -> dict[str, int]: ...
    @property
    def histogram(self) -> tuple[tuple[int, int], ...]: ...


@dataclass(frozen=True, slots=True)
class Measured:
    """What a dry run measured. Tokens are counted as they are computed: what rows share counts once, padding counts."""

    backend: str  # "cpu (bf16)"
    at: str  # ISO time
    parameters: int  # of the model
    layers: int  # of the model
    trained: int  # of these, from the lowest with an adapter upwards
    remembers: bool  # whether later passes need not compute the layers below again
    start_seconds: float  # from the start of the process to the first computation: libraries, rows, weights
    first: float  # seconds a token takes in a step of the first pass
    later: float  # the same in later passes
    look: float  # the same of a held-out row, from which nothing is learnt, once the layers below are remembered
    sample_seconds: float  # answering the sample rows once
    rows: int  # that are learnt from
    pass_tokens: int  # of one pass over them
    read_tokens: int  # the same as they stand in the rows
    held_tokens: int  # of the held-out rows that are measured
    longest: int  # tokens of the longest row
    at_once: int  # tokens of the largest part that is computed at once
    loaded: int  # bytes resident before the first computation
    learning: int  # bytes at the peak, while the longest rows were learnt
    ending: int = 0  # bytes that the look at the end takes beyond it
    end_seconds: float = 0.0  # from the last step to the adapter: general text, converting, llama.cpp
    once: float = 0.0  # seconds that the first look and the first step take beyond those that follow
    keep_seconds: float = 0.0  # keeping a checkpoint and a state
    state_bytes: int = 0  # bytes that are remembered of a token
    others: float = 0.0  # processor cores that other programs used meanwhile
    card: int = 0  # bytes of the graphics card's memory at the peak
    tried: bool = True  # False: the longest rows were left out, for they would not have fit; `learning` is reckoned
    here: bool = True  # False: told for these rows from what was measured with others

    @property
    def disturbed(self) -> bool:
        """Whether other programs took so much that it would be faster without them."""
        return self.others >= BUSY

    @property
    def tokens_per_second(self) -> float:
        """Tokens of rows a second, as a run shows it in its first pass."""
        return self.read_tokens / max(self.first * self.pass_tokens, 1e-9)


def tell(measured: Measured, recipe: Recipe, free: int) -> Forecast:
    """What a recipe takes where `free` bytes of memory are free."""
    steps, need = step_count(measured.rows, recipe), needed(measured, recipe)
    taken = memory(measured, recipe, free)
    return Forecast(steps, seconds(measured, recipe), taken, need, need <= free, offer(measured, recipe, free))


def step_count(rows: int, recipe: Recipe) -> int:
    """Optimiser steps over so many rows."""
    return max(1, round(recipe.epochs * -(-rows // recipe.batch_size)))


def seconds(measured: Measured, recipe: Recipe) -> float:
    """About how long a recipe takes from start to adapter, its evaluations and the look at the end included.

    What a recipe with shorter rows saves is not told: it is an upper bound there.
    """
    steps = step_count(measured.rows, recipe)
    above = measured.layers - min(recipe.layers, default=0)
    below = measured.layers - above
    layer_below, layer_above = _layer_costs(measured)
    again = 0.0 if measured.remembers else below * layer_below
    tokens = measured.pass_tokens
    first = tokens * min(1.0, recipe.epochs) * (below * layer_below + above * layer_above)
    learning = first + tokens * max(0.0, recipe.epochs - 1) * (again + above * layer_above)
    if recipe.minutes:
        learning = min(learning, 60 * recipe.minutes)
    look = measured.look * above / measured.trained
    looks = math.ceil(steps / (recipe.eval_every or math.ceil(steps / LOOKS)))
    looking = measured.held_tokens * (below * layer_below + look * (1 + looks)) + measured.keep_seconds * looks
    sampling = SAMPLED * measured.sample_seconds if recipe.sample_rows else 0.0
    return measured.start_seconds + measured.once + learning + looking + sampling + measured.end_seconds


def _layer_costs(measured: Measured) -> tuple[float, float]:
    """Seconds a token takes in a layer below the adapter, forwards, and in one with it, both ways."""
    below = measured.layers - measured.trained
    if measured.remembers and below:
        return max(0.0, measured.first - measured.later) / below, measured.later / measured.trained
    # Nothing tells the two apart here: a layer's way back costs about twice its way forth where an adapter is trained.
    unit = measured.first / (below + 3 * measured.trained)
    return unit, 3 * unit


def memory(measured: Measured, recipe: Recipe, free: int = 0) -> int:
    """Bytes a recipe takes at its peak, with what it remembers as far as `free` bytes have room for it."""
    tokens = _at_once(measured, recipe)
    states = measured.state_bytes * (measured.read_tokens + measured.held_tokens)
    room = free // 4  # what the CPU trainer allows them
    return max(_learning(measured, recipe, tokens) + min(states, room), _in_full(measured)) + measured.ending


def needed(measured: Measured, recipe: Recipe) -> int:
    """Bytes without which a recipe cannot run: what it remembers beyond that takes what is left."""
    return max(_learning(measured, recipe, _at_once(measured, recipe)), _in_full(measured)) + measured.ending


def _at_once(measured: Measured, recipe: Recipe) -> int:
    """Tokens of the largest part: so many as are allowed and were met, or one row that is longer."""
    allowed = min(measured.at_once, recipe.tokens_at_once or measured.at_once)
    return max(allowed, min(measured.longest, recipe.max_tokens))


def _learning(measured: Measured, recipe: Recipe, tokens: int) -> int:
    """What is loaded, and what is kept for the way back: in proportion to the tokens and the layers."""
    layers = (measured.layers - min(recipe.layers, default=0)) / measured.trained
    return measured.loaded + int((measured.learning - measured.loaded) * layers * tokens / measured.at_once)


def _in_full(measured: Measured) -> int:
    """The last look is in full precision: two more bytes a weight where training was in half."""
    return measured.loaded + (2 * measured.parameters if "bf16" in measured.backend and not measured.card else 0)


def offer(measured: Measured, recipe: Recipe, free: int) -> Offer | None:
    """The mildest change with which a recipe fits into `free` bytes; None where it fits, or where nothing helps.

    Fewer tokens at once cost time alone; shorter rows lose the beginning of the longest; fewer layers learn less.
    """
    if needed(measured, recipe) <= free:
        return None
    for changes, words in _ways(measured, recipe):
        changed = replace(recipe, **changes)
        if needed(measured, changed) <= free:
            return Offer(changes, needed(measured, changed), words)
    return None


def _ways(measured: Measured, recipe: Recipe) -> list[tuple[dict[str, Any], str]]:
    longest = min(measured.longest, recipe.max_tokens)
    ways: list[tuple[dict[str, Any], str]] = []
    fewer, least = recipe.tokens_at_once or measured.at_once, max(LEAST_AT_ONCE, longest)
    while fewer > least:
        fewer = max(fewer // 128 * 64, least)
        ways.append(({"tokens_at_once": fewer}, f"{fewer} tokens at once"))
    shorter = longest
    while shorter > LEAST_ROW:
        shorter = max(shorter // 128 * 64, LEAST_ROW)
        changes = {"tokens_at_once": shorter, "max_tokens": shorter}
        ways.append((changes, f"rows of at most {shorter} tokens"))
    layers, last = tuple(recipe.layers or range(measured.layers)), ways[-1][0] if ways else {}
    while len(layers) > 2:
        layers = layers[-(len(layers) // 2) :]
        also = f" and rows of at most {last['max_tokens']} tokens" if "max_tokens" in last else ""
        ways.append(({**last, "layers": layers}, f"{len(layers)} trained layers{also}"))
    return ways


def for_rows(measured: Measured, report: Shape, recipe: Recipe) -> Measured:
    """What was measured with other rows, told for these: an estimate."""
    held = held_out_count(report.examples, recipe.eval_share)
    mean = report.tokens / max(1, report.examples)
    packed = measured.pass_tokens / max(1, measured.read_tokens)
    rows, longest = report.examples - held, min(report.lengths.get("longest", int(mean)), recipe.max_tokens)
    return replace(
        measured,
        rows=rows,
        pass_tokens=int(rows * mean * packed),
        read_tokens=int(rows * mean),
        held_tokens=int(min(held, MEASURED_ROWS) * mean),
        longest=longest,
        here=False,
    )
