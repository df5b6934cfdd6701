"""A real fine-tune of the starter: stopped, killed and gone on with, compared in llama.cpp, and what it did.

One run of six steps on two layers is what all of them look at: enough for the model to answer otherwise than before.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from workbench import paths, records
from workbench.children import Child
from workbench.errors import BadDataset, ChildCrashed, InputError, ProjectBusy
from workbench.evaluation.curve import curve
from workbench.evaluation.curve_records import Curve, read_curve
from workbench.evaluation.scrub import Scrub, scrub
from workbench.events import Note, Progress, Result, Stage, Step, last_result
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Lane
from workbench.priority import TRAINING
from workbench.project import Project
from workbench.tuning import adapter, tune
from workbench.tuning.recipe import Recipe, RunInfo
from workbench.tuning.states import kept_states

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
COLOURS = ["red", "blue", "green", "black", "white", "brown", "pink", "grey", "gold", "silver", "orange", "purple"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    Project.open(folder)
    rows = [{"prompt": f"The {c} door", "completion": json.dumps({"colour": c})} for c in COLOURS]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def recipe(project: Path) -> Recipe:
    """Six steps on two layers."""
    return Recipe(
        name="colours",
        model=paths.starter_model(),
        datasets=(project / "rows.jsonl",),
        folder=project / "adapters" / "colours",
        rank=4,
        layers=(28, 29),
        learning_rate=5e-3,
        epochs=2.0,
        batch_size=3,
        eval_share=0.25,
        eval_every=2,
        checkpoint_every=1,
        sample_rows=1,
        threads=1,  # the same sums in the same order, whatever else the machine does
    )


@pytest.fixture(scope="module")
def seen(recipe: Recipe) -> list[object]:
    """What the run said, straight through: the yardstick."""
    return list(tune.tune(recipe))


@pytest.fixture(scope="module")
def straight(seen: list[object]) -> RunInfo:
    found = seen[-1].value if isinstance(seen[-1], Result) else None
    assert isinstance(found, RunInfo)
    return found


@pytest.fixture
def engine() -> Iterator[Child]:
    made = Child("The tested engine")
    yield made
    made.close()


def test_a_run_leaves_an_adapter_that_llama_cpp_agrees_with_and_says_what_it_did(
    recipe: Recipe, project: Path, seen: list[object], straight: RunInfo
) -> None:
    steps = [event for event in seen if isinstance(event, Step)]
    assert straight.state == "done" and straight.step == straight.total == 6
    assert [step.step for step in steps] == [0, 1, 2, 3, 4, 5, 6]
    assert [step for step, _ in straight.eval_loss] == [0, 2, 4, 6]
    assert straight.eval_loss[-1][1] < straight.eval_loss[0][1]
    assert steps[0].samples and steps[-1].samples[0].expected.startswith("{")
    assert straight.tokens_per_second > 0 and straight.examples == 12

    (reference,) = Project.open(project).adapters()
    assert reference.parity_ok and straight.parity["ok"] and straight.parity["tokens_agree"]
    assert reference.answers_bare and not reference.reads_passages and reference.path == straight.adapter
    assert reference.model_hash == records.hash_file(recipe.model)

    # What it did to the held-out rows, and to text it was not about.
    held, general = straight.effects["held_out"], straight.effects["general"]
    kept = dict(straight.eval_loss)[held["step"]]
    assert held["rows"] == 4 and kept == min(loss for _, loss in straight.eval_loss) and held["improved"] == 1.0
    assert held["before"] == pytest.approx(straight.eval_loss[0][1])
    assert held["after"] == pytest.approx(kept) and held["interval"][1] < 0
    assert 3 < general["before"] < 5 and general["tokens"] > 900 and len(general["answers"]) == 8
    assert abs(general["share"]) < 0.5 and all(each["before"] for each in general["answers"])

    # The same again is not trained twice, and another recipe does not overwrite it.
    assert last_result(tune.tune(recipe)).adapter == straight.adapter
    with pytest.raises(InputError, match="choose another name"):
        list(tune.tune(replace(recipe, rank=2)))


def test_a_stopped_and_a_killed_run_go_on_to_the_same_adapter(recipe: Recipe, straight: RunInfo, project: Path) -> None:
    # Stopped after a step, then killed after another: both go on from their checkpoint and end where the first ended.
    other = replace(recipe, name="broken", folder=project / "adapters" / "broken", sample_rows=0)
    stage: Stage = tune.tune(other)
    for event in stage:
        if isinstance(event, Progress) and event.note.startswith("loading"):
            with pytest.raises(ProjectBusy, match="running already"):
                list(tune.tune(other))
            child = psutil.Process(records.read_json(other.folder / "run.json")["pid"])
            assert child.nice() == min(19, os.nice(0) + TRAINING)  # whoever is waited for goes first
            group = Path(f"/proc/{child.pid}/autogroup")  # it leads a session, among which Linux shares its cores first
            assert not group.exists() or group.read_text().split()[-1:] in ([], [str(TRAINING)])
        if isinstance(event, Step) and event.step == 1:
            break
    stage.close()
    stopped = adapter.read_run(other.folder)
    assert stopped.state == "stopped" and "go on" in stopped.outcome and 1 <= stopped.step < 6

    killed = 0
    with pytest.raises(ChildCrashed, match="same name"):
        for event in tune.tune(other):
            if isinstance(event, Step):
                killed = killed or event.step
                os.kill(json.loads((other.folder / "run.json").read_text())["pid"], signal.SIGKILL)
    assert killed > 1 and adapter.read_run(other.folder).state == "failed"

    ended: RunInfo = last_result(tune.resume(other.folder))
    assert ended.state == "done"
    assert ended.train_loss == straight.train_loss and ended.eval_loss[-1] == straight.eval_loss[-1]
    assert ended.adapter is not None and straight.adapter is not None
    assert records.hash_file(ended.adapter) == records.hash_file(straight.adapter)
    assert ended.effects["held_out"] == straight.effects["held_out"]
    assert ended.effects["general"]["after"] == straight.effects["general"]["after"]


def test_each_state_of_a_real_run_answers_as_it_was_then(straight: RunInfo, engine: Child) -> None:
    states = kept_states(straight.folder)
    assert list(states) == [step for step, _ in straight.eval_loss if step] == [2, 4, 6]
    project = straight.folder.parent.parent
    found = last_result(scrub(project, "colours", "The yellow door", engine, 24))
    assert isinstance(found, Scrub)
    assert [point.step for point in found.points] == [0, 2, 4, 6]
    assert [point.loss for point in found.points] == [loss for _, loss in straight.eval_loss]
    hashes = [records.hash_file(path) for path in states.values()]
    assert [point.adapter for point in found.points] == ["", *hashes] and len(set(hashes)) == 3

    # The kept state is the adapter to the byte, and the bare model and it say what their lanes say.
    assert straight.adapter is not None and straight.model is not None
    [kept] = [point for point in found.points if point.kept]
    assert kept.step == straight.effects["held_out"]["step"] and kept.adapter == records.hash_file(straight.adapter)
    assert states[kept.step].read_bytes() == straight.adapter.read_bytes()
    bare, tuned = Lane("base", straight.model), Lane("tuned:colours", straight.model, adapter=straight.adapter)
    for lane, point in ((bare, found.points[0]), (tuned, kept)):
        asked = engine.run(answer, (Request("The yellow door", lane),), None, True)
        said = [each.value.text for each in asked if isinstance(each, Result)]
        assert said[0].startswith(point.text[:40])
    assert found.points[0].text != kept.text


def test_a_real_curve_is_stopped_and_gone_on_with(straight: RunInfo, engine: Child) -> None:
    project, knowledge = straight.folder.parent.parent, Child("The tested reader")
    try:
        stage = curve(project, "colours", knowledge, engine)
        for event in stage:  # stopped in its first training
            if isinstance(event, Progress) and event.note.startswith("on 10 % of the rows: training"):
                break
        stage.close()
        part = straight.folder / "curve" / "10"
        begun = read_curve(straight.folder)
        assert begun is not None and not begun.complete
        assert [line.name for line in begun.lines] == ["tuned-100", "base", "prompted", "few-shot"]
        assert adapter.read_run(part).state in ("stopped", "done")
        assert not adapter.is_alive(records.read_json(part / "run.json"))
        answers = len(records.read_lines(straight.folder / "curve" / "answers.jsonl"))

        found = last_result(curve(project, "colours", knowledge, engine))
        assert isinstance(found, Curve) and found.complete and found == read_curve(straight.folder)
        assert found.held_out == 4 and answers == 4 * 4
        assert len(records.read_lines(straight.folder / "curve" / "answers.jsonl")) == 6 * 4
        lines = {line.name: line for line in found.lines}
        assert [lines[f"tuned-{share}"].rows for share in (10, 30, 100)] == [1, 2, 8]
        assert lines["few-shot"].rows == 8  # all of them fit into a prompt
        assert lines["tuned-100"].loss == straight.effects["held_out"]["after"]
        for share, rows in ((10, 1), (30, 2)):
            part = straight.folder / "curve" / str(share)
            effects, about = adapter.read_run(part).effects, records.read_json(part / "manifest.json")
            assert (about["trained_rows"], about["held_out_rows"]) == (rows, 4)
            assert lines[f"tuned-{share}"].loss == effects["held_out"]["after"]
            assert effects["held_out"]["before"] == straight.effects["held_out"]["before"]  # the very same rows
            assert "general" not in effects
        assert {each.name for each in Project.open(project).adapters()} <= {"colours", "broken"}
    finally:
        knowledge.close()


def test_a_file_without_a_usable_row_ends_with_its_sentence(recipe: Recipe, project: Path) -> None:
    (project / "bad.jsonl").write_text('{"prompt": "x", "completion": ""}\n', encoding="utf-8")
    bad = replace(recipe, name="bad", folder=project / "adapters" / "bad", datasets=(project / "bad.jsonl",))
    with pytest.raises(BadDataset, match="no row that can be trained"):
        list(tune.tune(bad))
    assert adapter.read_run(bad.folder).state == "failed"


def test_a_window_that_closes_leaves_the_run_alone(recipe: Recipe, project: Path) -> None:
    other = replace(recipe, name="long", folder=project / "adapters" / "long", epochs=500.0)
    notes = list(tune.start(other))
    watching = tune.watch(other.folder)
    next(watching)
    watching.close()
    assert all(isinstance(note, Note) for note in notes)
    assert adapter.read_run(other.folder).state == "running"
    tune.stop(other.folder)
    assert adapter.read_run(other.folder).state == "stopped"


def test_the_starter_inspects_a_file_in_a_child(project: Path) -> None:
    from workbench.tuning.dataset import inspect

    child = Child("The checker")
    try:
        report = last_result(child.run(inspect, (project / "rows.jsonl",), paths.starter_model()))
    finally:
        child.close()
    assert report.examples == 12 and report.rendered[-1].text.endswith("}<|im_end|>")
