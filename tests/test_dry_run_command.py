"""`workbench tune --dry-run` and `--fit`, with a dry run that is scripted and the real presets and rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.catalog import memory
from workbench.children import Here
from workbench.cli import run
from workbench.commands import console
from workbench.errors import TooLittleMemory
from workbench.events import Result, Stage
from workbench.tuning.forecast import Measured
from workbench.tuning.recipe import Recipe, RunInfo

MEASURED = Measured(
    backend="cpu (bf16)", at="2026-11-20T21:14:00", parameters=134_515_008, layers=30, trained=12, remembers=True,
    start_seconds=10.0, first=0.004, later=0.003, look=0.001, sample_seconds=2.0, rows=324, pass_tokens=27_000,
    read_tokens=34_000, held_tokens=1_500, longest=140, at_once=1_200, loaded=600_000_000, learning=1_500_000_000,
)  # fmt: skip


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Memory that is free, as a test says it; every worker is this process, and dry runs are scripted."""
    said = {"bytes": 8_000_000_000}

    def dry_run(recipe: Recipe, report: Any, anew: bool = False) -> Stage:
        yield Result(MEASURED)

    monkeypatch.setattr(memory, "free", lambda *, here=True: said["bytes"])
    monkeypatch.setattr("workbench.commands.dry_run.dry_run", dry_run)
    monkeypatch.setattr(console, "Child", lambda *_, **__: Here())
    yield said


@pytest.fixture
def rows(tmp_path: Path) -> str:
    line = '{{"prompt": "Door {0}?", "completion": "{{\\"door\\": {0}}}"}}\n'
    (tmp_path / "rows.jsonl").write_text("".join(line.format(each) for each in range(40)), encoding="utf-8")
    return str(tmp_path / "rows.jsonl")


def tune(rows: str, *options: str) -> int:
    return run(["tune", rows, *options, "--project", str(Path(rows).with_name("project"))])


def test_each_preset_is_told_in_minutes_and_memory(
    rows: str, free: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(rows, "--dry-run", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    presets = found["presets"]
    assert list(presets) == ["quick", "balanced", "thorough"] and found["chosen"] == "balanced"
    assert 0 < presets["quick"]["seconds"] < presets["balanced"]["seconds"] < presets["thorough"]["seconds"]
    assert presets["balanced"]["memory_needed"] == 1_500_000_000 and presets["balanced"]["fits"]
    assert found["memory_free"] == 8_000_000_000 and found["measured"]["first"] == 0.004 and found["dry_run"]
    assert tune(rows, "--dry-run") == 0
    heard = capsys.readouterr()
    assert [line.split()[0] for line in heard.out.splitlines()] == ["quick", "balanced", "thorough"]
    assert "minutes  1.5 GB of memory" in heard.out and "nothing was trained" in heard.err
    assert not list(Path(rows).with_name("project").glob("adapters/*"))


def test_changes_of_the_recipe_are_told(rows: str, free: dict[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for options in ((), ("--epochs", "20")):
        assert tune(rows, "--dry-run", "--json", *options) == 0
        told.append(json.loads(capsys.readouterr().out)["presets"]["quick"])
    assert told[1]["steps"] > told[0]["steps"] and told[1]["seconds"] > told[0]["seconds"]


def test_what_fits_is_said_and_trained(
    rows: str, free: dict[str, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    free["bytes"] = 1_200_000_000
    assert tune(rows, "--dry-run") == 0
    assert "With 576 tokens at once balanced takes 1.0 GB: `--fit` trains so." in capsys.readouterr().err

    trained: list[Recipe] = []

    def stage(recipe: Recipe, anew: bool = False) -> Stage:
        trained.append(recipe)
        yield Result(RunInfo("x", recipe.folder, "done", "Done.", 1, 1, (), (), 1.0, 1.0, ""))

    monkeypatch.setattr("workbench.tuning.tune.tune", stage)
    assert tune(rows, "--name", "x", "--fit") == 0 and trained[-1].tokens_at_once == 576
    assert "trained with 576 tokens at once" in capsys.readouterr().err
    assert tune(rows, "--name", "x") == 0 and trained[-1].tokens_at_once == 0, "not unasked"

    free["bytes"] = 700_000_000
    assert tune(rows, "--name", "x", "--fit") == TooLittleMemory.exit_status and len(trained) == 2
    assert "no setting makes it fit" in capsys.readouterr().err


def test_a_fine_tune_needs_a_name_and_a_dry_run_none(
    rows: str, free: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(rows) == 2
    assert "add --name, or --dry-run" in capsys.readouterr().err
