"""Three recipes by name, and what they will take on this machine, said with where the figure comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.tuning import forecast
from workbench.tuning.columns import Columns
from workbench.tuning.dataset import DatasetReport
from workbench.tuning.forecast import Measured
from workbench.tuning.recipe import Recipe, RunInfo, choose_recipe, held_out_count

KEYS = ("quick", "balanced", "thorough")  # of tuning.recipe.PRESETS, in the order the cards stand
USUAL = "balanced"


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second that an earlier run was trained with on this machine, where no dry run says more."""

    tokens_per_second: float
    run: str = ""  # its name


Basis = Measured | Speed  # what an estimate is made from


@dataclass(frozen=True, slots=True)
class Choices:
    """The recipe of each preset for one dataset, with its reasons in sentences."""

    recipes: dict[str, Recipe]
    reasons: dict[str, tuple[str, ...]]

    def key_of(self, recipe: Recipe) -> str:
        """The preset a recipe is, "" when its settings are a person's own."""
        fitting = (key for key, each in self.recipes.items() if renamed(each, recipe) == recipe)
        return next(fitting, "")

    def of_columns(self, columns: tuple[Columns | None, ...]) -> Choices:
        """The same for files whose columns a person named."""
        return replace(self, recipes={key: replace(each, columns=columns) for key, each in self.recipes.items()})


def renamed(recipe: Recipe, like: Recipe) -> Recipe:
    """The same settings for the run another recipe is for."""
    return replace(recipe, name=like.name, folder=like.folder)


def like(recipe: Recipe, own: Recipe) -> Recipe:
    """A recipe computed in the way of a person's own: on the same backend, in the same precision, on as many cores."""
    return replace(recipe, backend=own.backend, precision=own.precision, threads=own.threads)


def make_choices(name: str, model: Path, files: tuple[Path, ...], folder: Path, report: DatasetReport) -> Choices:
    """What each preset comes to for a dataset. Raises BadModel for a model that cannot be tuned."""
    made = {key: choose_recipe(key, name, model, files, folder, report) for key in KEYS}
    return Choices({key: each[0] for key, each in made.items()}, {key: each[1] for key, each in made.items()})


def step_count(report: DatasetReport, recipe: Recipe) -> int:
    """Optimiser steps of a run."""
    rows = report.examples - held_out_count(report.examples, recipe.eval_share)
    return forecast.step_count(rows, recipe)


def estimate_seconds(report: DatasetReport, recipe: Recipe, basis: Basis) -> float:
    """About how long a fine-tune takes, its evaluations included."""
    if isinstance(basis, Measured):
        return forecast.seconds(basis, recipe)
    # The held-out rows are read about eight times, at a third of the cost since nothing is learnt from them.
    held = held_out_count(report.examples, recipe.eval_share) / max(1, report.examples)
    trained = report.tokens * (1 - held) * recipe.epochs
    seconds = (trained + report.tokens * held * 8 / 3) / max(1.0, basis.tokens_per_second)
    return min(seconds, 60 * recipe.minutes) if recipe.minutes else seconds


def last_speed(runs: Sequence[RunInfo], recipe: Recipe) -> Speed | None:
    """The speed of the newest run of the same model that got somewhere."""
    usable = [run for run in runs if run.tokens_per_second > 0 and run.model in (None, recipe.model)]
    if not usable:
        return None
    newest = max(usable, key=lambda run: run.created)
    return Speed(newest.tokens_per_second, newest.name)
