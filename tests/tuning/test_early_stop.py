"""A real fine-tune that can only learn by heart ends early, and what is kept is its best state."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from workbench import paths
from workbench.events import last_result
from workbench.project import Project
from workbench.tuning import tune
from workbench.tuning.recipe import Recipe, RunInfo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def write_chance(file: Path) -> None:
    """40 rows whose answers follow from nothing: a fourth each, at random."""
    pick = random.Random(5)
    names = ["".join(pick.choice(["ba", "ko", "ri", "tu", "se", "mo"]) for _ in range(3)) for _ in range(40)]
    answers = ["red", "blue", "green", "white"] * 10
    pick.shuffle(answers)
    rows = ({"prompt": name, "completion": answer} for name, answer in zip(names, answers, strict=True))
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def test_rows_learnt_by_heart_end_training_early_and_the_best_state_is_kept(tmp_path: Path) -> None:
    home = Project.open(tmp_path)
    write_chance(tmp_path / "rows.jsonl")
    recipe = Recipe(
        "chance",
        paths.starter_model(),
        (tmp_path / "rows.jsonl",),
        home.adapters_folder / "chance",
        layers=tuple(range(24, 30)),
        learning_rate=1e-3,
        epochs=60.0,
        eval_share=0.3,
        eval_every=8,
        sample_rows=0,
        threads=1,
    )
    run: RunInfo = last_result(tune.tune(recipe))

    # What has no reason cannot be known of other rows: all 240 steps would only have taught the answers by heart.
    assert run.state == "done" and run.step == run.total < 240 and "Training ended after step" in run.outcome
    losses, held = dict(run.eval_loss), run.effects["held_out"]
    assert 0 < held["step"] < run.step and "that state is kept" in run.outcome
    assert held["after"] == pytest.approx(losses[held["step"]]) and losses[run.step] > losses[held["step"]]

    # The adapter is that state, number for number.
    kept = load_file(recipe.folder / "best" / f"{held['step']}.safetensors")
    saved = load_file(recipe.folder / "peft" / "adapter_model.safetensors")
    assert {name.replace(".default.", "."): numbers.tobytes() for name, numbers in kept.items()} == {
        name: numbers.tobytes() for name, numbers in saved.items()
    }
    assert run.parity["ok"], run.parity
