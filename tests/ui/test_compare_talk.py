"""Conversations on disk, and what answers become. No window in here."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import LANES, PASSAGE, make_answer, read_talks

from workbench.errors import BadSuite
from workbench.project import Project
from workbench.ui import compare_talk
from workbench.ui.compare_heads import column_widths, columns_that_fit, made_of
from workbench.ui.compare_keep import add_case, guess_check, keep_row, take_back, training_row
from workbench.ui.compare_lanes import own_name
from workbench.ui.compare_talk import LaneAnswer, Talk, TalkTurn, keep_turn
from workbench.ui.compare_view import blind_order
from workbench.ui.words import ordinal


def make_turn(question: str = "How long?") -> TalkTurn:
    lane = LANES["rag"]
    answer = make_answer(question, lane, "36 months [1].")
    return TalkTurn(question, {"rag": LaneAnswer(lane, answer.text, state="done", answer=answer)})


def test_a_turn_comes_back_whole(tmp_path: Path) -> None:
    path, talk = tmp_path / "talks.jsonl", Talk()
    turn = make_turn()
    talk.turns.append(turn)
    keep_turn(path, talk, turn)
    [back] = read_talks(path)
    assert back.id == talk.id and back.turns[0].answers["rag"].answer == turn.answers["rag"].answer
    assert back.turns[0].answers["rag"].lane == LANES["rag"]


def test_a_later_line_replaces_a_turn_and_a_broken_one_is_left_out(tmp_path: Path) -> None:
    path, talk = tmp_path / "talks.jsonl", Talk()
    turn = make_turn()
    talk.turns.append(turn)
    keep_turn(path, talk, turn)
    turn.answers["rag"].text = "again"
    keep_turn(path, talk, turn)
    with path.open("a") as file:
        file.write('{"type": "turn", "conversation": "x"}\n{"half a li')
    [back] = read_talks(path)
    assert [each.answers["rag"].text for each in back.turns] == ["again"]


def test_votes_titles_and_removals_are_lines_of_their_own(tmp_path: Path) -> None:
    path, talk = tmp_path / "talks.jsonl", Talk()
    first, second = make_turn("one"), make_turn("two")
    for turn in (first, second):
        talk.turns.append(turn)
        keep_turn(path, talk, turn)
    first.best, talk.title = "rag", "Warranty"
    compare_talk.keep_vote(path, talk, first)
    compare_talk.keep_title(path, talk)
    compare_talk.keep_removed(path, talk, [second])
    [back] = read_talks(path)
    assert back.name == "Warranty" and [turn.best for turn in back.turns] == ["rag"]
    compare_talk.keep_removed(path, talk)
    assert read_talks(path) == []


def test_history_stops_before_the_turn_that_is_asked_again() -> None:
    first, second = make_turn("one"), make_turn("two")
    talk = Talk(turns=[first, second])
    assert [turn.question for turn in talk.history("rag")] == ["one", "two"]
    assert [turn.question for turn in talk.history("rag", second)] == ["one"]
    assert talk.history("base") == ()


def test_a_case_gets_an_id_of_its_own_and_the_suite_stays_readable(tmp_path: Path) -> None:
    path = tmp_path / "suites" / "suite.yaml"
    assert add_case(path, "How long is it?", "fact", {"contains": ["36"]}, "a.md") == "how-long-is-it"
    assert add_case(path, "How long is it?", "fact", {"contains": ["36"]}, None) == "how-long-is-it-2"
    before = path.read_bytes()
    with pytest.raises(BadSuite):
        add_case(path, "How long?", "fact", {"contains": []}, None)
    assert path.read_bytes() == before


def test_rows_are_kept_in_the_shape_of_their_lane(tmp_path: Path) -> None:
    project = Project.open(tmp_path / "p")
    with_passages = keep_row(project, training_row("q", "a", LANES["rag"], (PASSAGE,)))
    keep_row(project, training_row("q", "a", LANES["rag"], (PASSAGE,)))
    assert with_passages.path.name == "collected-reading.jsonl"
    take_back(with_passages)
    assert len(with_passages.path.read_text().splitlines()) == 1
    assert keep_row(project, training_row("q", "a", LANES["base"], ())).path.name == "collected.jsonl"


def test_a_check_is_only_suggested_where_it_is_likely() -> None:
    assert guess_check("36 months", "fact") == ("contains", "36 months")
    assert guess_check("word " * 40, "fact") == ("contains", "")
    assert guess_check('{"a": 1}', "behaviour") == ("json_equals", '{"a": 1}')
    assert guess_check("anything", "unanswerable") == ("refuses", "")


def test_columns_fill_the_page_and_are_never_too_narrow() -> None:
    assert columns_that_fit(1072, 6) == 4 and columns_that_fit(200, 3) == 1 and columns_that_fit(4000, 3) == 3
    assert sum(column_widths(1073, 4)) == 1073


def test_what_a_lane_is_made_of_is_one_line() -> None:
    assert made_of(LANES["base"]) == "SmolLM2 135M Q4_1, nothing added"
    assert made_of(LANES["prompted"]) == "Your prompt, 1 example"
    assert made_of(LANES["rag"]) == "Up to 4 passages"


def test_names_for_own_lanes_are_unlike_every_other() -> None:
    assert own_name("Eight passages!", []) == "eight-passages"
    assert own_name("base", ["base"]) == "base-2"


def test_blind_order_is_the_same_each_time_a_turn_is_drawn() -> None:
    turn = make_turn()
    lanes = list(LANES.values())
    assert blind_order(turn, lanes) == blind_order(turn, lanes)
    assert sorted(blind_order(turn, lanes)) == sorted(LANES)


def test_places_are_said_as_people_say_them() -> None:
    assert [ordinal(rank) for rank in (1, 2, 3, 4, 11, 12, 13, 21, 102, None)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "–",
    ]  # fmt: skip
