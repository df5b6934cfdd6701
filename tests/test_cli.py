"""The command line: what it accepts, its exit statuses, one clear line for bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.cli import COMMANDS, run, spread_lanes


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["ask", "q", "--lane", "base", "rag"], ["ask", "q", "--lane", "base", "--lane", "rag"]),
        (["ask", "q", "--lane", "base", "--lane", "rag"], ["ask", "q", "--lane", "base", "--lane", "rag"]),
        (
            ["evaluate", "s.yaml", "--lane", "base", "rag+tuned:a", "tuned:a", "--json"],
            ["evaluate", "s.yaml", "--lane", "base", "--lane", "rag+tuned:a", "--lane", "tuned:a", "--json"],
        ),
        (["ask", "--lane", "mine", "what is rag"], ["ask", "--lane", "mine", "what is rag"]),
        (["search", "base"], ["search", "base"]),
    ],
)
def test_lanes_may_follow_one_another(given: list[str], meant: list[str]) -> None:
    assert spread_lanes(given) == meant


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        assert run([name, "--help"]) == 0
        assert "Usage: workbench" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["index", "/not/there"], "is not there"),
        (["index", __file__], "is a file, not a folder"),
        (["index", ".", "--leave-out", "!"], "The pattern '!' cannot be used"),
        (["search", "@/not/there.txt"], "cannot be read"),
        (["search", " "], "question is empty"),
        (["bench", "nothing"], "There is no benchmark named nothing"),
        (["evaluate", "/not/there.yaml"], "/not/there.yaml"),
        (["dataset", "check", "/not/there.jsonl"], "/not/there.jsonl"),
        (["tune", "/not/there.jsonl", "--name", "x"], "/not/there.jsonl"),
        (["ask", "hello", "--lane", "unheard-of"], "unheard-of"),
        (["adapter", "export", "mine", "mine.gguf"], "There is no adapter called mine"),
        (["adapter", "import", "/not/there", "--name", "mine"], "There is nothing at /not/there"),
    ],
)
def test_bad_input_is_one_line_and_status_two(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tail = [] if arguments[0] == "dataset" else ["--project", str(tmp_path / "project")]
    assert run([*arguments, *tail]) == 2
    heard = capsys.readouterr()
    assert heard.out == ""
    assert says in heard.err
    assert len(heard.err.strip().splitlines()) == 1


def test_a_misspelt_command_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["indexx", "."]) == 2
    assert "No such command" in capsys.readouterr().err


def test_a_newer_project_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "project.json").write_text(json.dumps({"name": "later", "format": 99}))
    assert run(["search", "anything", "--project", str(tmp_path)]) == 2
    assert "newer version" in capsys.readouterr().err
