"""None, True and False outlive what PySide6 does to them under Python 3.11."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

import workbench.ui  # noqa: F401  (importing it is what keeps the constants)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="these objects are immortal from Python 3.12 on")
def test_constants_have_references_to_spare_after_many_calls(qtbot: QtBot) -> None:
    label = QLabel()
    qtbot.addWidget(label)
    for _ in range(50_000):
        label.setText("x")
        label.isVisible()
    assert min(sys.getrefcount(each) for each in (None, True, False)) > 1 << 50
