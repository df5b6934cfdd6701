"""Two knowledge bases that contradict each other, on real parts: lanes over them answer, each from its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.cli import run

QUESTION = "Within how many days may goods be returned?"


def called(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    capsys.readouterr()
    assert run([*map(str, arguments), "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
@pytest.mark.usefixtures("kept_workers")
def test_two_lanes_over_two_bases_answer_and_cite_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = tmp_path / "project"
    for name, days in (("ours", 24), ("theirs", 60)):
        (tmp_path / name).mkdir()
        text = f"# Returns\n\nGoods may be returned within {days} days of delivery.\n"
        (tmp_path / name / f"{name}.md").write_text(text, encoding="utf-8")
    called(capsys, "index", tmp_path / "ours", "--project", project)
    called(capsys, "index", tmp_path / "theirs", "--base", "Old terms", "--project", project)

    asked = ["ask", QUESTION, "--lane", "rag", "rag@Old terms", "--max-tokens", "24", "--project", project]
    answers = {each["lane"]: each for each in called(capsys, *asked)["answers"]}
    for lane, base, file, days in (("rag", "", "ours.md", "24"), ("rag@Old terms", "Old terms", "theirs.md", "60")):
        answer = answers[lane]
        assert [each["file"] for each in answer["passages"]] == [file]
        assert answer["stamp"]["base"] == base == answer["passages"][0]["base"]
        assert days in answer["text"] and answer["cited"] == [1], answer["text"]

    suite = tmp_path / "suite.jsonl"
    case = {"id": "days", "question": QUESTION, "kind": "fact", "source": "theirs.md", "checks": [{"contains": ["60"]}]}
    suite.write_text(json.dumps(case) + "\n", encoding="utf-8")
    lanes = ["--lane", "rag", "rag@Old terms", "--max-tokens", "24"]
    found = called(capsys, "evaluate", suite, *lanes, "--project", project)
    assert {name: each["passed"] for name, each in found["lanes"].items()} == {"rag": 0, "rag@Old terms": 1}
