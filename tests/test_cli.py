"""The command line: what it accepts, its exit statuses, one clear line for bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tuning.tiny import byte_tokenizer
from workbench.children import Here
from workbench.cli import COMMANDS, run, spread_lanes
from workbench.commands import console
from workbench.events import Result, Stage
from workbench.priority import READING
from workbench.tuning.columns import Columns
from workbench.tuning.recipe import Recipe, RunInfo


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
        (["tune"], "Name a training file to learn from"),
        (["tune", "--resume", "mine"], "There is no fine-tune called mine"),
        (["tune", "--resume", "mine", "--seed", "3"], "give it nothing else"),
        (["ask", "hello", "--lane", "unheard-of"], "unheard-of"),
        (["ask", "hello", "--lane", "base", "--scale", "0.5"], "A strength is for fine-tuned lanes"),
        (["adapter", "export", "mine", "mine.gguf"], "There is no adapter called mine"),
        (["adapter", "scrub", "mine", "Hello?"], "There is no adapter called mine"),
        (["adapter", "curve", "mine"], "There is no adapter called mine"),
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


def test_columns_are_named_in_a_command_and_are_in_the_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "Child", lambda *_, **__: Here())
    monkeypatch.setattr("workbench.tuning.dataset.load_tokenizer", lambda _: byte_tokenizer())
    path = tmp_path / "odd.csv"
    path.write_text("Nr;Frage;Antwort\n1;Wer?;Ann\n2;Wo?;In Ulm\n", encoding="utf-8")
    project = ["--project", str(tmp_path / "project")]
    assert run(["dataset", "check", str(path), *project]) == 2
    assert "its columns are Nr, Frage, Antwort. Say which" in capsys.readouterr().err
    assert run(["dataset", "check", str(path), "--columns", "question=Frage,answer=Antwort", "--json", *project]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["examples"] == 2 and found["format"].startswith("columns question=Frage,answer=Antwort (CSV with semi")
    tuned: list[Recipe] = []

    def tune(recipe: Recipe, anew: bool = False) -> Stage:
        tuned.append(recipe)
        yield Result(RunInfo("x", tmp_path, "done", "Done.", 9, 9, (), (), 1.0, 9.0, ""))

    monkeypatch.setattr("workbench.tuning.tune.tune", tune)
    assert run(["tune", str(path), "--name", "x", "--columns", "question=Frage,answer=Antwort", *project]) == 0
    assert tuned[0].columns == (Columns("Frage", "Antwort"),)


def test_a_fine_tune_takes_its_backend_and_says_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held = {"rows": 4, "before": 2.0, "after": 1.0, "change": -1.0, "interval": [-1.2, -0.8], "improved": 1.0}
    given: dict[str, object] = {}

    def run_tune(*_: object, **changes: object) -> RunInfo:
        given.update(changes)
        curves: Any = {"train_loss": (), "eval_loss": ()}
        return RunInfo("x", tmp_path, "done", "Done: 9 steps.", 9, 9, **curves, seconds=1.0, tokens_per_second=9.0,
                       created="", effects={"held_out": held})  # fmt: skip

    monkeypatch.setattr("workbench.commands.tune.run_tune", run_tune)
    command = ["tune", "rows.jsonl", "--name", "x", "--backend", "cpu", "--project", str(tmp_path)]
    assert run(command) == 0 and given == {"backend": "cpu", "fit": False, "anew": False}
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "Done: 9 steps." and said[1].startswith("On 4 held-out rows the loss went from 2.00 to 1.00")
    assert run([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["effects"] == {"held_out": held}
    assert run([*command[:-3], "tpu"]) == 2


def test_a_misspelt_command_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["indexx", "."]) == 2
    assert "No such command" in capsys.readouterr().err


def test_a_newer_project_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "project.json").write_text(json.dumps({"name": "later", "format": 99}))
    assert run(["search", "anything", "--project", str(tmp_path)]) == 2
    assert "newer version" in capsys.readouterr().err


def test_indexing_gives_way_to_answers_as_in_the_window() -> None:
    with console.Workers() as workers:
        assert (workers.knowledge._niceness, workers.engine._niceness) == (READING, 0)
