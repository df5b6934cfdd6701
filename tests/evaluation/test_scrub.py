"""One question through the states of a run, with an engine that says which state it was asked with."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_index import ScriptedStages, put_script_in_place

from workbench import records
from workbench.errors import InputError
from workbench.evaluation.scrub import Scrub, ScrubPoint, scrub
from workbench.events import Result
from workbench.lanes.engine import Request
from workbench.project import Project
from workbench.tuning.recipe import Recipe

MODEL = Path(__file__)  # a file that is there: the script does not read it


def says_state(request: Request) -> str:
    return f"{request.lane.adapter.name if request.lane.adapter else 'bare'}: {request.lane.system}"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A run of 40 steps whose best state was that of step 20."""
    opened = Project.open(tmp_path)
    folder = opened.adapters_folder / "mine"
    (folder / "states").mkdir(parents=True)
    for step in (10, 20, 40):
        (folder / "states" / f"{step}.gguf").write_bytes(b"GGUF")
    (folder / "adapter.gguf").write_bytes(b"GGUF")
    records.write_json(folder / "recipe.json", Recipe("mine", MODEL, (), folder))
    records.append_line(folder / "events.jsonl", {"kind": "start", "value": {}})
    for step, loss in ((0, 2.0), (10, 1.0), (20, 0.5), (40, 0.7)):
        value = {"step": step, "total": 40, "train_loss": 1.0, "eval_loss": loss}
        records.append_line(folder / "events.jsonl", {"kind": "step", "value": value})
    records.append_line(folder / "events.jsonl", {"kind": "end", "value": {"state": "done", "outcome": "Done."}})
    effects = {"held_out": {"step": 20}}
    manifest = {"name": "mine", "adapter": "adapter.gguf", "created": "2026", "system": "As JSON.", "effects": effects}
    records.write_json(folder / "manifest.json", manifest)
    return opened


def test_every_state_is_asked_from_the_bare_model_to_the_last(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = ScriptedStages(says_state)
    worker = put_script_in_place(monkeypatch, stages)
    values = [each.value for each in scrub(project.folder, "mine", "A door?", worker) if isinstance(each, Result)]
    found = values[-1]
    assert isinstance(found, Scrub) and list(found.points) == values[:-1]
    told = [(point.step, point.text, point.loss, point.kept) for point in found.points]
    assert told == [
        (0, "bare: As JSON.", 2.0, False),
        (10, "10.gguf: As JSON.", 1.0, False),
        (20, "adapter.gguf: As JSON.", 0.5, True),  # the state that was kept is the adapter itself
        (40, "40.gguf: As JSON.", 0.7, False),
    ]
    assert {request.lane.sampling.temperature for request in stages.requests} == {0.0}
    assert {request.question for request in stages.requests} == {"A door?"}


def test_closing_it_asks_no_further_state(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = ScriptedStages(says_state)
    stage = scrub(project.folder, "mine", "A door?", put_script_in_place(monkeypatch, stages))
    assert next(each for each in stage if isinstance(each, Result)).value == ScrubPoint(0, "bare: As JSON.", 2.0, False)
    stage.close()
    assert len(stages.requests) == 1


def test_what_cannot_be_scrubbed_is_said(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = put_script_in_place(monkeypatch, ScriptedStages(says_state))
    with pytest.raises(InputError, match="question is empty"):
        list(scrub(project.folder, "mine", " ", worker))
    with pytest.raises(InputError, match="no adapter called theirs: there are mine"):
        list(scrub(project.folder, "theirs", "A door?", worker))
    for path in (project.adapters_folder / "mine" / "states").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="kept no states on its way"):
        list(scrub(project.folder, "mine", "A door?", worker))
