"""A command killed with SIGKILL in the middle of its work: what was done is there, and the same command goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from workbench.errors import Cancelled

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL there"),
]


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "workbench", *map(str, arguments)]


def kill_when_lines(started: list[str], path: Path, lines: int, word: signal.Signals = signal.SIGKILL) -> int:
    """Start a command and end it as soon as `path` has so many lines; its children end with it. Its exit status."""
    process = subprocess.Popen(started, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children = []
    try:
        while process.poll() is None and (not path.exists() or path.read_bytes().count(b"\n") < lines):
            time.sleep(0.02)  # the file of another program is watched: it sends no signal
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    finally:
        process.send_signal(word)
        process.wait(30)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive, "the children of a killed command end by themselves"
    return process.returncode


def test_a_killed_evaluation_goes_on_without_asking_again(tmp_path: Path) -> None:
    suite, project = tmp_path / "suite.jsonl", tmp_path / "project"
    cases = [
        {"id": f"c{n}", "kind": "fact", "question": f"What is {n} and one?", "checks": [{"contains": [str(n + 1)]}]}
        for n in range(8)
    ]
    suite.write_text("".join(json.dumps(case) + "\n" for case in cases))
    run = ("evaluate", suite, "--lane", "base", "--lane", "prompted", "--max-tokens", "12", "--name", "first")
    kept = project / "results" / "first" / "results.jsonl"
    kill_when_lines(command(*run, "--project", project), kept, 5)
    whole = kept.read_bytes()
    whole = whole[: whole.rindex(b"\n") + 1]
    before = whole.count(b"\n")
    assert 5 <= before < 16
    done = subprocess.run(command(*run, "--project", project, "--json"), capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert [told["lanes"][lane]["total"] for lane in ("base", "prompted")] == [8, 8]
    lines = [json.loads(line) for line in kept.read_bytes().splitlines()]
    assert kept.read_bytes().startswith(whole)
    asked = [(line["result"]["lane"], line["result"]["case"]) for line in lines if not line["part"]]
    assert len(asked) == len(set(asked)) == 16, "what was answered before the kill was not asked again"


def test_a_killed_question_leaves_the_answers_that_were_given(tmp_path: Path) -> None:
    project, questions = tmp_path / "project", tmp_path / "questions.txt"
    questions.write_text("\n".join(f"What comes after {n}?" for n in range(30)))
    ask = ("ask", f"@{questions}", "--lane", "base", "--max-tokens", "16", "--project", project)
    transcript = project / "transcript.jsonl"
    kill_when_lines(command(*ask), transcript, 3)
    given = [line for line in transcript.read_bytes().split(b"\n") if line]
    assert len([json.loads(line) for line in given[:3]]) == 3
    again = command("ask", "Hello", "--lane", "base", "--max-tokens", "4", "--project", project, "--json")
    done = subprocess.run(again, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["answers"][0]["lane"] == "base"
    assert transcript.read_bytes().startswith(b"\n".join(given[:3]) + b"\n")
    last = json.loads(transcript.read_bytes().splitlines()[-1])
    assert last["answer"]["question"] == "Hello"

    # Told to end, as by a script's time limit, it ends as after Ctrl+C.
    lines = transcript.read_bytes().count(b"\n")
    assert kill_when_lines(command(*ask), transcript, lines + 1, signal.SIGTERM) == Cancelled.exit_status
