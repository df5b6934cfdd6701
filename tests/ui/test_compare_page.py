"""The Compare page as a person uses it: ask, read, stop, ask again, vote, keep, come back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import LANES, Script, make_lane, read_talks
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QApplication, QMenu, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from workbench import records
from workbench.errors import ChildCrashed
from workbench.evaluation.suite import read_suite
from workbench.project import Project
from workbench.ui import compare_lanes
from workbench.ui.compare_edit import LaneSheet, LanesSheet
from workbench.ui.compare_heads import made_of
from workbench.ui.compare_history import HistorySheet
from workbench.ui.compare_keep import SuiteSheet, TrainingSheet
from workbench.ui.compare_page import ComparePage
from workbench.ui.compare_source import SourceSheet
from workbench.ui.compare_talk import CONVERSATIONS
from workbench.ui.compare_text import AnswerText
from workbench.ui.compare_turn import TurnView
from workbench.ui.compare_why import WhySheet
from workbench.ui.window import Window

QUESTION = "How long is the warranty on the X2?"


@pytest.fixture
def page(window: Window) -> ComparePage:
    found = window.page("compare")
    assert isinstance(found, ComparePage)
    return found


def ask(page: ComparePage, qtbot: QtBot, question: str = QUESTION) -> TurnView:
    """Type a question, press Ctrl+Enter, wait for the answers."""
    begin(page, qtbot, question)
    qtbot.waitUntil(lambda: not page.asking.busy, timeout=5000)
    return page.view.turns[-1]


def begin(page: ComparePage, qtbot: QtBot, question: str = QUESTION) -> None:
    page.composer.edit.setFocus()
    qtbot.keyClicks(page.composer.edit, question)
    qtbot.keyClick(page.composer.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert page.asking.busy


def click(qtbot: QtBot, widget: Any) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def test_every_lane_answers_one_question_side_by_side(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    view = ask(page, qtbot)
    assert view.question.text() == QUESTION
    assert [head.name.full_text() for head in page.view.heads.heads] == ["Base", "Prompted", "Documents (RAG)"]
    assert view.cells["base"].text.plain() == "The answer of base."
    assert view.cells["rag"].text.plain() == "The answer of rag [1]."
    assert view.cells["rag"].figures.full_text() == "search 0.04 s · first 0.3 s · 80 tok/s · 5 tokens"
    assert view.note.full_text().startswith("Turn 1. Three answers in")
    assert page.composer.text == "" and page.composer.ask.text() == "Ask"
    assert [lane.name for lane in script.asked[0][1]] == ["base", "prompted", "rag"]


def test_figures_and_buttons_of_a_turn_stand_on_one_line(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    script.words["rag"] = "A long answer. " * 60
    view = ask(page, qtbot)
    page.window().grab()
    tops = {cell.mapTo(view, cell.figures.pos()).y() for cell in view.cells.values()}
    assert len(tops) == 1


def test_a_turn_is_as_high_as_its_answers_before_it_is_drawn(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    script.words["base"] = "A sentence of some length. " * 40
    ask(page, qtbot)
    for show in (lambda: page.open_talk(page.talk), lambda: page.lanes.show(["rag", "base"])):
        show()
        cell = page.view.turns[0].cells["base"]
        assert (
            cell.text.document().size().height() <= cell.text.height() <= cell.height() <= page.view.turns[0].height()
        )
        assert cell.text.geometry().bottom() < cell.figures.y() < cell.vote.y()
        assert page.view.scroller.widget().height() >= page.view.turns[0].height()


def test_lanes_show_what_they_wait_for_and_ask_is_stop(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    script.hold.clear()
    begin(page, qtbot)
    view = page.view.turns[-1]
    qtbot.waitUntil(lambda: view.cells["base"].text.plain() == "The a")
    assert page.composer.ask.text() == "Stop"
    assert not view.retry.isEnabled()
    click(qtbot, page.composer.ask)
    qtbot.waitUntil(lambda: not page.asking.busy)
    assert view.cells["base"].error.text() == "Stopped. What was written so far is kept."
    assert view.cells["base"].text.plain() == "The a"
    assert page.composer.ask.text() == "Ask"


def test_escape_stops(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    script.hold.clear()
    begin(page, qtbot)
    qtbot.keyClick(page.composer.edit, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not page.asking.busy)
    assert all(said.state == "stopped" for said in page.talk.turns[0].answers.values())


def stop_lane(page: ComparePage, qtbot: QtBot, name: str) -> TurnView:
    """Ask with answers held half-way and stop one lane; it has ended, the others have not."""
    begin(page, qtbot)
    view = page.view.turns[-1]
    qtbot.waitUntil(lambda: view.cells[name].text.plain() == "The a")
    click(qtbot, view.cells[name].stop)
    qtbot.waitUntil(lambda: page.talk.turns[-1].answers[name].answer is not None)
    return view


def test_one_lane_can_be_stopped_while_the_others_go_on(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    script.hold.clear()
    view = stop_lane(page, qtbot, "base")
    said = page.talk.turns[0].answers
    assert page.asking.busy and said["rag"].busy and said["base"].state == "stopped"
    assert said["base"].answer is not None and said["base"].answer.stopped == "cancelled"
    assert view.cells["base"].why.isVisible() and view.cells["base"].figures.full_text()
    script.hold.set()
    qtbot.waitUntil(lambda: not page.asking.busy)
    assert view.cells["base"].text.plain() == "The a"
    assert view.cells["rag"].text.plain() == "The answer of rag [1]."
    assert view.note.full_text().startswith("Turn 1. Two answers in") and "one stopped" in view.note.full_text()


def test_a_stopped_lane_is_asked_again_while_the_others_go_on(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    script.hold.clear()
    view = stop_lane(page, qtbot, "base")
    click(qtbot, view.cells["base"].retry)
    qtbot.waitUntil(lambda: len(script.asked) == 2)
    assert [lane.name for lane in script.asked[1][1]] == ["base"]
    assert page.talk.turns[0].answers["base"].busy and page.composer.ask.text() == "Stop"
    script.hold.set()
    qtbot.waitUntil(lambda: not page.asking.busy)
    assert view.cells["base"].text.plain() == "The answer of base."
    [talk] = read_talks(page.talks.file)
    assert [said.state for said in talk.turns[0].answers.values()] == ["done"] * 3


def test_a_lane_that_does_not_listen_is_stopped_from_outside(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    script.deaf = True
    script.hold.clear()
    begin(page, qtbot)
    qtbot.waitUntil(lambda: page.view.turns[-1].cells["base"].text.plain() == "The a")
    page.asking.stop()
    qtbot.waitUntil(lambda: not page.asking.busy)
    assert [said.state for said in page.talk.turns[0].answers.values()] == ["stopped"] * 3


def test_the_keys_that_ask_never_stop_and_the_next_question_waits(
    page: ComparePage, qtbot: QtBot, script: Script
) -> None:
    script.hold.clear()
    begin(page, qtbot)
    qtbot.keyClicks(page.composer.edit, "And the S1?")
    qtbot.keyClick(page.composer.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert all(said.busy for said in page.talk.turns[0].answers.values()) and page.composer.text == "And the S1?"
    script.hold.set()
    qtbot.waitUntil(lambda: not page.asking.busy)


def test_answers_that_end_after_another_conversation_was_opened_stay_in_their_own(
    page: ComparePage, qtbot: QtBot, script: Script
) -> None:
    script.hold.clear()
    begin(page, qtbot)
    talk = page.talk
    qtbot.waitUntil(lambda: talk.turns[0].answers["base"].text == "The a")
    page.new_talk()
    qtbot.waitUntil(lambda: not page.asking.busy)
    [kept] = read_talks(page.talks.file)
    assert kept.id == talk.id != page.talk.id
    assert {said.state for said in kept.turns[0].answers.values()} == {"stopped"} and page.composer.ask.text() == "Ask"


def test_a_conversation_that_was_taken_out_while_it_was_answered_stays_out(
    page: ComparePage, qtbot: QtBot, script: Script, window: Window
) -> None:
    ask(page, qtbot)
    script.hold.clear()
    begin(page, qtbot, "And the S1?")
    page.talks.open_history()
    sheet = window.sheet
    assert isinstance(sheet, HistorySheet)
    qtbot.waitUntil(lambda: len(sheet.rows()) == 1)
    [row] = sheet.rows()
    row.removed.emit(row._talk)
    qtbot.waitUntil(lambda: not page.asking.busy)
    assert read_talks(page.talks.file) == []


def test_a_lane_that_fails_says_so_in_its_own_column(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    script.failing["prompted"] = "This lane needs 612 tokens and the model holds 512: take out an example."
    view = ask(page, qtbot)
    assert view.cells["prompted"].error.text().startswith("This lane needs 612 tokens")
    assert view.cells["base"].error.text() == ""
    script.failing.clear()
    click(qtbot, view.cells["prompted"].retry)
    qtbot.waitUntil(lambda: not page.asking.busy)
    assert [lane.name for lane in script.asked[-1][1]] == ["prompted"]
    assert view.cells["prompted"].text.plain() == "The answer of prompted."


def test_a_crash_is_told_in_every_column_and_the_next_question_works(
    page: ComparePage, qtbot: QtBot, script: Script
) -> None:
    script.error = ChildCrashed("The model engine stopped unexpectedly. Try again to start it afresh.", "said last")
    view = ask(page, qtbot)
    assert all("stopped unexpectedly" in cell.error.text() for cell in view.cells.values())
    script.error = None
    click(qtbot, view.retry)
    qtbot.waitUntil(lambda: not page.asking.busy)
    assert view.cells["base"].text.plain() == "The answer of base."


def test_only_ticked_lanes_are_asked_next(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    prompted = page.composer._ticks[1]
    qtbot.mouseClick(prompted, Qt.MouseButton.LeftButton)
    assert page.composer.edit.placeholderText() == "Ask two of three lanes"
    view = ask(page, qtbot)
    assert [lane.name for lane in script.asked[0][1]] == ["base", "rag"]
    assert view.cells["prompted"].waiting.text() == "Not asked"


def test_a_second_question_carries_each_lanes_own_history(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    ask(page, qtbot)
    ask(page, qtbot, "And the S1?")
    history = script.asked[1][2]
    assert [(turn.question, turn.answer) for turn in history["base"]] == [(QUESTION, "The answer of base .")] or [
        turn.question for turn in history["base"]
    ] == [QUESTION]
    assert history["rag"][0].answer == "The answer of rag [1]."


def test_a_changed_question_replaces_what_followed_and_undo_brings_it_back(
    page: ComparePage, qtbot: QtBot, script: Script, window: Window
) -> None:
    first = ask(page, qtbot)
    ask(page, qtbot, "And the S1?")
    click(qtbot, first.edit_button)
    first.edit.setPlainText("How long is the warranty on the S1?")
    qtbot.keyClick(first.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not page.asking.busy)
    assert [turn.question for turn in page.talk.turns] == ["How long is the warranty on the S1?"]
    click(qtbot, window.notice_bar._action)
    assert [turn.question for turn in page.talk.turns][1:] == [QUESTION, "And the S1?"]


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


def test_the_best_answer_is_voted_for_and_kept(page: ComparePage, qtbot: QtBot) -> None:
    view = ask(page, qtbot)
    click(qtbot, view.cells["rag"].vote)
    assert view.cells["rag"].vote.text() == "Best"
    [talk] = read_talks(page.talks.file)
    assert talk.turns[0].best == "rag"


def test_blind_hides_who_is_who_until_the_vote(page: ComparePage, qtbot: QtBot) -> None:
    click(qtbot, page.head.blind)
    view = ask(page, qtbot)
    page.window().grab()
    assert [head.name.full_text() for head in page.view.heads.heads] == ["Answer A", "Answer B", "Answer C"]
    cell = view.cells["rag"]
    assert not cell.why.isVisible() and cell.figures.full_text() == "" and cell.sources.count() == 0
    click(qtbot, cell.vote)
    assert cell.revealed.text() == "Documents (RAG)" and cell.why.isVisible()
    assert sorted(each.revealed.text() for each in view.cells.values()) == ["Base", "Documents (RAG)", "Prompted"]


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


def test_a_case_that_could_not_be_read_is_not_written(page: ComparePage, qtbot: QtBot, window: Window) -> None:
    view = ask(page, qtbot)
    click(qtbot, view.suite)
    sheet = window.sheet
    assert isinstance(sheet, SuiteSheet)
    sheet.check.setCurrentIndex(sheet.check.findData("json_equals"))
    sheet.value.setPlainText("{not json")
    click(qtbot, sheet.save)
    assert "not valid JSON" in sheet.trouble.text() and window.sheet is sheet
    assert not list(page.bench.project.suites_folder.glob("*"))


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


def test_a_lane_is_edited_into_ones_own(page: ComparePage, qtbot: QtBot, window: Window) -> None:
    page.lanes.edit(LANES["rag"])
    sheet = window.sheet
    assert isinstance(sheet, LaneSheet)
    sheet.name.setText("Eight passages")
    sheet.passages.setValue(8)
    click(qtbot, sheet.save)
    own = compare_lanes.own_lanes(page.bench.project)
    assert own["eight-passages"].passages == 8 and own["eight-passages"].title == "Eight passages"
    assert [lane.name for lane in page.view.lanes] == ["base", "prompted", "rag", "eight-passages"]


def test_the_strength_of_a_fine_tune_is_slid_and_said_in_the_lanes_line(project: Project, qtbot: QtBot) -> None:
    adapter = project.adapters_folder / "tickets" / "adapter.gguf"
    adapter.parent.mkdir(parents=True)
    adapter.write_bytes(b"GGUF")
    manifest = {"name": "tickets", "created": "2026-11-20", "adapter": "adapter.gguf"}
    records.write_json(adapter.parent / "manifest.json", manifest)
    bare = LaneSheet(project, LANES["base"])
    tuned = LaneSheet(project, make_lane("tuned:tickets", adapter=Path(str(adapter))))
    for sheet in (bare, tuned):
        qtbot.addWidget(sheet)
        sheet.show()
    assert not bare.scale.isVisible() and tuned.scale.isVisible()
    bare.adapter.setCurrentIndex(1)
    assert bare.scale.isVisible()
    assert (tuned.scale.slider.minimum(), tuned.scale.slider.maximum()) == (0, 15)
    assert tuned.edited().adapter == adapter  # an equal path is the same adapter
    assert tuned.edited().adapter_scale == 1.0 and "at" not in made_of(tuned.edited())
    tuned.scale.slider.setFocus()
    qtbot.keyClick(tuned.scale.slider, Qt.Key.Key_Left)
    qtbot.keyClick(tuned.scale.slider, Qt.Key.Key_Left)
    assert tuned.edited().adapter_scale == 0.8 and tuned.scale.said.text() == "0.8"
    assert "at 0.8" in made_of(tuned.edited())
    tuned.adapter.setCurrentIndex(0)
    assert not tuned.scale.isVisible() and tuned.edited().adapter_scale == 1.0
    odd = LaneSheet(project, make_lane("tuned:tickets", adapter=adapter, adapter_scale=1.85))
    qtbot.addWidget(odd)
    assert odd.edited().adapter_scale == 1.85  # what lies beyond the slider stays until it is moved


def test_lanes_are_reordered_taken_out_and_brought_back(page: ComparePage, qtbot: QtBot, window: Window) -> None:
    page.lanes.open_all()
    sheet = window.sheet
    assert isinstance(sheet, LanesSheet)
    sheet._move(2, -1)
    assert [lane.name for lane in page.view.lanes] == ["base", "rag", "prompted"]
    page.lanes.take_out("rag")
    assert [lane.name for lane in page.view.lanes] == ["base", "prompted"]
    click(qtbot, window.notice_bar._action)
    assert [lane.name for lane in page.view.lanes] == ["base", "rag", "prompted"]


def test_a_lane_is_duplicated_and_its_copy_deleted(page: ComparePage, qtbot: QtBot, window: Window) -> None:
    page.lanes.duplicate(LANES["prompted"])
    names = [lane.name for lane in page.view.lanes]
    assert names == ["base", "prompted", "prompted-copy", "rag"]
    copy = compare_lanes.own_lanes(page.bench.project)["prompted-copy"]
    menu = QMenu()
    page.lanes.fill_lane_menu(menu, copy)
    assert "Delete this lane" in [action.text() for action in menu.actions()]
    page.lanes.delete(copy)
    assert "prompted-copy" not in compare_lanes.own_lanes(page.bench.project)


def test_a_lane_that_comes_to_the_project_is_shown_at_once(
    page: ComparePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {**LANES, "rag+tuned:new": make_lane("rag+tuned:new", context="passages")}
    monkeypatch.setattr(compare_lanes, "standard_lanes_of", lambda project: dict(more))
    page.bench.remember(compare_lanes=["base", "rag+tuned:new"])
    page.bench.adapters_changed.emit()
    assert [lane.name for lane in page.view.lanes] == ["base", "rag+tuned:new"]


def test_another_page_can_have_a_question_asked_in_chosen_lanes(
    page: ComparePage, qtbot: QtBot, window: Window, script: Script
) -> None:
    window.bench.open_page("compare", lanes=["base", "full"], question="Tell me.", ask=True)
    qtbot.waitUntil(lambda: not page.asking.busy)
    assert [lane.name for lane in script.asked[0][1]] == ["base", "full"]
    assert [lane.name for lane in page.view.lanes][:2] == ["base", "full"]


def test_a_link_in_an_answer_is_shown_and_not_followed(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    script.words["base"] = "See [here](https://example.invalid/x)."
    view = ask(page, qtbot)
    view.cells["base"].text.link_clicked.emit("https://example.invalid/x")
    [box] = page.findChildren(QMessageBox)
    assert box.informativeText() == "https://example.invalid/x"
    box.close()


def test_a_turn_is_copied_with_every_answer(page: ComparePage, qtbot: QtBot) -> None:
    view = ask(page, qtbot)
    click(qtbot, view.copy)
    text = QApplication.clipboard().text()
    assert QUESTION in text and "### Documents (RAG)" in text and "The answer of rag [1]." in text


def test_an_empty_page_teaches_and_offers_questions(page: ComparePage, qtbot: QtBot, script: Script) -> None:
    page.bench.remember(questions=["What is new?"])
    page.new_talk()
    qtbot.waitUntil(lambda: any(each.text() == "What is new?" for each in page.view.findChildren(QPushButton)))
    [button] = [each for each in page.view.findChildren(QPushButton) if each.text() == "What is new?"]
    click(qtbot, button)
    qtbot.waitUntil(lambda: not page.asking.busy)
    assert page.talk.turns[0].question == "What is new?"


def test_conversations_lie_in_the_project(page: ComparePage, qtbot: QtBot) -> None:
    ask(page, qtbot)
    assert (page.bench.project.folder / CONVERSATIONS).exists()
