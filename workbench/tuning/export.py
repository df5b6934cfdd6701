"""STAGE export(project, name, target): an adapter for use elsewhere: GGUF, PEFT folder, or merged into its base."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench import records
from workbench.catalog.models import require_disk
from workbench.errors import BadModel, InputError, MissingFile
from workbench.events import Event, Note, Progress, Result, Stage
from workbench.tuning.adapter import read_run
from workbench.tuning.base import read_base
from workbench.tuning.gguf_lora import read_lora
from workbench.tuning.merge import plan_merge, write_merged
from workbench.tuning.recipe import RunInfo

KINDS = ("gguf", "peft", "merged")
MOST_STRENGTH = 1.5  # beyond it an adapter spoils what the base can do
PEFT_FILES = ("adapter_config.json", "adapter_model.safetensors")
CHUNK = 8 << 20  # bytes that are copied or hashed between two looks at whether it is to stop


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote."""

    name: str  # the adapter's
    kind: str  # one of KINDS
    path: Path  # the file, or the PEFT folder
    size: int  # bytes
    scale: float  # the strength it was merged with
    changed: int = 0  # tensors of the base that a merged model changes


def export(
    project: Path,
    name: str,
    target: Path,
    kind: str = "gguf",
    scale: float = 1.0,
    force: bool = False,
    model: Path | None = None,
) -> Stage:
    """Write a finished adapter to `target`; the last Result is an Exported. Closing it leaves nothing behind.

    "gguf" is the file that llama.cpp adds to the base, "peft" the folder that transformers reads, "merged" a model of
    its own in which the adapter is added to the base at the strength `scale`. `model` stands in for a base that was
    moved; it must be the very same file. Raises InputError (no such adapter, something is there already and `force` is
    not given), MissingFile, BadModel, DiskFull.
    """
    target = target.expanduser().absolute()
    run = find_run(project, name)
    _check(run, target, kind, scale, force)
    if run.parity.get("ok") is False:
        yield Note(
            f"{name} did not answer in llama.cpp as it did in training: try it before you rely on it.", "warning"
        )
    if kind == "merged":
        yield from _merged(run, target, scale, model)
    elif kind == "peft":
        yield from _folder(run, target)
    else:
        assert run.adapter is not None
        yield from _file(run, run.adapter, target)


def find_run(project: Path, name: str) -> RunInfo:
    """A finished run. Raises InputError that names those there are."""
    folder = project / "adapters" / name
    if name and folder.parent == project / "adapters" and (folder / "recipe.json").is_file():
        run = read_run(folder)
        if run.adapter is not None:
            return run
        raise InputError(f"The fine-tune {name} is not finished ({run.state}): go on with it first.")
    known = sorted(path.parent.name for path in (project / "adapters").glob("*/manifest.json"))
    there = f"there are {', '.join(known)}" if known else "there is none in this project"
    raise InputError(f"There is no adapter called {name}: {there}.")


def _check(run: RunInfo, target: Path, kind: str, scale: float, force: bool) -> None:
    """What can be known in a moment, before anything is written."""
    if kind not in KINDS:
        raise InputError(f"An adapter cannot be exported as {kind!r}: choose {', '.join(KINDS)}.")
    if not 0 <= scale <= MOST_STRENGTH:  # false for what is no number, too
        raise InputError(f"The strength {scale:g} is not between 0 and {MOST_STRENGTH:g}: 1 is as it was trained.")
    if kind != "merged" and scale != 1.0:
        raise InputError("Only a merged model has a strength of its own: leave it out, or export as merged.")
    if not target.parent.is_dir():
        raise MissingFile(f"There is no folder {target.parent}: make it first, or name another place.")
    resolved, own = target.resolve(), run.folder.resolve()
    if resolved == own or own in resolved.parents or resolved in own.parents:
        raise InputError(f"{target} belongs to the project that is exported from: name a place outside its adapters.")
    if run.model is not None and resolved == run.model.resolve():
        raise InputError(f"{target} is the very model the adapter needs: name another file.")
    if kind == "peft":
        _check_folder(run, target, force)
    elif target.is_dir():
        raise InputError(f"{target} is a folder: name a file in it, such as {target / f'{run.name}.gguf'}.")
    elif os.path.lexists(target) and not force:
        raise InputError(f"{target} is there already: name another file, or ask for it to be replaced (--force).")


