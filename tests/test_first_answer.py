"""What is found out once on a computer comes after the answer on the command line, and can be put off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.cli import run
from workbench.commands import console
from workbench.events import Progress, Result, Stage
from workbench.lanes.lane import Answer


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happened, in order; nothing is really asked or tried."""
    seen: list[str] = []

    def asked(question: str, lanes: object, *rest: object) -> list[Answer]:
        seen.append(question)
        return [Answer(question, "base", "An answer.")]

    def settled(workers: object, models: Any) -> None:
        seen.append(f"trials of {len(list(models))}")

    monkeypatch.setattr("workbench.commands.ask.ask_one", asked)
    monkeypatch.setattr(console, "settle", settled)
    return seen


def test_a_question_is_answered_and_its_answer_printed_before_anything_is_tried(
    told: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[dict[str, Any]] = []
    monkeypatch.setattr(console, "settle", lambda *_: printed.append(json.loads(capsys.readouterr().out)))
    assert run(["ask", "Who?", "--lane", "base", "--json", "--project", str(tmp_path)]) == 0
    assert told == ["Who?"] and printed[0]["answers"][0]["text"] == "An answer."


def test_many_questions_are_all_answered_before(told: list[str], tmp_path: Path) -> None:
    (tmp_path / "asked.txt").write_text("One?\nTwo?\nThree?\n")
    assert run(["ask", f"@{tmp_path / 'asked.txt'}", "--lane", "base", "--project", str(tmp_path / "p")]) == 0
    assert told == ["One?", "Two?", "Three?", "trials of 1"]


def test_what_is_interrupted_then_is_only_put_off(capsys: pytest.CaptureFixture[str]) -> None:
    closed: list[str] = []

    def trial() -> Stage:
        try:
            yield Progress(0, 0, "Finding out")
            raise KeyboardInterrupt
            yield Result(True)
        finally:
            closed.append("closed")

    console.afterwards(trial())
    assert closed and "Put off" in capsys.readouterr().err
