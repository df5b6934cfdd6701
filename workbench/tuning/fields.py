"""Settings of a recipe that a person may change: what each may be, and one given as text, `FIELD=VALUE`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.errors import InputError
from workbench.tuning.adapter import TENSORS
from workbench.tuning.recipe import BACKENDS, MLP, Recipe

BOUNDS: dict[str, tuple[float, float]] = {  # the least and the most of each number
    "epochs": (0.25, 20),
    "minutes": (0, 600),
    "learning_rate": (1e-5, 5e-3),
    "b_rate": (1, 32),
    "warmup": (0, 0.5),
    "rank": (1, 128),
    "alpha": (1, 256),
    "batch_size": (1, 64),
    "max_tokens": (64, 8192),
    "tokens_at_once": (0, 16384),
    "patience": (0, 20),
    "eval_share": (0, 0.5),
    "seed": (0, 2**31 - 1),
    "threads": (0, 64),
}
CHOICES: dict[str, tuple[str, ...]] = {"precision": ("auto", "fp32", "bf16"), "backend": BACKENDS}
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
TARGETS: dict[str, tuple[str, ...]] = {"all": tuple(TENSORS), "attention": ATTENTION, "mlp": MLP}
NAMES = (*BOUNDS, "layers", "targets", *CHOICES)
_TYPES = {field.name: field.type for field in dataclasses.fields(Recipe)}


def parse_setting(text: str, layers: Callable[[], int]) -> dict[str, Any]:
    """What `FIELD=VALUE` changes of a recipe; `layers` tells how many the model has. Raises InputError, naming it.

    Layers are `all`, the number of the uppermost ones that are trained, or a range such as 12-29; targets are `all`,
    `attention`, or projections with commas between.
    """
    name, found, value = (part.strip() for part in text.partition("="))
    if not found or name not in NAMES:
        raise InputError(f"{text!r} sets nothing that can be set: write FIELD=VALUE, FIELD one of {', '.join(NAMES)}.")
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise InputError(f"{name} cannot be {value!r}: choose {', '.join(CHOICES[name])}.")
        return {name: value}
    if name == "targets":
        return {name: _targets(value)}
    return {name: _layers(value, layers()) if name == "layers" else _number(name, value)}


def _number(name: str, value: str) -> float | int:
    low, high = BOUNDS[name]
    whole = _TYPES[name] == "int"
    try:
        found = int(value) if whole else float(value)
    except ValueError:
        found = float("nan")
    if not low <= found <= high:
        kind = "a whole number" if whole else "a number"
        raise InputError(f"{name} cannot be {value!r}: it is {kind} from {low:g} to {high:g}.")
    return found


def _targets(value: str) -> tuple[str, ...]:
    wanted = TARGETS.get(value) or tuple(part.strip() for part in value.split(","))
    if unknown := [each for each in wanted if each not in TENSORS]:
        raise InputError(
            f"targets cannot be {unknown[0]!r}: write all, attention, mlp, or some of {', '.join(TENSORS)} with commas."
        )
    return wanted


def _layers(value: str, count: int) -> tuple[int, ...]:
    if value == "all":
        return tuple(range(count))
    if value.isdigit() and 1 <= int(value) <= count:
        return upper(int(value), count)
    span = re.fullmatch(r"(\d+)-(\d+)", value)
    if span and int(span[1]) <= int(span[2]) < count:
        return tuple(range(int(span[1]), int(span[2]) + 1))
    raise InputError(
        f"layers cannot be {value!r}: the model has {count}, so write all, how many of the uppermost (1 to {count}), "
        f"or a range within 0-{count - 1}."
    )


def upper(number: int, count: int) -> tuple[int, ...]:
    """The uppermost layers of so many."""
    return tuple(range(count - number, count))


def context_of(model: Path) -> int:
    """How many tokens a model was made to read, 0 where its file does not tell. Raises BadModel."""
    from workbench.catalog.gguf_header import read_header

    header = read_header(model)
    return int(header.metadata.get(f"{header.architecture}.context_length", 0))


def within_context(recipe: Recipe) -> tuple[Recipe, str]:
    """The recipe with rows no longer than its model can read, and why that was changed, "" where it was not."""
    context = context_of(recipe.model)
    if not 0 < context < recipe.max_tokens:
        return recipe, ""
    said = f"The longest row is set to {context:,} tokens in place of {recipe.max_tokens:,}: the model reads no more."
    return dataclasses.replace(recipe, max_tokens=context), said
