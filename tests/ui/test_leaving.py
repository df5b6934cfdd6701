"""Closing by mistake: what was typed and is kept nowhere is named first, and stays until a person says it may go."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import LANES
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QSpinBox
from pytestqt.qtbot import QtBot

from workbench.evaluation.drill import Drill
from workbench.tuning.dataset import Problem
from workbench.tuning.recipe import Recipe
from workbench.ui.app import _quit_on_signals
from workbench.ui.bench import Bench
from workbench.ui.compare_edit import LaneSheet
from workbench.ui.compare_page import ComparePage
from workbench.ui.documents_settings import CutSettingsDialog
from workbench.ui.evaluate_drill import DrillSheet
from workbench.ui.evaluate_probe import Probe
from workbench.ui.finetune_rows import RowDialog
from workbench.ui.finetune_settings import RecipeSheet
from workbench.ui.leaving import Leaving
from workbench.ui.window import Window


def answer(leaving: Leaving, words: str) -> None:
    box = leaving.box
    assert box is not None
    next(each for each in box.buttons() if each.text() == words).click()


def lane_sheet(window: Window) -> LaneSheet:
    compare = window.page("compare")
    assert isinstance(compare, ComparePage)
    compare.lanes.edit(LANES["prompted"])
    assert isinstance(window.sheet, LaneSheet)
    return window.sheet


def test_a_window_with_something_typed_asks_once_and_goes_on(window: Window, slow_stage: Any, qtbot: QtBot) -> None:
    handle = window.bench.jobs.start("Counting", slow_stage, kind="documents")
    sheet = lane_sheet(window)
    sheet.system.setPlainText("Answer in Polish.")
    window.close()
    box = window.leaving.box
    assert box is not None and box.isVisible() and window.isVisible()
    assert "Your own copy of Prompted" in box.informativeText() and box.textFormat() is Qt.TextFormat.PlainText
    window.close()
    assert window.leaving.box is box and len(window.findChildren(QMessageBox)) == 1, "asked once, not twice"
    qtbot.waitUntil(box.isActiveWindow)
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    assert window.isVisible() and window.sheet is sheet and sheet.system.toPlainText() == "Answer in Polish."
    qtbot.waitUntil(lambda: handle.progress is not None)
    assert handle.running, "a job goes on while nobody has decided"
    window.close()
    answer(window.leaving, "Discard and close")
    assert not window.isVisible() and handle._job is not None and handle._job.isFinished()


def test_a_window_with_nothing_to_lose_closes_at_once(window: Window) -> None:
    sheet = lane_sheet(window)
    sheet.system.setPlainText("Answer in Polish.")
    sheet.settle()
    window.close()
    assert window.leaving.box is None and not window.isVisible()


def test_a_polite_kill_is_not_held_up(window: Window, monkeypatch: pytest.MonkeyPatch, qapp: Any) -> None:
    heard: dict[int, Callable[..., None]] = {}
    monkeypatch.setattr("workbench.ui.app.signal.signal", lambda number, slot: heard.setdefault(number, slot))
    _quit_on_signals(qapp, window)
    lane_sheet(window).system.setPlainText("Answer in Polish.")
    next(iter(heard.values()))()
    assert not window.isVisible()


def test_a_question_that_is_being_changed_in_place_is_named(window: Window, compare: ComparePage, qtbot: QtBot) -> None:
    compare.composer.set_text("How long?")
    compare.composer.send()
    qtbot.waitUntil(lambda: not compare.asking.busy and bool(compare.view.turns))
    view = compare.view.turns[0]
    view.edit_button.click()
    assert window.unsaved() == [], "nothing is changed yet"
    view.edit.setPlainText("How long is the warranty?")
    assert window.unsaved() == ["The changed question of turn 1"]
    view.edit.left.emit()
    assert window.unsaved() == []


def test_sheets_with_fields_know_what_was_typed_in_them(bench: Bench, window: Window, qtbot: QtBot) -> None:
    recipe = Recipe(name="a", model=Path("/none.gguf"), datasets=(Path("/a.jsonl"),), folder=Path("/none"))
    settings, drill = RecipeSheet(recipe), DrillSheet(bench, Probe(bench, "Update drill", Drill), [])
    changes = {settings: settings.findChildren(QSpinBox)[0].stepUp, drill: lambda: drill.old.setText("24 months")}
    for sheet, change in changes.items():
        window.show_sheet(sheet)
        qtbot.waitUntil(lambda: not bench.jobs.running())
        assert not sheet.dirty and window.unsaved() == []
        change()
        assert window.unsaved() == [sheet.title]
    window.show_sheet(None)
    assert window.unsaved() == [], "what was closed by hand has said so, with an Undo"


def test_a_row_or_patterns_that_were_typed_are_not_thrown_away_by_a_key(
    bench: Bench, tmp_path: Path, qtbot: QtBot
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"prompt": "a", "completion": "b"}) + "\n", encoding="utf-8")
    row, cut = RowDialog(file, Problem(1, "prompt", "bad", "it is wrong")), CutSettingsDialog(bench.project, [])
    for dialog, edit in ((row, row.text), (cut, cut.patterns)):
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
        assert not dialog.isVisible(), "nothing was typed"
        dialog.show()
        edit.setPlainText("other words")
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
        assert dialog.isVisible()
        answer(dialog.leaving, "Keep editing")
        assert dialog.isVisible() and edit.toPlainText() == "other words"
        dialog.close()
        answer(dialog.leaving, "Discard and close")
        assert not dialog.isVisible()
