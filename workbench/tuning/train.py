"""The child of a fine-tune, `workbench train RECIPE`, which also runs by hand; what it says goes to events.jsonl."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from workbench import records
from workbench.children import QUIET
from workbench.errors import BadModel, Cancelled, InputError, ProjectBusy, TooFast, TooLittleMemory, WorkbenchError
from workbench.events import Event, Note, Progress, Result
from workbench.priority import TRAINING, give_way
from workbench.tuning.base import BaseInfo
from workbench.tuning.begun import BACKEND, as_begun
from workbench.tuning.forecast import Measured
from workbench.tuning.recipe import BACKENDS, Recipe, read_recipe

DRY = "dry_run"  # in a recipe's extra: only measure what it takes
EVENTS, ABOUT, STOP, LOCK = "events.jsonl", "run.json", "stop", ".run.lock"
DYING = 10.0  # seconds a killed run may take to let go of its lock: its threads end one by one, and at low priority
UNSLOTH = ("unsloth", "bitsandbytes")  # packages: 2026.10.7 loads no model without the second, in 16 bits neither


def main(recipe_path: Path) -> int:
    """Run a recipe to its end, to a stop or to a failure, all of which the last line of events.jsonl tells.

    Returns the exit status. Raises ProjectBusy when another process runs the same fine-tune.
    """
    from filelock import FileLock, Timeout

    os.environ.update({key: value for key, value in QUIET.items() if key not in os.environ})
    give_way(TRAINING)
    recipe = read_recipe(recipe_path)
    recipe.folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(recipe.folder / LOCK)
    try:
        lock.acquire(timeout=DYING)
    except Timeout as error:
        raise ProjectBusy(f"The fine-tune {recipe.name} is running already: wait for it, or stop it first.") from error
    with contextlib.closing(_Log(recipe.folder)) as log:
        try:
            return _run(recipe, log)
        finally:
            lock.release()


class _Log:
    """Appends events to events.jsonl, a line each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, kind: str, value: Any) -> None:
        records.append_line(self.folder / EVENTS, {"kind": kind, "at": time.time(), "value": value})

    def close(self) -> None:
        with contextlib.suppress(OSError):
            (self.folder / STOP).unlink()


def _run(recipe: Recipe, log: _Log) -> int:
    import psutil

    asked = _listen_for_stop(recipe.folder)
    if recipe.extra.get(DRY):
        asked = _or_left_alone(asked)
    about = {
        "pid": os.getpid(),
        "started": psutil.Process().create_time(),
        "created": time.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    log.write("start", {"name": recipe.name, "pid": os.getpid()})
    records.write_json(recipe.folder / ABOUT, about)  # after it: whoever sees this run reads from its own start on
    try:
        for event in follow_recipe(recipe, asked):
            if isinstance(event, Result):
                log.write("end", event.value)
                return 0 if event.value["state"] == "done" else Cancelled.exit_status
            log.write(type(event).__name__.lower(), event)
    except WorkbenchError as error:
        return _fail(log, error, type(error).__name__)
    except MemoryError as error:
        return _fail(
            log, error, TooLittleMemory.__name__, "There was not enough memory to train: choose a smaller model."
        )
    except Exception as error:
        message = f"An unexpected fault ended the fine-tune: {type(error).__name__}: {error}"
        return _fail(log, error, "ChildCrashed", message)
    return 1


def _fail(log: _Log, error: BaseException, kind: str, message: str = "") -> int:
    traceback.print_exception(error)  # into output.log, for the curious
    end = {"state": "failed", "outcome": message or str(error), "error": kind}
    log.write("end", {**end, "slower": error.args[1]} if isinstance(error, TooFast) else end)
    return 2


def _listen_for_stop(folder: Path) -> Callable[[], bool]:
    """Something that says whether a stop was asked for: by the file `stop` in the run folder, or by a signal."""
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: signals.append(received))
    # A run whose folder was taken away has nobody it trains for.
    return lambda: bool(signals) or (folder / STOP).exists() or not folder.exists()


