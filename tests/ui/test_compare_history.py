"""Conversations come back, are found, removed and brought back; closing in the middle keeps what was said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from compare_steps import QUESTION, ask, begin, click
from conftest import Script, read_talks
from pytestqt.qtbot import QtBot

from workbench.ui.compare_history import HistorySheet
from workbench.ui.compare_page import ComparePage
from workbench.ui.compare_talk import CONVERSATIONS
from workbench.ui.window import Window


@pytest.fixture
def page(compare: ComparePage) -> ComparePage:
    return compare


def test_a_conversation_and_a_draft_come_back(
    page: ComparePage, qtbot: QtBot, window: Window, open_window: Callable[[], Window]
) -> None:
    ask(page, qtbot)
    qtbot.keyClicks(page.composer.edit, "half a thou")
    page.hidden()
    page._read_project()
    assert page.talk.turns[0].question == QUESTION
    assert page.view.turns[0].cells["rag"].text.plain() == "The answer of rag [1]."
    assert page.composer.text == "half a thou"


def test_conversations_are_found_by_their_words_and_opened_again(
    page: ComparePage, qtbot: QtBot, window: Window
) -> None:
    ask(page, qtbot)
    page.new_talk()
    assert page.view.turns == []
    ask(page, qtbot, "Where is the office?")
    page.talks.open_history()
    sheet = window.sheet
    assert isinstance(sheet, HistorySheet)
    qtbot.waitUntil(lambda: len(sheet.rows()) == 2)
    qtbot.keyClicks(sheet.search, "warranty x2")
    [row] = sheet.rows()
    row.opened.emit(row._talk)
    assert page.talk.turns[0].question == QUESTION and window.sheet is None


def test_a_removed_conversation_can_be_brought_back(page: ComparePage, qtbot: QtBot, window: Window) -> None:
    ask(page, qtbot)
    page.talks.open_history()
    sheet = window.sheet
    assert isinstance(sheet, HistorySheet)
    qtbot.waitUntil(lambda: len(sheet.rows()) == 1)
    [row] = sheet.rows()
    row.removed.emit(row._talk)
    assert sheet.rows() == [] and read_talks(page.talks.file) == []
    click(qtbot, window.notice_bar._action)
    assert [talk.name for talk in read_talks(page.talks.file)] == [QUESTION]


def test_closing_in_the_middle_of_an_answer_ends_soon(
    page: ComparePage, qtbot: QtBot, script: Script, window: Window
) -> None:
    script.hold.clear()
    begin(page, qtbot)
    qtbot.waitUntil(lambda: page.talk.turns[0].answers["base"].text == "The a")
    window.close()
    assert not window.isVisible()
    [talk] = read_talks(page.talks.file)
    assert (talk.turns[0].answers["base"].text, talk.turns[0].answers["base"].state) == ("The a", "stopped")


def test_conversations_lie_in_the_project(page: ComparePage, qtbot: QtBot) -> None:
    ask(page, qtbot)
    assert (page.bench.project.folder / CONVERSATIONS).exists()
