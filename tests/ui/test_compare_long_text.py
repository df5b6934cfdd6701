"""Answers of any length and any script: shown a part at a time, whole when copied, and never loading a thing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from conftest import LANES, Script, make_answer
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from workbench.ui import compare_parts
from workbench.ui.compare_diff import differing_spans
from workbench.ui.compare_markdown import fence_json
from workbench.ui.compare_page import ComparePage
from workbench.ui.compare_parts import BUDGET, open_fence, part_end, part_of, part_start
from workbench.ui.compare_talk import LaneAnswer, Talk, TalkTurn
from workbench.ui.compare_text import AnswerText
from workbench.ui.theme import Theme
from workbench.ui.window import Window

SIZE = 2_000_000  # characters
PIECES = (
    "word ",
    "x",
    "\n",
    "| a | b | c |\n",
    "保修期为三十六个月。",
    "مدة الضمان ستة وثلاثون شهرًا. ",
    "<script>alert(1)</script><img src='http://127.0.0.1:9/x.png'>\n",
    "![x](http://127.0.0.1:9/x.png) ",
    "- item\n",
    "See [1]. ",
    '{"k": 1,\n',
    "```\n",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 ",
)


def repeated(piece: str, size: int = SIZE) -> str:
    return (piece * (size // len(piece) + 1))[:size]


@pytest.fixture
def text(theme: Theme, qtbot: QtBot) -> AnswerText:
    made = AnswerText()
    qtbot.addWidget(made)
    made.resize(280, 100)
    made.show()
    return made


@pytest.mark.parametrize("piece", PIECES)
def test_parts_follow_each_other_without_a_gap_and_each_is_small(piece: str) -> None:
    whole, at, parts = repeated(piece, 200_000), 0, 0
    while at < len(whole):
        end = part_end(whole, at)
        assert at < end <= at + BUDGET
        assert compare_parts._weight(whole, at, end) <= BUDGET + compare_parts.LINE
        at, parts = end, parts + 1
    assert at == len(whole) and parts >= len(whole) // BUDGET
    last = part_start(whole, len(whole))
    assert 0 < len(whole) - last <= BUDGET


@pytest.mark.parametrize("growing", [False, True])
@pytest.mark.parametrize("piece", PIECES)
def test_two_megabytes_are_one_small_part_at_a_time(text: AnswerText, piece: str, growing: bool) -> None:
    text.set_answer(repeated(piece), 3, growing)
    text.plain()
    document = text.document()
    assert document.characterCount() <= 2 * BUDGET and document.blockCount() <= BUDGET // compare_parts.LINE + 2
    start, end, total = text.part
    assert total >= SIZE and (end == total if growing else start == 0)


def test_every_character_is_reached_by_turning_to_the_next_part(text: AnswerText) -> None:
    whole = "".join(f"line {number}\n\n" for number in range(3000))
    text.set_answer(whole)
    seen = text.plain()
    while text.part[1] < text.part[2]:
        text.turn_to(1)
        seen += "\n" + text.plain()
    assert [line for line in seen.split("\n") if line] == [f"line {number}" for number in range(3000)]
    while text.part[0] > 0:
        text.turn_to(-1)
    assert text.plain().startswith("line 0\n")


def test_a_part_that_begins_within_code_stays_code() -> None:
    code = "Before.\n\n```python\n" + "x = 1\n" * 4000 + "```\nAfter *all*.\n"
    at = part_end(code, 0)
    assert open_fence(code, at) == "```" and part_of(code, at, part_end(code, at)).startswith("```\nx = 1\n")
    assert open_fence(code, len(code)) == "" and open_fence("a ``` in a line\n", 16) == ""


def test_a_long_answer_is_turned_over_in_its_cell_and_copied_whole(
    window: Window, script: Script, qtbot: QtBot
) -> None:
    page = window.page("compare")
    assert isinstance(page, ComparePage)
    whole = repeated("A sentence of some length. ", 60_000)
    said = LaneAnswer(LANES["base"], whole, "", "done", "", make_answer("How long?", LANES["base"], whole))
    page.open_talk(Talk(turns=[TalkTurn("How long?", {"base": said})]))
    cell = page.view.turns[0].cells["base"]
    qtbot.waitUntil(cell.pager.isVisible)
    assert cell.pager.words.full_text().startswith("Characters 1 to ")
    first = cell.text.plain()
    qtbot.mouseClick(cell.pager.after, Qt.MouseButton.LeftButton)
    assert cell.text.plain() != first and cell.pager.before.isEnabled()
    qtbot.mouseClick(cell.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == whole


def test_a_costly_text_that_grows_is_drawn_less_often_and_is_whole_in_the_end(text: AnswerText, qtbot: QtBot) -> None:
    text._cost, text._due = 1.0, time.monotonic() + 60  # as after a drawing that took very long
    text.set_answer("growing", 0, True)
    assert text.document().toPlainText() == "" and text._later.isActive()
    assert text.plain() == "growing"


@pytest.mark.parametrize(
    "address", ["{0}", "file://{0}", "{1}", "http://127.0.0.1:9/x.png", "data:image/png;base64,AA"]
)
def test_a_picture_is_named_and_never_loaded_from_the_net_or_this_disk(
    text: AnswerText, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = QImage(300, 500, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    assert picture.save(str(tmp_path / "x.png"))
    monkeypatch.chdir(tmp_path)
    address = address.format(tmp_path / "x.png", "x.png")
    text.set_answer(f"Look: ![a picture]({address}) there.")
    assert "[picture, not loaded:" in text.plain() and "\ufffc" not in text.plain()
    assert text.height() < 200
    red = text.grab().toImage()
    colours = {red.pixelColor(x, y).name() for x in range(0, red.width(), 3) for y in range(0, red.height(), 3)}
    assert "#ff0000" not in colours


def test_right_to_left_and_wide_scripts_wrap_within_their_column(text: AnswerText) -> None:
    for said in ("مدة الضمان ستة وثلاثون شهرًا من تاريخ الشراء. " * 8, "保修期为三十六个月。" * 40, "x" * 900):
        text.set_answer(said)
        assert text.plain() == said.strip()
        assert text.document().idealWidth() <= text.viewport().width() and text.height() > 60
    text.set_answer("مدة الضمان")
    assert text.plain() == "مدة الضمان"
    assert text.document().begin().textDirection() == Qt.LayoutDirection.RightToLeft


def test_json_that_is_still_being_written_is_set_out_as_it_will_be() -> None:
    whole = '{"product": "X2", "tags": ["a", "b \\" c"], "priority": 2}'
    final = fence_json(whole)
    assert final.splitlines()[2] == '  "product": "X2",'
    for end in range(len('{"product": "X2", "t'), len(whole)):
        growing = fence_json(whole[:end], growing=True)
        assert growing.splitlines()[:3][-1].startswith('  "product": "X2"')
    assert fence_json('{"a": 1, "b', growing=False) == '```json\n{"a": 1, "b\n```'
    assert fence_json("{not json", growing=True) == "```json\n{not json\n```"


def test_the_differences_of_long_and_repeating_answers_are_found_at_once() -> None:
    first = "a b " * 3000 + "c"
    second = "a b " * 3000 + "d"
    assert differing_spans(first, second) == ([(12000, 12001)], [(12000, 12001)])
    left, right = differing_spans("the end " * 2000, "an other " * 2000)
    assert left == [(0, len("the end " * 2000) - 1)] and right == [(0, len("an other " * 2000) - 1)]
