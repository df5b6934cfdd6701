"""How fast this computer trains: a short trial of the real thing, measured once and kept for every project."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from workbench import paths, records
from workbench.events import Event, Progress, Result, Stage, Step
from workbench.tuning import tune
from workbench.tuning.recipe import Recipe
from workbench.ui.finetune_presets import Speed

TRIAL_STEPS = 8  # of the real recipe on the real rows: enough for a steady speed, over in well under a minute
LONG = 30.0  # seconds of steps after which what was measured is enough, on a slow or busy computer
KEPT = "training-speed.json"  # in the cache: it belongs to the computer, not to a project


def measure(recipe: Recipe, rows: int) -> Stage:
    """A trial of a few real steps, thrown away afterwards; the last Result is the Speed that was measured."""
    paths.cache_folder().mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="trial-", dir=paths.cache_folder()))
    trial = replace(
        recipe,
        name=folder.name,
        folder=folder,
        epochs=min(1.0, TRIAL_STEPS * recipe.batch_size / max(1, rows)),
        minutes=0.0,
        eval_share=0.0,
        sample_rows=0,
    )
    try:
        yield from _measure(trial)
    finally:
        tune.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _measure(trial: Recipe) -> Stage:
    from workbench.ui.finetune_source import memory_of

    began, first, peak = time.monotonic(), 0.0, 0
    yield from tune.start(trial)
    stage = tune.watch(trial.folder)
    try:
        for event in stage:
            peak = max(peak, memory_of(trial.folder))
            yield _quietly(event)
            if isinstance(event, Step) and event.step == 0:
                first = time.monotonic() - began
            elif isinstance(event, Step) and (event.step >= event.total or event.seconds > LONG and event.step > 1):
                first = first or max(0.0, time.monotonic() - began - event.seconds)
                said = f"Measured on this computer by a trial of {event.step} steps, {_now()}."
                yield Result(Speed(event.tokens_per_second, peak, said, first))
                return
    finally:
        stage.close()


def _now() -> str:
    return f"{int(time.strftime('%d'))} {time.strftime('%b, %H:%M')}"


def _quietly(event: Event) -> Event:
    """A trial's steps as plain progress: they are no run of anybody's."""
    return Progress(event.step, event.total, "a short trial", "steps") if isinstance(event, Step) else event


def keep_speed(model: Path, speed: Speed) -> None:
    """Keep a measured speed for a model, so that it is measured once; a cache that cannot be written costs nothing."""
    with contextlib.suppress(OSError):
        paths.cache_folder().mkdir(parents=True, exist_ok=True)
        records.write_json(paths.cache_folder() / KEPT, {**_kept(), model.name: records.to_plain(speed)})


def kept_speed(model: Path) -> Speed | None:
    """The speed that was measured for a model on this computer, None before it was."""
    with contextlib.suppress(TypeError, ValueError, KeyError):
        found: Speed = records.from_plain(Speed, _kept()[model.name])
        return found
    return None


def _kept() -> dict[str, object]:
    with contextlib.suppress(OSError, ValueError):
        found = records.read_json(paths.cache_folder() / KEPT)
        return found if isinstance(found, dict) else {}
    return {}
