"""Lanes as a person arranges them: edited, moved, taken out, duplicated, deleted."""

from __future__ import annotations

from pathlib import Path

import pytest
from compare_steps import click
from conftest import LANES, make_lane
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from workbench import records
from workbench.catalog.records import Model
from workbench.project import Project
from workbench.ui import compare_lanes
from workbench.ui.compare_edit import LaneSheet
from workbench.ui.compare_heads import made_of
from workbench.ui.compare_lane_list import LanesSheet
from workbench.ui.compare_page import ComparePage
from workbench.ui.window import Window


@pytest.fixture
def page(compare: ComparePage) -> ComparePage:
    return compare


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


def test_a_lane_reads_sections_and_has_them_put_in_order_by_a_reranker(
    project: Project, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain = LaneSheet(project, LANES["rag"])
    there = Model("mine", "My reranker", "reranker", "mit", 1, 1, "imported", path=tmp_path / "mine")
    monkeypatch.setattr("workbench.ui.compare_edit.rerankers", lambda: (there,))
    sheet, bare = LaneSheet(project, LANES["rag"]), LaneSheet(project, LANES["base"])
    for each in (plain, sheet, bare):
        qtbot.addWidget(each)
        each.show()
    assert not plain.reranker.isVisible() and plain.edited().reranker is None
    assert sheet.reranker.isVisible() and not bare.reranker.isEnabled()
    sheet.context.setCurrentIndex(sheet.context.findData("sections"))
    sheet.reranker.setCurrentIndex(1)
    assert sheet.passages.isEnabled()
    made = sheet.edited()
    assert (made.context, made.reranker) == ("sections", tmp_path / "mine")
    assert made_of(made) == "Up to 4 sections, reranked"
    monkeypatch.setattr("workbench.ui.compare_edit.rerankers", lambda: ())
    again = LaneSheet(project, made)
    qtbot.addWidget(again)
    assert again.edited().reranker == made.reranker  # it is removed, and the lane says so until a person decides
    assert again.reranker.currentText() == "mine, which is removed"


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
