"""A checkpoint: the adapter's weights and the optimiser's state, without pickle; replaced as a whole.

All of it is on the disk before it takes the place of the one before, which stays as a spare until the next: where the
power fails, a file may be shorter than it was written.

Beside it lie the weights of the best state so far, named by their step: a checkpoint says which step that is, so the
file it means is still there when a kill comes after a better state was written and before the next checkpoint was.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from workbench import records
from workbench.events import Note
from workbench.tuning.recipe import RECORDED

FELL_BACK = "fell_back"  # in a state: it is of before the last checkpoint, which was not whole

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

    fresh, old = folder.with_name(folder.name + ".new"), _spare(folder)
    shutil.rmtree(fresh, ignore_errors=True)
    with records.naming_full_disk(fresh):
        fresh.mkdir(parents=True)
        for name, tensors in (
            ("adapter", {name: tensor.detach() for name, tensor in parameters.items()}),
            ("optimizer", _moments(parameters, optimizer)),
        ):
            save_file(tensors, fresh / f"{name}.safetensors")
            _settle(fresh / f"{name}.safetensors")
        records.write_json(fresh / "state.json", state)
        _settle(fresh)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(fresh, folder)
    _settle(folder.parent)


def _settle(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk now."""
    if path.is_dir() and os.name == "nt":  # a folder cannot be opened there
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _spare(folder: Path) -> Path:
    return folder.with_name(folder.name + ".old")


def forget_spare(folder: Path) -> None:
    """Remove the checkpoint before the last one: the run is done."""
    shutil.rmtree(_spare(folder), ignore_errors=True)


def spare_best(folder: Path) -> int:
    """The step whose weights the checkpoint before the last one means by the best state, 0 for none."""
    state = _plain_state(_spare(folder)) or {}
    return int(state.get("course", {}).get("best_step", 0))


def _moments(parameters: dict[str, Any], optimizer: Any) -> dict[str, Any]:
    return {
        f"{name}.{key}": optimizer.state[tensor][key]
        for name, tensor in parameters.items()
        for key in ("exp_avg", "exp_avg_sq", "step")
        if tensor in optimizer.state
    }


def read_state(folder: Path) -> dict[str, Any] | None:
    """The plain part of a checkpoint, None when there is no whole one.

    A half-replaced one is put right first, and one that a power failure cut short gives way to the one before, which is
    then marked as that (see `fell_back`).
    """
    old = _spare(folder)
    for spare in (folder.with_name(folder.name + ".new"), old):
        if not folder.exists() and (spare / "state.json").exists():
            os.replace(spare, folder)
    state = _plain_state(folder)
    if state is None and (before := _plain_state(old)) is not None:
        shutil.rmtree(folder, ignore_errors=True)
        records.write_json(old / "state.json", {**before, FELL_BACK: True})
        os.replace(old, folder)
        state = _plain_state(folder)
    return state


def _plain_state(folder: Path) -> dict[str, Any] | None:
    """What a checkpoint's state.json holds, None where it or a file beside it is not whole."""
    from safetensors import SafetensorError, safe_open

    try:
        for path in folder.glob("*.safetensors"):
            with safe_open(path, "numpy"):  # compares the length of the file with what its header says
                pass
        state: dict[str, Any] = records.read_json(folder / "state.json")
    except (OSError, ValueError, SafetensorError):
        return None
    return state


def fell_back(state: dict[str, Any]) -> Note | None:
    """What to say where the last checkpoint was not whole and the one before is gone on from."""
    if not state.get(FELL_BACK):
        return None
    said = "The last checkpoint was not whole, as after a power failure: the one before it is used."
    return Note(said, "warning")


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
        _settle(part)
    os.replace(part, _weights(folder, step))


def load_weights(folder: Path, step: int, parameters: dict[str, Any]) -> None:
    """Put the tensors of some step back into the model."""
    import torch
    from safetensors.torch import load_file

    saved = load_file(_weights(folder, step))
    with torch.no_grad():
        for name, tensor in parameters.items():
            tensor.copy_(saved[name])


def keep_weights(folder: Path, *steps: int) -> None:
    """Remove what was kept of all other steps; only after a checkpoint that no longer means them."""
    kept = {_weights(folder, step) for step in steps}
    for path in folder.glob("*"):
        if path not in kept:
            path.unlink()


def _weights(folder: Path, step: int) -> Path:
    return folder / f"{step}.safetensors"
