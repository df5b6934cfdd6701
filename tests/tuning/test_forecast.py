"""What a recipe takes, told from a dry run: seconds by passes and layers, memory, and what would fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.tuning import forecast
from workbench.tuning.checkpoint import recipe_key
from workbench.tuning.forecast import Measured
from workbench.tuning.recipe import Recipe

RECIPE = Recipe("x", Path("m.gguf"), (), Path("f"), layers=tuple(range(20, 30)), epochs=1.0, sample_rows=0)
# Of 30 layers 10 are trained: 4 ms a token in a first pass, of which 3 in the trained layers; 1 ms without learning.
MEASURED = Measured(
    backend="cpu (bf16)", at="2026-11-20T21:14:00", parameters=100_000_000, layers=30, trained=10, remembers=True,
    start_seconds=10.0, first=0.004, later=0.003, look=0.001, sample_seconds=0.0, rows=320, pass_tokens=10_000,
    read_tokens=12_000, held_tokens=1_000, longest=200, at_once=1_000, loaded=500_000_000, learning=1_500_000_000,
    end_seconds=8.0, state_bytes=1_000,
)  # fmt: skip
# Before the first step, and in what is done besides steps: the held-out rows six times and once through the layers
# below; and the end.
BESIDES = 10 + 1_000 * (0.001 + 6 * 0.001) + 8


def test_a_pass_costs_what_was_measured_and_later_ones_less() -> None:
    assert forecast.seconds(MEASURED, RECIPE) == pytest.approx(BESIDES + 40)
    assert forecast.seconds(MEASURED, replace(RECIPE, epochs=3.0)) == pytest.approx(BESIDES + 40 + 2 * 30)
    assert forecast.seconds(MEASURED, replace(RECIPE, epochs=0.5)) == pytest.approx(BESIDES + 20)
    assert forecast.seconds(MEASURED, replace(RECIPE, minutes=0.5)) == pytest.approx(BESIDES + 30)
    assert MEASURED.tokens_per_second == 300


def test_more_layers_cost_more_by_what_a_layer_was_measured_to_take() -> None:
    # 15 trained instead of 10: 4.5 ms instead of 3 there, and 0.75 ms instead of 1 below.
    more = replace(RECIPE, layers=tuple(range(15, 30)))
    looks = 1_000 * (0.00075 + 6 * 0.0015)
    assert forecast.seconds(MEASURED, more) == pytest.approx(10 + looks + 52.5 + 8)


def test_where_nothing_is_remembered_every_pass_costs_the_same() -> None:
    flat = replace(MEASURED, remembers=False, later=0.004)
    one, two = (forecast.seconds(flat, replace(RECIPE, epochs=each)) for each in (1.0, 2.0))
    assert two - one == pytest.approx(40)


def test_answers_of_held_out_rows_are_counted() -> None:
    answered = replace(MEASURED, sample_seconds=2.0)
    extra = forecast.seconds(answered, replace(RECIPE, sample_rows=3)) - forecast.seconds(MEASURED, RECIPE)
    assert extra == pytest.approx(3 * 2)


def test_what_is_done_once_and_what_is_kept_with_each_look_is_counted() -> None:
    extra = forecast.seconds(replace(MEASURED, once=4.0, keep_seconds=0.5), RECIPE) - BESIDES - 40
    assert extra == pytest.approx(4 + 5 * 0.5)


def test_memory_is_what_was_seen_and_what_is_remembered_as_far_as_there_is_room() -> None:
    assert forecast.memory(MEASURED, RECIPE, 8_000_000_000) == 1_500_000_000 + 13_000_000
    assert forecast.memory(MEASURED, RECIPE, 4_000_000) == 1_501_000_000
    assert forecast.needed(MEASURED, RECIPE) == 1_500_000_000
    assert forecast.needed(MEASURED, replace(RECIPE, layers=tuple(range(15, 30)))) == 2_000_000_000
    # A large model's end is its peak: there all weights stand in full precision.
    assert forecast.needed(replace(MEASURED, parameters=1_000_000_000), RECIPE) == 2_500_000_000
    assert forecast.needed(replace(MEASURED, parameters=1_000_000_000, backend="cpu (fp32)"), RECIPE) == 1_500_000_000
    assert forecast.needed(replace(MEASURED, ending=300_000_000), RECIPE) == 1_800_000_000


@pytest.mark.parametrize(
    ("free", "changes"),
    [
        (1_400_000_000, {"tokens_at_once": 448}),
        (750_000_000, {"tokens_at_once": 200}),
        (690_000_000, {"tokens_at_once": 128, "max_tokens": 128}),
    ],
)
def test_the_mildest_change_that_fits_is_offered(free: int, changes: dict[str, Any]) -> None:
    small = replace(MEASURED, parameters=10_000_000)
    found = forecast.offer(small, RECIPE, free)
    assert found is not None and found.changes == changes
    changed = replace(RECIPE, **found.changes)
    assert found.memory == forecast.needed(small, changed) <= free
    assert forecast.offer(small, changed, free) is None and forecast.tell(small, changed, free).fits


def test_fewer_layers_come_last_and_then_nothing_is_offered() -> None:
    small = replace(MEASURED, parameters=10_000_000)
    found = forecast.offer(small, RECIPE, 570_000_000)
    assert found is not None and len(found.changes["layers"]) == 5 and found.changes["max_tokens"] == 128
    told = forecast.tell(small, RECIPE, 500_000_000)
    assert not told.fits and told.offer is None
    assert forecast.tell(small, RECIPE, 2_000_000_000) == forecast.Forecast(
        40, pytest.approx(BESIDES + 40), 1_513_000_000, 1_500_000_000, True, None
    )


def test_other_rows_are_told_by_their_tokens_and_said_to_be_an_estimate() -> None:
    report: Any = SimpleNamespace(examples=100, tokens=10_000, lengths={"longest": 2_000}, histogram=())
    told = forecast.for_rows(MEASURED, report, RECIPE)
    assert (told.rows, told.read_tokens, told.pass_tokens, told.held_tokens) == (90, 9_000, 7_500, 1_000)
    assert not told.here and told.longest == RECIPE.max_tokens and told.first == MEASURED.first
    # Its longest row is longer than what was computed at once: the memory grows with it.
    assert forecast.needed(told, RECIPE) > forecast.needed(MEASURED, RECIPE)


def test_fewer_tokens_at_once_are_the_same_run(tmp_path: Path) -> None:
    assert recipe_key(RECIPE) == recipe_key(replace(RECIPE, tokens_at_once=320))
