"""States of a run on its way: few, evenly spread whatever its length, and what a run that goes on makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from test_loop import OVERFIT, Counting, follow
from tiny import tiny_model, with_lora, write_gguf

from workbench.errors import DiskFull
from workbench.events import Step
from workbench.tuning import adapter, states
from workbench.tuning.recipe import Recipe


@pytest.mark.parametrize("count", [5, 6, 7, 20, 100, 997])
def test_the_states_kept_are_few_and_even(tmp_path: Path, count: int) -> None:
    for step in range(10, 10 * count + 1, 10):
        states.keep_state(tmp_path, step, {"a": torch.ones(1)})
        steps = sorted(int(path.stem) for path in tmp_path.iterdir())
        assert steps[-1] == step and len(steps) == min(states.MOST, step // 10)
    gaps = [after - before for before, after in zip([0, *steps], steps, strict=False)]
    assert max(gaps[:-1], default=0) <= 2 * min(gaps[:-1]) and gaps[-1] <= max(gaps)


def test_a_full_disk_costs_a_state_and_not_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(states, "save_weights", full)
    states.keep_state(tmp_path, 4, {})
    assert not list(tmp_path.iterdir())


def test_a_run_keeps_states_where_it_measures_and_takes_later_ones_anew(tmp_path: Path) -> None:
    settings = {"held_out": 8, "eval_every": 40, "checkpoint_every": 25}
    for event in follow(tmp_path, Counting(held=OVERFIT), **settings):
        if isinstance(event, Step) and event.step == 90:
            break  # after the state of step 80, and a checkpoint of step 75
    kept = tmp_path / states.FOLDER
    assert sorted(int(path.stem) for path in kept.iterdir()) == [40, 80]
    other = follow(tmp_path, Counting(held=OVERFIT, steps=75), **settings)
    next(other)
    next(other)
    assert [path.name for path in kept.iterdir()] == ["40.safetensors"]
    other.close()


def test_the_last_state_becomes_the_very_adapter_that_the_run_leaves(tmp_path: Path) -> None:
    base = tiny_model()
    write_gguf(base, tmp_path / "base.gguf")
    model = with_lora(base)
    recipe = Recipe("mine", tmp_path / "base.gguf", (), tmp_path, rank=4, alpha=8.0)
    trained = {name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad}
    states.keep_state(tmp_path / states.FOLDER, 30, trained)
    model.save_pretrained(str(tmp_path / "peft"))
    adapter.convert(tmp_path / "peft", recipe.model, tmp_path / adapter.ADAPTER)
    states.convert_states(recipe)
    assert list(states.kept_states(tmp_path)) == [30]
    assert states.kept_states(tmp_path)[30].read_bytes() == (tmp_path / adapter.ADAPTER).read_bytes()
    assert states.size_of(tmp_path) == (tmp_path / adapter.ADAPTER).stat().st_size
    states.convert_states(recipe)  # as when a run was killed in the middle of its end
    assert list(states.kept_states(tmp_path)) == [30]