def _check_folder(run: RunInfo, target: Path, force: bool) -> None:
    if not all((run.folder / "peft" / each).is_file() for each in PEFT_FILES):
        raise InputError(f"{run.name} has no PEFT folder, as it came as GGUF: export it as gguf or as merged.")
    if os.path.lexists(target) and not target.is_dir():
        raise InputError(f"{target} is a file: name a folder, which is made when it is missing.")
    taken = [each for each in PEFT_FILES if os.path.lexists(target / each)]
    if taken and not force:
        raise InputError(
            f"{target} holds an adapter already: name another folder, or ask for it to be replaced (--force)."
        )


def _file(run: RunInfo, source: Path, target: Path) -> Stage:
    size = source.stat().st_size
    require_disk(target.parent, size)
    with _part(target) as part:
        for done in copy_file(source, part):
            yield Progress(done, size, f"writing {target.name}", "bytes")
        os.replace(part, target)
    yield Result(Exported(run.name, "gguf", target, size, 1.0))


def _folder(run: RunInfo, target: Path) -> Stage:
    """The two files that make up a PEFT adapter; other files of a folder that is there stay."""
    source = run.folder / "peft"
    total = sum((source / each).stat().st_size for each in PEFT_FILES)
    require_disk(target.parent, total)
    with _part(target) as part:
        part.mkdir()
        for each in PEFT_FILES:
            for done in copy_file(source / each, part / each):
                yield Progress(done, total, f"writing {each}", "bytes")
        if target.is_dir():
            for each in PEFT_FILES:
                os.replace(part / each, target / each)
        else:
            os.replace(part, target)
    yield Result(Exported(run.name, "peft", target, total, 1.0))


def _merged(run: RunInfo, target: Path, scale: float, model: Path | None) -> Stage:
    base = yield from _base(run, target, model)
    assert run.adapter is not None
    lora = read_lora(run.adapter, read_base(base), base.name)
    plan = plan_merge(base, lora, scale)
    require_disk(target.parent, plan.size)
    with _part(target) as part:
        with part.open("wb") as file:
            for done in write_merged(plan, lora, scale, file):
                yield Progress(done, plan.size, f"merging {run.name} into {base.name}", "bytes")
            file.flush()
            os.fsync(file.fileno())
        read_base(part)  # what was written is read as any other model is, before it gets its name
        os.replace(part, target)
    yield Result(Exported(run.name, "merged", target, plan.size, scale, plan.merged))


def _base(run: RunInfo, target: Path, model: Path | None) -> Generator[Event, None, Path]:
    """The model a run was tuned on, known by its hash. Raises MissingFile and BadModel."""
    places = [each for each in (run.model, model) if each is not None and each.is_file()]
    if not places:
        raise MissingFile(f"The model {run.name} was tuned on is not at {run.model} any more: put it back there.")
    wanted = str(records.read_json(run.folder / "manifest.json").get("model_hash", ""))
    for base in places:
        if base.resolve() == target.resolve():
            raise InputError(f"{target} is the very model the adapter needs: name another file.")
        if (yield from hash_slowly(base)) == wanted:
            return base
    raise BadModel(
        f"{places[0].name} is not the model {run.name} was tuned on (its content is another): fetch that one."
    )


def hash_slowly(path: Path) -> Generator[Event, None, str]:
    """SHA-256 of a file's content, with progress; a large model takes some seconds."""
    import hashlib

    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            done += len(chunk)
            yield Progress(done, total, f"looking at {path.name}", "bytes")
    return digest.hexdigest()


def copy_file(source: Path, target: Path) -> Iterator[int]:
    """Copy a file a few megabytes at a time; yields how many bytes are there."""
    done = 0
    with source.open("rb") as old, target.open("wb") as new:
        while chunk := old.read(CHUNK):
            new.write(chunk)
            done += len(chunk)
            yield done
        new.flush()
        os.fsync(new.fileno())


@contextlib.contextmanager
def _part(target: Path) -> Iterator[Path]:
    """A name beside the target to write under; whatever is left there at the end is removed. Names a full disk."""
    _clean(target)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with records.naming_full_disk(part):
            yield part
    except PermissionError as error:
        raise InputError(f"{target.parent} cannot be written to: name a place that can be.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink(missing_ok=True)


def _clean(target: Path) -> None:
    """Remove what an export to the same name left when its process was killed; one that still runs keeps its own."""
    import psutil

    for old in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        owner = old.name.removesuffix(".part").rpartition(".")[2]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
