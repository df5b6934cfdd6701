"""The Compare page as a person uses it: ask, read, stop, ask again, vote."""

from __future__ import annotations

import pytest
from compare_steps import QUESTION, ask, begin, click
from conftest import Script, read_talks
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from workbench.errors import ChildCrashed
from workbench.ui.compare_history import HistorySheet
from workbench.ui.compare_page import ComparePage
from workbench.ui.compare_turn import TurnView
from workbench.ui.window import Window


@pytest.fixture
def page(compare: ComparePage) -> ComparePage:
    return compare


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
    qtbot.waitUntil(view.cells["base"].why.isVisible)  # it is drawn in a turn of the loop after its answer came
    assert view.cells["base"].figures.full_text()
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


def test_a_changed_question_waits_while_another_one_is_answered(
    page: ComparePage, qtbot: QtBot, script: Script
) -> None:
    first = ask(page, qtbot)
    click(qtbot, first.edit_button)
    first.edit.setPlainText("How long is the warranty on the S1?")
    script.hold.clear()
    begin(page, qtbot)
    assert not first.retry.isEnabled() and "still coming" in first.retry.toolTip()
    qtbot.keyClick(first.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert first.edit.isVisible() and first.edit.toPlainText().endswith("the S1?"), "it is not lost"
    script.hold.set()
    qtbot.waitUntil(lambda: not page.asking.busy, timeout=20_000)
    assert first.retry.isEnabled() and first.retry.toolTip() == "Ask again"
    qtbot.keyClick(first.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not page.asking.busy, timeout=20_000)
    assert [turn.question for turn in page.talk.turns] == ["How long is the warranty on the S1?"]


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


def test_a_question_that_is_to_be_asked_anew_meets_no_earlier_talk(
    page: ComparePage, qtbot: QtBot, script: Script, window: Window
) -> None:
    ask(page, qtbot)
    window.bench.open_page("compare", lanes=["base"], question="Book court 8", ask=True, anew=True)
    qtbot.waitUntil(lambda: not page.asking.busy and len(page.view.turns) == 1, timeout=20_000)
    assert [turn.question for turn in page.talk.turns] == ["Book court 8"]
    assert script.asked[-1][2] == {"base": ()}
    qtbot.waitUntil(lambda: len(page.view.turns[0].cells) == len(page.view.turns[0].order), timeout=20_000)
