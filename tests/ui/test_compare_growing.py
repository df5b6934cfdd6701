"""An answer that grows is drawn by its last part only, and looks at every moment as if it had been drawn whole."""

from __future__ import annotations

import re
from typing import Any

import pytest
from PySide6.QtGui import QTextDocument
from pytestqt.qtbot import QtBot

from workbench.ui import compare_growing
from workbench.ui.compare_growing import settled_end
from workbench.ui.compare_text import AnswerText
from workbench.ui.theme import Theme

TEXTS = {
    "paragraphs": "One with **bold** and `code`.\n\nTwo, [1] cited.\n\n# Head\n\n"
    "Three *em*.\n\n**Four** ends.\n\nFive.\n",
    "lists": "Steps:\n\n1. first\n2. second\n\n   more of it\n\n3. third\n\nAfter all.\n\n"
    "- a\n- b\n\n  - c\n\nEnd of it.\n\n"
    "36 months later.\n\n* x\n* y\n",
    "code": "```py\nx = 1\n\ny = 2\n```\n\nThen text.\n\n```\nz\n```\n\nAnd\n\n    indented\n\nend.\n",
    "quotes and rules": "> a quote\n\n> another\n\nText.\n\n---\n\nMore.\n\n![pic](http://x/y.png) after\n\nlast\n",
    "tables": "| a | b |\n|---|---|\n| 1 | 2 |\n\nAfter the table.\n\n| c | d |\n|---|---|\n| 3 | 4 |\n\n"
    "### A head\n\nText.\n\n"
    "| c | d |\n|---|---|\n| 3 | 4 |\n\n```\ncode\n```\n\nEnd.\n",
}
UNDECIDED = re.compile(r"(?:^|\n)[-#*+`~|>=_\d.) ]*$")  # a last line that only begins something


@pytest.fixture
def texts(theme: Theme, qtbot: QtBot) -> tuple[AnswerText, AnswerText]:
    made = AnswerText(), AnswerText()
    for each in made:
        qtbot.addWidget(each)
        each.set_room(300)
        each.resize(300, 100)
        each.show()
    return made


def look(text: AnswerText) -> list[Any]:
    """All that tells how a text stands there."""
    document, found = text.document(), list[Any]()
    block = document.begin()
    while block.isValid():
        form = block.blockFormat()
        margins = form.topMargin(), form.bottomMargin(), form.leftMargin(), form.textIndent(), form.lineHeight()
        found.append((block.text(), margins, form.indent(), form.headingLevel(), block.layout().position().y()))
        block = block.next()
    return [found, document.size().height(), document.toHtml(), text._code_areas()]


@pytest.mark.parametrize("name", list(TEXTS))
def test_it_stands_there_as_if_it_were_drawn_whole(texts: tuple[AnswerText, AnswerText], name: str) -> None:
    growing, whole = texts
    for end in range(1, len(TEXTS[name]) + 1):
        beginning = TEXTS[name][:end]
        growing.set_answer(beginning, growing=True)
        growing.plain()
        whole._grown.forget()
        whole.set_answer(beginning)
        whole.plain()
        if not UNDECIDED.search(beginning):
            assert look(growing) == look(whole), beginning
    assert growing._grown._settled, "part of it was left as it was"


def test_only_the_last_paragraph_is_read_again(
    texts: tuple[AnswerText, AnswerText], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def set_markdown(document: QTextDocument, text: str, *features: Any) -> None:
        read.append(text)
        plain(document, text, *features)

    plain = QTextDocument.setMarkdown
    monkeypatch.setattr(QTextDocument, "setMarkdown", set_markdown)
    told = "A paragraph of some length, which is not read again.\n\n" * 20
    growing = texts[0]
    growing.set_answer(told + "The last", growing=True)
    growing.plain()
    read.clear()
    for words in ("one", "one goes", "one goes on"):
        growing.set_answer(f"{told}The last {words}", growing=True)
        growing.plain()
    assert read == ["The last one", "The last one goes", "The last one goes on"]
    growing._grown.forget()  # as after another theme
    growing._render()
    assert growing.plain().count("A paragraph") == 20


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("One.\n\nTwo", "One.\n\n"),
        ("One.\n\n", ""),
        ("One.\n\n- an item\n\n- another", ""),
        ("- an item\n\n  which goes on", ""),
        ("One.\n\n12", ""),
        ("One.\n\n12. an item", ""),
        ("One.\n\n12 months", "One.\n\n"),
        ("One.\n\n---", ""),
        ("```\na\n\nb", ""),
        ("One.\n\n```\na\n\nb", "One.\n\n"),
    ],
)
def test_what_is_settled_ends_where_something_new_surely_begins(text: str, settled: str) -> None:
    assert text[: settled_end(text)] == settled


def test_a_table_is_always_laid_out_whole(texts: tuple[AnswerText, AnswerText]) -> None:
    growing = texts[0]
    growing.set_answer("One.\n\nTwo.\n\n| a", growing=True)
    growing.plain()
    assert growing._grown._settled == "" and compare_growing.TABLE in growing._shown