def _or_left_alone(asked: Callable[[], bool]) -> Callable[[], bool]:
    """The same, and whether whoever started it is gone, where the system tells: nobody waits for a dry run then."""
    parent = os.getppid()
    return lambda: asked() or os.getppid() != parent


def follow_recipe(recipe: Recipe, stop: Callable[[], bool]) -> Iterator[Event]:
    """Check, train, convert, compare, describe; the last Result holds the outcome as a plain mapping."""
    from workbench.tuning import adapter, dry_steps, effects, ending, loop
    from workbench.tuning.base import read_base
    from workbench.tuning.checkpoint import forget_spare
    from workbench.tuning.dataset import Dataset, parts_texts, passages_shown, read_dataset, shared_system, split
    from workbench.tuning.loop import Data, Interrupted, Trained
    from workbench.tuning.subsets import take_share
    from workbench.tuning.tokens import load_tokenizer
    from workbench.tuning.unsloth_gpu import load_library

    yield Progress(0, 0, "reading the training files", "rows")
    info = read_base(recipe.model)
    adapter.check_targets(recipe, info)  # before training, not after: what cannot be converted is not trained
    recipe = yield from as_begun(recipe, lambda each: choose_backend(each, info))
    backend = recipe.extra[BACKEND]
    if backend == "unsloth":
        load_library(recipe.folder)  # before the tokenizer, which may load transformers
    tokenizer = load_tokenizer(recipe.model)
    found = list(read_dataset(recipe.datasets, tokenizer, recipe.max_tokens, recipe.columns))
    dataset = found[-1]
    assert isinstance(dataset, Dataset)
    left_out = sum(problem.severity == "error" for problem in dataset.problems)
    if left_out:
        yield Note(f"{left_out} rows are left out; `workbench dataset check` names them.", "warning")
    training, held_out = split(dataset.examples, recipe.eval_share, recipe.seed)
    training = take_share(training, recipe.rows, recipe.seed)
    if not held_out:
        yield Note("There are too few rows to hold some out, so nothing measures how well it generalises.", "warning")
    if not parts_texts(training, held_out):
        said = "Nearly all rows read the same texts, so held-out rows read what others were trained on: only their"
        yield Note(f"{said} questions are new, and how it does on new texts is not measured.", "warning")
    dry = bool(recipe.extra.get(DRY))
    trained: Trained | Measured | None = None
    run = dry_steps.run if dry else loop.run
    for event in train_function(backend)(recipe, Data(training, held_out, tokenizer), stop, run):
        if isinstance(event, Result):
            trained = event.value
        else:
            yield event
    if dry:
        yield Result(_measured(trained, backend))
        return
    assert isinstance(trained, Trained)
    if trained.stopped:
        yield Result(_stopped(trained))
        return

    def guard() -> None:
        if stop():
            raise Interrupted

    compared = held_out or training
    try:
        ended = yield from ending.end(recipe, trained.model, trained.precision, compared, tokenizer, guard)
    except Interrupted:
        yield Result(_stopped(trained))
        return
    about = {
        "backend": f"{backend} ({trained.precision})",
        "examples": len(dataset.examples),
        "trained_rows": len(training),
        "held_out_rows": len(held_out),
        "system": shared_system(dataset.examples),
        "reads_passages": any(example.grounded for example in dataset.examples),
        "passages": passages_shown(dataset.examples),
        "answers_bare": any(not example.grounded for example in dataset.examples),
        "steps": trained.total,
        "seconds": trained.seconds,
        "tokens_per_second": trained.tokens_per_second,
    }
    if not ended.parity["ok"]:
        said = f"The adapter does not answer in llama.cpp as it did in training: {ended.parity['verdict']}"
        yield Note(said, "warning")
    held = effects.held_out_effect(trained.course, trained.counts)
    did = {name: found for name, found in (("held_out", held), ("general", ended.general)) if found}
    yield from _place(recipe, {**about, "parity": ended.parity, "effects": did})
    forget_spare(recipe.folder / "checkpoint")
    yield Result({"state": "done", "outcome": _outcome(trained, ended.parity)})


