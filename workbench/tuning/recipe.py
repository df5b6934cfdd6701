"""Recipe: everything one fine-tune needs; and the records a run leaves."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from workbench import paths, records
from workbench.errors import MissingFile
from workbench.tuning.columns import Columns

STARTER, RECORDED = "starter", "recorded_model"  # in Recipe.extra: the starter's hash, and where it lay at first
BACKENDS = ("auto", "cpu", "gpu", "unsloth")  # auto: a graphics card where there is one, with Unsloth if installed


@dataclass(frozen=True, slots=True)
class Recipe:
    """One fine-tune, complete: the child is started with this and nothing else."""

    name: str  # the adapter's name, also its folder's
    model: Path  # the GGUF that is tuned, the very file one chats with
    datasets: tuple[Path, ...]
    folder: Path  # the run folder: adapters/NAME of the project
    rank: int = 16  # LoRA r
    alpha: float = 32.0
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    layers: tuple[int, ...] = ()  # which transformer layers; empty: all
    learning_rate: float = 5e-4
    b_rate: float = 1.0  # LoRA's B, which starts at zero, learns so many times as fast as A
    warmup: float = 0.05  # share of the steps
    weight_decay: float = 0.0
    max_gradient: float = 1.0  # gradient norm is clipped here
    epochs: float = 2.0
    minutes: float = 0.0  # training is shortened to about so many, as the first steps show this machine's speed; 0: not
    batch_size: int = 8  # examples per optimiser step
    max_tokens: int = 1024  # an example's length; longer ones are cut from the left of the context, never the answer
    eval_share: float = 0.1  # held out, at least 4 rows, at most 64
    rows: float = 1.0  # share of the other rows that is trained on, see `subsets`: below 1 for a learning curve alone
    eval_every: int = 0  # steps; 0: six times over the run
    # Training ends when the held-out loss was clearly above its lowest so many times in a row; 0: never. Of the usual
    # five measurements two are 40 % of the steps: a dip that the falling learning rate mends is over by then.
    patience: int = 2
    checkpoint_every: int = 0  # steps; 0: with each evaluation
    seed: int = 3407
    threads: int = 0  # 0: all cores
    # Computed at once; 0: as many as is fastest. Fewer take less memory and more time; the same is learnt.
    tokens_at_once: int = 0
    precision: str = "auto"  # "auto", "fp32" or "bf16"; auto measures which is faster on this CPU
    backend: str = "auto"  # one of BACKENDS
    sample_rows: int = 3  # held-out rows answered before, during and after
    columns: tuple[Columns | None, ...] = ()  # of each dataset, None where its names are known; empty: all are
    extra: dict[str, Any] = field(default_factory=dict)


def mark_starter(recipe: Recipe) -> Recipe:
    """The recipe with the hash of the starter model where it is that one, which moves with the program.

    An earlier recipe in the run's folder says where it lay at first: so a run that goes on is known as the same.
    """
    if recipe.model != _starter() or not recipe.model.is_file():
        return recipe
    extra = {**recipe.extra, STARTER: records.hash_file(recipe.model)}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        old = records.read_json(recipe.folder / "recipe.json")
        recorded = old["extra"].get(RECORDED, old["model"])
        if old["extra"].get(STARTER) == extra[STARTER] and recorded != str(recipe.model):
            extra[RECORDED] = recorded
    return replace(recipe, extra=extra)


def read_recipe(path: Path) -> Recipe:
    """A recipe as it was written, but the starter model, if it was that one, where it lies now.

    Raises OSError, TypeError or ValueError where it cannot be read.
    """
    recipe: Recipe = records.from_plain(Recipe, records.read_json(path))
    starter, wanted = _starter(), recipe.extra.get(STARTER)
    if wanted and starter is not None and not recipe.model.is_file() and records.hash_file(starter) == wanted:
        recorded = recipe.extra.get(RECORDED, str(recipe.model))
        return replace(recipe, model=starter, extra={**recipe.extra, RECORDED: recorded})
    return recipe


def _starter() -> Path | None:
    """Where the starter lies now; None where it is not installed."""
    try:
        found = paths.starter_model()
    except MissingFile:
        return None
    return found if found.is_file() else None


@dataclass(frozen=True, slots=True)
class Sample:
    """A held-out row answered at some step."""

    prompt: str
    expected: str
    answer: str


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run as the list of runs shows it, read from its folder alone."""

    name: str
    folder: Path
    state: str  # "running", "stopped", "failed", "done"
    outcome: str  # a sentence
    step: int
    total: int
    train_loss: tuple[tuple[int, float], ...]
    eval_loss: tuple[tuple[int, float], ...]
    seconds: float
    tokens_per_second: float
    created: str  # ISO time
    examples: int = 0
    backend: str = ""
    adapter: Path | None = None  # the GGUF adapter, when it is done and its parity was checked
    model: Path | None = None
    system: str = ""  # the system prompt its rows share, "" when none or several
    parity: dict[str, Any] = field(default_factory=dict)  # see comparing.compare
    recipe: dict[str, Any] = field(default_factory=dict)
    reads_passages: bool = False  # whether its rows taught it to read passages
    note: str = ""  # a person's own words
    effects: dict[str, Any] = field(default_factory=dict)  # see tuning.effects; empty for runs of before it
    slower: float = 0.0  # the learning rate to start anew with, where its own made the loss explode; 0: it did not

    @property
    def sound(self) -> bool:
        """Whether llama.cpp agrees with the trained model, as far as that was compared."""
        return bool(self.parity.get("ok", True))


