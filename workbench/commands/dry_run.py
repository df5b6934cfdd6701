"""What `workbench tune --dry-run` measures and says, and the recipe that `--fit` makes of another."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import click

from workbench.catalog import memory
from workbench.commands import console
from workbench.commands.console import say
from workbench.errors import TooLittleMemory
from workbench.tuning import forecast
from workbench.tuning.dataset import DatasetReport
from workbench.tuning.dry_run import dry_run
from workbench.tuning.forecast import Measured
from workbench.tuning.recipe import PRESETS, Recipe, choose_recipe


def measure(recipe: Recipe, report: DatasetReport) -> Measured:
    """A dry run; what was measured before is used again."""
    found: Measured = console.last(dry_run(recipe, report), "Measuring")
    return found


def fitted(recipe: Recipe, report: DatasetReport) -> Recipe:
    """The recipe, changed where it would not fit into the memory that is free. Raises TooLittleMemory."""
    measured, free = measure(recipe, report), memory.free(here=False)
    need = forecast.needed(measured, recipe)
    if need <= free:
        return recipe
    offer = forecast.offer(measured, recipe, free)
    if offer is None:
        raise TooLittleMemory(_too_little(need, free))
    say(f"This would take {_size(need)} of memory and {_size(free)} are free: trained with {offer.words}.")
    return dataclasses.replace(recipe, **offer.changes)


def show(recipe: Recipe, report: DatasetReport, chosen: str, changes: dict[str, Any], as_json: bool) -> None:
    """Measure, and say what each preset takes with a person's changes; `chosen` is the preset of `recipe`."""
    began = time.monotonic()
    measured = measure(recipe, report)
    free = memory.free(here=False)
    presets = {}
    for name in PRESETS:
        each, _ = choose_recipe(name, recipe.name, recipe.model, recipe.datasets, recipe.folder, report)
        presets[name] = forecast.tell(measured, dataclasses.replace(each, **changes), free)
    if as_json:
        about = {"dry_run": True, "chosen": chosen, "presets": presets, "memory_free": free, "measured": measured}
        console.print_json({**about, "seconds": time.monotonic() - began})
        return
    for name, found in presets.items():
        card = f", {_size(measured.card)} on the card" if measured.card else ""
        click.echo(f"{name:9} {_minutes(found.seconds):>18}  {_size(found.memory)} of memory{card}")
    busy = " Other programs were busy then: without them it is faster." if measured.disturbed else ""
    say(f"Measured here on {measured.at.replace('T', ' ')}; nothing was trained.{busy} {_size(free)} are free.")
    mine = presets[chosen]
    if mine.offer is not None:
        say(f"With {mine.offer.words} {chosen} takes {_size(mine.offer.memory)}: `--fit` trains so.")
    elif not mine.fits:
        say(_too_little(mine.memory_needed, free))


def _too_little(need: int, free: int) -> str:
    return (
        f"Training takes at least {_size(need)} of memory and {_size(free)} are free, and no setting makes it fit: "
        "close other programs, or choose a smaller model."
    )


def _minutes(seconds: float) -> str:
    return f"about {seconds / 60:.1f} minutes"


def _size(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
