"""What opens beside an answer: why, its source, the row or the case that it becomes; and what is marked in it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from compare_steps import QUESTION, ask, click
from conftest import LANES, OTHER, PASSAGE, Script, make_answer
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from workbench.errors import DiskFull
from workbench.evaluation.suite import read_suite
from workbench.ui import compare_lanes
from workbench.ui.compare_edit import LaneSheet
from workbench.ui.compare_keep import SuiteSheet, TrainingSheet
from workbench.ui.compare_page import ComparePage
from workbench.ui.compare_source import SourceSheet
from workbench.ui.compare_text import AnswerText
from workbench.ui.compare_why import WhySheet
from workbench.ui.theme import Theme
from workbench.ui.window import Window


@pytest.fixture
def page(compare: ComparePage) -> ComparePage:
    return compare


def test_why_shows_passages_prompt_and_stamp_and_closes_again(page: ComparePage, qtbot: QtBot, window: Window) -> None:
    view = ask(page, qtbot)
    click(qtbot, view.cells["rag"].why)
    sheet = window.sheet
    assert isinstance(sheet, WhySheet)
    assert "How long is the warranty" in sheet.prompt.toPlainText()
    assert view.cells["rag"].why.isChecked()
    click(qtbot, view.cells["rag"].why)
    assert window.sheet is None and not view.cells["rag"].why.isChecked()


def test_a_citation_opens_its_passage(page: ComparePage, qtbot: QtBot, window: Window) -> None:
    view = ask(page, qtbot)
    view.cells["rag"].text.cited.emit(1)
    sheet = window.sheet
    assert isinstance(sheet, SourceSheet)
    assert "warranty of 36 months" in sheet.text.toPlainText()


def test_the_lane_in_question_stays_in_view_beside_a_sheet(page: ComparePage, qtbot: QtBot, window: Window) -> None:
    page.lanes.show(["base", "prompted", "full", "rag"])
    window.resize(1440, 900)
    view = ask(page, qtbot)
    window.grab()
    page.answers.open_why(page.talk.turns[0], "rag")
    window.grab()
    assert list(view.cells) == ["prompted", "full", "rag"] and view.cells["rag"].width() >= 263
    assert page.head.left.isVisible() and page.head.left.words.text() == "1 more lane"
    assert page.head.left.accessibleName() == "1 more lane: Base" and not page.head.right.isVisible()
    click(qtbot, page.head.left)
    assert list(view.cells) == ["base", "prompted", "full"]
    assert page.head.right.words.text() == "1 more lane" and not page.head.left.isVisible()


def test_lanes_at_both_sides_are_said_in_few_words(page: ComparePage, qtbot: QtBot, window: Window) -> None:
    page.lanes.show(["base", "prompted", "full", "rag"])
    window.resize(1280, 800)
    ask(page, qtbot)
    page.answers.open_why(page.talk.turns[0], "full")
    window.grab()
    page.view.scroll_columns(1 - page.view._first)
    assert [page.head.left.words.text(), page.head.right.words.text()] == ["1 more", "1 more"]
    assert page.head.right.accessibleName() == "1 more lane: Documents (RAG)"


def test_what_no_passage_supports_is_underlined_with_dots(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    page.lanes.show(["base", "rag"])
    script.words = {"base": "It is 99 months.", "rag": "It is 36 months [1]. Elephants guard it."}
    view = ask(page, qtbot)
    said = view.cells["rag"].text.plain()
    doubted = [said[place] for place in range(len(said)) if has_dots(view.cells["rag"].text, place)]
    assert "".join(doubted) == "Elephants guard it."
    assert not any(has_dots(view.cells["base"].text, place) for place in range(12))  # it was given no passages


def has_dots(text: AnswerText, place: int) -> bool:
    cursor = QTextCursor(text.document())
    cursor.setPosition(place + 1)
    return cursor.charFormat().underlineStyle() == QTextCharFormat.UnderlineStyle.DotLine


def test_differences_of_two_answers_are_marked(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    page.lanes.show(["base", "rag"])
    script.words = {"base": "It is 12 months.", "rag": "It is 36 months."}
    view = ask(page, qtbot)
    click(qtbot, view.differences)
    assert view.cells["base"].text._marks == ((6, 8),) and view.cells["rag"].text._marks == ((6, 8),)
    click(qtbot, view.differences)
    assert view.cells["base"].text._marks == ()


def test_a_corrected_answer_becomes_a_training_row_and_can_be_taken_back(
    page: ComparePage, qtbot: QtBot, window: Window
) -> None:
    view = ask(page, qtbot)
    click(qtbot, view.cells["rag"].correct)
    sheet = window.sheet
    assert isinstance(sheet, TrainingSheet)
    sheet.answer.setPlainText("36 months [1].")
    click(qtbot, sheet.save)
    path = page.bench.project.datasets_folder / "collected-reading.jsonl"
    [row] = [json.loads(line) for line in path.read_text().splitlines()]
    assert row["answer"] == "36 months [1]." and row["passages"][0]["file"] == "policies/warranty.md"
    click(qtbot, window.notice_bar._action)
    assert path.read_text() == ""


def test_an_answer_without_passages_becomes_messages_with_its_system_prompt(
    page: ComparePage, qtbot: QtBot, window: Window
) -> None:
    view = ask(page, qtbot)
    click(qtbot, view.cells["prompted"].correct)
    sheet = window.sheet
    assert isinstance(sheet, TrainingSheet)
    click(qtbot, sheet.save)
    [line] = (page.bench.project.datasets_folder / "collected.jsonl").read_text().splitlines()
    assert [each["role"] for each in json.loads(line)["messages"]] == ["system", "user", "assistant"]


def test_a_question_becomes_a_case_of_the_suite(page: ComparePage, qtbot: QtBot, window: Window) -> None:
    view = ask(page, qtbot)
    click(qtbot, view.cells["rag"].keep)
    sheet = window.sheet
    assert isinstance(sheet, SuiteSheet)
    assert sheet.source.text() == "policies/warranty.md"
    sheet.value.setPlainText("36 months\nthree years")
    with qtbot.waitSignal(page.bench.suite_changed):
        click(qtbot, sheet.save)
    suite = read_suite(page.bench.project.suites_folder / "suite.yaml")
    [case] = suite.cases
    assert case.question == QUESTION and case.checks == ({"contains": ["36 months", "three years"]},)
    assert case.source == "policies/warranty.md"


def test_what_was_typed_in_a_sheet_comes_back_by_undo_and_closes_only_once_kept(
    page: ComparePage, qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.lanes.edit(LANES["prompted"])
    sheet = window.sheet
    assert isinstance(sheet, LaneSheet) and not sheet.dirty
    sheet.system.setPlainText("Answer in Polish.")
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert window.sheet is None
    assert "“Your own copy of Prompted” was closed" in window.notice_bar._text.text()
    window.open_page("help")
    click(qtbot, window.notice_bar._action)  # Undo
    assert window.sheet is sheet and sheet.system.toPlainText() == "Answer in Polish."
    assert window.current_page == "compare"

    def full(*_: object) -> None:
        raise DiskFull("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(compare_lanes, "keep_lane", full)
        click(qtbot, sheet.save)
        assert window.sheet is sheet, "what could not be kept is not thrown away"
    click(qtbot, sheet.save)
    assert window.sheet is None and "prompted-changed" in compare_lanes.own_lanes(page.bench.project)
    assert not window.notice_bar._action.isVisible()


def test_a_case_that_could_not_be_read_is_not_written(page: ComparePage, qtbot: QtBot, window: Window) -> None:
    view = ask(page, qtbot)
    click(qtbot, view.suite)
    sheet = window.sheet
    assert isinstance(sheet, SuiteSheet)
    sheet.value.setPlainText(" ")
    click(qtbot, sheet.save)
    assert sheet.trouble.text().startswith("Write what a right answer must hold") and window.sheet is sheet
    sheet.check.setCurrentIndex(sheet.check.findData("json_equals"))
    sheet.value.setPlainText("{not json")
    click(qtbot, sheet.save)
    assert "not valid JSON" in sheet.trouble.text() and window.sheet is sheet
    assert not list(page.bench.project.suites_folder.glob("*"))


def test_why_shows_the_place_of_every_leg_and_what_was_searched_for(theme: Theme, qtbot: QtBot) -> None:
    found = replace(PASSAGE, token_rank=3, reread_rank=4, newer_than="old/list-2023.md")
    answer = replace(make_answer(QUESTION, LANES["rag"], "36 months [1]."), passages=(found,), retrieved=(found, OTHER))
    sheet = WhySheet(LANES["rag"], replace(answer, searched="How long is the warranty on the X2, and on the X3?"))
    qtbot.addWidget(sheet)
    said = [each.text() for each in sheet.findChildren(QLabel)]
    place = said.index("Word by word")
    assert said[place - 2 : place + 2] == ["Meaning", "Words", "Word by word", "Reread"]
    assert [each for each in ("1st", "2nd", "3rd", "4th") if each not in said] == []
    assert any("“How long is the warranty on the X2, and on the X3?”" in each for each in said)
    assert "Put before the older edition, list-2023.md" in said
    plain = WhySheet(LANES["rag"], make_answer(QUESTION, LANES["rag"], "36 months [1]."))
    qtbot.addWidget(plain)
    said = [each.text() for each in plain.findChildren(QLabel)]
    assert "Word by word" not in said and not any("searched for" in each or "older" in each for each in said)
