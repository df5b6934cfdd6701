"""What a real short fine-tune did: one question through its states, and a learning curve over its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from workbench import paths, records
from workbench.children import Child
from workbench.evaluation.curve import curve
from workbench.evaluation.curve_records import Curve, read_curve
from workbench.evaluation.scrub import Scrub, scrub
from workbench.events import Progress, Result, last_result
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Lane
from workbench.project import Project
from workbench.tuning import tune
from workbench.tuning.adapter import is_alive, read_run
from workbench.tuning.recipe import Recipe, RunInfo
from workbench.tuning.states import kept_states

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
COLOURS = ["red", "blue", "green", "black", "white", "brown", "pink", "grey", "gold", "silver", "orange", "purple"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunInfo:
    """Six steps on two layers, which are enough to answer otherwise than before."""
    project = Project.open(tmp_path_factory.mktemp("project"))
    rows = [{"prompt": f"The {c} door", "completion": json.dumps({"colour": c})} for c in COLOURS]
    (project.folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    recipe = Recipe(
        name="colours",
        model=paths.starter_model(),
        datasets=(project.folder / "rows.jsonl",),
        folder=project.adapters_folder / "colours",
        rank=4,
        layers=(28, 29),
        learning_rate=5e-3,
        epochs=2.0,
        batch_size=3,
        eval_share=0.25,
        eval_every=2,
        sample_rows=1,
        threads=1,
    )
    found: RunInfo = last_result(tune.tune(recipe))
    return found


@pytest.fixture
def engine() -> Iterator[Child]:
    made = Child("The tested engine")
    yield made
    made.close()


def test_each_state_of_a_real_run_answers_as_it_was_then(run: RunInfo, engine: Child) -> None:
    states = kept_states(run.folder)
    assert list(states) == [step for step, _ in run.eval_loss if step] == [2, 4, 6]
    project = run.folder.parent.parent
    found = last_result(scrub(project, "colours", "The yellow door", engine, 24))
    assert isinstance(found, Scrub)
    assert [point.step for point in found.points] == [0, 2, 4, 6]
    assert [point.loss for point in found.points] == [loss for _, loss in run.eval_loss]
    hashes = [records.hash_file(path) for path in states.values()]
    assert [point.adapter for point in found.points] == ["", *hashes] and len(set(hashes)) == 3

    # The kept state is the adapter to the byte, and the bare model and it say what their lanes say.
    assert run.adapter is not None and run.model is not None
    [kept] = [point for point in found.points if point.kept]
    assert kept.step == run.effects["held_out"]["step"] and kept.adapter == records.hash_file(run.adapter)
    assert states[kept.step].read_bytes() == run.adapter.read_bytes()
    bare, tuned = Lane("base", run.model), Lane("tuned:colours", run.model, adapter=run.adapter)
    for lane, point in ((bare, found.points[0]), (tuned, kept)):
        asked = engine.run(answer, (Request("The yellow door", lane),), None, True)
        said = [each.value.text for each in asked if isinstance(each, Result)]
        assert said[0].startswith(point.text[:40])
    assert found.points[0].text != kept.text


def test_a_real_curve_is_stopped_and_gone_on_with(run: RunInfo, engine: Child) -> None:
    project, knowledge = run.folder.parent.parent, Child("The tested reader")
    try:
        stage = curve(project, "colours", knowledge, engine)
        for event in stage:  # stopped in its first training
            if isinstance(event, Progress) and event.note.startswith("on 10 % of the rows: training"):
                break
        stage.close()
        part = run.folder / "curve" / "10"
        begun = read_curve(run.folder)
        assert begun is not None and not begun.complete
        assert [line.name for line in begun.lines] == ["tuned-100", "base", "prompted", "few-shot"]
        assert read_run(part).state in ("stopped", "done") and not is_alive(records.read_json(part / "run.json"))
        answers = len(records.read_lines(run.folder / "curve" / "answers.jsonl"))

        found = last_result(curve(project, "colours", knowledge, engine))
        assert isinstance(found, Curve) and found.complete and found == read_curve(run.folder)
        assert found.held_out == 4 and answers == 4 * 4
        assert len(records.read_lines(run.folder / "curve" / "answers.jsonl")) == 6 * 4
        lines = {line.name: line for line in found.lines}
        assert [lines[f"tuned-{share}"].rows for share in (10, 30, 100)] == [1, 2, 8]
        assert lines["few-shot"].rows == 8  # all of them fit into a prompt
        assert lines["tuned-100"].loss == run.effects["held_out"]["after"]
        for share, rows in ((10, 1), (30, 2)):
            part_run, manifest = read_run(run.folder / "curve" / str(share)), run.folder / "curve" / str(share)
            about = records.read_json(manifest / "manifest.json")
            assert (about["trained_rows"], about["held_out_rows"]) == (rows, 4)
            assert lines[f"tuned-{share}"].loss == part_run.effects["held_out"]["after"]
            assert part_run.effects["held_out"]["before"] == run.effects["held_out"]["before"]  # the very same rows
            assert "general" not in part_run.effects
        assert [each.name for each in Project.open(project).adapters()] == ["colours"]
    finally:
        knowledge.close()
