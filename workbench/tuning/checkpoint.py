"""A checkpoint: the adapter's weights and the optimiser's state, without pickle; replaced as a whole.

Beside it lie the weights of the best state so far, named by their step: a checkpoint says which step that is, so the
file it means is still there when a kill comes after a better state was written and before the next checkpoint was.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from workbench import records
from workbench.tuning.recipe import RECORDED

# What a person may change between a stop and the next start: none of it changes the numbers that come out.
INCIDENTAL = ("folder", "threads", "checkpoint_every", "extra", "name", "sample_rows", "tokens_at_once")
# Settings a newer version added, each with what was done before it: a run of an older version is still the same run.
ADDED = {"patience": 2, "rows": 1.0, "b_rate": 1.0, "columns": []}


def recipe_key(recipe: Any) -> str:
    """A hash of what decides the outcome of a recipe, the training files' content included."""
    plain = {key: value for key, value in records.to_plain(recipe).items() if key not in INCIDENTAL}
    plain = {key: value for key, value in plain.items() if key not in ADDED or value != ADDED[key]}
    plain["model"] = recipe.extra.get(RECORDED, plain["model"])  # a starter that moved is still the same model
    plain["datasets"] = [records.hash_file(path) for path in recipe.datasets]
    return records.hash_text(str(sorted(plain.items())))


def save_checkpoint(folder: Path, parameters: dict[str, Any], optimizer: Any, state: dict[str, Any]) -> None:
    """Write a checkpoint beside the last one, then put it in its place.

    `parameters` are the trained tensors by name; `state` is plain and holds the step. Raises DiskFull.
    """
    from safetensors.torch import save_file

    fresh, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    shutil.rmtree(fresh, ignore_errors=True)
    with records.naming_full_disk(fresh):
        fresh.mkdir(parents=True)
        save_file({name: tensor.detach() for name, tensor in parameters.items()}, fresh / "adapter.safetensors")
        save_file(_moments(parameters, optimizer), fresh / "optimizer.safetensors")
        records.write_json(fresh / "state.json", state)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(fresh, folder)
    shutil.rmtree(old, ignore_errors=True)


def _moments(parameters: dict[str, Any], optimizer: Any) -> dict[str, Any]:
    return {
        f"{name}.{key}": optimizer.state[tensor][key]
        for name, tensor in parameters.items()
        for key in ("exp_avg", "exp_avg_sq", "step")
        if tensor in optimizer.state
    }


def read_state(folder: Path) -> dict[str, Any] | None:
    """The plain part of a checkpoint, None when there is no whole one. A half-replaced one is put right first."""
    for spare in (folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")):
        if not folder.exists() and (spare / "state.json").exists():
            os.replace(spare, folder)
    with contextlib.suppress(OSError, ValueError):
        state: dict[str, Any] = records.read_json(folder / "state.json")
        return state
    return None


def load_checkpoint(folder: Path, parameters: dict[str, Any], optimizer: Any) -> None:
    """Put a checkpoint's tensors back into the model and the optimiser."""
    import torch
    from safetensors.torch import load_file

    saved = load_file(folder / "adapter.safetensors")
    moments = load_file(folder / "optimizer.safetensors")
    with torch.no_grad():
        for name, tensor in parameters.items():
            tensor.copy_(saved[name])
    for name, tensor in parameters.items():
        if f"{name}.step" in moments:
            optimizer.state[tensor] = {
                key: moments[f"{name}.{key}"].to(tensor.device) for key in ("exp_avg", "exp_avg_sq", "step")
            }


def save_weights(folder: Path, step: int, parameters: dict[str, Any]) -> None:
    """Keep the trained tensors as they are after some step. Raises DiskFull."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{step}.part"
    with records.naming_full_disk(part):
        save_file({name: tensor.detach() for name, tensor in parameters.items()}, part)
    os.replace(part, _weights(folder, step))


def load_weights(folder: Path, step: int, parameters: dict[str, Any]) -> None:
    """Put the tensors of some step back into the model."""
    import torch
    from safetensors.torch import load_file

    saved = load_file(_weights(folder, step))
    with torch.no_grad():
        for name, tensor in parameters.items():
            tensor.copy_(saved[name])


def keep_weights(folder: Path, step: int) -> None:
    """Remove what was kept of all other steps; only after a checkpoint that no longer means them."""
    for path in folder.glob("*"):
        if path != _weights(folder, step):
            path.unlink()


def _weights(folder: Path, step: int) -> Path:
    return folder / f"{step}.safetensors"
