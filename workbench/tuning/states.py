"""States of a run on its way: the adapter's weights at about six steps, evenly over the run, thinned as it goes.

While a run trains they are safetensors. One that is done has them as GGUF adapters, so that llama.cpp can be asked with
each; they lie in its folder and go with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.errors import DiskFull
from workbench.tuning import adapter
from workbench.tuning.checkpoint import save_weights
from workbench.tuning.recipe import Recipe

FOLDER = "states"
MOST = 6  # kept; of an adapter of the starter each takes 8 MB


def keep_state(folder: Path, step: int, parameters: dict[str, Any]) -> None:
    """Keep the trained tensors as they are after some step, and no more than MOST of all.

    A disk without room for one costs no run: what the run itself needs is written, and refused, by itself.
    """
    with contextlib.suppress(DiskFull):
        save_weights(folder, step, parameters)
    steps = sorted(_steps(folder))
    if len(steps) > MOST:
        _remove(folder, spare(steps))


def spare(steps: Sequence[int]) -> int:
    """Of steps in order, the one between whose neighbours the least is left out; never the last.

    Dropping it whenever there is one too many keeps the others even, however long the run turns out to be.
    """
    before = (0, *steps)
    return steps[min(range(len(steps) - 1), key=lambda place: steps[place + 1] - before[place])]


def forget_later(folder: Path, step: int) -> None:
    """Remove the states of later steps: a run that goes on after `step` takes those anew."""
    for each in [each for each in _steps(folder) if each > step]:
        _remove(folder, each)


def convert_states(recipe: Recipe) -> None:
    """Make GGUF adapters of what was kept. Raises BadModel as `adapter.convert` does, and DiskFull."""
    from safetensors.torch import load_file  # a card's trainer keeps them in bf16, which numpy has not

    for path in sorted((recipe.folder / FOLDER).glob("*.safetensors")):
        tensors = {name.replace(".default.", "."): each.float().cpu().numpy() for name, each in load_file(path).items()}
        adapter.write_adapter(tensors, recipe.alpha, recipe.model, path.with_suffix(".gguf"))
        path.unlink()


def kept_states(folder: Path) -> dict[int, Path]:
    """The GGUF adapters of a run's folder by their step, in order; none for a run that was not kept so."""
    found = {int(path.stem): path for path in (folder / FOLDER).glob("*.gguf") if path.stem.isdigit()}
    return dict(sorted(found.items()))


def size_of(folder: Path) -> int:
    """Bytes that the states of a run's folder take."""
    return sum(path.stat().st_size for path in (folder / FOLDER).glob("*") if path.is_file())


def _steps(folder: Path) -> set[int]:
    return {int(path.stem) for path in folder.glob("*") if path.stem.isdigit()}


def _remove(folder: Path, step: int) -> None:
    for path in folder.glob(f"{step}.*"):
        path.unlink()
