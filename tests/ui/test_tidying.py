"""Garbage with cycles goes by the window's timer, what was left alone for a while included."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from workbench.ui import tidying
from workbench.ui.tidying import Tidying


class Ring:
    """Something that only the search for cycles can free."""

    def __init__(self) -> None:
        self.myself = self


@pytest.fixture
def looking(qtbot: QtBot) -> Iterator[Tidying]:
    on = gc.isenabled()
    found = Tidying()
    found._timer.stop()  # looks come when the test says so
    yield found
    if on:
        gc.enable()


def test_young_garbage_goes_while_there_is_work(looking: Tidying) -> None:
    looking.look()
    gone = weakref.ref(Ring())
    work = [[number] for number in range(2 * tidying.OFTEN)]
    looking.look()
    assert len(work) and gone() is None


def test_what_was_left_alone_goes_once_nothing_goes_on(looking: Tidying) -> None:
    looking.look()
    many = [Ring() for _ in range(gc.get_freeze_count() // 2)]
    gone = weakref.ref(many[0])
    gc.freeze()
    many.clear()
    gc.collect()
    assert gone() is not None, "it is left alone"
    looking.busy = lambda: True
    for _ in range(tidying.LOOKS + 1):
        looking.look()
    assert gone() is not None, "somebody is waiting for something else"
    looking.busy = lambda: False
    for _ in range(tidying.LOOKS + 1):
        looking.look()
    assert gone() is None


def test_a_look_through_all_is_not_repeated_for_nothing(looking: Tidying, monkeypatch: pytest.MonkeyPatch) -> None:
    looking.look()
    looking.look_through()
    monkeypatch.setattr(looking, "look_through", lambda: pytest.fail("nothing has grown"))
    for _ in range(3 * tidying.LOOKS):
        looking.look()


def test_nothing_is_counted_while_somebody_waits(looking: Tidying, monkeypatch: pytest.MonkeyPatch) -> None:
    looking.look()
    looking.busy = lambda: True
    kept, before = [], looking._most
    with monkeypatch.context() as patch:
        patch.setattr(gc, "get_freeze_count", lambda: pytest.fail("it takes 10 ms in a window with every page"))
        for _ in range(3):
            kept.append([[number] for number in range(2 * tidying.OFTEN)])
            looking.look()
    assert looking._most > before + 2 * tidying.OFTEN, "what joins those left alone is added up"
    looked: list[bool] = []
    monkeypatch.setattr(looking, "look_through", lambda: looked.append(True))
    looking._most = round(tidying.TOO_MANY * looking._left_alone) + 1
    looking.look()
    assert not looked and looking._most < tidying.TOO_MANY * looking._left_alone, "most of them were gone"
