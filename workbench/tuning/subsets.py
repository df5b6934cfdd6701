"""STAGE rows_of(folder): the rows of a finished run, split as it split them, as plain records; smaller shares of them.

The rows of a smaller share are among those of a larger one, so that a curve over shares shows what more rows add and
not what other rows are.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from workbench import records
from workbench.catalog.gguf_header import read_header
from workbench.errors import InputError, MissingFile
from workbench.events import Progress, Result, Stage
from workbench.tuning.adapter import recorded_hash
from workbench.tuning.dataset import Dataset, Example, read_dataset, split
from workbench.tuning.recipe import Recipe, read_recipe
from workbench.tuning.tokens import load_tokenizer

Item = TypeVar("Item")


class Kind(Protocol):
    """What is read of an example here."""

    @property
    def grounded(self) -> bool: ...


AnyKind = TypeVar("AnyKind", bound=Kind)


@dataclass(frozen=True, slots=True)
class PlainRow:
    """A row as a lane is asked it."""

    system: str
    history: tuple[tuple[str, str], ...]  # earlier exchanges: message, answer
    question: str
    answer: str
    grounded: bool  # whether the question brings its passages
    tokens: int  # of the whole row with the model's template
    answer_tokens: int


@dataclass(frozen=True, slots=True)
class RunRows:
    """The rows of a run."""

    train: tuple[PlainRow, ...]  # in the order in which a growing share takes them
    held_out: tuple[PlainRow, ...]
    context: int  # tokens the model was trained to read


def in_order(items: Sequence[Item], seed: int) -> list[Item]:
    """The order in which a growing share takes them."""
    found = list(items)
    random.Random(seed).shuffle(found)
    return found


def row_count(rows: int, share: float) -> int:
    """How many rows a share of them is; at least one."""
    return max(1, min(rows, round(rows * share)))


def take_share(examples: Sequence[Item], share: float, seed: int) -> list[Item]:
    """A share of the rows, in the order in which they came; all of them for a share of 1."""
    if share >= 1:
        return list(examples)
    taken = set(in_order(range(len(examples)), seed)[: row_count(len(examples), share)])
    return [example for place, example in enumerate(examples) if place in taken]


def spread(examples: Sequence[AnyKind], most: int) -> list[AnyKind]:
    """At most so many of the examples, each kind (with passages or without) in proportion, in the order they came."""
    count = min(most, len(examples))
    by_kind = sorted(range(len(examples)), key=lambda place: examples[place].grounded)
    return [examples[place] for place in sorted(by_kind[each * len(examples) // count] for each in range(count))]


def rows_of(folder: Path) -> Stage:
    """Read the rows of the run in `folder` again; the last Result is a RunRows.

    Raises MissingFile where a training file is gone, InputError where one has changed or the run has none.
    """
    recipe = read_recipe(folder / "recipe.json")
    _check_files(folder, recipe)
    yield Progress(0, 0, "reading the training files", "rows")
    tokenizer, dataset = load_tokenizer(recipe.model), None
    for step in read_dataset(recipe.datasets, tokenizer, recipe.max_tokens, recipe.columns):
        if isinstance(step, Progress):
            yield step
        else:
            dataset = step
    assert isinstance(dataset, Dataset)
    training, held_out = split(dataset.examples, recipe.eval_share, recipe.seed)
    header = read_header(recipe.model)
    context = int(header.metadata.get(f"{header.architecture}.context_length", 0))
    train = in_order(training, recipe.seed)
    yield Result(RunRows(tuple(map(_plain, train)), tuple(map(_plain, held_out)), context))


def _check_files(folder: Path, recipe: Recipe) -> None:
    hashes = records.read_json(folder / "manifest.json").get("datasets") or {}
    if not recipe.datasets:
        raise InputError(f"{recipe.name} was made elsewhere, so its rows are not here.")
    for path in recipe.datasets:
        if not path.is_file():
            raise MissingFile(f"The training file {path} is not there any more: put it back to go on.")
        if recorded_hash(hashes, path, folder) != records.hash_file(path):
            raise InputError(f"{path.name} has changed since {recipe.name} was trained on it: fine-tune on it anew.")


def _plain(example: Example) -> PlainRow:
    messages = list(example.messages)
    system = messages.pop(0)[1] if messages[0][0] == "system" else ""
    asked, answers = messages[:-1:2], messages[1::2]
    pairs = tuple((question[1], answer[1]) for question, answer in zip(asked, answers, strict=True))
    start, end = example.tokens.spans[-1]
    question, answer = pairs[-1]
    return PlainRow(system, pairs[:-1], question, answer, example.grounded, len(example.tokens.ids), end - start)
