"""Which rows stand in which optimiser step: seeded, and rows that read the same passages side by side."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from workbench.tuning.recipe import Recipe


def plan_batches(sources: Sequence[str], recipe: Recipe) -> list[list[int]]:
    """The rows of every optimiser step, as places; each pass in its own seeded order, the last one cut off.

    `sources` has a mark for each row, equal where rows read the same passages and "" where a row reads none. Rows of
    one source come in one step where they fit, so that their passages are read once (see `packing`), and because rows
    that differ in the question alone teach that the question matters. Steps hold `batch_size` rows on average.
    """
    size = min(recipe.batch_size, len(sources))
    batches: list[list[int]] = []
    left = recipe.epochs
    while left > 0:
        one_pass = _one_pass(sources, size, random.Random(recipe.seed * 1000 + len(batches)))
        batches += one_pass[: round(len(one_pass) * min(1.0, left))]
        left -= 1.0
    return batches or _one_pass(sources, size, random.Random(recipe.seed))[:1]


def _one_pass(sources: Sequence[str], size: int, pick: random.Random) -> list[list[int]]:
    """All rows once. A step is over when the rows so far reach its share, so late ones make up for full ones."""
    groups = _groups(sources, size, pick)
    pick.shuffle(groups)
    batches: list[list[int]] = [[]]
    taken = 0
    for group in groups:
        if taken >= size * len(batches):
            batches.append([])
        batches[-1] += group
        taken += len(group)
    return batches


def _groups(sources: Sequence[str], size: int, pick: random.Random) -> list[list[int]]:
    """Places of rows with one source, in parts of at most `size`."""
    together = defaultdict[str, list[int]](list)
    for place, source in enumerate(sources):
        together[source or f"row {place}"].append(place)
    parts = []
    for places in together.values():
        pick.shuffle(places)
        parts += [places[at : at + size] for at in range(0, len(places), size)]
    return parts
