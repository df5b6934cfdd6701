"""Stages in child processes: what comes out, what stops them, what a crash becomes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from workbench import children
from workbench.children import Child, Here, stop_requested
from workbench.errors import ChildCrashed, MissingFile
from workbench.events import Progress, Result, Stage
from workbench.priority import READING


def count(to: int) -> Stage:
    for number in range(to):
        yield Progress(number, to, "counting")
    yield Result(to)


def count_for_ever() -> Stage:
    number = 0
    while True:
        number += 1
        time.sleep(0.01)
        yield Progress(number, 0, "counting")


def say_pid() -> Stage:
    yield Result(os.getpid())


def fail_clearly() -> Stage:
    yield Progress(0, 1, "about to fail")
    raise MissingFile("The folder is not there.")


def fail_oddly() -> Stage:
    yield Progress(0, 1, "about to fail")
    raise ZeroDivisionError("one by zero")


def die() -> Stage:
    yield Progress(0, 1, "about to die")
    os.kill(os.getpid(), signal.SIGKILL)
    yield Result(None)


def wait_until_asked() -> Stage:
    """A library that holds on for long but looks at the flag."""
    yield Progress(0, 1, "holding on")
    while not stop_requested():
        time.sleep(0.01)
    yield Progress(1, 1, "let go")


def hold_on() -> Stage:
    """A library that never looks."""
    yield Progress(0, 1, "holding on")
    time.sleep(60)
    yield Result(None)


def hold_on_a_little() -> Stage:
    """A library that lets go after longer than is waited for where nothing else runs."""
    yield Progress(0, 1, "holding on")
    time.sleep(1.5 * children.STOP_GRACE)
    yield Result(None)


def say_whether_asked() -> Stage:
    yield Result(stop_requested())


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child("The test child")
    yield child
    child.close()


def test_the_same_records_come_out_of_a_child(child: Child) -> None:
    assert list(child.run(count, 3)) == list(Here().run(count, 3))


def test_our_errors_cross_whole(child: Child) -> None:
    with pytest.raises(MissingFile, match="The folder is not there"):
        list(child.run(fail_clearly))


def test_other_errors_carry_their_traceback(child: Child) -> None:
    with pytest.raises(ChildCrashed, match="ZeroDivisionError") as caught:
        list(child.run(fail_oddly))
    assert "fail_oddly" in caught.value.details


def test_an_unknown_argument_is_an_error_and_not_a_hang(child: Child) -> None:
    with pytest.raises(ChildCrashed):
        list(child.run(count))


def test_a_killed_child_is_one_clear_error_and_the_next_call_gets_a_fresh_one(child: Child) -> None:
    with pytest.raises(ChildCrashed, match="SIGKILL"):
        list(child.run(die))
    assert list(child.run(count, 1))[-1] == Result(1)


def test_closing_a_stage_stops_it_and_keeps_the_child(child: Child) -> None:
    first = list(child.run(say_pid))
    stage = child.run(count_for_ever)
    next(stage)
    stage.close()
    assert list(child.run(say_pid)) == first


def test_a_stage_inside_a_long_call_sees_that_it_should_stop(child: Child) -> None:
    first = list(child.run(say_pid))
    stage = child.run(wait_until_asked)
    next(stage)
    stage.close()
    assert list(child.run(say_pid)) == first


def test_a_stage_that_never_listens_is_killed_within_two_seconds(child: Child) -> None:
    stage = child.run(hold_on)
    next(stage)
    began = time.monotonic()
    stage.close()
    assert time.monotonic() - began < 2.0
    assert list(child.run(count, 1))[-1] == Result(1)


def test_a_stage_slow_to_stop_does_not_take_the_others_with_it(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "SHARED_GRACE", 60.0)
    other, slow = child.run(count_for_ever), child.run(hold_on_a_little)
    next(other), next(slow)
    pid = child.pid
    slow.close()
    assert isinstance(next(other), Progress) and child.pid == pid
    other.close()


def test_a_short_stage_is_answered_while_a_long_one_runs(child: Child) -> None:
    long = child.run(count_for_ever)
    next(long)
    assert list(child.run(count, 2))[-1] == Result(2)
    assert isinstance(next(long), Progress)
    long.close()


def test_stages_from_several_threads_do_not_mix(child: Child) -> None:
    found: dict[int, object] = {}

    def ask(number: int) -> None:
        found[number] = list(child.run(count, number))[-1]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: Result(number) for number in range(1, 9)}


def say_niceness() -> Stage:
    yield Result(os.nice(0))


def test_a_child_that_gives_way_starts_so() -> None:
    polite = Child("A polite child", niceness=READING)
    try:
        said = [event.value for event in polite.run(say_niceness) if isinstance(event, Result)]
    finally:
        polite.close()
    assert said == [min(19, os.nice(0) + READING)]


def test_closing_the_child_ends_what_it_runs(child: Child) -> None:
    stage = child.run(count_for_ever)
    next(stage)
    pid = child.pid
    child.close()
    assert pid is not None and child.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(ChildCrashed):
        list(stage)


def test_a_child_ends_when_its_parent_is_killed() -> None:
    program = (
        "from tests.test_children import count_for_ever; from workbench.children import Child; import time\n"
        "if __name__ == '__main__':\n"
        "    child = Child('orphan'); stage = child.run(count_for_ever); next(stage); print(child.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    root = Path(__file__).parent.parent
    with subprocess.Popen([sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        orphan = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    orphan.wait(timeout=5)


def test_a_stop_that_comes_after_its_stage_ended_stops_nothing_else(child: Child) -> None:
    assert list(child.run(count, 1))[-1] == Result(1)
    assert child._tell(child._process, ("stop", 1, None, ()))
    assert list(child.run(say_whether_asked)) == [Result(False)]
