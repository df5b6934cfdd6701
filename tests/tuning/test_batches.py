"""Every optimiser step holds about as many rows as asked for, and rows that read the same passages stand together."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.tuning.base import BaseInfo
from workbench.tuning.batches import plan_batches
from workbench.tuning.loop import steps_within
from workbench.tuning.peft_cpu import later_share
from workbench.tuning.recipe import Recipe


def recipe(folder: Path, epochs: float = 1.0, size: int = 4) -> Recipe:
    return Recipe("a", folder, (), folder, epochs=epochs, batch_size=size)


def test_batches_follow_from_the_seed_and_cover_each_pass(tmp_path: Path) -> None:
    chosen = recipe(tmp_path, epochs=2.5)
    batches = plan_batches([""] * 18, chosen)
    assert len(batches) == 5 + 5 + 2 and batches == plan_batches([""] * 18, chosen)
    assert sorted(place for batch in batches[:5] for place in batch) == list(range(18))
    assert batches[:5] != batches[5:10]
    assert all(len(batch) in (2, 4) for batch in batches)


def test_rows_that_read_the_same_passages_come_in_one_step(tmp_path: Path) -> None:
    sources = [name for name in "abcdef" for _ in range(3)] + [""] * 14
    batches = plan_batches(sources, recipe(tmp_path))
    assert sorted(place for batch in batches for place in batch) == list(range(32))
    assert len(batches) == 8, "as many steps as rows of their own would take"
    for name in "abcdef":
        assert len({step for step, batch in enumerate(batches) for place in batch if sources[place] == name}) == 1


def test_more_rows_of_one_source_than_a_step_holds_are_parted(tmp_path: Path) -> None:
    batches = plan_batches(["all"] * 10, recipe(tmp_path))
    assert sorted(map(len, batches)) == [2, 4, 4]


def test_a_tenth_of_a_pass_is_at_least_one_step(tmp_path: Path) -> None:
    assert len(plan_batches([""] * 6, recipe(tmp_path, epochs=0.1))) == 1


def test_a_run_of_so_many_minutes_counts_on_faster_later_passes() -> None:
    assert steps_within(360.0, 4.0, first=100) == 90
    assert steps_within(360.0, 3.0, first=100, later=0.5) == 140
    assert steps_within(360.0, 3.0, first=0, later=0.5) == 120, "a pace that is a later pass's already"
    assert steps_within(-5.0, 4.0, first=10) == 0


def test_a_later_pass_costs_what_the_trained_layers_cost() -> None:
    info = BaseInfo("llama", layers=30, heads=9, kv_heads=3, parameters=1, tensors={})
    assert later_share(info, range(30)) == 1.0
    assert later_share(info, range(18, 30)) == pytest.approx(36 / 54)
