"""The first answer on a machine waits for no trial; they run afterwards, once, and give way to whoever asks."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path

import psutil
import pytest

from tests.lanes.test_engine import answers, lane
from workbench import paths, records
from workbench.children import Child
from workbench.events import Progress, Result, Stage, Waiting
from workbench.lanes import attention, choice, pool, probe
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Sampling
from workbench.lanes.probe import trial_key
from workbench.lanes.settle import settle

STARTER = paths.starter_model()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine of which nothing is known."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(probe, "_given_up", set())
    monkeypatch.setattr(choice, "_choices", {})
    pool.clear()
    yield tmp_path
    pool.clear()


def remember(**outcomes: bool) -> None:
    """What trials of the starter found: `buffers`, `copy`."""
    names = {"buffers": trial_key(STARTER), "copy": f"{trial_key(STARTER)} q8_0"}
    records.write_json(paths.cache_folder() / "engine.json", {names[key]: found for key, found in outcomes.items()})


def never(*arguments: object, **limit: object) -> Generator[None, None, bool]:
    raise AssertionError("an answer waited for a trial")
    yield


def long_trial(*arguments: str) -> None:
    time.sleep(600)


def test_the_first_answer_is_read_in_the_way_that_works_everywhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "survival", never)
    found = answers(Request("Name a colour.", lane("base", sampling=Sampling(max_tokens=4))))["base"]
    assert found.text and found.stamp is not None
    assert "extra buffers off" in found.stamp.build and "flash" not in found.stamp.build


def test_the_next_answer_is_read_as_trials_found_and_says_so(home: Path) -> None:
    asked = Request("Name a colour.", lane("base", sampling=Sampling(max_tokens=4)))
    before = answers(asked)["base"].stamp
    remember(buffers=False, copy=True)
    after = answers(asked)["base"].stamp
    assert before is not None and after is not None
    assert "Q8_0 copy" not in before.build and "Q8_0 copy" in after.build and before.model == after.model
    assert len(pool._models) == 1, "the same model is not kept loaded in two ways"


def test_an_exact_answer_is_read_in_one_way_whatever_is_found_meanwhile(home: Path) -> None:
    remember(buffers=False)
    asked = Request("Name a colour.", lane("base", sampling=Sampling(max_tokens=4)))
    before = answers(asked, exact=True)["base"]
    remember(buffers=False, copy=True)
    after = answers(asked, exact=True)["base"]
    assert before.text == after.text and before.stamp == after.stamp


def test_all_lanes_of_a_question_read_a_model_alike(home: Path) -> None:
    remember(buffers=False)
    requests = tuple(Request("Hello?", lane(name, sampling=Sampling(max_tokens=3))) for name in ("one", "two"))
    stamps = []
    for event in answer(requests):
        if event == Waiting("two", "starting"):  # the first lane has its model
            remember(buffers=False, copy=True)  # as if a trial ended just now
        if isinstance(event, Result):
            stamps.append(event.value.stamp.build)
    assert len(stamps) == 2 and len(set(stamps)) == 1


def test_trials_that_are_done_leave_nothing_to_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(buffers=False, copy=False)
    records.write_json(
        paths.cache_folder() / "engine.json",
        {**probe.known_outcomes(paths.cache_folder() / "engine.json"), attention._key(STARTER, 0, None): False},
    )
    monkeypatch.setattr(probe, "survival", never)
    assert list(settle((STARTER,))) == [Result(True)]
    assert list(settle((home / "gone.gguf",))) == [Result(True)], "a model that is gone is named when it is asked"


def test_a_machine_that_is_busy_is_asked_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(buffers=False)
    monkeypatch.setattr(probe, "too_busy", lambda: True)
    monkeypatch.setattr("workbench.lanes.fast_copy.survival", never)
    monkeypatch.setattr("workbench.lanes.fast_copy._may_gain", lambda model: False)
    assert list(settle((STARTER,)))[-1] == Result(False)


def trying_for_long(models: tuple[Path, ...]) -> Stage:
    """STAGE: settle, in a child where a trial takes ten minutes."""
    probe.try_decoding = long_trial
    yield from settle(models)


def test_a_question_ends_a_trial_and_is_answered_at_once(home: Path) -> None:
    worker = Child("The model engine")
    try:
        trial = worker.run(trying_for_long, (STARTER,))
        assert isinstance(next(trial), Progress)
        asked = Request("Name a colour.", lane("base", sampling=Sampling(max_tokens=4)))
        found = [event.value for event in worker.run(answer, (asked,)) if isinstance(event, Result)]
        assert found[0].text and found[0].stopped != "failed"
        assert [event for event in trial if isinstance(event, Result)] == [Result(False)]
        assert worker.pid is not None and not psutil.Process(worker.pid).children(), "the trial is still running"
    finally:
        worker.close()
