"""A real fine-tune of the starter: stopped, killed and gone on with, and compared in llama.cpp."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from workbench import paths, records
from workbench.children import Child
from workbench.errors import BadDataset, ChildCrashed, InputError, ProjectBusy
from workbench.events import Note, Progress, Result, Step, last_result
from workbench.project import Project
from workbench.tuning import adapter, tune
from workbench.tuning.recipe import Recipe, RunInfo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    Project.open(folder)
    colours = ["red", "blue", "green", "black", "white", "brown", "pink", "grey"]
    rows = [{"prompt": f"The {c} door", "completion": json.dumps({"colour": c})} for c in colours]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


@pytest.fixture
def recipe(project: Path) -> Recipe:
    """Four steps on two layers."""
    return Recipe(
        name="colours",
        model=paths.starter_model(),
        datasets=(project / "rows.jsonl",),
        folder=project / "adapters" / "colours",
        rank=4,
        layers=(28, 29),
        epochs=2.0,
        batch_size=3,
        eval_share=0.25,
        eval_every=2,
        checkpoint_every=1,
        sample_rows=1,
        threads=1,  # the same sums in the same order, whatever else the machine does
    )


def test_a_stopped_and_a_killed_run_go_on_to_the_same_adapter(recipe: Recipe, project: Path) -> None:
    # Straight through: the yardstick.
    events = list(tune.tune(recipe))
    straight: RunInfo = events[-1].value if isinstance(events[-1], Result) else pytest.fail("no result")
    steps = [event for event in events if isinstance(event, Step)]
    assert straight.state == "done" and straight.step == straight.total == 4
    assert [step.step for step in steps] == [0, 1, 2, 3, 4]
    assert [step for step, _ in straight.eval_loss] == [0, 2, 4] and straight.eval_loss[-1][1] < straight.eval_loss[0][
        1
    ]
    assert steps[0].samples and steps[-1].samples[0].expected.startswith("{")
    assert straight.tokens_per_second > 0 and straight.examples == 8

    # What it left: an adapter of the project that llama.cpp agrees with.
    (reference,) = Project.open(project).adapters()
    assert reference.parity_ok and straight.parity["ok"] and straight.parity["tokens_agree"]
    assert reference.answers_bare and not reference.reads_passages and reference.path == straight.adapter
    assert reference.model_hash == records.hash_file(recipe.model)

    # What it did to the held-out rows, and to text it was not about.
    held, general = straight.effects["held_out"], straight.effects["general"]
    assert (held["rows"], held["step"], held["improved"]) == (2, 4, 1.0)
    assert held["before"] == pytest.approx(straight.eval_loss[0][1])
    assert held["after"] == pytest.approx(straight.eval_loss[-1][1]) and held["interval"][1] < 0
    assert 3 < general["before"] < 5 and general["tokens"] > 900 and len(general["answers"]) == 8
    assert abs(general["share"]) < 0.05 and not general["worse"] and not general["another_manner"]  # after four steps
    assert all(each["before"] for each in general["answers"])

    # The same again is not trained twice, and another recipe does not overwrite it.
    assert last_result(tune.tune(recipe)).adapter == straight.adapter
    with pytest.raises(InputError, match="choose another name"):
        list(tune.tune(replace(recipe, rank=2)))

    # Stopped after a step, then killed after another: both go on from their checkpoint and end where the first ended.
    other = replace(recipe, name="broken", folder=project / "adapters" / "broken", sample_rows=0)
    stage = tune.tune(other)
    for event in stage:
        if isinstance(event, Progress) and event.note.startswith("loading"):
            with pytest.raises(ProjectBusy, match="running already"):
                list(tune.tune(other))
        if isinstance(event, Step) and event.step == 1:
            break
    stage.close()
    stopped = adapter.read_run(other.folder)
    assert stopped.state == "stopped" and "go on" in stopped.outcome and 1 <= stopped.step < 4

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
    assert ended.effects["held_out"] == held and ended.effects["general"]["after"] == general["after"]


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
    assert report.examples == 8 and report.rendered[-1].text.endswith("}<|im_end|>")
