"""The data learning curve, with a scripted engine and trainer: what is asked, kept, gone on with and said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_index import ScriptedStages, put_script_in_place, write_index

from workbench import records
from workbench.cli import run
from workbench.commands import console
from workbench.errors import InputError, MissingFile
from workbench.evaluation import curve as curves
from workbench.evaluation.curve import curve
from workbench.evaluation.curve_lines import case_of, few_shot, longest_answer
from workbench.evaluation.curve_records import Curve, read_curve
from workbench.events import Progress, Result, Stage, last_result
from workbench.lanes.engine import Request
from workbench.lanes.presets import find_lane
from workbench.project import Project
from workbench.tuning.adapter import read_run
from workbench.tuning.recipe import Recipe
from workbench.tuning.subsets import PlainRow, RunRows, in_order, row_count, take_share

MODEL = Path(__file__)  # a file that is there: the script does not read it


def make_row(number: int, **changes: Any) -> PlainRow:
    answer = json.dumps({"door": number})
    return replace(PlainRow("As JSON.", (), f"Door {number}", answer, False, 20, 8), **changes)


ROWS = RunRows(tuple(make_row(number) for number in range(40)), tuple(make_row(n) for n in range(100, 110)), 8192)


def place(folder: Path, recipe: Recipe, loss: float) -> None:
    """A finished run in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter.gguf").write_bytes(f"GGUF {recipe.rows}".encode())
    records.write_json(folder / "recipe.json", recipe)
    records.append_line(folder / "events.jsonl", {"kind": "start", "value": {}})
    step = {"step": 40, "total": 40, "train_loss": 1.0, "eval_loss": loss, "seconds": 100.0 * recipe.rows}
    records.append_line(folder / "events.jsonl", {"kind": "step", "value": step})
    records.append_line(folder / "events.jsonl", {"kind": "end", "value": {"state": "done", "outcome": "Done."}})
    effects = {"held_out": {"step": 40, "after": loss}}
    manifest = {"name": recipe.name, "adapter": "adapter.gguf", "created": "2026", "effects": effects}
    records.write_json(folder / "manifest.json", manifest)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    opened = Project.open(tmp_path / "project")
    folder = opened.adapters_folder / "mine"
    place(folder, Recipe("mine", MODEL, (tmp_path / "rows.jsonl",), folder, minutes=10.0), 0.1)
    return opened


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """The recipes that are trained, each of which is done at once."""
    recipes: list[Recipe] = []

    def tune(recipe: Recipe) -> Stage:
        recipes.append(recipe)
        yield Progress(1, 4, "training", "steps")
        place(recipe.folder, recipe, 1 - recipe.rows)
        yield Result(read_run(recipe.folder))

    monkeypatch.setattr(curves, "tune", tune)
    monkeypatch.setattr(curves, "rows_of", lambda folder: stage_of(ROWS))
    return recipes


def stage_of(rows: RunRows) -> Stage:
    yield Result(rows)


def door(request: Request) -> int:
    return int(request.question.split()[1])


def learns(request: Request) -> str:
    """Right the more often the more rows were learnt: all, three in ten, none; with examples one in ten."""
    right = {"tuned-100": 10, "tuned-30": 3, "tuned-10": 0, "few-shot": 1}.get(request.lane.name, 0)
    return json.dumps({"door": door(request) if door(request) < 100 + right else "?"})


def measure(project: Project, monkeypatch: pytest.MonkeyPatch, says: Callable[[Request], str] = learns) -> Any:
    stages = ScriptedStages(says)
    worker = put_script_in_place(monkeypatch, stages)
    return stages, curve(project.folder, "mine", worker, worker)