def _measured(found: Any, backend: str) -> dict[str, Any]:
    """How a dry run ended."""
    if found is None:
        return {"state": "stopped", "outcome": "Stopped before everything was measured."}
    measured = dataclasses.replace(found, backend=f"{backend} ({found.backend})")
    return {"state": "done", "outcome": "Measured; nothing was kept.", "measured": records.to_plain(measured)}


def _stopped(trained: Any) -> dict[str, Any]:
    kept = (
        f"The work up to step {trained.step} of {trained.total} is kept" if trained.step else "Nothing was trained yet"
    )
    return {"state": "stopped", "outcome": f"Stopped. {kept}; start it again under the same name to go on."}


def _outcome(trained: Any, parity: dict[str, Any]) -> str:
    minutes = f"{trained.seconds / 60:.1f} minutes" if trained.seconds >= 90 else f"{trained.seconds:.0f} seconds"
    return " ".join((f"Done: {trained.total} steps in {minutes}.", *trained.said, parity["verdict"]))


def _place(recipe: Recipe, about: dict[str, Any]) -> Iterator[Event]:
    """Write the manifest, which makes the run an adapter of its project, as the project's one writer."""
    from workbench.project import Project
    from workbench.tuning import adapter

    home = recipe.folder.parent.parent
    if recipe.folder.parent.name != "adapters" or not (home / "project.json").exists():
        adapter.write_manifest(recipe, about)
        return
    project, said = Project.open(home), False
    while True:
        try:
            with project.writing("placing an adapter"):
                adapter.write_manifest(recipe, about)
            return
        except ProjectBusy as error:
            if not said:
                yield Note(f"Trained; the adapter is added as soon as the project is free. {error}")
            said = True
            time.sleep(0.5)


def choose_backend(recipe: Recipe, info: BaseInfo) -> str:
    """The backend: cpu, gpu or unsloth. "auto" takes a card that computes in bf16, with Unsloth where it is installed.

    Raises InputError or BadModel when the one that was asked for cannot be used here.
    """
    from importlib.util import find_spec

    import torch

    from workbench.tuning.peft_gpu import check_card
    from workbench.tuning.unsloth_gpu import check_base

    wanted, card = recipe.backend, bool(torch.cuda.is_available())
    installed = all(find_spec(name) is not None for name in UNSLOTH)
    if wanted not in BACKENDS:
        raise InputError(f"There is no backend {wanted!r}: choose {', '.join(BACKENDS)}.")
    if wanted == "cpu" or (wanted == "auto" and not card):
        return "cpu"
    if not card or (wanted == "unsloth" and not installed):
        needs = "an NVIDIA card" + (f" and the packages {' and '.join(UNSLOTH)}" if wanted == "unsloth" else "")
        raise InputError(f"The backend {wanted} needs {needs}; choose the backend cpu.")
    try:
        check_card()
    except InputError:
        if wanted == "auto":
            return "cpu"
        raise
    if wanted == "gpu" or not installed:
        return "gpu"
    try:
        check_base(info)
    except BadModel:
        if wanted == "auto":
            return "gpu"
        raise
    return "unsloth"


def train_function(backend: str) -> Callable[..., Iterator[Event]]:
    if backend == "unsloth":
        from workbench.tuning import unsloth_gpu

        return unsloth_gpu.train
    if backend == "gpu":
        from workbench.tuning import peft_gpu

        return peft_gpu.train
    from workbench.tuning import peft_cpu

    return peft_cpu.train


if __name__ == "__main__":
    ended = main(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ended)  # all is written: to take libraries and model apart takes 1.2 to 1.5 s, and a stop waits for it
