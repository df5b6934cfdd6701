"""Jobs: stages on a thread, gathered, shown in the tray, stopped, paused and closed."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from workbench.errors import BadDataset
from workbench.events import Event, Progress, Result, Stage, Token
from workbench.ui.bench import Bench
from workbench.ui.job import JobHandle, join_tokens
from workbench.ui.jobs_tray import JobsTray
from workbench.ui.window import Window


def ended(qtbot: QtBot, handle: JobHandle) -> None:
    qtbot.waitUntil(lambda: not handle.running, timeout=5000)


def test_a_job_hands_over_its_events_and_its_result(bench: Bench, qtbot: QtBot) -> None:
    seen: list[Event] = []
    done: list[Any] = []

    def stage() -> Stage:
        yield Progress(1, 2, "first")
        yield Progress(2, 2, "second")
        yield Result("all of it")

    handle = bench.jobs.start("Work", stage, seen.append, done.append)
    ended(qtbot, handle)
    assert handle.state == "done" and done == ["all of it"]
    assert [type(each).__name__ for each in seen] == ["Progress", "Progress", "Result"]


def test_a_stopped_job_closes_its_stage_and_tells_nobody(bench: Bench, qtbot: QtBot) -> None:
    closed, told = threading.Event(), []

    def stage() -> Stage:
        try:
            while True:
                yield Progress(0, 0, "on and on")
                threading.Event().wait(0.005)
        finally:
            closed.set()

    handle = bench.jobs.start("Work", stage, on_done=told.append, on_failed=told.append)
    qtbot.waitUntil(lambda: handle.progress is not None)
    handle.stop()
    assert handle.state == "stopping"
    ended(qtbot, handle)
    assert closed.is_set() and handle.state == "stopped" and not told


def test_an_error_reaches_whom_it_concerns(bench: Bench, qtbot: QtBot) -> None:
    def stage() -> Stage:
        yield Progress(0, 0, "so far")
        raise BadDataset("The file holds nothing to train on.")

    told: list[Exception] = []
    ended(qtbot, bench.jobs.start("Work", stage, on_failed=told.append))
    assert [str(each) for each in told] == ["The file holds nothing to train on."]
    with qtbot.waitSignal(bench.jobs.failed):
        bench.jobs.start("Work", stage)


def test_a_folded_tray_stops_and_pauses_too_and_opens_by_key(window: Window, slow_stage: Any, qtbot: QtBot) -> None:
    tray = window.rail.tray
    handle = window.bench.jobs.start("Exporting", slow_stage, kind="export", can_pause=True)
    window.rail.set_folded(True)
    [card] = tray.cards
    qtbot.waitUntil(card._stop.isVisible, timeout=20_000)
    window.grab()
    assert card._pause.isVisible() and card.rect().contains(card._stop.geometry())
    qtbot.keyClick(card, Qt.Key.Key_Return)
    assert window.current_page == "finetune"
    qtbot.mouseClick(card._stop, Qt.MouseButton.LeftButton)
    ended(qtbot, handle)


def test_what_a_library_says_at_length_stays_out_of_the_tray(bench: Bench, tray: JobsTray, qtbot: QtBot) -> None:
    def stage() -> Stage:
        yield Progress(0, 0, "so far")
        raise RuntimeError("a page of advice\n" * 40)

    handle = bench.jobs.start("Work", stage)
    ended(qtbot, handle)
    assert tray.cards[0]._note.text() == "Something unexpected happened"
    assert "a page of advice" in str(handle.error)


def test_a_paused_job_begins_again_where_its_stage_does(bench: Bench, qtbot: QtBot) -> None:
    begun: list[int] = []

    def stage() -> Stage:
        begun.append(len(begun))
        while len(begun) < 2:
            yield Progress(0, 0, "")
            threading.Event().wait(0.005)
        yield Result("done")

    handle = bench.jobs.start("Work", stage, can_pause=True)
    qtbot.waitUntil(lambda: handle.progress is not None)
    handle.pause()
    qtbot.waitUntil(lambda: handle.state == "paused")
    handle.resume()
    ended(qtbot, handle)
    assert handle.state == "done" and begun == [0, 1]


def test_tokens_of_a_lane_are_joined_and_stay_in_order() -> None:
    events: list[Event] = [Token("a", "1"), Token("b", "x"), Token("a", "2"), Progress(0, 0, ""), Token("a", "3")]
    joined = join_tokens(events)
    assert joined == [Token("a", "12"), Token("b", "x"), Progress(0, 0, ""), Token("a", "3")]


@pytest.fixture
def tray(bench: Bench, qtbot: QtBot) -> JobsTray:
    made = JobsTray(bench.jobs)
    qtbot.addWidget(made)
    made.show()
    return made


def test_the_tray_shows_what_runs_and_stops_it(bench: Bench, tray: JobsTray, slow_stage: Any, qtbot: QtBot) -> None:
    handle = bench.jobs.start("Counting", slow_stage)
    [card] = tray.cards
    qtbot.waitUntil(lambda: handle.progress is not None)
    card.refresh()
    assert "of 1,000 things" in card._note.text() and "about 2 minutes left" in card._note.text()
    qtbot.mouseClick(card._stop, Qt.MouseButton.LeftButton)
    ended(qtbot, handle)
    assert "Stopped" in card._note.text() and card._seen.isVisible()
    qtbot.mouseClick(card._seen, Qt.MouseButton.LeftButton)
    assert tray.cards == [] and bench.jobs.handles == []


def test_a_quiet_job_stays_out_of_the_tray(bench: Bench, tray: JobsTray, qtbot: QtBot) -> None:
    def stage() -> Stage:
        yield Result(1)

    handle = bench.jobs.start("Asking", stage, quiet=True)
    with qtbot.waitSignal(handle.finished):
        assert tray.cards == []
    qtbot.waitUntil(lambda: bench.jobs.handles == [])


def test_a_folded_tray_shows_a_percentage(bench: Bench, tray: JobsTray, slow_stage: Any, qtbot: QtBot) -> None:
    handle = bench.jobs.start("Counting", slow_stage)
    tray.set_folded(True)
    qtbot.waitUntil(lambda: handle.progress is not None)
    [card] = tray.cards
    card.refresh()
    assert card._percent.isVisible() and card._percent.text().endswith("%")
    assert not card._title.isVisible()
    handle.stop()
    ended(qtbot, handle)


def test_a_job_goes_on_while_pages_change(window: Window, slow_stage: Any, qtbot: QtBot) -> None:
    handle = window.bench.jobs.start("Counting", slow_stage, kind="documents")
    for name in ("models", "compare", "help"):
        window.open_page(name)
    assert handle.running
    qtbot.mouseClick(window.rail.tray.cards[0], Qt.MouseButton.LeftButton)
    assert window.current_page == "documents"
    handle.stop()
    ended(qtbot, handle)
