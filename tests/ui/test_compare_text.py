"""Answers as text: Markdown, tables, code and citations; nothing loaded, nothing interpreted as markup."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QTextDocument
from pytestqt.qtbot import QtBot

from workbench.ui.compare_diff import differing_spans
from workbench.ui.compare_markdown import fence_json
from workbench.ui.compare_text import AnswerText
from workbench.ui.theme import Theme


@pytest.fixture
def text(theme: Theme, qtbot: QtBot) -> AnswerText:
    made = AnswerText()
    qtbot.addWidget(made)
    made.resize(280, 100)
    made.show()
    return made


def test_markdown_becomes_text_tables_and_code(text: AnswerText) -> None:
    text.set_answer("**Two** years.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx = 1\n```\n")
    assert "Two years." in text.plain() and "x = 1" in text.plain() and "|" not in text.plain()
    assert len(list(text._code_areas())) == 1


def test_html_is_shown_and_not_interpreted(text: AnswerText) -> None:
    text.set_answer("<script>alert(1)</script> and <img src='http://127.0.0.1:9/x.png'> stay text")
    assert "<script>" in text.plain() and "<img" in text.plain()


def test_no_picture_is_ever_loaded(text: AnswerText) -> None:
    text.set_answer("![x](http://127.0.0.1:9/x.png) ![y](file:///etc/hostname)")
    kind = QTextDocument.ResourceType.ImageResource.value
    assert text.loadResource(kind, QUrl("file:///etc/hostname")) is None


def test_only_citations_that_exist_are_links(text: AnswerText, qtbot: QtBot) -> None:
    text.set_answer("As said [1], and [7].", citations=2)
    links = []
    block = text.document().begin()
    iterator = block.begin()
    while not iterator.atEnd():
        form = iterator.fragment().charFormat()
        if form.isAnchor():
            links.append(form.anchorHref())
        iterator += 1
    assert links == ["cite:1"]
    with qtbot.waitSignal(text.cited) as heard:
        text.anchorClicked.emit(QUrl("cite:1"))
    assert heard.args == [1]


def test_the_height_follows_the_text(text: AnswerText) -> None:
    text.set_answer("short")
    short = text.height()
    text.set_answer("longer " * 80)
    text.plain()
    assert text.height() > 4 * short


def test_json_is_set_out_and_a_fence_cannot_be_broken_out_of() -> None:
    assert fence_json('{"a": 1}') == '```json\n{\n  "a": 1\n}\n```'
    assert fence_json("{ not json ``` **x**").startswith("````json\n")
    assert fence_json("No braces first {") == "No braces first {"


def test_differences_are_found_by_words() -> None:
    first, second = "It is 12 months, always.", "It is  36 months."
    left, right = differing_spans(first, second)
    assert [first[a:b] for a, b in left] == ["12", ", always"] and [second[a:b] for a, b in right] == ["36"]
    assert differing_spans("Same.", "same.") == ([], [])
