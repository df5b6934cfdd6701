"""The tests beside a suite, as a person uses them: start, close the sheet, come back, stop, read what came."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up_project import make_suite
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from workbench.errors import InputError
from workbench.evaluation.drill import Drill, DrillLane, Edit
from workbench.evaluation.knowledge import SourceAnswer, SourceTest
from workbench.evaluation.trials import FOLDER
from workbench.events import Progress, Result, Stage
from workbench.project import Project
from workbench.ui import evaluate_drill, evaluate_sources
from workbench.ui.evaluate_drill import DrillSheet
from workbench.ui.evaluate_page import EvaluatePage
from workbench.ui.evaluate_sources import SourcesSheet
from workbench.ui.window import Window

TOLD = (
    SourceAnswer("q1", "base", "36 months", "69 months", "neither", "I do not know."),
    SourceAnswer("q1", "rag", "36 months", "69 months", "document", "69 months [1]."),
    SourceAnswer("q2", "rag", "XLR", "jack", "weights", "XLR."),
)
COUNTS = {
    "base": {"document": 0, "weights": 0, "neither": 1},
    "rag": {"document": 1, "weights": 1, "neither": 0},
}


@pytest.fixture
def page(open_window: Callable[[], Window], project: Project, tmp_path: Path) -> Iterator[EvaluatePage]:
    make_suite(project)
    (tmp_path / "docs").mkdir()
    project.change(folders=(tmp_path / "docs",))
    window = open_window()
    window.open_page("evaluate")
    found = window.page("evaluate")
    assert isinstance(found, EvaluatePage)
    yield found


def texts(part: Any) -> list[str]:
    return [each.text() for each in part.findChildren(QLabel) if each.isVisibleTo(part)]


def sheet_of(page: EvaluatePage) -> Any:
    window: Any = page.window()
    return window.sheet


def test_the_source_test_outlives_its_sheet(page: EvaluatePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    asked: list[Any] = []

    def stage(suite: Any, lanes: Any, project: Path, engine: Any, most: int) -> Stage:
        asked.append((suite.name, len(lanes), most))
        yield Progress(0, 3, "Base", "answers")
        yield Result(TOLD[0])
        go_on.wait(30)
        for each in TOLD[1:]:
            yield Result(each)
        yield Result(SourceTest(TOLD, COUNTS, ()))

    monkeypatch.setattr(evaluate_sources, "tell_sources", stage)
    page.head.sources_wanted.emit()
    sheet = sheet_of(page)
    assert isinstance(sheet, SourcesSheet) and not sheet.stop.isVisible()
    sheet.most.setValue(5)
    qtbot.mouseClick(sheet.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(page.tests.sources.told) == 1, timeout=20_000)
    assert sheet.strip.isVisible() and not sheet.start.isVisible()
    assert [card.handle.title for card in page.window().rail.tray.cards] == ["Documents or weights?"]  # type: ignore[attr-defined]
    sheet.close_sheet()
    go_on.set()
    qtbot.waitUntil(lambda: page.tests.sources.whole is not None and not page.tests.sources.busy, timeout=20_000)
    page.head.sources_wanted.emit()
    said = texts(sheet_of(page).counts)
    assert len(page.tests.sources.told) == 3
    assert said[:3] == ["Document", "Weights", "Neither"]
    assert said[3:] == ["Base", "0", "0", "1", said[7], "1", "1", "0"]  # a row for each lane
    assert any("“XLR” was changed to “jack”" in each for each in texts(sheet_of(page).answers))
    assert asked[0][2] == 5 and asked[0][1] == len(page.head.lanes.chosen)
    page.tests.sources.forget()  # as after a restart: the result is there again, with when it was made
    page.head.sources_wanted.emit()
    again = sheet_of(page)
    qtbot.waitUntil(lambda: texts(again.counts)[4:] == said[4:], timeout=20_000)
    assert "so few facts cannot tell" in again.last.means.text()
    assert again.last.when.text().startswith("The last result, of ") and "changed" not in again.last.when.text()


def test_a_source_test_is_stopped_and_its_failure_is_said(
    page: EvaluatePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_: Any) -> Stage:
        while True:
            yield Progress(0, 3, "Base", "answers")
            threading.Event().wait(0.01)

    def fails(*_: Any) -> Stage:
        yield Progress(0, 3, "Base", "answers")
        raise InputError("No fact of this suite can be changed.")

    monkeypatch.setattr(evaluate_sources, "tell_sources", endless)
    page.head.sources_wanted.emit()
    sheet = sheet_of(page)
    qtbot.mouseClick(sheet.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(sheet.stop.isVisible, timeout=20_000)
    qtbot.mouseClick(sheet.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not page.tests.sources.busy, timeout=20_000)
    qtbot.waitUntil(sheet.start.isVisible)
    monkeypatch.setattr(evaluate_sources, "tell_sources", fails)
    qtbot.mouseClick(sheet.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(page.tests.sources.error), timeout=20_000)
    assert page.tests.sources.error == "No fact of this suite can be changed."
    qtbot.waitUntil(sheet.start.isEnabled)


def test_a_drill_asks_for_all_it_needs_and_says_how_each_lane_took_it(
    page: EvaluatePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def on_copy(question: str, expected: Any, lanes: Any, project: Project, edit: Edit, *_: Any) -> Stage:
        asked.append((question, expected, edit))
        told = (DrillLane("rag", True, 3.2, "24 months [1]."), DrillLane("prompted", False, 0.4, "36 months.", 130.0))
        for each in told:
            yield Result(each)
        yield Result(Drill(question, tuple(expected), ("warranty.md",), 1.1, told))

    monkeypatch.setattr(evaluate_drill, "drill_copy", on_copy)
    page.head.drill_wanted.emit()
    sheet = sheet_of(page)
    assert isinstance(sheet, DrillSheet) and not sheet.start.isEnabled()
    sheet.question.setPlainText("How long is the warranty?")
    for edit, text in (
        (sheet.expected, "24 months | two years"),
        (sheet.file, "warranty.md"),
        (sheet.old, "36 months"),
        (sheet.new, "36 months"),
    ):
        qtbot.keyClicks(edit, text)
    assert not sheet.start.isEnabled()  # nothing would be changed
    sheet.new.setText("24 months")
    qtbot.mouseClick(sheet.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.tests.drill.whole is not None and not page.tests.drill.busy, timeout=20_000)
    assert asked == [
        ("How long is the warranty?", ("24 months", "two years"), Edit("warranty.md", "36 months", "24 months"))
    ]
    qtbot.waitUntil(lambda: "warranty.md changed, and the index was level after 1.1 s." in texts(sheet))
    said = texts(sheet)
    assert "Right after 3.2 s" in said and "Still wrong; training it took 2 min 10 s, and would again" in said
    sheet.on_copy.setChecked(False)
    assert sheet.own.isVisible() and not sheet.file.isVisible() and sheet.start.isEnabled()
    page.tests.drill.forget()  # as after a restart
    page.head.drill_wanted.emit()
    again = sheet_of(page)
    qtbot.waitUntil(lambda: "Right after 3.2 s" in texts(again), timeout=20_000)
    assert again.question.toPlainText() == "How long is the warranty?"
    assert again.last.when.text().startswith("The last result, of ")
    assert again.last.means.text().startswith("The documents gave the new answer 3.2 s after the change.")


def test_a_damaged_result_is_left_out_with_a_word(page: EvaluatePage, qtbot: QtBot) -> None:
    folder = page.bench.project.folder / FOLDER
    folder.mkdir()
    (folder / "sources-2026-11-20T101010.json").write_text("{")
    page.head.sources_wanted.emit()
    sheet = sheet_of(page)
    qtbot.waitUntil(sheet.last.isVisible, timeout=20_000)
    assert "sources-2026-11-20T101010.json is damaged" in sheet.last.when.text() and sheet.start.isEnabled()
