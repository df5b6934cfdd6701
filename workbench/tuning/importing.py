"""STAGE import_adapter(source, name, model, project): an adapter made elsewhere becomes one of the project's.

It is checked where it lies, copied beside its place, converted and tried in processes of their own, and only then
placed: what fails leaves nothing, and what is placed is whole.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench import errors, program, records
from workbench.catalog import memory
from workbench.catalog.models import require_disk
from workbench.children import QUIET
from workbench.errors import BadModel, ChildCrashed, InputError, MissingFile, ProjectBusy, WorkbenchError
from workbench.events import Event, Note, Progress, Result, Stage
from workbench.project import Project
from workbench.tuning import adapter, peft_folder
from workbench.tuning.base import BaseInfo, read_base
from workbench.tuning.export import copy_file, hash_slowly
from workbench.tuning.gguf_lora import LARGEST, Lora, check_values, read_lora
from workbench.tuning.recipe import Recipe
from workbench.tuning.train import EVENTS
from workbench.tuning.tune import end_family

BACKEND = "imported"  # as a manifest says how an adapter came to be
BARE = "No system prompt came with it, so its lane asks without one: give it one in a lane of your own if it had one."
NAME = re.compile(r"\w[\w.-]{0,58}\w|\w")
LEAST_EFFECT = 1e-7  # nats per place; bare rounding is nought, for llama.cpp computes the same sums again
POLL = 0.05  # seconds between looks at a child; the process that waits does other work between them

# Asked with and without the adapter: of several kinds, and as plain as an adapter of any purpose has to bear.
QUESTIONS = (
    "What is the capital of France?",
    "Name three colours.",
    "Write one sentence about the sea.",
    "Customer: my order has not arrived. What do you answer?",
)


@dataclass(frozen=True, slots=True)
class Taken:
    """An adapter that was checked and copied, not yet tried."""

    kind: str  # "peft" or "gguf"
    hash: str  # SHA-256 of the weights as they came
    recipe: Recipe


def import_adapter(source: Path, name: str, model: Path, project: Path) -> Stage:
    """Take a PEFT folder or a GGUF adapter for `model`, the project's chat model; the last Result is its RunInfo.

    Closing it leaves nothing behind. Raises InputError (the name), MissingFile, BadModel with what cannot be used,
    TooLittleMemory, DiskFull, ProjectBusy where the project is being written to, and ChildCrashed.
    """
    home, source = Project.open(project), source.expanduser().absolute()
    check_name(home, name)
    take = _take_folder if _is_folder(source) else _take_file
    with home.writing(f"importing the adapter {name}"):
        pass  # told at once, and not after a minute's work
    yield Progress(0, 0, f"reading {source.name}")
    info = read_base(model)
    with _beside(home) as folder:
        recipe = Recipe(name, model, (), folder, learning_rate=0.0, epochs=0.0)
        taken = yield from take(source, recipe, info)
        records.write_json(folder / "recipe.json", taken.recipe)
        parity = yield from (_compare(taken.recipe) if taken.kind == "peft" else _try(taken.recipe))
        yield from _place(home, source, taken, parity)
    yield Result(adapter.read_run(home.adapters_folder / name))


def check_name(project: Project, name: str) -> None:
    """Raise InputError unless an adapter of the project can have this name."""
    if not NAME.fullmatch(name):
        raise InputError(f"{name[:80]!r} cannot be the name of an adapter: use letters, digits, dots and dashes.")
    if os.path.lexists(project.adapters_folder / name):
        raise InputError(f"There is a fine-tune called {name} already: choose another name, or delete that one first.")


@contextlib.contextmanager
def _beside(project: Project) -> Iterator[Path]:
    """A folder of the project to work in, away from its adapters; it is gone at the end, and so are left ones."""
    import psutil

    for old in project.folder.glob(".importing-*"):
        owner = old.name.split("-")[1]
        if not (owner.isdigit() and psutil.pid_exists(int(owner))):  # its process was killed
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".importing-{os.getpid()}-", dir=project.folder))
    try:
        with records.naming_full_disk(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_folder(source: Path) -> bool:
    """Whether the source is a PEFT folder and not a GGUF file. Raises MissingFile and BadModel for anything else."""
    if source.is_symlink():
        raise BadModel(f"{source} is a link, which is not followed: name what it points at.")
    if source.is_dir():
        return True
    if not source.exists():
        raise MissingFile(f"There is nothing at {source}: name a PEFT adapter's folder or a GGUF adapter.")
    if source.name.endswith(peft_folder.PICKLES):
        raise BadModel(
            f"{source.name} is a pickle, which can run programs when it is read: have the adapter saved as safetensors."
        )
    if source.name in (peft_folder.WEIGHTS, peft_folder.CONFIG):
        raise InputError(f"{source.name} is a part of a PEFT adapter: name the folder it lies in, {source.parent}.")
    return False


def _take_folder(source: Path, recipe: Recipe, info: BaseInfo) -> Generator[Event, None, Taken]:
    """Check, copy and convert a PEFT folder; gives what was Taken."""
    base = recipe.model.name
    found = yield from peft_folder.check_folder(source, info, base)
    weights, size = source / peft_folder.WEIGHTS, (source / peft_folder.WEIGHTS).stat().st_size
    if found.trained_on:
        yield Note(f"It says that it was trained on {found.trained_on}; here it is used on {base}.")
    require_disk(recipe.folder, 3 * size)  # the copy, and its numbers as GGUF, which may be twice as wide
    memory.require(4 * size, "Converting the adapter")
    peft = recipe.folder / "peft"
    peft.mkdir()
    for done in copy_file(weights, peft / peft_folder.WEIGHTS):
        yield Progress(done, size, "copying the adapter", "bytes")
    records.write_json(peft / peft_folder.CONFIG, found.config())
    yield Progress(0, 0, "converting the adapter for llama.cpp")
    adapter.convert(peft, recipe.model, recipe.folder / adapter.ADAPTER)
    read_lora(recipe.folder / adapter.ADAPTER, info, base)
    digest = yield from hash_slowly(peft / peft_folder.WEIGHTS)
    layers = () if len(found.layers) == info.layers else found.layers
    changed = replace(recipe, rank=found.rank, alpha=found.alpha, targets=found.targets, layers=layers)
    return Taken("peft", digest, changed)


def _take_file(source: Path, recipe: Recipe, info: BaseInfo) -> Generator[Event, None, Taken]:
    """Check and copy a GGUF adapter; gives what was Taken."""
    peft_folder.check_file(source, LARGEST)
    size = source.stat().st_size
    yield from check_values(read_lora(source, info, recipe.model.name))
    require_disk(recipe.folder, size)
    copy = recipe.folder / adapter.ADAPTER
    for done in copy_file(source, copy):
        yield Progress(done, size, "copying the adapter", "bytes")
    digest = yield from hash_slowly(copy)
    return Taken("gguf", digest, _described(recipe, read_lora(copy, info, recipe.model.name), info))


def _described(recipe: Recipe, lora: Lora, info: BaseInfo) -> Recipe:
    """The recipe with what can be read off a GGUF adapter."""
    names = [name.split(".") for name in lora.pairs]
    layers = sorted({int(number) for _, number, _, _ in names})
    targets = tuple(target for target, each in adapter.TENSORS.items() if any(each == part for _, _, part, _ in names))
    return replace(
        recipe,
        rank=lora.rank,
        alpha=lora.alpha,
        targets=targets,
        layers=() if len(layers) == info.layers else tuple(layers),
    )


def _compare(recipe: Recipe) -> Generator[Event, None, dict[str, Any]]:
    """Ask transformers and llama.cpp the same; gives what was measured. Raises BadModel where they do not agree."""
    from workbench.tuning.tokens import load_tokenizer

    memory.require(6 * read_base(recipe.model).parameters, "Comparing the adapter with transformers", here=False)
    tokenizer = load_tokenizer(recipe.model)
    prompts = [tokenizer.prompt_ids(tokenizer.render([("user", each)], open_turn=True)) for each in QUESTIONS]
    folder = recipe.folder / "parity"
    folder.mkdir()
    records.write_json(folder / "prompts.json", {"recipe": recipe.folder / "recipe.json", "prompts": prompts})
    yield from _run_child("workbench.tuning.expected", folder, "asking the adapter in transformers")
    yield from _run_child("workbench.lanes.parity", folder, "asking the adapter in llama.cpp")
    parity = adapter.judge_parity(records.read_json(folder / "result.json"))
    _require_effect(parity["effect_kl"])
    if not parity["ok"]:
        why = parity["verdict"].rstrip(".")
        raise BadModel(
            f"The adapter answers otherwise in llama.cpp than in transformers, so it is not imported: {why}."
        )
    return parity


def _try(recipe: Recipe) -> Generator[Event, None, dict[str, Any]]:
    """Have llama.cpp load it and answer with it and without. Raises BadModel where that fails or changes nothing."""
    folder = recipe.folder / "parity"
    folder.mkdir()
    asked = {"model": recipe.model, "adapter": recipe.folder / adapter.ADAPTER, "questions": QUESTIONS}
    records.write_json(folder / "effect.json", asked)
    yield from _run_child("workbench.lanes.effect", folder, "trying the adapter in llama.cpp")
    found = records.read_json(folder / "result.json")
    if not found["finite"]:
        raise BadModel("With this adapter llama.cpp computes what are no numbers, so it was not imported.")
    _require_effect(found["effect_kl"])
    verdict = "llama.cpp loads it and answers otherwise with it; there is no trained model to compare it with."
    return {**found, "ok": True, "verdict": verdict}


def _require_effect(effect: float) -> None:
    if not effect > LEAST_EFFECT:
        raise BadModel("The adapter changes nothing of what the model says, so it was not imported.")


def _run_child(module: str, folder: Path, note: str) -> Iterator[Progress]:
    """Run a module over a folder in a process of its own and wait. Raises what it wrote down, and ChildCrashed."""
    import psutil

    log = folder.parent / "output.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            program.command(module, str(folder)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**QUIET, **os.environ},
        )
    try:
        while process.poll() is None:
            yield Progress(0, 0, note)
            time.sleep(POLL)
    finally:
        if process.poll() is None:
            with contextlib.suppress(psutil.Error):
                end_family(psutil.Process(process.pid))
        process.wait()
    if process.returncode == 0:
        return
    told = folder / "error.json"
    if told.exists():
        plain = records.read_json(told)
        raise getattr(errors, plain["error"], WorkbenchError)(plain["message"])
    raise ChildCrashed(
        f"The adapter could not be tried: {note} ended with exit status {process.returncode}. It was not imported.",
        log.read_bytes()[-4000:].decode("utf-8", errors="replace"),
    )


def _place(home: Project, source: Path, taken: Taken, parity: dict[str, Any]) -> Iterator[Note | Progress]:
    """Give the folder its place among the adapters, whole, as the project's one writer; waits for another one."""
    folder, name = taken.recipe.folder, taken.recipe.name
    recipe = replace(taken.recipe, folder=home.adapters_folder / name)
    shutil.rmtree(folder / "parity", ignore_errors=True)
    records.write_json(folder / "recipe.json", recipe)
    for kind, value in (
        ("start", {"name": name, "pid": os.getpid()}),
        ("end", {"state": "done", "outcome": f"Imported from {source.name}. {parity['verdict']} {BARE}"}),
    ):
        records.append_line(folder / EVENTS, {"kind": kind, "at": time.time(), "value": value})
    about = {
        "backend": BACKEND,
        "examples": 0,
        "steps": 0,
        "system": "",
        "reads_passages": False,
        "answers_bare": True,
        "parity": parity,
        "imported": {"from": source.name, "kind": taken.kind, "hash": taken.hash},
    }
    adapter.write_manifest(recipe, about, folder)
    said = False
    while True:
        try:
            with home.writing(f"importing the adapter {name}"):
                check_name(home, name)  # another may have taken it meanwhile
                recipe.folder.parent.mkdir(exist_ok=True)
                folder.chmod(0o755)  # a temporary folder is for its owner alone
                os.replace(folder, recipe.folder)
            return
        except ProjectBusy as error:
            if not said:
                yield Note(f"The adapter is added as soon as the project is free. {error}")
            said = True
            yield Progress(0, 0, "waiting for the project")
            time.sleep(POLL)