class Sized(Protocol):
    """What choose_recipe must know of a dataset; a tuning.dataset.DatasetReport has it."""

    @property
    def examples(self) -> int: ...
    @property
    def tokens(self) -> int: ...


ALL = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")  # of a layer, as Transformers names
MLP = ALL[4:]


@dataclass(frozen=True, slots=True)
class Preset:
    """How much training: passes over the rows, bounded so that few rows still get enough steps to learn a form."""

    passes: float
    steps: int  # at least so many optimiser steps, as far as `most_passes` allows
    most_passes: float  # more learn a small set by heart
    rank: int
    learning_rate: float
    share: float  # of the layers, the uppermost ones: these are trained
    spared: float = 0.1  # of the layers, the last ones of these: they stay as they are
    targets: tuple[str, ...] = MLP
    # LoRA+ (Hayou et al., "LoRA+: Efficient Low Rank Adaptation of Large Models", 2024): with one rate for both, B
    # learns too slowly beside A. The factor was chosen on three tasks with two seeds each, see docs/benchmarks.md.
    b_rate: float = 4.0

    def layers(self, count: int) -> tuple[int, ...]:
        """Which layers of so many are trained; one at least."""
        lowest = count - max(1, round(count * self.share))
        return tuple(range(lowest, max(lowest + 1, count - round(count * self.spared))))


# Each adapted matrix costs llama.cpp four small operations a token, so an adapter of few matrices decodes faster. On
# the upper 40 % of the layers, all seven matrices with rank 16 decode at 0.91 of the bare model's speed, the three of
# the MLP with rank 8 at 0.96 (docs/benchmarks.md). In half as many steps again these learn as much, and less is lost of
# what the model knew. That the MLP's are enough was found for larger models in "LoRA Without Regret" too (below). The
# last tenth of the layers is spared: without it as much is learnt sooner, and less is lost. The lowest of these layers
# cannot be spared: on the uppermost nine alone the starter copied names and dates much worse (one set, one seed).
PRESETS = {
    "quick": Preset(1.5, 90, 5, 8, 1.4e-3, 0.4),
    "balanced": Preset(3, 225, 8, 8, 1.1e-3, 0.4),
    "thorough": Preset(5, 300, 10, 8, 7e-4, 0.5),
}


