"""The benchmark of a card: every way is measured on the very same held-out rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.bench import _card
from workbench.events import Step
from workbench.tuning import loop, train
from workbench.tuning.course import RowLoss
from workbench.tuning.recipe import Recipe
from workbench.tuning.tokens import Tokens


def test_our_loss_is_of_all_rows_held_out_as_the_yardstick_s_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[Tokens]] = []

    def row_losses(rows: Sequence[Tokens], guard: Any) -> list[RowLoss]:
        asked.append(rows)
        return [RowLoss(2.0 * row.trained, 1.0) for row in rows]

    def run(*_: Any) -> Iterator[Step]:  # what the loop says is of some of the rows
        yield from (Step(step, 13, 1.0, eval_loss=9.0) for step in range(14))

    def way(recipe: Recipe, data: loop.Data, stop: Any, run: loop.Run) -> Iterator[Any]:
        yield from run(recipe, data, stop, SimpleNamespace(row_losses=row_losses))

    monkeypatch.setattr(loop, "run", run)
    monkeypatch.setattr(train, "train_function", lambda _: way)
    rows = [SimpleNamespace(source="", grounded=False, tokens=Tokens((1, 2, 3), ((2, 3),))) for _ in range(104)]
    data = loop.Data(rows, rows[:40], None)  # type: ignore[arg-type]
    found = _card._ours("gpu", Recipe("a", tmp_path, (), tmp_path, epochs=1.0), data)
    assert found.held_out_loss == 2.0 and [len(each) for each in asked] == [40]
