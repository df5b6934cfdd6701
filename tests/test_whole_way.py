"""One walk of the whole way on real parts: index, ask, tune two steps, ask again, evaluate, advise, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.cli import run

NOTES = {
    "boats.md": "# Boats\n\nThe ferry Marisca leaves Port Elin at 6:40 on weekdays. A return ticket costs 14 crowns.\n",
    "mill.txt": "The old mill of Harrowend was rebuilt in 1893 by Tilda Brask. It grinds rye on Thursdays only.\n",
    "bees.html": "<html><body><h1>Bees</h1><p>The Solvik apiary keeps 72 hives.</p></body></html>",
}


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, text in NOTES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    things = ["lamp", "chair", "kettle", "rug", "clock", "mirror", "shelf", "stool", "vase", "bench", "tray", "bowl"]
    lines = [{"prompt": f"The {thing} is broken.", "completion": f'{{"item":"{thing}"}}'} for thing in things]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"prompt": "only half"}\n', encoding="utf-8")
    return path


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "suite.jsonl"
    cases = [
        {"id": "mill", "question": "Who rebuilt the mill of Harrowend?", "kind": "fact", "source": "mill.txt",
         "checks": [{"contains": ["Tilda Brask", "Brask"]}]},
        {"id": "lamp", "question": "The spoon is broken.", "kind": "behaviour", "checks": [{"json": True}]},
    ]  # fmt: skip
    path.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    return path


def called(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    """Run a command with --json; it must succeed and print one JSON document and nothing else."""
    capsys.readouterr()
    assert run([*map(str, arguments), "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
@pytest.mark.usefixtures("kept_workers")
def test_the_whole_way(
    tmp_path: Path, documents: Path, rows: Path, suite: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = ("--project", tmp_path / "project")
    indexed = called(capsys, "index", documents, *project)
    assert indexed["files"] == 3 and sorted(indexed["added"]) == sorted(NOTES) and not indexed["skipped"]

    (documents / "boats.md").write_text(NOTES["boats.md"].replace("6:40", "7:15"), encoding="utf-8")
    again = called(capsys, "index", documents, *project)
    assert again["changed"] == ["boats.md"] and again["unchanged"] == 2 and not again["added"]
    found = called(capsys, "search", "When does the Marisca leave?", "-k", "1", *project)["searches"][0]["passages"]
    assert found[0]["file"] == "boats.md" and "7:15" in found[0]["text"]

    checked = called(capsys, "dataset", "check", rows)
    assert checked["examples"] == 12 and [problem["row"] for problem in checked["problems"]] == [13]

    tuned = called(capsys, "tune", rows, "--name", "items", "--preset", "quick", "--epochs", "2", *project)
    assert Path(tuned["adapter"]).is_file() and tuned["steps"] >= 2 and tuned["parity"]
    assert set(tuned["effects"]) == {"held_out", "general"}

    lanes = ("--lane", "base", "rag", "tuned:items", "rag+tuned")
    question = "When does the Marisca leave Port Elin?"
    answers = called(capsys, "ask", question, *lanes, "--max-tokens", "24", *project)["answers"]
    by_lane = {answer["lane"]: answer for answer in answers}
    assert set(by_lane) == {"base", "rag", "tuned:items", "rag+tuned:items"}
    assert "7:15" in by_lane["rag"]["prompt"] and not by_lane["base"]["passages"]
    assert by_lane["tuned:items"]["stamp"]["adapter"] and not by_lane["base"]["stamp"]["adapter"]

    html, junit = tmp_path / "page.html", tmp_path / "junit.xml"
    evaluated = called(capsys, "evaluate", suite, *lanes, "--html", html, "--junit", junit, *project)
    assert {result["case"] for result in evaluated["results"]} == {"mill", "lamp"}
    assert set(evaluated["lanes"]) == set(by_lane) and evaluated["effects"]
    assert html.stat().st_size > 10_000 and junit.is_file()

    advice = called(capsys, "advise", suite, *lanes, *project)
    assert advice["recommendation"] == "cannot-tell" and advice["questions_needed"] > 0