# The presets' rates were chosen on a model of so many numbers a token; a wider one learns at lower rates.
WIDTH = 576
# How the best rate falls with the width, (2000 / width) to the power of this, as fitted to runs of either family by
# Schulman and others, "LoRA Without Regret", Thinking Machines, 2025. Ours were not measured on wider models.
FALLS, FALLS_IN = 0.781, {"qwen2": 0.0775, "qwen3": 0.0775}


def rate_for(rate: float, width: int, architecture: str) -> float:
    """A preset's learning rate for a model of this width, to two digits; as it is for the starter and narrower ones."""
    scale = (WIDTH / max(width, WIDTH)) ** FALLS_IN.get(architecture, FALLS)
    return rate if scale == 1 else float(f"{rate * scale:.2g}")


def choose_recipe(
    preset: str, name: str, model: Path, files: tuple[Path, ...], folder: Path, report: Sized
) -> tuple[Recipe, tuple[str, ...]]:
    """A recipe for a dataset, with the reasons in sentences for people.

    The rate falls with the model's width (see `rate_for`); on a card all matrices of all layers are trained, for there
    a part of them saves little. `folder` is the run folder. Raises InputError for an unknown preset, BadModel for a
    model that cannot be tuned.
    """
    from workbench.errors import InputError
    from workbench.tuning.base import read_base
    from workbench.tuning.card import has_card

    if preset not in PRESETS:
        raise InputError(f"There is no preset {preset!r}: choose {', '.join(PRESETS)}.")
    chosen, info = PRESETS[preset], read_base(model)
    count, width = info.layers, info.tensors["token_embd.weight"][0]
    rate = rate_for(chosen.learning_rate, width, info.architecture)
    recipe = Recipe(name, model, files, folder, rank=chosen.rank, alpha=2.0 * chosen.rank, learning_rate=rate)
    recipe = replace(recipe, b_rate=chosen.b_rate)
    rows = max(1, report.examples - held_out_count(report.examples, recipe.eval_share))
    epochs = max(chosen.passes, min(chosen.most_passes, chosen.steps * recipe.batch_size / rows))
    epochs = round(epochs * 4) / 4  # quarters of a pass: "3.4 passes" would say more than is known
    card = has_card()
    layers = tuple(range(count)) if card else chosen.layers(count)
    recipe = replace(recipe, epochs=epochs, layers=layers, targets=ALL if card else chosen.targets)
    return recipe, explain_recipe(recipe, report)


def explain_recipe(recipe: Recipe, report: Sized) -> tuple[str, ...]:
    """What a recipe means for a dataset, in sentences for people. Raises BadModel."""
    from workbench.tuning.base import read_base

    count, held = read_base(recipe.model).layers, held_out_count(report.examples, recipe.eval_share)
    rows = max(1, report.examples - held)
    steps = max(1, round(recipe.epochs * -(-rows // recipe.batch_size)))
    passes = "one pass" if recipe.epochs == 1 else f"{recipe.epochs:g} passes"
    said = [f"{steps} steps of {recipe.batch_size} rows: {passes} over {rows} rows; {held} more are held out."]
    if recipe.minutes:
        said.append(f"Fewer where those would take more than about {recipe.minutes:g} minutes here.")
    if len(recipe.layers) < count:
        what = "The MLP matrices of " if recipe.targets == MLP else ""
        said.append(
            f"{what}{len(recipe.layers)} of {count} layers are trained: that takes less than half the time of all of "
            "them, and answers come almost as fast as without the adapter."
        )
    if rows < 50:
        said.append(f"{rows} rows are few: expect the form of the answers to be learnt, and little else.")
    return tuple(said)


def held_out_count(examples: int, share: float) -> int:
    """How many rows are kept from training: `share` of them, 4 to 64, never more than a third; below 6 rows none."""
    return min(max(4, round(examples * share)), 64, examples // 3) if examples >= 6 and share > 0 else 0
