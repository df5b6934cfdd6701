"""From a fresh start with the sample: what a person wants first is at most three real clicks away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import LANES, Script
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from scripted_trainer import Trainer, script_tuning

from workbench.project import Project
from workbench.sample import sample_questions
from workbench.ui.bench import Bench
from workbench.ui.compare_page import ComparePage
from workbench.ui.finetune_page import FinetunePage
from workbench.ui.theme import Theme
from workbench.ui.welcome_page import WelcomePage
from workbench.ui.window import Window


class ClickCounter(QObject):
    """Counts every press of the mouse that reaches the application."""

    def __init__(self) -> None:
        super().__init__()
        self.clicks = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(watched, QPushButton):
            self.clicks += 1
        return False


@pytest.fixture
def counter(qapp: QApplication) -> Iterator[ClickCounter]:
    made = ClickCounter()
    qapp.installEventFilter(made)
    yield made
    qapp.removeEventFilter(made)


@pytest.fixture
def fresh(
    bench: Bench, theme: Theme, script: Script, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> Iterator[Window]:
    """The window of somebody who never opened it before; indexing, which other tests do, is left out."""
    monkeypatch.setattr(Window, "_on_index_requested", lambda self: None)
    bench.change_settings(welcomed=False)
    window = Window(bench, theme)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    yield window
    window.close()


def click(qtbot: QtBot, widget: QWidget) -> None:
    """A click as a person can do it: on something that is there and can be clicked."""
    assert widget.isVisible() and widget.isEnabled()
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def try_the_sample(window: Window, qtbot: QtBot) -> None:
    page = window.page("welcome")
    assert isinstance(page, WelcomePage) and window.current_page == "welcome"
    click(qtbot, page.sample)


def button(inside: QWidget, text: str) -> QPushButton:
    """The visible button that says something."""
    return next(each for each in inside.findChildren(QPushButton) if text in each.text() and each.isVisible())


def test_a_question_is_asked_in_every_lane_within_three_clicks(
    fresh: Window, script: Script, counter: ClickCounter, qtbot: QtBot
) -> None:
    try_the_sample(fresh, qtbot)
    page = fresh.page("compare")
    assert isinstance(page, ComparePage)
    shown = [lane.name for lane in page.view.lanes]
    click(qtbot, button(page, sample_questions()[0]))
    qtbot.waitUntil(lambda: bool(page.talk.turns) and not page.asking.busy)
    assert counter.clicks <= 3
    question, lanes, _ = script.asked[0]
    assert question == sample_questions()[0]
    assert [lane.name for lane in lanes] == shown and len(shown) >= 3 and set(shown) <= set(LANES)
    assert set(page.talk.turns[0].answers) == set(shown)


def test_a_fine_tune_is_started_within_three_clicks(
    fresh: Window, bench: Bench, counter: ClickCounter, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    trainer = _tuning_of_the_sample(bench, monkeypatch)
    try_the_sample(fresh, qtbot)
    trainer.project = bench.project
    click(qtbot, button(fresh.rail, "Fine-tune"))
    page = fresh.page("finetune")
    assert isinstance(page, FinetunePage)
    qtbot.waitUntil(page.start.isEnabled)
    click(qtbot, page.start)
    qtbot.waitUntil(lambda: page.run.course.step == 9)
    assert counter.clicks <= 3
    assert [path.name for path in trainer.started[0].datasets] == ["reading.jsonl", "tickets.jsonl"]
    assert all(path.parent == bench.project.datasets_folder for path in trainer.started[0].datasets)
    trainer.go.set()
    qtbot.waitUntil(page.compare.isVisible)


def _tuning_of_the_sample(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """Scripted tuning; the project it writes to is the sample's once that is open."""
    elsewhere: Project = bench.project
    assert isinstance(elsewhere.folder, Path)
    return script_tuning(elsewhere, monkeypatch)
