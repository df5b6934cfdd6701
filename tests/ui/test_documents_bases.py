"""Several knowledge bases in the window: made, chosen, read, watched, renamed and deleted; and chosen for a lane."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import LANES
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QInputDialog, QMenu
from pytestqt.qtbot import QtBot

from workbench.bases import base_names, find_base, make_base
from workbench.events import Progress, Result, Stage
from workbench.index.report import IndexReport
from workbench.project import Project
from workbench.ui import compare_lanes, documents_bases
from workbench.ui.bench import Bench
from workbench.ui.compare_edit import LaneSheet
from workbench.ui.compare_heads import made_of
from workbench.ui.compare_source import SourceSheet
from workbench.ui.documents_page import DocumentsPage

PATIENCE = 60_000  # ms: the machine may be busy with other things


@pytest.fixture
def page(bench: Bench, qtbot: QtBot) -> Iterator[DocumentsPage]:
    made = DocumentsPage(bench)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    yield made
    made.watch.close()


def entries(menu: QMenu) -> dict[str, QAction]:
    menu.aboutToShow.emit()
    return {action.text(): action for action in menu.actions() if action.text()}


def names(page: DocumentsPage) -> list[str]:
    return [row.file for row in page.files.model.shown]


def answer_with(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: (name, True))


def test_a_base_is_made_read_searched_watched_renamed_and_deleted(
    page: DocumentsPage, bench: Bench, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is new is to be shown here, not read at once.
    monkeypatch.setattr("workbench.ui.documents_source.keeps_itself", lambda base: False)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder, days in ((ours, 24), (theirs, 60)):
        folder.mkdir()
        (folder / "returns.md").write_text(f"# Returns\n\nGoods may be returned within {days} days.\n")
    (ours / "seat.md").write_text("# Seat\n\nGhent.\n")
    assert not page.bases.picker.isVisible()
    with qtbot.waitSignal(bench.index_changed, timeout=PATIENCE):
        page.add_folders([ours])
    qtbot.waitUntil(lambda: names(page) == ["returns.md", "seat.md"], timeout=PATIENCE)
    assert not page.bases.picker.isVisible()

    answer_with(monkeypatch, "Old terms")
    with qtbot.waitSignal(bench.lanes_changed):
        entries(page.folders.menu)["New knowledge base…"].trigger()
    assert page.stack.currentWidget() is page.empty and page.bases.picker.isVisible()
    assert page.bases.picker.text() == "Old terms"
    with qtbot.waitSignal(bench.index_changed, timeout=PATIENCE):
        page.add_folders([theirs])
    qtbot.waitUntil(lambda: names(page) == ["returns.md"], timeout=PATIENCE)
    assert bench.project.info.folders == (ours,) and set(page.watch.folders) == {ours, theirs}
    assert "New knowledge base…" not in entries(page.folders.menu)

    page.shown(search="Within how many days are goods returned?")
    qtbot.waitUntil(lambda: page.search._found.count() == 2, timeout=PATIENCE)
    passage = page.search._found.itemAt(0).widget()._passage  # type: ignore[union-attr]
    assert passage.base == "Old terms" and "60 days" in passage.text
    sheet = SourceSheet(bench.project.folder, passage, 1)
    qtbot.addWidget(sheet)
    assert "# Returns" in sheet.text.toPlainText() or "within 60 days" in sheet.text.toPlainText()
    assert sheet._note.text() == ""

    entries(page.bases.menu)["Main"].trigger()
    qtbot.waitUntil(lambda: names(page) == ["returns.md", "seat.md"], timeout=PATIENCE)
    (theirs / "new.md").write_text("# New\n\nOne more.\n")
    page.reading.look_for_changes()
    qtbot.waitUntil(lambda: "Old terms: 1 changed, new or gone" in page.bases.picker.toolTip(), timeout=PATIENCE)
    entries(page.bases.menu)["Old terms: 1 changed, new or gone"].trigger()
    qtbot.waitUntil(lambda: page.files.model.counts()["new"] == 1, timeout=PATIENCE)

    bench.project.change(lanes=({"name": "mine", "model": "m.gguf", "base": "Old terms"},))
    answer_with(monkeypatch, "Terms of 2019")
    entries(page.bases.menu)["Rename Old terms…"].trigger()
    qtbot.waitUntil(lambda: page.bases.picker.text() == "Terms of 2019", timeout=PATIENCE)
    assert Project.open(bench.project.folder).info.lanes[0]["base"] == "Terms of 2019"
    assert bench.recall(documents_bases.REMEMBERED) == "Terms of 2019"

    monkeypatch.setattr(documents_bases, "confirm_delete", lambda base, parent: False)
    entries(page.bases.menu)["Delete Terms of 2019…"].trigger()
    assert base_names(bench.project) == ("Terms of 2019",)
    monkeypatch.setattr(documents_bases, "confirm_delete", lambda base, parent: True)
    entries(page.bases.menu)["Delete Terms of 2019…"].trigger()
    qtbot.waitUntil(lambda: not page.bases.picker.isVisible(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: names(page) == ["returns.md", "seat.md"], timeout=PATIENCE)
    assert (theirs / "returns.md").exists() and base_names(bench.project) == ()


def test_the_base_that_was_shown_comes_back_and_one_that_is_gone_does_not(bench: Bench, qtbot: QtBot) -> None:
    make_base(bench.project, "Old terms")
    bench.remember(**{documents_bases.REMEMBERED: "Old terms"})
    for wanted in ("Old terms", "Main"):
        page = DocumentsPage(bench)
        qtbot.addWidget(page)
        assert page.bases.picker.text() == wanted
        page.watch.close()
        bench.base = bench.project
        (bench.project.folder / "bases" / "Old terms" / "base.json").unlink(missing_ok=True)


def test_a_name_that_is_no_good_is_said_and_nothing_is_made(page: DocumentsPage, bench: Bench) -> None:
    said: list[str] = []
    bench.notices.attach(lambda notice: said.append(notice.message))
    page.bases.make("../up")
    assert "cannot name a knowledge base" in said[-1] and base_names(bench.project) == ()


def test_a_base_waits_while_another_is_read(
    page: DocumentsPage, bench: Bench, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []
    go = threading.Event()

    def build(home: Path, folders: tuple[Path, ...], only: Any = ()) -> Stage:
        built.append(home.name)
        yield Progress(1, 4, "Reading b.md", "files")
        while not go.wait(0.02):
            yield Progress(1, 4, "Reading b.md", "files")
        yield Result(IndexReport(0, 0, (), (), (), 0, (), 0.1))

    monkeypatch.setattr("workbench.index.build.build", build)
    said: list[str] = []
    bench.notices.attach(lambda notice: said.append(notice.message))
    make_base(bench.project, "Old terms")
    (tmp_path / "docs").mkdir()
    page.add_folders([tmp_path / "docs"])
    qtbot.waitUntil(lambda: built == [bench.project.folder.name], timeout=PATIENCE)
    page.bases.show("Old terms")
    page.add_folders([tmp_path / "docs"])
    assert "Old terms is read next: the reading of Main has to end first." in said
    assert find_base(bench.project, "Old terms").info.folders == (tmp_path / "docs",)
    page.bases._on_delete_clicked()
    assert "Stop the reading first" in said[-1] and base_names(bench.project) == ("Old terms",)
    go.set()
    qtbot.waitUntil(lambda: built == [bench.project.folder.name, "Old terms"], timeout=PATIENCE)
    qtbot.waitUntil(lambda: not page.reading.busy, timeout=PATIENCE)


def test_what_goes_with_a_base_is_said_before_it_is_deleted(
    bench: Bench, page: DocumentsPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_base(bench.project, "Old terms")
    made.index_folder.mkdir()
    (made.index_folder / "chunks").write_bytes(b"x" * 3_000_000)
    said: list[str] = []

    def look(box: Any) -> None:
        said.append(f"{box.text()} {box.informativeText()}")

    monkeypatch.setattr("PySide6.QtWidgets.QMessageBox.exec", look)
    assert documents_bases.confirm_delete(made, page) is False
    assert "Delete the knowledge base Old terms?" in said[0] and "goes, 3 MB" in said[0]
    assert "documents are not touched" in said[0]


def test_a_lane_is_given_its_base_in_its_sheet(project: Project, qtbot: QtBot, script: Any) -> None:
    lane = LANES["rag"]

    def sheet_of(lane: Any) -> LaneSheet:
        made = LaneSheet(project, lane)
        qtbot.addWidget(made)
        return made

    assert sheet_of(lane).base.parent() is None  # nothing to choose from
    make_base(project, "Old terms")
    sheet = sheet_of(lane)
    assert [sheet.base.itemText(place) for place in range(sheet.base.count())] == ["Main", "Old terms"]
    assert sheet.edited().base == "" and sheet.base.accessibleName() == "Knowledge base"
    sheet.base.setCurrentIndex(1)
    saved = sheet.edited()
    assert (saved.base, saved.context) == ("Old terms", "passages")
    assert made_of(saved) == "Up to 4 passages of Old terms" and "Old terms" not in made_of(
        replace(saved, context="none")
    )
    sheet.context.setCurrentIndex(0)
    assert not sheet.base.isEnabled()
    compare_lanes.keep_lane(project, saved)
    assert compare_lanes.own_lanes(project)[saved.name].base == "Old terms"
    gone = sheet_of(replace(lane, base="Gone"))
    assert gone.base.currentText() == "Gone, which is deleted" and gone.edited().base == "Gone"
