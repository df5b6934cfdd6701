"""STAGE dry_run(recipe, report): measure what fine-tunes on these rows take here; kept, so that it is done once.

It is a fine-tune's own child that takes a few real steps in a folder of its own, which is removed; see `dry_steps`.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench import paths, processor, records
from workbench.catalog import memory
from workbench.errors import Cancelled
from workbench.events import Progress, Result, Stage, Step
from workbench.settings import available_cores, load_settings
from workbench.tuning import tune
from workbench.tuning.forecast import Measured, Shape, for_rows
from workbench.tuning.recipe import Recipe
from workbench.tuning.train import DRY, EVENTS

FORMAT = 2  # of what is kept: raised when it would be read wrongly
PREFIX, LEFT_OVER = "dry-run-", 3600.0  # of its folder; seconds after which nobody needs one any more
KEPT, MOST = "dry-runs.json", 60  # in the cache, for it belongs to the computer; the newest so many


def dry_run(recipe: Recipe, report: Shape, anew: bool = False) -> Stage:
    """Measure what a recipe takes on these rows; the last Result is a Measured. Closing the stage ends the child.

    What was measured before is given at once, unless `anew`. Raises as `tune.tune` does.
    """
    known = None if anew else kept(recipe, report)
    if known is not None:
        yield Result(known)
        return
    paths.cache_folder().mkdir(parents=True, exist_ok=True)
    _clear_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=paths.cache_folder()))
    trial = replace(recipe, name=folder.name, folder=folder, epochs=1.0, minutes=0.0, extra={DRY: True})
    try:
        yield from tune.start(trial)
        with contextlib.closing(tune.watch(folder)) as watched:
            for event in watched:
                if isinstance(event, Progress | Step):
                    yield event
        measured = _ended(folder)
    finally:
        tune.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
    keep(recipe, report, measured)
    yield Result(measured)


def _clear_leftovers() -> None:
    """Remove the folders of dry runs whose program was killed."""
    for folder in paths.cache_folder().glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > LEFT_OVER:
                shutil.rmtree(folder, ignore_errors=True)


def _ended(folder: Path) -> Measured:
    end = next(line["value"] for line in reversed(records.read_lines(folder / EVENTS)) if line["kind"] == "end")
    if "measured" not in end:
        raise Cancelled(end["outcome"])
    found: Measured = records.from_plain(Measured, end["measured"])
    return found


def kept(recipe: Recipe, report: Shape) -> Measured | None:
    """What was measured with such a recipe on such rows on this computer, None before it was."""
    where = _place(recipe)
    return next((each for place, rows, each in _read() if place == where and rows == _rows(report)), None)


def estimate(recipe: Recipe, report: Shape) -> Measured | None:
    """What was measured, or what is told for these rows from the newest measured with others; None without either."""
    where = _place(recipe)
    others = (each for place, _, each in reversed(list(_read())) if place == where)
    other = next(others, None)
    return kept(recipe, report) or (for_rows(other, report, recipe) if other is not None else None)


def keep(recipe: Recipe, report: Shape, measured: Measured) -> None:
    """Keep what was measured; a cache that cannot be written costs a second dry run and nothing else."""
    place, rows = _place(recipe), _rows(report)
    lines = [
        {"place": each[0], "rows": each[1], "measured": records.to_plain(each[2])}
        for each in _read()
        if each[:2] != (place, rows)
    ]
    lines.append({"place": place, "rows": rows, "measured": records.to_plain(measured)})
    with contextlib.suppress(OSError):
        paths.cache_folder().mkdir(parents=True, exist_ok=True)
        records.write_json(paths.cache_folder() / KEPT, lines[-MOST:])


def _read() -> Iterator[tuple[str, str, Measured]]:
    """(where, which rows, what was measured), oldest first; what cannot be read is not there."""
    lines: Any = []
    with contextlib.suppress(OSError, ValueError):
        lines = records.read_json(paths.cache_folder() / KEPT)
    for line in lines if isinstance(lines, list) else []:
        with contextlib.suppress(TypeError, ValueError, KeyError, AttributeError):
            yield line["place"], line["rows"], records.from_plain(Measured, line["measured"])


def _place(recipe: Recipe) -> str:
    """What decides the cost of a token, the rows aside: the model, this computer, and how it is used."""
    stat = recipe.model.stat() if recipe.model.exists() else None
    model = f"{recipe.model.absolute()} {stat.st_size} {stat.st_mtime_ns}" if stat else str(recipe.model)
    computer = f"{processor.name()} {available_cores()} {memory.total() >> 28}"
    use = f"{recipe.backend} {recipe.precision} {recipe.threads or load_settings().background_cores}"
    return records.hash_text(f"{FORMAT} {model} {computer} {use}")[:16]


def _rows(report: Shape) -> str:
    """The shape of the rows: how many, how long, and how their lengths are spread."""
    return records.hash_text(f"{report.examples} {report.tokens} {report.lengths} {report.histogram}")[:16]
