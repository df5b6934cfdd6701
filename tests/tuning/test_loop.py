"""The loop that all trainers share, with a trainer that only counts and a clock that only it moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from workbench.events import Step, last_result
from workbench.tuning import loop
from workbench.tuning.recipe import Recipe
from workbench.tuning.tokens import Tokens


class Counting:
    """A trainer of one number, whose steps take what `pace` says."""

    precision, later = "fp32", 1.0

    def __init__(self, pace: Callable[[int], float]) -> None:
        self.model = torch.nn.Linear(1, 1)
        self.model.save_pretrained = lambda folder: None  # type: ignore[assignment]
        self.now, self.steps, self._pace = 0.0, 0, pace

    def backward(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> float:
        guard()
        self.steps += 1
        self.now += self._pace(self.steps)
        loss = self.model(torch.ones(1, 1)).square().sum()
        loss.backward()
        return float(loss.detach())

    def summed_loss(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> float:
        return 1.0


def train(folder: Path, monkeypatch: pytest.MonkeyPatch, pace: Callable[[int], float], **changes: Any) -> list[Any]:
    trainer = Counting(pace)
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: trainer.now))
    rows = [SimpleNamespace(source="", tokens=Tokens((1, 2, 3), ((2, 3),))) for _ in range(400)]
    recipe = Recipe("a", folder, (), folder, epochs=4.0, sample_rows=0, **changes)  # 200 steps
    return list(loop.run(recipe, loop.Data(rows, (), None), lambda: False, trainer))  # type: ignore[arg-type]


def test_a_busy_moment_at_the_start_does_not_decide_how_much_is_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = train(tmp_path, monkeypatch, lambda step: 4.0 if step <= 4 else 1.0, minutes=2.0)
    steps = [event for event in events if isinstance(event, Step)]
    assert next(event.total for event in steps if event.step == 4) == 4 + 26
    trained = last_result(iter(events))
    assert trained.step == trained.total == 16 + 104 - 12 and trained.seconds == pytest.approx(120)


def test_a_machine_that_gets_slower_ends_in_time_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = train(tmp_path, monkeypatch, lambda step: 1.0 if step <= 8 else 3.0, minutes=2.0)
    assert 110 < last_result(iter(events)).seconds < 135


def test_a_run_without_a_limit_takes_all_its_steps_and_a_slow_one_a_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert last_result(iter(train(tmp_path / "a", monkeypatch, lambda step: 9.0))).step == 200
    assert last_result(iter(train(tmp_path / "b", monkeypatch, lambda step: 9.0, minutes=0.5))).step == loop.LEAST_STEPS
