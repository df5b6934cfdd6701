"""When the watch tells that something changed: soon after one save, once for an editor's several steps."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from workbench.ui import documents_watch
from workbench.ui.documents_watch import FIRST_MS, LONGEST_MS, FolderWatch


class Heard:
    """An ear that is told what to hear."""

    folders = (Path("/documents"),)

    def __init__(self) -> None:
        self.news = False

    def take(self) -> bool:
        news, self.news = self.news, False
        return news

    def close(self) -> None:
        pass


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    made = Heard()
    monkeypatch.setattr(documents_watch, "Ear", lambda folders: made)
    return made


def told(heard: Heard, news_at: list[int], until: int, qtbot: QtBot) -> list[float]:
    """When it was told, in milliseconds, with news at these."""
    watch = FolderWatch()
    watch.watch(Heard.folders)
    began, found = time.monotonic(), list[float]()
    watch.touched.connect(lambda: found.append(1000 * (time.monotonic() - began)))
    for each in news_at:
        QTimer.singleShot(each, watch, lambda: setattr(heard, "news", True))
    cast(Any, qtbot).wait(until)
    watch.close()
    return found


def test_one_save_is_told_at_once(heard: Heard, qtbot: QtBot) -> None:
    assert [each < 400 for each in told(heard, [0], 900, qtbot)] == [True]


def test_an_editor_that_saves_in_steps_is_told_once_when_it_is_done(heard: Heard, qtbot: QtBot) -> None:
    [when] = told(heard, [0, 60, 120, 180], 900, qtbot)
    assert when > 180 + FIRST_MS - 20


def test_what_goes_on_and_on_is_told_meanwhile(heard: Heard, qtbot: QtBot) -> None:
    found = told(heard, list(range(0, 1500, 40)), 1500, qtbot)
    assert len(found) == 1 and found[0] < LONGEST_MS + 400  # and then more rarely
