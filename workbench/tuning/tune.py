"""STAGE tune(recipe): start the child, report what it writes, stop it, resume it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench import errors, program, records
from workbench.catalog import memory
from workbench.children import QUIET
from workbench.errors import ChildCrashed, DiskFull, InputError, MissingFile, ProjectBusy, WorkbenchError
from workbench.events import Event, Note, Progress, Result, Stage, Step
from workbench.tuning import adapter, states
from workbench.tuning.base import read_base
from workbench.tuning.checkpoint import ADDED, INCIDENTAL, read_state, recipe_key
from workbench.tuning.recipe import RECORDED, STARTER, Recipe, RunInfo, Sample, mark_starter, read_recipe
from workbench.tuning.train import ABOUT, EVENTS, STOP

# Read by the C library when the child starts: large blocks are kept instead of being given back to the system after
# every operation, whose pages would have to be cleared anew.
QUICK = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_TOP_PAD_": str(64 * 2**20),
}
POLL = 0.1  # seconds between looks at events.jsonl
HEARTBEAT = 0.4  # seconds after which a stage that has nothing new says so again: it must yield twice a second
STOP_PATIENCE = 20.0  # seconds a child has to write its checkpoint before it is killed; it takes about one
EARLY_PATIENCE = 1.0  # the same while it still loads: there is nothing yet that could be lost


def tune(recipe: Recipe, anew: bool = False) -> Stage:
    """Fine-tune: yields Progress, Note and Step as the child tells them, and last a Result with the RunInfo.

    Closing the stage stops the child, which keeps a checkpoint; tuning again under the same name with the same recipe
    and files goes on from there, unless it is to begin `anew`. Raises InputError, also where another recipe or other
    rows stand in the way of going on, BadModel, BadDataset, TooLittleMemory, DiskFull, ProjectBusy when the same
    fine-tune runs already, and ChildCrashed when the child is killed.
    """
    known = finished(recipe)
    if known is not None:
        yield Note(f"{recipe.name} was already trained with this recipe on these rows.")
        yield Result(known)
        return
    yield from start(recipe, anew)
    try:
        yield from watch(recipe.folder)
    except GeneratorExit:
        stop(recipe.folder)
        raise


def check(recipe: Recipe) -> None:
    """What can be known in a moment before a run is started. Raises as `tune` does."""
    if not recipe.name or recipe.name != Path(recipe.name).name or recipe.name.startswith("."):
        raise InputError(f"{recipe.name!r} cannot be the name of a fine-tune: use letters, digits and dashes.")
    for path in (recipe.model, *recipe.datasets):
        if not path.is_file():
            raise MissingFile(f"{path} is not there.")
    if not recipe.datasets:
        raise InputError("A fine-tune needs at least one training file.")
    info = read_base(recipe.model)
    adapter.check_targets(recipe, info)
    memory.require(6 * info.parameters, f"Training {recipe.model.name}", here=False)
    recipe.folder.mkdir(parents=True, exist_ok=True)
    # The adapter and its two moments, thrice: the checkpoint, the one before, and the next one while it is written; the
    # GGUF copy, the best state and its successor; the states on the way and one more.
    room = 64 * 2**20 + 4 * (12 + states.MOST + 1) * lora_parameters(recipe, info)
    free = shutil.disk_usage(recipe.folder).free
    if free < room:
        raise DiskFull(
            f"The fine-tune needs {room / 2**20:.0f} MB in {recipe.folder} and {free / 2**20:.0f} MB are free."
        )


def lora_parameters(recipe: Recipe, info: Any) -> int:
    """How many numbers a recipe trains."""
    layers = recipe.layers or range(info.layers)
    shapes = [
        info.tensors[f"blk.{layer}.{adapter.TENSORS[target]}.weight"] for layer in layers for target in recipe.targets
    ]
    return sum(recipe.rank * sum(shape) for shape in shapes)


def finished(recipe: Recipe) -> RunInfo | None:
    """The run of this name when it is done with the same recipe and files, None when it is not done.

    Raises InputError when a different fine-tune of this name is done: a person's result is not overwritten unasked.
    """
    if not (recipe.folder / "manifest.json").exists():
        return None
    recipe = mark_starter(recipe)
    state = read_state(recipe.folder / "checkpoint")
    if state is not None and all(path.is_file() for path in recipe.datasets) and state["recipe"] == recipe_key(recipe):
        return adapter.read_run(recipe.folder)
    raise InputError(
        f"There is a fine-tune called {recipe.name} already, made from other rows or with another recipe: "
        "choose another name, or delete that one first."
    )


def start(recipe: Recipe, anew: bool = False) -> Iterator[Note]:
    """Start the child, which outlives this process; yields what a person should know about what is there already."""
    check(recipe)
    recipe = mark_starter(recipe)
    if adapter.is_alive(_about(recipe.folder)):
        raise ProjectBusy(f"The fine-tune {recipe.name} is running already: watch it, or stop it first.")
    state = read_state(recipe.folder / "checkpoint")
    other = differences(recipe, state)
    if other and not anew:
        raise InputError(
            f"An unfinished fine-tune called {recipe.name} has {', '.join(other)}. It stays as it is: choose another "
            "name, go on with it as it was begun (--resume), or give it up and begin anew (--anew)."
        )
    if state is not None and anew:
        yield Note(f"What an unfinished run called {recipe.name} had learnt is given up: this one starts anew.")
    if state is None and (recipe.folder / "checkpoint").exists():
        yield Note(f"What {recipe.name} had learnt cannot be read any more: it starts anew.", "warning")
    if state is None or anew:
        _clear(recipe.folder)
    (recipe.folder / STOP).unlink(missing_ok=True)
    records.write_json(recipe.folder / "recipe.json", recipe)
    with (recipe.folder / "output.log").open("ab") as output:
        process = subprocess.Popen(
            program.command("workbench.tuning.train", str(recipe.folder / "recipe.json")),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**QUIET, **QUICK, **os.environ},
            start_new_session=True,  # it outlives the window and does not get its Ctrl+C
        )
    _wait_for_start(recipe.folder, process)


def differences(recipe: Recipe, state: dict[str, Any] | None = None) -> tuple[str, ...]:
    """What an unfinished run of this name has otherwise, in words; nothing where there is none, or it is the same."""
    state = state or read_state(recipe.folder / "checkpoint")
    recipe = (
        recipe if state is None or STARTER in recipe.extra else mark_starter(recipe)
    )  # which reads all of the model
    if state is None or state["recipe"] == recipe_key(recipe):
        return ()
    old, new = _plain_recipe(recipe.folder), records.to_plain(recipe)
    said = []
    for name in new:
        was = old.get(name, ADDED.get(name))
        if name not in (*INCIDENTAL, "datasets", "model") and old and was != new[name]:
            one, other = ("all" if name == "layers" and not each else _in_words(each) for each in (was, new[name]))
            said.append(f"{name} {one} in place of {other}")
    if old.get("model") not in (new["model"], recipe.extra.get(RECORDED)):
        said.append(f"another model ({Path(str(old.get('model'))).name})")
    return tuple(said) or ("other rows",)


def _plain_recipe(folder: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, Any] = records.read_json(folder / "recipe.json")
        return found
    return {}


def _in_words(value: Any) -> str:
    if isinstance(value, list) and len(value) > 2:
        return f"{value[0]} to {value[-1]}" if all(isinstance(each, int) for each in value) else f"{len(value)} of them"
    return str(value)


def _clear(folder: Path) -> None:
    """Remove what an earlier run left, except a person's note."""
    for name in ("checkpoint", "checkpoint.old", "checkpoint.new", "best", states.FOLDER, "peft", "parity"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (EVENTS, ABOUT, "output.log", adapter.ADAPTER, "manifest.json"):
        (folder / name).unlink(missing_ok=True)


def _wait_for_start(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the child has said who it is: from then on its run folder tells everything."""
    while _about(folder).get("pid") != process.pid:
        if process.poll() is not None:
            raise ChildCrashed("The fine-tune did not start; nothing was trained.", _tail(folder))
        time.sleep(0.05)


def _about(folder: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, Any] = records.read_json(folder / ABOUT)
        return found
    return {}


def watch(folder: Path) -> Stage:
    """Follow a run from its first event to its end; the last Result is its RunInfo. Closing it leaves the run alone.

    Raises what ended the run when it failed.
    """
    progress = Progress(0, 0, "starting", "steps")
    place, said = _last_start(folder / EVENTS), time.monotonic()
    while True:
        alive = adapter.is_alive(_about(folder))  # asked before reading: what a dying child wrote last is still read
        lines, place = _new_lines(folder / EVENTS, place)
        for line in lines:
            if line["kind"] == "end":
                yield from _ended(folder, line["value"])
                return
            for event in _events(line):
                progress = event if isinstance(event, Progress) else progress
                said = time.monotonic()
                yield event
        if not lines and not alive:
            run = adapter.read_run(folder)
            raise ChildCrashed(f"The fine-tune {run.name} was ended from outside. {run.outcome}", _tail(folder))
        if time.monotonic() - said > HEARTBEAT:
            said = time.monotonic()
            yield progress
        time.sleep(POLL)


def _ended(folder: Path, end: dict[str, Any]) -> Iterator[Event]:
    if end["state"] == "failed":
        kind = getattr(errors, end.get("error", ""), WorkbenchError)
        raise kind(end["outcome"], _tail(folder)) if kind is ChildCrashed else kind(end["outcome"])
    yield Note(end["outcome"])
    yield Result(adapter.read_run(folder))


def _events(line: dict[str, Any]) -> Iterator[Event]:
    """A line of events.jsonl as events; a step is also progress."""
    kinds: dict[str, Any] = {"step": Step, "progress": Progress, "note": Note}
    if line["kind"] not in kinds:
        return
    event = records.from_plain(kinds[line["kind"]], line["value"])
    if isinstance(event, Step):
        event = replace(event, samples=tuple(records.from_plain(Sample, each) for each in event.samples))
    yield event
    if isinstance(event, Step):
        left = event.seconds / event.step * (event.total - event.step) if event.step else None
        yield Progress(event.step, event.total, "training", "steps", event.tokens_per_second or None, "tokens/s", left)


def _last_start(path: Path) -> int:
    """Where in events.jsonl the last start stands, in bytes: earlier attempts are history."""
    if not path.exists():
        return 0
    content = path.read_bytes()
    return max(content.rfind(b'{"kind": "start"'), 0)


def _new_lines(path: Path, place: int) -> tuple[list[dict[str, Any]], int]:
    """The whole lines written since `place`, and the new place."""
    if not path.exists():
        return [], place
    with path.open("rb") as file:
        file.seek(place)
        content = file.read()
    whole = content[: content.rfind(b"\n") + 1]
    found = []
    for each in whole.split(b"\n"):
        with contextlib.suppress(ValueError):
            found.append(json.loads(each))
    return found, place + len(whole)


def _tail(folder: Path, most: int = 4000) -> str:
    """The end of what the child said outside its events, for the curious."""
    with contextlib.suppress(OSError):
        return (folder / "output.log").read_bytes()[-most:].decode("utf-8", errors="replace")
    return ""


def stop(folder: Path) -> None:
    """Ask a run to stop and wait; it keeps a checkpoint. One that does not listen is killed with all its children."""
    import psutil

    about = _about(folder)
    if not adapter.is_alive(about):
        return
    (folder / STOP).touch()
    process = psutil.Process(int(about["pid"]))
    steps = any(line["kind"] == "step" for line in _new_lines(folder / EVENTS, _last_start(folder / EVENTS))[0])
    deadline = time.monotonic() + (STOP_PATIENCE if steps else EARLY_PATIENCE)
    while adapter.is_alive(about) and time.monotonic() < deadline:
        time.sleep(0.05)
    if adapter.is_alive(about):
        end_family(process)
        (folder / STOP).unlink(missing_ok=True)
        state = read_state(folder / "checkpoint")
        kept = f"Step {state['step']} is kept" if state else "Nothing was trained yet"
        end = {"state": "stopped", "outcome": f"Stopped. {kept}; start it again under the same name to go on."}
        records.append_line(folder / EVENTS, {"kind": "end", "at": time.time(), "value": end})


def end_family(process: Any) -> None:
    """End a process (psutil's) and all its children, and wait until they are gone."""
    import psutil

    with contextlib.suppress(psutil.Error):
        family = [*process.children(recursive=True), process]
        for each in family:
            with contextlib.suppress(psutil.Error):
                each.kill()
        psutil.wait_procs(family, timeout=5.0)


def resume(folder: Path) -> Stage:
    """Go on with a run that was stopped or killed, by its recipe alone, from its last checkpoint; a stage as `tune`."""
    yield from tune(read_recipe(folder / "recipe.json"))
