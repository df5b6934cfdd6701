"""What the Fine-tune page asks of a project and of `tuning`: training files and runs, starting and watching them."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from workbench import records
from workbench.events import Progress, Result, Stage
from workbench.project import Project
from workbench.tuning import adapter, tune
from workbench.tuning.dataset import DatasetReport
from workbench.tuning.recipe import Recipe, RunInfo, read_recipe
from workbench.ui.finetune_presets import step_count

SETTLE = 5.0  # seconds a process that was ended may take to be gone
KINDS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")


def model_of(project: Project) -> Path:
    """The chat model of a project, which is the one that is tuned. Raises MissingFile."""
    from workbench.lanes.presets import chat_model

    return chat_model(project)


def training_files(project: Project) -> tuple[Path, ...]:
    """The training files that lie in a project, by name."""
    folder = project.datasets_folder
    return tuple(sorted(path for path in folder.glob("*") if path.suffix.lower() in KINDS)) if folder.is_dir() else ()


def list_runs(project: Project) -> tuple[RunInfo, ...]:
    """All runs, oldest first."""
    return adapter.list_runs(project.folder)


def stale_adapters(project: Project) -> dict[str, tuple[str, ...]]:
    """Adapter -> documents that were changed after it was trained; it reads what the index knows of every file."""
    from workbench.advice import facts

    return facts.stale_adapters(project)


def differences(recipe: Recipe) -> tuple[str, ...]:
    """What stands in the way of going on by this recipe, in words."""
    return tune.differences(recipe)


def start_and_watch(recipe: Recipe, anew: bool = False) -> Stage:
    """Start a fine-tune, or go on with it, and follow it. Closing this leaves the run alone: it outlives the window."""
    known = tune.finished(recipe)
    if known is not None:
        yield Result(known)
        return
    yield from tune.start(recipe, anew)
    yield from _begun(recipe.folder)
    yield from watch(recipe.folder)


def _begun(folder: Path) -> Stage:
    """Wait until a run that goes on has said so in its events: the last end there is until then an earlier start's."""
    deadline = time.monotonic() + SETTLE
    while time.monotonic() < deadline:
        pid = records.read_json(folder / "run.json").get("pid")
        starts = [line["value"] for line in records.read_lines(folder / "events.jsonl") if line["kind"] == "start"]
        if starts and starts[-1].get("pid") == pid:
            return
        yield Progress(0, 0, QCoreApplication.translate("runs", "starting"), "steps")
        time.sleep(0.1)


def watch(folder: Path) -> Stage:
    """Follow a run that was started before."""
    yield from tune.watch(folder)


def stop_run(folder: Path) -> Stage:
    """Have a run write its checkpoint and end; a stage, because that takes some seconds."""
    keeping = QCoreApplication.translate("runs", "keeping what was learnt")
    yield Progress(0, 0, keeping)
    tune.stop(folder)
    deadline = time.monotonic() + SETTLE
    while (run := adapter.read_run(folder)).state == "running" and time.monotonic() < deadline:
        yield Progress(0, 0, keeping)  # one that had to be killed is gone a moment later
        time.sleep(0.2)
    yield Result(run)


def recipe_of(run: RunInfo) -> Recipe:
    """The recipe a run was started with. Raises OSError, TypeError or ValueError where it cannot be read."""
    return read_recipe(run.folder / "recipe.json")


def keep_note(run: RunInfo, note: str) -> None:
    """Keep a person's words on a run."""
    adapter.set_note(run.folder, note)


def delete_run(project: Project, run: RunInfo) -> None:
    """Remove a run's folder with everything in it. Raises ProjectBusy while it runs or the project is written to."""
    adapter.delete_run(project.folder, run.name)


def folder_size(folder: Path) -> int:
    """Bytes in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def memory_of(folder: Path) -> int:
    """Bytes the process of a run holds now, 0 when it cannot be told."""
    import psutil

    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, psutil.Error):
        return int(psutil.Process(int(records.read_json(folder / "run.json")["pid"])).memory_info().rss)
    return 0


def free_memory() -> int:
    """Bytes that can be had without swapping."""
    from workbench.catalog import memory

    return memory.free(here=False)


def steps(report: DatasetReport | None, recipe: Recipe | None) -> int:
    """Optimiser steps a recipe takes on a dataset."""
    return step_count(report, recipe) if report is not None and recipe is not None else 0


def name_of(files: Sequence[Path]) -> str:
    """What a fine-tune on these files may be called: after the first two."""
    return "-".join(path.stem for path in files[:2])


def clean_name(text: str) -> str:
    """A name as a folder and a lane can bear it."""
    return re.sub(r"[^\w.-]+", "-", text.strip()).strip("-.")[:60]


def free_name(wanted: str, taken: set[str]) -> str:
    """A name that is not taken: the wanted one, or with -v2, -v3 behind it."""
    wanted = clean_name(wanted) or "fine-tune"
    number, name = 2, wanted
    while name in taken:
        name, number = f"{re.sub(r'-v[0-9]+$', '', wanted)}-v{number}", number + 1
    return name
