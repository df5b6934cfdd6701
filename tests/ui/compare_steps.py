"""What tests of the Compare page do again and again: ask and wait, ask and go on, click."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from workbench.ui.compare_page import ComparePage
from workbench.ui.compare_turn import TurnView

QUESTION = "How long is the warranty on the X2?"


def ask(page: ComparePage, qtbot: QtBot, question: str = QUESTION) -> TurnView:
    """Type a question, press Ctrl+Enter, wait for the answers."""
    begin(page, qtbot, question)
    qtbot.waitUntil(lambda: not page.asking.busy, timeout=20_000)
    return page.view.turns[-1]


def begin(page: ComparePage, qtbot: QtBot, question: str = QUESTION) -> None:
    """The same without waiting for more than the columns of the answers."""
    page.composer.edit.setFocus()
    qtbot.keyClicks(page.composer.edit, question)
    qtbot.keyClick(page.composer.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert page.asking.busy
    view = page.view.turns[-1]
    qtbot.waitUntil(lambda: len(view.cells) == len(view.order), timeout=20_000)


def click(qtbot: QtBot, widget: Any) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)
