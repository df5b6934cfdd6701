"""Three recipes by name, and what they will take on this machine, said with where the figure comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workbench.tuning.dataset import DatasetReport
from workbench.tuning.recipe import Recipe, RunInfo


@dataclass(frozen=True, slots=True)
class Preset:
    """A named choice of what matters most for time."""

    key: str
    epochs: float
    rank: int
    learning_rate: float


# Balanced is the recipe's own default; quick and thorough change the passes, the cheapest thing to understand and the
# one that time is proportional to. A longer run takes smaller steps, as LoRA recipes for small models do.
PRESETS = (
    Preset("quick", 1.0, 16, 5e-4),
    Preset("balanced", 2.0, 16, 5e-4),
    Preset("thorough", 4.0, 32, 3e-4),
)


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second that training ran at on this machine, and how that is known."""

    tokens_per_second: float
    memory: int = 0  # bytes at the peak, 0 when it was not measured
    source: str = ""  # a sentence for people
    start_seconds: float = 0.0  # loading and reading before the first step


def apply_preset(recipe: Recipe, preset: Preset) -> Recipe:
    """The same fine-tune with a preset's choices."""
    return replace(
        recipe, epochs=preset.epochs, rank=preset.rank, alpha=2.0 * preset.rank, learning_rate=preset.learning_rate
    )


def preset_of(recipe: Recipe) -> str:
    """The key of the preset a recipe is like, "" when its settings are a person's own."""
    for preset in PRESETS:
        if apply_preset(recipe, preset) == recipe:
            return preset.key
    return ""


def held_out_rows(examples: int, share: float) -> int:
    """How many rows are kept from training, as `tuning.dataset.split` does it."""
    return min(max(4, round(examples * share)), 64, examples // 3) if examples >= 6 and share > 0 else 0


def step_count(report: DatasetReport, recipe: Recipe) -> int:
    """Optimiser steps of a run."""
    rows = report.examples - held_out_rows(report.examples, recipe.eval_share)
    return max(1, round(recipe.epochs * -(-rows // recipe.batch_size)))


def estimate_seconds(report: DatasetReport, recipe: Recipe, speed: Speed) -> float:
    """About how long training takes: its tokens over the measured speed.

    The held-out rows are read about eight times besides, at a third of the cost since nothing is learnt from them.
    """
    held = held_out_rows(report.examples, recipe.eval_share) / max(1, report.examples)
    trained = report.tokens * (1 - held) * recipe.epochs
    return speed.start_seconds + (trained + report.tokens * held * 8 / 3) / max(1.0, speed.tokens_per_second)


def last_speed(runs: Sequence[RunInfo], recipe: Recipe) -> Speed | None:
    """The speed of the newest run of the same model that got somewhere."""
    usable = [run for run in runs if run.tokens_per_second > 0 and run.model in (None, recipe.model)]
    if not usable:
        return None
    newest = max(usable, key=lambda run: run.created)
    return Speed(newest.tokens_per_second, source=f"From the speed of the run {newest.name} on this computer.")
