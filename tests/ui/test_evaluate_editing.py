"""Checks typed in one cell, and the table of cases that holds them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_up_project import make_cases
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from workbench.errors import BadSuite
from workbench.evaluation.records import Suite
from workbench.evaluation.suite import read_suite, write_suite
from workbench.ui.evaluate_cases import CHECKS, ID, KIND, QUESTION, CasesModel, Draft, draft_of
from workbench.ui.evaluate_changes import changes_of, with_changes
from workbench.ui.evaluate_checks import read_checks, write_checks
from workbench.ui.evaluate_editor import SuiteEditor
from workbench.ui.theme import Theme

CHECKED: list[tuple[dict[str, Any], ...]] = [
    ({"contains": ["36 months", "three years"]}, {"max_words": 60}),
    ({"contains_all": ["a; b", "c | d", '"quoted"']},),
    ({"equals": "yes: certainly"}, {"cites": "policies/warranty.md"}),
    ({"regex": "^[A-Z]{2}; (x|y)$"}, {"refuses": True}, {"json": True}),
    ({"refuses": False},),
    ({"json_equals": {"a": [1, 2], "b": "x; y"}}, {"similar": {"to": "Two years", "at_least": 0.7}}),
    ({"one_of": ["5", "true"]}, {"json_schema": {"type": "object"}}),
]


@pytest.mark.parametrize("checks", CHECKED)
def test_checks_come_back_as_they_were_written(checks: tuple[dict[str, Any], ...]) -> None:
    assert read_checks(write_checks(checks)) == checks


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at least one check"),
        ("contain: x", "is no check"),
        ("max_words: many", "whole number"),
        ("max_words: 0", "above 0"),
        ("regex: (", "regex"),
        ('contains: "open', "quotation mark"),
        ("contains:", "needs a value"),
        ("json_equals: {", "JSON in braces"),
        ("refuses: perhaps", "true or false"),
    ],
)
def test_a_check_that_cannot_be_read_says_why(text: str, said: str) -> None:
    with pytest.raises(BadSuite, match=said):
        read_checks(text)


def test_the_table_of_cases_keeps_the_rules_of_models(qtbot: QtBot, theme: Theme) -> None:
    model = CasesModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.show_cases(make_cases(1))
    rows = model.rowCount()
    model.setData(model.index(0, QUESTION), "Changed?")
    assert not model.setData(model.index(0, KIND), "opinion")
    row = model.add_case(0, model.drafts[0])
    assert model.drafts[row].question == "Changed?" and model.drafts[row].id != model.drafts[0].id
    gone = model.remove_case(row)
    model.restore_case(row, gone)
    assert model.rowCount() == rows + 1 and len(model.cases()) == rows + 1


def test_a_bad_cell_is_marked_and_explained(qtbot: QtBot, theme: Theme) -> None:
    model = CasesModel()
    model.show_cases(make_cases(1))
    index = model.index(2, CHECKS)
    model.setData(index, "contain: x")
    assert "is no check" in str(index.data(Qt.ItemDataRole.ToolTipRole))
    assert index.data(Qt.ItemDataRole.BackgroundRole) is not None
    model.setData(model.index(3, ID), model.drafts[4].id)
    assert model.problem_count() == 3
    with pytest.raises(BadSuite, match="Row 3"):
        model.cases()


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return write_suite(tmp_path / "support.yaml", "Support", make_cases(1))


def test_a_person_adds_removes_undoes_and_saves(qtbot: QtBot, theme: Theme, suite: Suite) -> None:
    told: list[dict[str, Any]] = []
    editor = SuiteEditor(lambda message, **more: told.append(more))
    qtbot.addWidget(editor)
    editor.show()
    editor.edit(suite)
    assert not editor.save.isEnabled()
    editor.add_question("Is there a blue one?")
    assert not editor.save.isEnabled(), "a case without checks is not whole"
    row = editor.table.currentIndex().row()
    editor.model.setData(editor.model.index(row, CHECKS), "refuses")
    assert editor.save.isEnabled()
    editor.table.setCurrentIndex(editor.model.index(3, 0))
    qtbot.mouseClick(editor.remove, Qt.MouseButton.LeftButton)
    told[-1]["action"]()  # Undo
    with qtbot.waitSignal(editor.saved):
        qtbot.mouseClick(editor.save, Qt.MouseButton.LeftButton)
    assert len(read_suite(suite.path).cases) == len(suite.cases) + 1
    assert not editor.dirty


def test_discarded_changes_can_be_taken_back(qtbot: QtBot, theme: Theme, suite: Suite) -> None:
    told: list[dict[str, Any]] = []
    editor = SuiteEditor(lambda message, **more: told.append(more))
    qtbot.addWidget(editor)
    editor.edit(suite)
    editor.model.setData(editor.model.index(0, QUESTION), "Changed?")
    editor.cancel.click()
    told[-1]["action"]()
    assert editor.model.drafts[0].question == "Changed?" and editor.dirty


def test_changes_are_laid_over_a_file_that_changed_meanwhile(suite: Suite) -> None:
    first, second, third = suite.cases[:3]
    drafts = [replace(draft_of(first), question="Changed?"), draft_of(third), Draft("own", "Mine?")]
    kept = changes_of(replace(suite, cases=(first, second, third)), "Support", drafts)
    added = replace(second, id="added")
    now = with_changes(replace(suite, cases=(first, second, replace(third, question="Other?"), added)), kept)
    assert [each.id for each in now] == [first.id, third.id, "own", "added"], "what was removed stays out"
    assert [each.question for each in now[:2]] == ["Changed?", "Other?"]
    assert [each.id for each in with_changes(replace(suite, cases=(second,)), kept)] == [first.id, "own"]
