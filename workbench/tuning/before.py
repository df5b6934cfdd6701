"""The bare model's loss on held-out rows, kept: a learning curve and a second try hold out the very same rows.

A fresh adapter changes nothing, so what is measured before the first step depends on the model and the rows alone.
Only figures are kept, in the cache of this computer, since a last bit may differ on another.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from workbench import paths, processor, records
from workbench.errors import DiskFull
from workbench.tuning.course import RowLoss
from workbench.tuning.recipe import Recipe
from workbench.tuning.tokens import Tokens

FOLDER, MOST = "held-out", 60  # in the cache; so many measurements of a few dozen figures each


def key(recipe: Recipe, precision: str, rows: Sequence[Tokens]) -> str:
    """What the losses depend on; "" where there is no model file to tell it from."""
    import torch

    if not recipe.model.is_file():
        return ""
    stat = recipe.model.stat()
    model = f"{recipe.model.absolute()} {stat.st_size} {stat.st_mtime_ns}"
    how = f"{precision} {torch.__version__} {processor.name()} {torch.cuda.is_available()} {recipe.backend}"
    return records.hash_text(f"{model} {how} {[(row.ids, row.spans) for row in rows]}")[:32]


def known(name: str, rows: int) -> tuple[RowLoss, ...] | None:
    """The losses under a key, None where so many rows were not measured yet."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        found = tuple(RowLoss(float(total), float(behind)) for total, behind in records.read_json(_place(name)))
        return found if len(found) == rows else None
    return None


def keep(name: str, losses: Sequence[RowLoss]) -> None:
    """Keep them, and no more than MOST in all; a cache that is full costs nothing."""
    if not name or not losses:
        return
    with contextlib.suppress(OSError, DiskFull):
        _place(name).parent.mkdir(parents=True, exist_ok=True)
        records.write_json(_place(name), [list(each) for each in losses])
        oldest = sorted(_place(name).parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in oldest[:-MOST]:
            path.unlink()


def _place(name: str) -> Path:
    return paths.cache_folder() / FOLDER / f"{name}.json"
