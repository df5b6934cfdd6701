"""Work in the background leaves its cores to an answer for a share of the time, and to nobody who is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from workbench import paths, turns
from workbench.children import Child
from workbench.events import Token
from workbench.lanes.cores import CoreWatch
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Lane, Sampling
from workbench.turns import FORM, NANO, PERIOD, SHARE, Working

ANSWERS = """
import time
from workbench import turns
with turns.hurrying():
    while True:
        turns.say(reading={reading})
        print("said", flush=True)
        time.sleep(0.01)
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    for each in (turns._answering, turns._work):
        each.cache_clear()
    yield
    for each in (turns._answering, turns._work):
        each.cache_clear()


def answering(reading: bool) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", ANSWERS.format(reading=reading)], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert child.stdout is not None and child.stdout.readline()
    return child


def rested(seconds: float, piece: float = 0.0) -> float:
    """Seconds of rest while working in pieces."""
    begun, found = time.monotonic(), 0.0
    while time.monotonic() - begun < seconds:
        before = time.monotonic()
        turns.rest(1)
        found += time.monotonic() - before
        time.sleep(piece)
    return found


def test_nobody_rests_where_nobody_answers() -> None:
    turns.rest(1)
    began = time.monotonic()
    for _ in range(1000):
        turns.rest(1)
    assert time.monotonic() - began < 0.5  # some microseconds each


@pytest.mark.parametrize("piece", [0.002, 0.1])
def test_work_rests_for_its_share_of_an_answers_time_whatever_its_pieces(piece: float) -> None:
    child = answering(False)
    try:
        rested(PERIOD, piece)
        share = rested(8 * PERIOD, piece) / (8 * PERIOD)
    finally:
        child.kill()
        child.wait()
    assert SHARE - 0.12 < share < SHARE + 0.12


def test_work_rests_for_as_long_as_a_prompt_is_read_and_hears_a_stop_meanwhile() -> None:
    child = answering(True)
    began = time.monotonic()
    try:
        turns.rest(1, stop=lambda: time.monotonic() - began > 0.8)
    finally:
        child.kill()
        child.wait()
    assert 0.8 < time.monotonic() - began < 1.3


def test_an_engine_that_is_killed_keeps_nobody_waiting() -> None:
    child = answering(True)
    turns._work()._answers._looked = 0
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    began = time.monotonic()
    turns.rest(1)
    assert time.monotonic() - began < 1.0
    time.sleep(0.3)
    turns.rest(1)
    assert not list((paths.cache_folder() / "turns").glob("*.answers")), "what the dead left behind is taken away"


def test_what_is_no_word_of_today_is_not_heard() -> None:
    folder = paths.cache_folder() / "turns"
    folder.mkdir(parents=True)
    alive = os.getppid()
    (folder / f"{alive}.1.answers").write_bytes(FORM.pack(time.monotonic_ns() + 10**6 * NANO, 0, 0))  # another day
    (folder / f"{alive}.2.answers").write_bytes(b"")
    (folder / "notes.answers").write_text("something else altogether, and long enough")
    (folder / f"{2**70}.answers").write_bytes(bytes(64))
    began = time.monotonic()
    turns.rest(1)
    assert time.monotonic() - began < 0.2


def test_where_nothing_can_be_written_everything_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "file"))
    turns.rest(1)
    with turns.hurrying():
        turns.say(reading=False)
        assert turns.working() == []


def test_an_answer_has_the_cores_of_those_who_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = CoreWatch()
    monkeypatch.setattr(watch, "_count", lambda: 4)
    watch._strangers = 0.1
    assert watch.threads(4, [Working(1, 2, rests=False)]) == 2
    assert watch.threads(4, [Working(1, 2, rests=True)]) == 4
    watch._strangers = 1.0  # who never rests
    assert watch.threads(4, [Working(1, 2, rests=True), Working(2, 1, rests=False)]) == 2


@pytest.mark.parametrize(
    ("cores", "strangers", "threads", "asks"),
    [(2, 0.1, 1, True), (2, 1.5, 1, True), (1, 0.0, 1, True), (8, 0.0, 4, True), (16, 0.0, 2, False)],
)
def test_nobody_is_asked_to_rest_where_there_are_cores_enough(
    cores: int, strangers: float, threads: int, asks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = CoreWatch()
    monkeypatch.setattr(watch, "_count", lambda: cores)
    watch._strangers = strangers
    assert watch.gains(cores, [Working(1, threads, rests=False)]) is asks


@pytest.mark.parametrize("exact", [False, True])
def test_work_rests_while_the_engine_answers_a_person_and_not_an_evaluation(exact: bool) -> None:
    lane = Lane("base", paths.starter_model(), sampling=Sampling(max_tokens=60))
    turns.rest(1)
    asked, tokens = 0, 0
    with closing(Child("The model engine")) as engine:
        for event in engine.run(answer, (Request("Write a long story about the sea.", lane),), None, exact):
            asked += turns._work()._left(time.monotonic_ns()) > 0
            turns.rest(1)
            tokens += isinstance(event, Token)
    assert tokens > 20
    assert (asked > 0) is not exact
