"""A real, very short fine-tune by clicks: stopped, gone on with, killed, left alone, met again, compared."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from conftest import Script
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from workbench import records, settings
from workbench.children import Here
from workbench.lanes.presets import standard_lanes
from workbench.project import Project
from workbench.tuning import tune
from workbench.ui import compare_lanes
from workbench.ui.bench import Bench
from workbench.ui.finetune_page import FinetunePage
from workbench.ui.theme import Theme
from workbench.ui.window import Window

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

PATIENCE = 400_000  # milliseconds a busy machine may take to load the model and step once


@pytest.fixture
def rows(project: Project) -> Path:
    """Eight rows of a form that is learnt at once."""
    project.datasets_folder.mkdir(parents=True, exist_ok=True)
    path = project.datasets_folder / "colours.jsonl"
    colours = ("red", "blue", "green", "black", "white", "brown", "pink", "grey")
    lines = [{"prompt": f"The {each} door", "completion": json.dumps({"colour": each})} for each in colours]
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def reopen(
    project: Project, rows: Path, theme: Theme, script: Script, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> Iterator[Callable[[], Window]]:
    """Opens the window anew on the same project, as after a restart; only the answers of Compare are scripted."""
    monkeypatch.setattr(compare_lanes, "standard_lanes_of", lambda project: standard_lanes(project))
    opened: list[Window] = []

    def open_() -> Window:
        window = Window(Bench(Project.open(project.folder), settings.load_settings(), Here(), Here()), theme)
        window.resize(1280, 800)
        window.show()
        window.open_page("finetune")
        opened.append(window)
        return window

    yield open_
    for window in opened:
        window.close()
        window.deleteLater()
    tune.stop(project.adapters_folder / "colours")
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def page_of(window: Window) -> FinetunePage:
    page = window.page("finetune")
    assert isinstance(page, FinetunePage)
    return page


def pid_of(project: Project) -> int:
    return int(records.read_json(project.adapters_folder / "colours" / "run.json")["pid"])


def make_short(page: FinetunePage) -> None:
    """A recipe of enough small steps to be met while it runs, each of them kept."""
    assert page._recipe is not None
    recipe = replace(page._recipe, rank=4, layers=(28, 29), epochs=10.0, batch_size=1, max_tokens=128)
    page._on_recipe(replace(recipe, checkpoint_every=1, eval_every=10, sample_rows=1, threads=1))


def test_a_run_is_stopped_killed_left_alone_and_compared(
    reopen: Callable[[], Window], project: Project, script: Script, qtbot: QtBot
) -> None:
    window = reopen()
    page = page_of(window)

    def reaches(step: int) -> None:
        qtbot.waitUntil(lambda: page.run.course.step >= step, timeout=PATIENCE)

    def click(button: object) -> None:
        assert button.isVisible() and button.isEnabled()  # type: ignore[attr-defined]
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)  # type: ignore[call-overload]

    # Started from the page: figures, losses and a held-out answer come while it runs.
    qtbot.waitUntil(page.start.isEnabled, timeout=PATIENCE)
    make_short(page)
    click(page.start)
    reaches(2)
    course = page.run.course
    assert course.train and course.held_out and course.tokens_per_second > 0 and course.memory > 0
    assert page.run.samples.questions and page.run.left.accessibleName().endswith("left")

    # Stopped: what was learnt is kept, and it goes on from there.
    click(page.stop)
    qtbot.waitUntil(page.resume.isVisible, timeout=PATIENCE)
    stopped = page.run.course.step
    assert page.run.course.state == "stopped" and "Go on continues from there" in page.run.outcome.text()
    click(page.resume)
    reaches(stopped + 1)

    # Killed: a sentence says so, and it goes on.
    os.kill(pid_of(project), signal.SIGKILL)
    qtbot.waitUntil(page.resume.isVisible, timeout=PATIENCE)
    killed = page.run.course.step
    assert page.run.course.state == "failed" and killed >= stopped
    assert page.run.outcome.text().startswith("It ended without being asked to. Step")
    click(page.resume)
    reaches(killed + 1)

    # The window is closed and opened again: the run went on meanwhile.
    pid = pid_of(project)
    window.close()
    assert psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    window = reopen()
    page = page_of(window)
    assert page.watch.busy and page.stop.isVisible() and page.run.course.name == "colours"

    # Done, and compared with the base by one click.
    qtbot.waitUntil(page.compare.isVisible, timeout=PATIENCE)
    asked = page.run.samples.questions[0]
    click(page.compare)
    qtbot.waitUntil(lambda: bool(script.asked), timeout=PATIENCE)
    assert window.current_page == "compare"
    question, lanes, _ = script.asked[-1]
    assert question == asked and [lane.name for lane in lanes] == ["base", "tuned:colours"]
