"""Drafted questions in the window: they come, are accepted into the suite or rejected, and outlive the sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up_project import make_suite
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from workbench.bases import make_base
from workbench.evaluation.draft import Draft, read_drafts
from workbench.evaluation.suite import read_suite
from workbench.events import Progress, Result, Stage
from workbench.project import Project
from workbench.ui import evaluate_drafts
from workbench.ui.evaluate_drafts import NAME, DraftsSheet
from workbench.ui.evaluate_page import EvaluatePage
from workbench.ui.window import Window

DRAFTS = (
    Draft("d1", "How long is the warranty?", "36 months", "warranty.md", "p. 2", "The warranty lasts 36 months."),
    Draft("d2", "Who repairs the lamp?", "Ada Holt", "repairs.md", "", "Lamps are repaired by Ada Holt."),
)


@pytest.fixture
def page(
    open_window: Callable[[], Window], project: Project, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EvaluatePage]:
    def stage(folder: Path, lane: Any, engine: Any, count: int, *, known: Any, base: str) -> Stage:
        yield Progress(0, count, "Reading warranty.md", "questions")
        new = [each for each in DRAFTS if each.id not in {one.id for one in known}]
        for each in new:
            yield Result(each)
        yield Result(tuple(new))

    monkeypatch.setattr(evaluate_drafts, "draft", stage)
    make_base(project, "Shop")
    window = open_window()
    window.open_page("evaluate")
    found = window.page("evaluate")
    assert isinstance(found, EvaluatePage)
    yield found


def opened(page: EvaluatePage) -> DraftsSheet:
    page.head.drafts_wanted.emit()
    sheet: Any = page.window().sheet  # type: ignore[attr-defined]
    assert isinstance(sheet, DraftsSheet)
    return sheet


def buttons(sheet: DraftsSheet, text: str) -> list[QPushButton]:
    return [each for each in sheet.findChildren(QPushButton) if each.text() == text and each.isVisibleTo(sheet)]


def drafted(page: EvaluatePage, qtbot: QtBot) -> DraftsSheet:
    sheet = opened(page)
    qtbot.mouseClick(sheet.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.tests.drafts.whole is not None and not page.tests.drafts.busy, timeout=20_000)
    qtbot.waitUntil(lambda: bool(buttons(sheet, "Accept")), timeout=20_000)
    return sheet


def test_a_draft_is_accepted_into_the_suite_and_another_is_rejected(
    page: EvaluatePage, project: Project, qtbot: QtBot
) -> None:
    suite = make_suite(project)
    page.reload()
    sheet = drafted(page, qtbot)
    assert len(buttons(sheet, "Accept")) == 2 and not sheet.base.isHidden()
    said = [each.text() for each in sheet.findChildren(QLabel)]
    assert "Answer: 36 months" in said and "warranty.md p. 2: The warranty lasts 36 months." in said
    qtbot.mouseClick(buttons(sheet, "Accept")[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.sight.suite is not None and len(page.sight.suite.cases) == len(suite.cases) + 1)
    added = read_suite(suite.path).cases[-1]
    assert (added.question, added.source, added.checks) == (
        "How long is the warranty?",
        "warranty.md",
        ({"contains": ["36 months"]},),
    )
    sheet.close_sheet()
    sheet = opened(page)  # what waits is still there
    qtbot.mouseClick(buttons(sheet, "Reject")[0], Qt.MouseButton.LeftButton)
    assert not sheet.waiting and not buttons(sheet, "Accept")
    assert [each.state for each in read_drafts(project.folder, NAME)] == ["accepted", "rejected"]


def test_without_a_suite_the_first_accepted_draft_begins_one(
    page: EvaluatePage, project: Project, qtbot: QtBot
) -> None:
    sheet = drafted(page, qtbot)
    for _ in DRAFTS:
        qtbot.waitUntil(lambda: bool(buttons(sheet, "Accept")), timeout=20_000)
        qtbot.mouseClick(buttons(sheet, "Accept")[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.sight.suite is not None and len(page.sight.suite.cases) == 2)
    assert [path.name for path in project.suites_folder.glob("*.yaml")] == ["My-questions.yaml"]


def test_drafts_and_the_editor_do_not_change_one_file_at_a_time(
    page: EvaluatePage, project: Project, qtbot: QtBot
) -> None:
    make_suite(project)
    page.reload()
    opened(page)
    page.edit_cases()
    window: Any = page.window()
    assert window.sheet is None
    page.head.drafts_wanted.emit()
    assert window.sheet is None, "while cases are edited, drafts wait"
