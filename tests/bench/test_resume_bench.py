"""The benchmark of stopped runs counts what it is there to count, on a command that keeps its answers or does not."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from workbench.bench import Figure, resume
from workbench.bench.resume import RUN, Start, Stop, _figures, _follow, _whole_lines
from workbench.evaluation.results import LINES
from workbench.sample import make_sample_project

CASES = 12
# Answers its cases one by one and goes on with what it kept; as a bad one it forgets the line it wrote before a stop.
COMMAND = """
import json, pathlib, sys, time
folder, cases, bad = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "bad"
folder.mkdir(parents=True, exist_ok=True)
file = folder / "results.jsonl"
lines = file.read_text().splitlines(True) if file.exists() else []
kept = [json.loads(line)["result"] for line in lines[: -1 if bad else None]]
for number in range(len(kept), cases):
    time.sleep(0.01)
    answer = {"seconds": 0.01, "retrieve_seconds": 0.002, "text": f"{number} is it."}
    kept.append({"lane": "base", "case": f"c{number}", "answer": answer})
    with file.open("a") as out:
        out.write(json.dumps({"part": "", "result": kept[-1]}) + chr(10))
(folder / "evaluation.json").write_text(json.dumps({"results": kept}))
"""


def stopped_twice(folder: Path, kind: str) -> dict[str, Figure]:
    command = [sys.executable, "-c", COMMAND, str(folder), str(CASES), kind]
    starts: list[Start] = []
    for stop in (Stop(3, signal.SIGTERM, 0.0), Stop(8, getattr(signal, "SIGKILL", signal.SIGTERM), 0.0), None):
        starts.append(Start(_whole_lines(folder / LINES)))
        for _ in _follow(command, folder / LINES, starts[-1], stop, CASES):
            pass
    return {each.name: each for each in _figures(starts, folder, CASES)}


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL there")
def test_a_command_that_goes_on_answers_each_case_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "LOOK", 0.001)
    found = stopped_twice(tmp_path / RUN, "good")
    assert found["answered once"].ours == CASES and found["answered once"].ratio == 1
    assert found["answered, and asked again"].ours == 0
    assert found["stops after which an answer was lost"].ours == 0
    assert found["answers that the result repeats word for word"].ratio == 1
    assert found["outside the model, with every start"].yardstick > 0.008 * CASES
    assert "SIGTERM after" in found["answered once"].note and found["answered once"].note.endswith("to its end")


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL there")
def test_a_command_that_asks_again_is_told_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "LOOK", 0.001)
    folder = tmp_path / RUN
    folder.mkdir()
    found = stopped_twice(folder, "bad")
    assert found["answered, and asked again"].ours >= 1 and found["answered once"].ratio < 1


def test_there_are_cases_enough_for_the_long_run(tmp_path: Path) -> None:
    project = make_sample_project(tmp_path / "project")
    suite = resume._write_cases(project, resume.CASES)
    assert len(suite.cases) == len({case.id for case in suite.cases}) == resume.CASES
