"""Loading the model before anybody asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench import paths
from workbench.errors import MissingFile
from workbench.events import Progress, Result
from workbench.lanes import pool
from workbench.lanes.lane import Lane, Sampling
from workbench.lanes.probe import known, trial_key
from workbench.lanes.settle import asked
from workbench.lanes.warm import warm
from workbench.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    pool.clear()
    yield Project.open(tmp_path / "project")
    pool.clear()


def test_the_first_question_finds_the_model_loaded_and_gets_the_same_answer(project: Project) -> None:
    from workbench.lanes.engine import Request, answer

    asked = (Request("Name a colour.", Lane("base", paths.starter_model(), sampling=Sampling(max_tokens=6))),)
    cold = [event.value.text for event in answer(asked) if isinstance(event, Result)]
    pool.clear()
    events = list(warm(project.folder))
    assert isinstance(events[-1], Result) and all(isinstance(event, Progress) for event in events[:-1])
    loaded = pool.model(paths.starter_model())
    assert [each.canary for each in pool._idle] == ["ok"]
    assert [event.value.text for event in answer(asked) if isinstance(event, Result)] == cold
    assert pool.model(paths.starter_model()) is loaded


def test_it_can_be_left_half_way(project: Project) -> None:
    stage = warm(project.folder)
    next(stage)
    stage.close()
    assert not pool._models and not pool._in_use


def test_a_model_that_is_gone_is_named(project: Project, tmp_path: Path) -> None:
    project.change(chat_model=str(tmp_path / "gone.gguf"))
    with pytest.raises(MissingFile, match=r"gone\.gguf"):
        list(warm(project.folder))


@pytest.fixture
def fresh_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "cache_folder", lambda: tmp_path / "cache")


def test_a_fresh_machine_learns_whether_extra_buffers_work_before_the_model_is_loaded(
    project: Project, fresh_machine: None
) -> None:
    key = trial_key(paths.starter_model())
    assert known(key) is None
    notes = [event.note for event in warm(project.folder) if isinstance(event, Progress)]
    assert any(note.startswith("Finding out once") for note in notes) and known(key) is not None
    assert pool.model(paths.starter_model()).extra_buffers is known(key)


def test_a_question_ends_the_trial_of_a_fresh_machine(project: Project, fresh_machine: None) -> None:
    with asked():
        events = list(warm(project.folder))
    assert isinstance(events[-1], Result) and known(trial_key(paths.starter_model())) is None
