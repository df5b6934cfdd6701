"""Settings that are given as text: checked, and named where they cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import InputError
from workbench.tuning.fields import BOUNDS, CHOICES, parse_setting, within_context
from workbench.tuning.recipe import Recipe


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("rank=32", {"rank": 32}),
        (" learning_rate = 3e-4 ", {"learning_rate": 3e-4}),
        ("precision=fp32", {"precision": "fp32"}),
        ("layers=all", {"layers": (0, 1, 2, 3, 4, 5)}),
        ("layers=2", {"layers": (4, 5)}),
        ("layers=1-3", {"layers": (1, 2, 3)}),
        ("targets=q_proj, v_proj", {"targets": ("q_proj", "v_proj")}),
        ("targets=attention", {"targets": ("q_proj", "k_proj", "v_proj", "o_proj")}),
    ],
)
def test_a_setting_is_read(text: str, changes: dict[str, Any]) -> None:
    assert parse_setting(text, lambda: 6) == changes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rank", "FIELD=VALUE"),
        ("folder=x", "FIELD one of epochs, minutes"),
        ("rank=0", "rank cannot be '0': it is a whole number from 1 to 128"),
        ("rank=1.5", "whole number"),
        ("warmup=nan", "warmup cannot be 'nan': it is a number from 0 to 0.5"),
        ("backend=tpu", "choose auto, cpu, gpu, unsloth"),
        ("layers=7", "the model has 6"),
        ("layers=3-6", "a range within 0-5"),
        ("targets=embed", "targets cannot be 'embed'"),
    ],
)
def test_a_setting_that_cannot_be_is_named(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_setting(text, lambda: 6)


def test_the_recipe_s_own_settings_are_within_their_bounds(tmp_path: Path) -> None:
    recipe = Recipe("a", tmp_path, (), tmp_path)
    for name, (low, high) in BOUNDS.items():
        assert low <= getattr(recipe, name) <= high
    assert all(getattr(recipe, name) in choices for name, choices in CHOICES.items())


def test_rows_are_no_longer_than_the_model_reads(tmp_path: Path) -> None:
    import gguf

    writer = gguf.GGUFWriter(tmp_path / "base.gguf", "llama")
    writer.add_context_length(256)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    recipe = Recipe("a", tmp_path / "base.gguf", (), tmp_path)
    clamped, why = within_context(recipe)
    assert clamped.max_tokens == 256 and "256 tokens in place of 1,024" in why
    assert within_context(replace(recipe, max_tokens=200)) == (replace(recipe, max_tokens=200), "")
