"""What the Fine-tune page asks of `tuning`: runs, starting and watching them, a short trial that measures speed."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from workbench import paths, records
from workbench.events import Event, Progress, Result, Stage, Step
from workbench.project import Project
from workbench.tuning import adapter, tune
from workbench.tuning.dataset import DatasetReport
from workbench.tuning.recipe import Recipe, RunInfo
from workbench.ui.finetune_presets import Speed, step_count

SETTLE = 5.0  # seconds a process that was ended may take to be gone
TRIAL_STEPS = 8  # of the real recipe on the real rows: enough for a steady speed, over in well under a minute


def model_of(project: Project) -> Path:
    """The chat model of a project, which is the one that is tuned. Raises MissingFile."""
    from workbench.lanes.presets import chat_model

    return chat_model(project)


def list_runs(project: Project) -> tuple[RunInfo, ...]:
    """All runs, oldest first."""
    return adapter.list_runs(project.folder)


def start_and_watch(recipe: Recipe) -> Stage:
    """Start a fine-tune and follow it. Closing this leaves the run alone, so that it outlives the window."""
    known = tune.finished(recipe)
    if known is not None:
        yield Result(known)
        return
    yield from tune.start(recipe)
    yield from watch(recipe.folder)


def watch(folder: Path) -> Stage:
    """Follow a run that was started before."""
    yield from tune.watch(folder)


def stop_run(folder: Path) -> Stage:
    """Have a run write its checkpoint and end; a stage, because that takes some seconds."""
    yield Progress(0, 0, "keeping what was learnt")
    tune.stop(folder)
    deadline = time.monotonic() + SETTLE
    while (run := adapter.read_run(folder)).state == "running" and time.monotonic() < deadline:
        yield Progress(0, 0, "keeping what was learnt")  # one that had to be killed is gone a moment later
        time.sleep(0.2)
    yield Result(run)


def recipe_of(run: RunInfo) -> Recipe:
    """The recipe a run was started with. Raises OSError, TypeError or ValueError where it cannot be read."""
    recipe: Recipe = records.from_plain(Recipe, records.read_json(run.folder / "recipe.json"))
    return recipe


def keep_note(run: RunInfo, note: str) -> None:
    """Keep a person's words on a run."""
    adapter.set_note(run.folder, note)


def delete_run(project: Project, run: RunInfo) -> None:
    """Remove a run's folder with everything in it. Raises ProjectBusy while another process writes to the project."""
    with project.writing("deleting a fine-tune"):
        shutil.rmtree(run.folder)


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
    import psutil

    return int(psutil.virtual_memory().available)


def steps(report: DatasetReport | None, recipe: Recipe | None) -> int:
    """Optimiser steps a recipe takes on a dataset."""
    return step_count(report, recipe) if report is not None and recipe is not None else 0


def measure(recipe: Recipe, rows: int) -> Stage:
    """A trial of a few real steps, thrown away afterwards; the last Result is the Speed that was measured."""
    paths.cache_folder().mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="trial-", dir=paths.cache_folder()))
    trial = replace(
        recipe,
        name=folder.name,
        folder=folder,
        epochs=min(1.0, TRIAL_STEPS * recipe.batch_size / max(1, rows)),
        eval_share=0.0,
        sample_rows=0,
    )
    try:
        yield from _measure(trial)
    finally:
        tune.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _measure(trial: Recipe) -> Stage:
    began, first, peak = time.monotonic(), 0.0, 0
    yield from tune.start(trial)
    stage = tune.watch(trial.folder)
    try:
        for event in stage:
            peak = max(peak, memory_of(trial.folder))
            yield _quietly(event)
            if isinstance(event, Step) and event.step == 0:
                first = time.monotonic() - began
            elif isinstance(event, Step) and event.step >= event.total:
                first = first or max(0.0, time.monotonic() - began - event.seconds)
                said = f"Measured on this computer by a trial of {event.step} steps, at {time.strftime('%H:%M')}."
                yield Result(Speed(event.tokens_per_second, peak, said, first))
                return
    finally:
        stage.close()


def _quietly(event: Event) -> Event:
    """A trial's steps as plain progress: they are no run of anybody's."""
    return Progress(event.step, event.total, "a short trial", "steps") if isinstance(event, Step) else event