def test_all_lanes_answer_the_same_held_out_rows(
    project: Project, trained: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_index(project.folder, {"doors.md": ["Door 100 is red."]})
    stages, stage = measure(project, monkeypatch)
    events = list(stage)
    found = events[-1].value
    assert isinstance(found, Curve) and found.complete and found == read_curve(project.adapters_folder / "mine")
    assert [(line.name, line.rows, line.right.passed) for line in found.lines] == [
        ("tuned-100", 40, 10),
        ("base", 0, 0),
        ("prompted", 0, 0),
        ("few-shot", 37, 1),
        ("rag", 0, 0),
        ("tuned-10", 4, 0),
        ("tuned-30", 12, 3),
    ]
    assert all(line.right.total == found.held_out == 10 for line in found.lines)
    assert [line.loss for line in found.lines if line.share] == [0.1, 0.9, 0.7]
    effects = {line.name: line.against_run for line in found.lines}
    assert effects["tuned-100"] is None
    part = effects["tuned-30"]
    assert (
        part is not None
        and part.difference == pytest.approx(0.7)
        and part.interval[0] > 0
        and (part.better, part.worse) == (7, 0)
    )

    # The same recipe on fewer rows, for as many steps (8 passes at most) and minutes, under the run's own folder.
    assert [(recipe.name, recipe.rows, recipe.epochs, round(recipe.minutes, 1)) for recipe in trained] == [
        ("mine-10", 0.1, 8.0, 4.0),
        ("mine-30", 0.3, 6.67, 10.0),
    ]
    assert all(recipe.folder.parent == project.adapters_folder / "mine" / "curve" for recipe in trained)
    assert [run.name for run in project.adapters()] == ["mine"]  # they are no adapters of the project

    # Each lane is what its name says.
    lanes = {request.lane.name: request.lane for request in stages.requests}
    assert lanes["base"].system == "" and lanes["prompted"].system == lanes["few-shot"].system == "As JSON."
    assert len(lanes["few-shot"].examples) == 37 and not lanes["prompted"].examples
    assert not {row.question for row in ROWS.held_out} & {asked for asked, _ in lanes["few-shot"].examples}
    assert {lane.sampling.max_tokens for lane in lanes.values()} == {longest_answer(ROWS.held_out)} == {28}
    asked = {request.question for request in stages.requests if request.lane.name == "rag" and request.passages}
    assert "Door 100" in asked
    assert {event.total for event in events if isinstance(event, Progress) and event.unit == "answers"} == {70}


def test_a_stopped_curve_goes_on_where_it_was(
    project: Project, trained: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    stages, stage = measure(project, monkeypatch)
    for event in stage:
        if isinstance(event, Result) and len(event.value.lines) == 2:
            break
    stage.close()
    kept = read_curve(project.adapters_folder / "mine")
    assert kept is not None and not kept.complete and [line.name for line in kept.lines] == ["tuned-100", "base"]
    assert kept.left_out == ("No documents are indexed, so none are searched.",)
    again, stage = measure(project, monkeypatch)
    found = last_result(stage)
    assert found.complete and len(stages.requests) == 20 and len(again.requests) == 40
    once_more, stage = measure(project, monkeypatch)
    assert last_result(stage).complete and not once_more.requests

    # What an answer depends on has changed: it is asked again, the others are not.
    project.change(system_prompt="Another.")
    (project.adapters_folder / "mine" / "adapter.gguf").write_bytes(b"GGUF of another training")
    after, stage = measure(project, monkeypatch)
    assert last_result(stage).complete and {request.lane.name for request in after.requests} == {"tuned-100"}


def test_rows_without_a_prompt_of_their_own_get_the_projects(
    project: Project, trained: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = RunRows(ROWS.train, tuple(replace(row, system="", history=(("Hi", "Yes?"),)) for row in ROWS.held_out), 0)
    monkeypatch.setattr(curves, "rows_of", lambda folder: stage_of(bare))
    stages, stage = measure(project, monkeypatch)
    list(stage)
    lanes = {request.lane.name: request.lane for request in stages.requests}
    assert lanes["prompted"].system == lanes["few-shot"].system == project.info.system_prompt
    assert lanes["tuned-100"].system == lanes["base"].system == ""
    assert lanes["base"].examples == (("Hi", "Yes?"),) and lanes["few-shot"].examples[-1] == ("Hi", "Yes?")


def test_examples_are_as_many_as_fit_in_the_order_of_a_growing_share() -> None:
    rows = [make_row(number, tokens=100) for number in range(40)]
    held = [make_row(100, tokens=100)]
    shots = few_shot(rows, held, 0)
    assert len(shots) == (2048 - 28 - 132) // 132 == 14
    assert shots == tuple((row.question, row.answer) for row in rows[:14])
    assert len(few_shot(rows, held, 1024)) == 6 and few_shot(rows, held, 128) == ()
    talks = [make_row(1, history=(("Hi", "Yes?"),)), make_row(2)]
    assert [asked for asked, _ in few_shot(talks, held, 0)] == ["Door 2"]


def test_a_larger_share_holds_the_smaller_one() -> None:
    rows = list(range(57))
    tenth, third = (take_share(rows, share, 3407) for share in (0.1, 0.3))
    assert (len(tenth), len(third)) == (6, 17) == (row_count(57, 0.1), row_count(57, 0.3))
    assert set(tenth) < set(third) < set(rows) and tenth == sorted(tenth)
    assert set(tenth) == set(in_order(rows, 3407)[:6])
    assert take_share(rows, 1.0, 3407) == rows and len(take_share(rows, 0.001, 3407)) == 1


def test_an_answer_is_right_by_value_where_json_is_expected_and_by_words_elsewhere() -> None:
    assert case_of(0, make_row(1)).checks == ({"json_equals": {"door": 1}},)
    assert case_of(0, make_row(1, answer="card_arrival")).checks == ({"equals": "card_arrival"},)
    assert case_of(0, make_row(1, answer="12")).checks == ({"equals": "12"},)


def test_what_has_no_rows_here_is_said(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingFile, match="rows.jsonl is not there any more"):
        list(measure(project, monkeypatch)[1])
    (tmp_path / "rows.jsonl").write_text("{}")
    with pytest.raises(InputError, match="has changed since mine was trained"):
        list(measure(project, monkeypatch)[1])
    folder = project.adapters_folder / "mine"
    records.write_json(folder / "recipe.json", Recipe("mine", MODEL, (), folder))
    with pytest.raises(InputError, match="was made elsewhere"):
        list(measure(project, monkeypatch)[1])


class Scripted:
    """In the place of the two children of a command."""

    def __init__(self, worker: Any) -> None:
        self.knowledge = self.engine = worker

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    stages = ScriptedStages(lambda request: learns(request) if request.question.startswith("Door") else "Said.")
    worker = put_script_in_place(monkeypatch, stages)
    monkeypatch.setattr(console, "Workers", lambda: Scripted(worker))


@pytest.mark.usefixtures("scripted", "trained")
def test_the_command_says_the_cost_first_and_a_line_for_each_lane(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["adapter", "curve", "mine", "--project", str(project.folder)]
    assert run(command) == 0
    heard = capsys.readouterr()
    assert heard.err.startswith("This takes about") and "of training" in heard.err
    assert "No documents are indexed" in heard.err
    lines = heard.out.splitlines()
    assert len(lines) == 6 and lines[0].startswith("base") and "0 of 10 right; the run adds +100 points" in lines[0]
    assert lines[-1].startswith("tuned-100 (40 rows)") and lines[-1].endswith("10 of 10 right, held-out loss 0.100")
    assert run([*command, "--json", "--keep-lane", "doors"]) == 0
    found = json.loads(capsys.readouterr().out)
    lane = find_lane(Project.open(project.folder), "doors")
    assert len(lane.examples) == 37 and lane.system == project.info.system_prompt and lane.model == MODEL
    assert run([*command, "--keep-lane", "base"]) == 2
    assert found["complete"] and found["held_out"] == len(ROWS.held_out)


@pytest.mark.usefixtures("scripted")
def test_the_command_prints_what_each_state_says(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    states = project.adapters_folder / "mine" / "states"
    states.mkdir()
    (states / "20.gguf").write_bytes(b"GGUF")
    command = ["adapter", "scrub", "mine", "Hello?", "--project", str(project.folder)]
    assert run(command) == 0
    said = capsys.readouterr().out.strip().split("\n\n")
    assert [each.splitlines() for each in said] == [
        ["── before training", "Said."],
        ["── step 20", "Said."],
        ["── step 40, kept  (held-out loss 0.100)", "Said."],
    ]
    assert run([*command, "--json"]) == 0
    assert [point["step"] for point in json.loads(capsys.readouterr().out)["points"]] == [0, 20, 40]
