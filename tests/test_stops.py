"""Parts of a running stage that are stopped: heard where the stage runs, while the rest goes on."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator

import pytest

from workbench.children import Child, Here, Worker
from workbench.events import Progress, Result, Stage
from workbench.stops import Stops

PARTS = ("left", "right")


def work_on(parts: tuple[str, ...], stops: Stops) -> Stage:
    """Goes on with every part until it is stopped; a Result says that it heard."""
    running, number = list(parts), 0
    while running:
        for part in [each for each in running if each in stops]:
            running.remove(part)
            yield Result(part)
        number += 1
        time.sleep(0.01)
        yield Progress(number, 0, " ".join(running))


def hold_on_until_told(stops: Stops) -> Stage:
    """A long call that looks at the list from inside."""
    yield Progress(0, 1, "holding on")
    while not stops.any_of({"left"}):
        time.sleep(0.01)
    yield Result("let go")


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child("The test child")
    yield child
    child.close()


def next_result(stage: Stage) -> object:
    return next(event.value for event in stage if isinstance(event, Result))


@pytest.mark.parametrize("kind", ["here", "child"])
def test_one_part_is_stopped_and_the_others_go_on(kind: str, child: Child) -> None:
    worker: Worker = child if kind == "child" else Here()
    stops = Stops()
    stage = worker.run(work_on, PARTS, stops)
    assert next(stage) == Progress(1, 0, "left right")
    stops.add("left")
    assert next_result(stage) == "left"
    after = next(stage)
    assert isinstance(after, Progress) and after.note == "right"
    stops.add("right")
    assert next_result(stage) == "right"
    assert not [event for event in stage if isinstance(event, Result)]


def test_a_stop_is_heard_in_the_middle_of_a_long_call(child: Child) -> None:
    stops = Stops()
    stage = child.run(hold_on_until_told, stops)
    next(stage)
    stops.add("left")
    assert next_result(stage) == "let go"


def test_what_was_stopped_before_the_stage_began_is_known_to_it(child: Child) -> None:
    stops = Stops(["left"])
    stage = child.run(work_on, PARTS, stops)
    assert next_result(stage) == "left"
    stage.close()


def test_stages_hear_only_of_their_own_parts(child: Child) -> None:
    first, second = Stops(), Stops()
    stages = [child.run(work_on, PARTS, each) for each in (first, second)]
    for stage in stages:
        next(stage)
    first.add("left")
    assert next_result(stages[0]) == "left"
    seen = [next(stages[1]) for _ in range(3)]
    assert [event.note for event in seen if isinstance(event, Progress)] == ["left right"] * 3
    for stage in stages:
        stage.close()


def test_a_stop_after_the_end_or_after_a_crash_does_no_harm(child: Child) -> None:
    stops = Stops(PARTS)
    list(child.run(work_on, PARTS, stops))
    stops.add("left")
    child.close()
    stops.add("right")
    assert next_result(child.run(work_on, PARTS, stops)) == "left"


def test_only_names_cross_to_another_process() -> None:
    stops = Stops(["left"])
    stops.connect(lambda part: None)
    copy = pickle.loads(pickle.dumps(stops))
    copy.add("right")
    assert "left" in copy and "right" not in stops
