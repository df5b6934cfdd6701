"""Three recipes by name, and what they will take on this machine, said with where the figure comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.tuning.dataset import DatasetReport
from workbench.tuning.recipe import Recipe, RunInfo, choose_recipe, held_out_count

KEYS = ("quick", "balanced", "thorough")  # of tuning.recipe.PRESETS, in the order the cards stand
USUAL = "balanced"


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second that training ran at on this machine, and how that is known."""

    tokens_per_second: float
    memory: int = 0  # bytes at the peak, 0 when it was not measured
    source: str = ""  # a sentence for people
    start_seconds: float = 0.0  # loading and reading before the first step


@dataclass(frozen=True, slots=True)
class Choices:
    """The recipe of each preset for one dataset, with its reasons in sentences."""

    recipes: dict[str, Recipe]
    reasons: dict[str, tuple[str, ...]]

    def key_of(self, recipe: Recipe) -> str:
        """The preset a recipe is, "" when its settings are a person's own."""
        fitting = (key for key, each in self.recipes.items() if renamed(each, recipe) == recipe)
        return next(fitting, "")


def renamed(recipe: Recipe, like: Recipe) -> Recipe:
    """The same settings for the run another recipe is for."""
    return replace(recipe, name=like.name, folder=like.folder)


def make_choices(name: str, model: Path, files: tuple[Path, ...], folder: Path, report: DatasetReport) -> Choices:
    """What each preset comes to for a dataset. Raises BadModel for a model that cannot be tuned."""
    made = {key: choose_recipe(key, name, model, files, folder, report) for key in KEYS}
    return Choices({key: each[0] for key, each in made.items()}, {key: each[1] for key, each in made.items()})


def step_count(report: DatasetReport, recipe: Recipe) -> int:
    """Optimiser steps of a run."""
    rows = report.examples - held_out_count(report.examples, recipe.eval_share)
    return max(1, round(recipe.epochs * -(-rows // recipe.batch_size)))


def estimate_seconds(report: DatasetReport, recipe: Recipe, speed: Speed) -> float:
    """About how long training takes: its tokens over the measured speed.

    The held-out rows are read about eight times besides, at a third of the cost since nothing is learnt from them.
    """
    held = held_out_count(report.examples, recipe.eval_share) / max(1, report.examples)
    trained = report.tokens * (1 - held) * recipe.epochs
    seconds = (trained + report.tokens * held * 8 / 3) / max(1.0, speed.tokens_per_second)
    return speed.start_seconds + (min(seconds, 60 * recipe.minutes) if recipe.minutes else seconds)


def last_speed(runs: Sequence[RunInfo], recipe: Recipe) -> Speed | None:
    """The speed of the newest run of the same model that got somewhere."""
    usable = [run for run in runs if run.tokens_per_second > 0 and run.model in (None, recipe.model)]
    if not usable:
        return None
    newest = max(usable, key=lambda run: run.created)
    return Speed(newest.tokens_per_second, source=f"From the speed of the run {newest.name} on this computer.")
