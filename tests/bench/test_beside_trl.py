"""The whole run beside TRL: what fewer layers bring is told apart from what the trainer brings. TRL is not needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from workbench import paths
from workbench.bench import _trl, _whole_run
from workbench.bench._trl import Outcome
from workbench.tuning.base import PROJECTIONS


def test_trl_runs_on_all_layers_and_on_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, Sequence[int] | None]] = []

    def trained(
        model: Path, base: Any, rows: Sequence[Any], measure: Callable[[Any], float], layers: Sequence[int] | None
    ) -> Outcome:
        asked.append((base, layers))
        return Outcome(100.0 if layers is None else 250.0, 1.2 if layers is None else 1.5, 2e-5)

    monkeypatch.setattr(_trl, "train_with_trl", trained)
    monkeypatch.setattr(_whole_run, "load_base", lambda *_: object())
    figures = _whole_run.beside_trl(
        paths.starter_model(), (), "fp32", Outcome(1000.0, 0.6, 1e-3), lambda tuned: 0.0, (18, 19)
    )
    assert [layers for _, layers in asked] == [None, (18, 19)]
    assert asked[0][0] is not asked[1][0], "the second run would begin with the first one's adapter"
    whole, trainer, layers = figures[:3]
    assert (whole.ratio, trainer.ratio, layers.ratio) == (10.0, 4.0, 2.5)
    assert whole.ratio == trainer.ratio * layers.ratio
    assert [each.ratio for each in figures[3:]] == [pytest.approx(0.5), pytest.approx(0.4)]
    assert "for the 2 layers" in trainer.note


def test_the_adapter_of_both_is_the_same_but_for_its_layers() -> None:
    pytest.importorskip("peft")
    every, some = _trl.adapter_config(), _trl.adapter_config((3, 4))
    assert every.layers_to_transform is None and some.layers_to_transform == [3, 4]
    assert every.target_modules == some.target_modules == set(PROJECTIONS) and every.r == some.r == 16
