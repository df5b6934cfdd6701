"""Marking answers and having them judged, as a person does it: click, key, again to undo, start, stop, read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_up_project import make_evaluation, make_suite
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from workbench import records
from workbench.evaluation.judge import JUDGED, Judgement, read_marks, report_on
from workbench.evaluation.records import Evaluation
from workbench.events import Progress, Result, Stage
from workbench.project import Project
from workbench.ui import evaluate_judging
from workbench.ui.evaluate_judging import JudgeSheet
from workbench.ui.evaluate_page import EvaluatePage
from workbench.ui.window import Window


@pytest.fixture
def page(open_window: Callable[[], Window], project: Project, qtbot: QtBot) -> EvaluatePage:
    suite = make_suite(project, copies=1)
    for name, created in (("earlier", "2026-11-18T10:00:00"), ("later", "2026-11-20T21:00:00")):
        make_evaluation(project, suite, name, created)
    window = open_window()
    window.open_page("evaluate")
    found = window.page("evaluate")
    assert isinstance(found, EvaluatePage)
    qtbot.waitUntil(lambda: found.sight.run is not None and found.tests.marks.run is not None, timeout=30_000)
    return found


def open_answers(page: EvaluatePage, qtbot: QtBot, row: int = 0, column: int = 1) -> None:
    page.board.view.setCurrentIndex(page.board.model.index(row, column, page.board.model.index(0, 0)))
    page.board.view.setFocus()
    qtbot.keyClick(page.board.view, Qt.Key.Key_Return)


def run_of(page: EvaluatePage) -> Evaluation:
    assert page.sight.run is not None
    return page.sight.run


def test_a_click_marks_an_answer_and_a_second_one_takes_it_back(page: EvaluatePage, qtbot: QtBot) -> None:
    open_answers(page, qtbot)
    base, prompted = page.board.answers.columns[:2]
    assert base.marks.isVisible()
    qtbot.mouseClick(base.right, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(prompted.wrong, Qt.MouseButton.LeftButton)
    folder, case = run_of(page).folder, page.board.answers.case
    assert read_marks(folder) == {("base", case): True, ("prompted", case): False}
    assert base.right.isChecked() and not base.wrong.isChecked() and prompted.wrong.isChecked()
    qtbot.mouseClick(base.wrong, Qt.MouseButton.LeftButton)
    assert read_marks(folder)["base", case] is False and not base.right.isChecked()
    qtbot.mouseClick(base.wrong, Qt.MouseButton.LeftButton)
    assert read_marks(folder) == {("prompted", case): False} and not base.wrong.isChecked()


def test_keys_mark_the_answer_in_question_and_arrows_go_on_to_the_next(page: EvaluatePage, qtbot: QtBot) -> None:
    open_answers(page, qtbot)
    view, folder, first = page.board.view, run_of(page).folder, page.board.answers.case
    qtbot.keyClick(view, Qt.Key.Key_R)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    second = page.board.answers.case
    qtbot.keyClick(view, Qt.Key.Key_W)
    assert second != first and read_marks(folder) == {("base", first): True, ("base", second): False}
    qtbot.keyClick(view, Qt.Key.Key_W)
    assert read_marks(folder) == {("base", first): True}
    qtbot.keyClicks(page.board.filters.find_line, "wr")  # in a field they are letters
    assert page.board.filters.find_line.text() == "wr" and read_marks(folder) == {("base", first): True}


def test_marks_belong_to_the_run_that_is_shown(page: EvaluatePage, qtbot: QtBot) -> None:
    open_answers(page, qtbot)
    qtbot.keyClick(page.board.view, Qt.Key.Key_R)
    case = page.board.answers.case
    page._choose_run(page.sight.runs_of_suite[0])
    assert page.board.answers.isVisible() and page.board.answers.case == case
    assert not page.board.answers.columns[0].right.isChecked()
    page.board.answers.mark_chosen(False)
    folders = [run.folder for run in page.sight.runs_of_suite]
    assert [read_marks(each) for each in folders] == [{("base", case): False}, {("base", case): True}]


def test_a_model_judges_as_a_job_and_its_word_stands_beside_the_marks(
    page: EvaluatePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    run = run_of(page)

    def stage(evaluation: Evaluation, suite: Any, model: Path, engine: Any) -> Stage:
        assert evaluation is run and suite.hash == run.suite_hash and model.suffix == ".gguf"
        yield Progress(0, 80, "", "answers")
        go_on.wait(30)
        judged = [Judgement(each.case, each.lane, each.passed, 0.9) for each in run.results]
        report = report_on(model.name, [replace(judged[0], right=None), *judged[1:]], run, read_marks(run.folder))
        records.write_json(run.folder / JUDGED, report)
        yield Result(report)

    monkeypatch.setattr(evaluate_judging, "judge", stage)
    page.head.judge_wanted.emit()
    window: Any = page.window()
    sheet = window.sheet
    assert isinstance(sheet, JudgeSheet)
    qtbot.waitUntil(lambda: sheet.marked.text() == "Not judged yet.", timeout=20_000)
    qtbot.mouseClick(sheet.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(sheet.stop.isVisible, timeout=20_000)
    assert [card.handle.title for card in window.rail.tray.cards] == ["Judging"]
    go_on.set()
    qtbot.waitUntil(lambda: "no verdict on 1 of 80" in sheet.said.text(), timeout=20_000)
    assert "nothing says how good it is" in sheet.said.text() and sheet.marked.text().startswith("Mark about ")
    open_answers(page, qtbot, row=1)
    column = page.board.answers.columns[0]
    assert column.judged.full_text() == ""  # it is to lead nobody
    judged = next(each.passed for each in run.results if (each.lane, each.case) == ("base", page.board.answers.case))
    page.board.answers.mark_chosen(judged)
    assert column.judged.full_text() == f"The model: {'right' if judged else 'wrong'}"
    qtbot.waitUntil(lambda: "1 marked answers" in sheet.marked.text(), timeout=20_000)
    said = [each.text() for each in sheet.table.findChildren(QLabel)]
    assert said[:3] == ["Held right", "No verdict", "As you marked"] and "1 of 1" in said and "no marks" in said


def test_judging_is_stopped_and_keeps_nothing(
    page: EvaluatePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_: Any) -> Stage:
        while True:
            yield Progress(3, 80, "", "answers")
            threading.Event().wait(0.01)

    monkeypatch.setattr(evaluate_judging, "judge", endless)
    page.head.judge_wanted.emit()
    sheet = page.window().sheet  # type: ignore[attr-defined]
    qtbot.mouseClick(sheet.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(sheet.stop.isVisible, timeout=20_000)
    qtbot.mouseClick(sheet.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not page.tests.judging.busy, timeout=20_000)
    qtbot.waitUntil(lambda: sheet.marked.text() == "Not judged yet.", timeout=20_000)
    assert not (run_of(page).folder / JUDGED).exists()


def test_without_a_finished_run_there_is_nothing_to_judge(page: EvaluatePage) -> None:
    said: list[str] = []
    page.bench.notices.attach(lambda notice: said.append(notice.message))
    page.tests.marks.show_run(None)
    page.head.judge_wanted.emit()
    assert said == ["A model judges the answers of a finished run: run the suite first."]
    assert page.window().sheet is None  # type: ignore[attr-defined]
