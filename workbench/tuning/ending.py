"""What follows the last step: what else it changed, the adapter as llama.cpp reads it, and whether they agree.

A dry run goes through the same with what it has learnt, so that a person is told all the minutes there are to wait.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.events import Progress
from workbench.tuning import adapter, effects, states
from workbench.tuning.comparing import compare
from workbench.tuning.recipe import Recipe
from workbench.tuning.tokens import Tokenizer

# Of the seconds the end takes with the starter: seeing what else it changed, converting, comparing.
LOOKING, CONVERTING = 0.45, 0.03
TOLD_FROM = 0.1  # share of the end from which on it is said how long the rest takes


SEEING, WRITING, COMPARING = (
    "seeing what else it changed",
    "writing the adapter for llama.cpp",
    "comparing the adapter in llama.cpp",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """What the end found out."""

    general: dict[str, Any]  # see effects.look_at_general
    parity: dict[str, Any]  # see comparing.compare


def end(
    recipe: Recipe,
    model: Any,
    precision: str,
    examples: Sequence[Any],
    tokenizer: Tokenizer,
    guard: Callable[[], None],
) -> Generator[Progress, None, Ended]:
    """Look at general text, write the adapter and compare it on some of the examples.

    `model` is the peft model, None where it can only be asked by another process; its folder `peft` is written.
    `guard` may raise Interrupted, which is passed on. Raises BadModel and DiskFull as `adapter.convert` does.
    """
    began = time.monotonic()

    def told(share: float, note: str) -> Progress:
        guard()
        spent = time.monotonic() - began
        left = spent / share * (1 - share) if share >= TOLD_FROM else None
        return Progress(round(100 * share), 100, note, "%", seconds_left=left)

    general: dict[str, Any] = {}
    if model is not None and recipe.rows >= 1:  # nobody uses the adapter of a learning curve
        general = yield from see(recipe, model, precision, tokenizer, told)
    parity = yield from hand_over(recipe, model, examples, tokenizer, told)
    return Ended(general or effects.take_general(recipe.folder), parity)


def see(
    recipe: Recipe, model: Any, precision: str, tokenizer: Tokenizer, told: Callable[[float, str], Progress]
) -> Generator[Progress, None, dict[str, Any]]:
    """What else it changed; `told` makes Progress of the share of the whole end that is done."""

    def heard() -> None:
        told(0.0, SEEING)

    look = effects.look_at_general(model, tokenizer, recipe.threads, effects.bare_key(recipe.model, precision), heard)
    yield told(0.0, SEEING)
    with contextlib.closing(look):
        try:
            while True:
                yield told(LOOKING * next(look), SEEING)
        except StopIteration as stop:
            found: dict[str, Any] = stop.value
            return found


def hand_over(
    recipe: Recipe,
    model: Any,
    examples: Sequence[Any],
    tokenizer: Tokenizer,
    told: Callable[[float, str], Progress],
) -> Generator[Progress, None, dict[str, Any]]:
    """Write the adapter for llama.cpp and compare it there; what `compare` gives."""
    yield told(LOOKING, WRITING)
    adapter.convert(recipe.folder / "peft", recipe.model, recipe.folder / adapter.ADAPTER)
    states.convert_states(recipe)
    compared = compare(recipe, model, examples, tokenizer, general=model is None and recipe.rows >= 1)
    with contextlib.closing(compared):
        try:
            while True:
                share, note = next(compared)
                yield told(LOOKING + CONVERTING + (1 - LOOKING - CONVERTING) * share, f"{COMPARING}: {note}")
        except StopIteration as stop:
            found: dict[str, Any] = stop.value
            return found
