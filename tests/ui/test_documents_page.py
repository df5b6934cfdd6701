"""The Documents page as a person uses it: choose, watch, pause, stop, look, search; and once with the real index."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from workbench.documents.document import Chunk
from workbench.events import Progress, Result, Stage, last_result
from workbench.index.files import cutting_of, left_out_of
from workbench.index.report import IndexReport
from workbench.project import Project
from workbench.retrieval.narrow import Only
from workbench.retrieval.passage import Passage, SearchResult
from workbench.ui import documents_source as source
from workbench.ui.bench import Bench
from workbench.ui.documents_page import DocumentsPage
from workbench.ui.documents_preview import repeated_length
from workbench.ui.documents_rows import ACTION, CHUNKS, FILE, FileRow, FilesModel, RowRole
from workbench.ui.documents_settings import CutSettingsDialog
from workbench.ui.documents_watch import FolderWatch
from workbench.ui.theme import Theme
from workbench.ui.words import ordinal


class Shelf:
    """A scripted index: files and chunks a test sets, a build that goes on when it is let."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[FileRow] = []
        self.changes: list[FileRow] = []
        self.missing: tuple[Path, ...] = ()
        self.chunks: tuple[Chunk, ...] = ()
        self.go = threading.Event()
        self.built = 0
        self.only: tuple[tuple[str, str], ...] = ()
        self.forgotten: list[str] = []

    def row(self, file: str, state: str = "indexed", chunks: int = 3, found: str = "Markdown") -> FileRow:
        return FileRow(file, str(self.folder), state, chunks, found, 1_790_000_000.0)

    def find_changes(self, project: Project) -> Stage:
        yield Result(source.Changes(tuple(self.changes), self.missing))

    def build(self, project: Path, folders: tuple[Path, ...], only: tuple[tuple[str, str], ...] = ()) -> Stage:
        self.built += 1
        self.only = only
        yield Progress(0, 0, "Looking through the folder", "files")
        yield Progress(1, 4, "Reading b.md", "files", 31.0, "chunks/s", 120.0)
        while not self.go.wait(0.02):
            yield Progress(1, 4, "Reading b.md", "files", 31.0, "chunks/s", 120.0)
        self.rows = [
            self.row("a.md"),
            self.row("b.md"),
            self.row("scan.pdf", "skipped", 0, "18 pages of pictures, no text"),
        ]
        self.changes = []
        yield Result(IndexReport(2, 6, ("a.md", "b.md"), (), (), 0, (), 1.0))


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shelf:
    (tmp_path / "docs").mkdir()
    made = Shelf(tmp_path / "docs")
    monkeypatch.setattr(source, "list_rows", lambda project: list(made.rows))
    monkeypatch.setattr(source, "find_changes", made.find_changes)
    monkeypatch.setattr(source, "forget", lambda project, row: made.forgotten.append(row.file))
    monkeypatch.setattr(source, "chunks_of", lambda project, row: made.chunks)
    monkeypatch.setattr("workbench.index.build.build", made.build)
    return made


@pytest.fixture
def page(bench: Bench, shelf: Shelf, qtbot: QtBot) -> Iterator[DocumentsPage]:
    made = DocumentsPage(bench)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    yield made
    shelf.go.set()
    made.watch.close()


@pytest.fixture
def filled(page: DocumentsPage, shelf: Shelf, project: Project, qtbot: QtBot) -> DocumentsPage:
    shelf.rows = [
        shelf.row("policies/warranty.md"),
        shelf.row("a.md", chunks=12),
        shelf.row("old.pdf", "skipped", 0, "The file is damaged"),
    ]
    project.change(folders=(shelf.folder,))
    page.refresh()
    qtbot.waitUntil(lambda: len(page.files.model.rows) == 3)
    return page


def names(page: DocumentsPage) -> list[str]:
    return [row.file for row in page.files.model.shown]


def test_the_table_keeps_the_rules_of_models(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    model = FilesModel()
    fatal = QAbstractItemModelTester.FailureReportingMode.Fatal
    QAbstractItemModelTester(model, fatal)
    shelf = Shelf(tmp_path)
    rows = [shelf.row("b.md", chunks=9), shelf.row("a.pdf", "skipped", 0), shelf.row("c/d.md", "changed")]
    model.show_rows(rows)
    assert [row.file for row in model.shown] == ["a.pdf", "c/d.md", "b.md"]
    model.mark_reading("b.md")
    model.sort(CHUNKS, Qt.SortOrder.DescendingOrder)
    model.put_needs_first(False)
    assert [row.file for row in model.shown] == ["b.md", "c/d.md", "a.pdf"]
    model.show_state("skipped")
    model.show_text("a")
    assert [row.file for row in model.shown] == ["a.pdf"]
    model.show_rows([])
    assert model.rowCount() == 0


def test_an_empty_project_teaches_with_one_action(page: DocumentsPage) -> None:
    assert page.stack.currentWidget() is page.empty
    assert not page.try_search.isVisible()


def test_a_dropped_folder_is_read_with_progress(page: DocumentsPage, shelf: Shelf, bench: Bench, qtbot: QtBot) -> None:
    said: list[str] = []
    bench.notices.attach(lambda notice: said.append(notice.message))
    shelf.changes = [shelf.row("a.md", "new", 0), shelf.row("b.md", "new", 0)]
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(shelf.folder))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    page.dropEvent(QDropEvent(QPointF(QPoint(9, 9)), Qt.DropAction.CopyAction, mime, buttons, keys))
    qtbot.waitUntil(lambda: page.strip.what.text() == "Reading 2 of 4")
    assert "31 chunks/s, about 2 minutes left" in page.strip.figures.full_text()
    qtbot.waitUntil(lambda: page.files.model.counts()["reading"] == 1)
    with qtbot.waitSignal(bench.index_changed):
        shelf.go.set()
    qtbot.waitUntil(lambda: names(page) == ["scan.pdf", "a.md", "b.md"])
    assert not page.strip.isVisible()
    assert said == ["2 files in 6 chunks are ready: 2 added."]
    assert bench.project.info.folders == (shelf.folder,)


def test_reading_pauses_goes_on_and_stops(filled: DocumentsPage, shelf: Shelf, qtbot: QtBot) -> None:
    page = filled
    page.index_folders()
    qtbot.waitUntil(lambda: page.strip.what.text() == "Reading 2 of 4")
    qtbot.mouseClick(page.strip.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.strip.what.text() == "Paused at 1 of 4")
    assert page.strip.pause.text() == "Resume"
    qtbot.mouseClick(page.strip.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shelf.built == 2 and page.strip.what.text() == "Reading 2 of 4")
    qtbot.mouseClick(page.strip.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not page.strip.isVisible())
    assert names(page)[0] == "old.pdf"


def test_what_needs_a_person_comes_first_and_chips_count(filled: DocumentsPage, qtbot: QtBot) -> None:
    assert names(filled) == ["old.pdf", "a.md", "policies/warranty.md"]
    assert filled.files.chips.chip("skipped").text() == "Skipped  1"
    assert not filled.files.chips.chip("changed").isVisible()
    qtbot.mouseClick(filled.files.chips.chip("skipped"), Qt.MouseButton.LeftButton)
    assert names(filled) == ["old.pdf"]
    qtbot.mouseClick(filled.files.chips.chip(""), Qt.MouseButton.LeftButton)
    qtbot.keyClicks(filled.files.find_line, "warr")
    assert names(filled) == ["policies/warranty.md"]


def test_changes_wait_for_a_click(filled: DocumentsPage, shelf: Shelf, qtbot: QtBot) -> None:
    shelf.changes = [shelf.row("a.md", "changed", 12, "Edited since it was read"), shelf.row("new.md", "new", 0)]
    filled.watch.touched.emit()
    qtbot.waitUntil(filled.changes.isVisible)
    assert filled.changes.said.text() == "In the folders since they were read: 1 new, 1 changed."
    qtbot.waitUntil(lambda: names(filled)[:3] == ["old.pdf", "a.md", "new.md"])
    assert shelf.built == 0
    qtbot.mouseClick(filled.changes.apply, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shelf.built == 1)
    assert not filled.changes.isVisible()


def test_a_few_changes_are_read_by_themselves_where_a_person_lets_them(
    filled: DocumentsPage, shelf: Shelf, bench: Bench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = source.Changes((shelf.row("a.md", "changed", 12),), small=True)

    def find_changes(base: object) -> Stage:
        yield Result(few if shelf.built == 0 else source.Changes(()))

    monkeypatch.setattr(source, "find_changes", find_changes)
    filled.folders._on_by_itself()
    assert not source.keeps_itself(bench.base)
    filled.watch.touched.emit()
    qtbot.waitUntil(filled.changes.isVisible)
    assert shelf.built == 0
    filled.folders._on_by_itself()  # it is let again, and what waits is read
    qtbot.waitUntil(lambda: shelf.built == 1)
    assert not filled.changes.isVisible()


def test_only_a_few_files_of_folders_that_were_read_are_a_small_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, folder, other = Project.open(tmp_path / "p"), tmp_path / "docs", tmp_path / "other"
    monkeypatch.setattr(source, "list_rows", lambda base: [FileRow("old.md", str(folder), "indexed")])

    def is_small(*files: Path) -> bool:
        for file in files:
            file.parent.mkdir(exist_ok=True)
            file.write_text("words")
        project.change(folders=tuple(each for each in (folder, other) if each.is_dir()))
        return bool(last_result(source.find_changes(project)).small)

    assert is_small(folder / "a.md")
    assert not is_small(other / "a.md")  # which was never read
    shutil.rmtree(other)
    assert not is_small(*(folder / f"{number}.md" for number in range(source.FEW)))


def test_a_folder_that_is_away_is_named_and_holds_up_no_other(
    filled: DocumentsPage, shelf: Shelf, tmp_path: Path, qtbot: QtBot
) -> None:
    shelf.missing = (tmp_path / "stick",)
    filled.watch.touched.emit()
    qtbot.waitUntil(filled.changes.isVisible)
    assert "stick is not there" in filled.changes.said.text() and not filled.changes.apply.isVisible()
    assert source.present((shelf.folder, tmp_path / "stick")) == (shelf.folder,)


def test_the_side_opens_as_wide_as_it_was_left(filled: DocumentsPage, qtbot: QtBot) -> None:
    filled._open_side(filled.preview)
    filled.split.moveSplitter(filled.split.width() - 300, 1)
    filled._kept_split._timer.timeout.emit()
    left = filled.split.sizes()[1]
    filled._on_side_closed()
    filled._open_side(filled.search)
    assert filled.split.sizes()[1] == left != 368


def test_retry_of_a_skipped_file_reads_it_again(filled: DocumentsPage, shelf: Shelf, qtbot: QtBot) -> None:
    index = filled.files.model.index(0, ACTION)
    assert index.data() == "Retry"
    filled.files.view.clicked.emit(index)
    qtbot.waitUntil(lambda: shelf.built == 1)
    assert shelf.forgotten == ["old.pdf"] and shelf.only == ((str(shelf.folder), "old.pdf"),), "that file alone"


def test_a_file_of_a_type_without_text_offers_nothing_for_no_retry_would_read_it(
    filled: DocumentsPage, shelf: Shelf, qtbot: QtBot
) -> None:
    shelf.rows = [shelf.row("a.md"), shelf.row("photo.PNG", "skipped", 0, "Files of the type .png hold no text")]
    filled.refresh()
    qtbot.waitUntil(lambda: names(filled) == ["photo.PNG", "a.md"])
    index = filled.files.model.index(0, ACTION)
    assert index.data() == "" and filled.files.view.isColumnHidden(ACTION)
    filled.files.view.clicked.emit(index)
    assert shelf.built == 0 and filled.preview.isVisible() and filled.preview.name.full_text() == "photo.PNG"
    shelf.rows.append(shelf.row("letter.doc", "skipped", 0, "Read only where LibreOffice is installed"))
    filled.refresh()
    qtbot.waitUntil(lambda: not filled.files.view.isColumnHidden(ACTION))


def chunk(number: int, start: int, text: str) -> Chunk:
    return Chunk(f"c{number}", "a.md", "p. 1", text, start, start + len(text), number, 12)


def test_a_row_shows_its_chunks_with_the_repeated_part(filled: DocumentsPage, shelf: Shelf, qtbot: QtBot) -> None:
    shelf.chunks = (chunk(0, 0, "Keep the receipt."), chunk(1, 9, "receipt. Returns\nare open <b>30</b> days."))
    assert repeated_length(shelf.chunks[1], shelf.chunks[0]) == 8
    filled.files.view.setFocus()
    filled.files.view.setCurrentIndex(filled.files.model.index(1, FILE))
    assert filled.preview.isVisible() and filled.preview.name.full_text() == "a.md"
    qtbot.waitUntil(filled.preview.text.isVisible)
    shown = filled.preview.text.toPlainText()
    assert "<b>30</b>" in shown, "a document's own markup stays text"
    assert "2 chunks" in filled.preview.caption.text()
    qtbot.mouseClick(filled.preview.close_panel, Qt.MouseButton.LeftButton)
    assert not filled.side.isVisible()


def test_a_book_of_chunks_is_shown_in_parts(filled: DocumentsPage, shelf: Shelf, qtbot: QtBot) -> None:
    shelf.chunks = tuple(chunk(number, number * 10, f"word{number:03d} ") for number in range(200))
    filled.show_chunk("a.md", "")
    preview = filled.preview
    qtbot.waitUntil(lambda: preview.more.text() == "160 more below")
    assert not preview.earlier.isVisible() and "word039" in preview.text.toPlainText()
    qtbot.mouseClick(preview.more, Qt.MouseButton.LeftButton)
    assert "word079" in preview.text.toPlainText() and "word080" not in preview.text.toPlainText()
    filled.show_chunk("a.md", "c150")
    qtbot.waitUntil(lambda: preview.earlier.text() == "146 more above")
    assert preview.text.cursorForPosition(QPoint(5, 5)).block().text().startswith("151")
    qtbot.mouseClick(preview.earlier, Qt.MouseButton.LeftButton)
    text = preview.text.toPlainText()
    assert text.index("word106") < text.index("word146") < text.index("word185") and "word105" not in text


def test_a_chosen_row_is_not_opened_again_when_the_list_is_read_again(
    filled: DocumentsPage, shelf: Shelf, qtbot: QtBot
) -> None:
    filled.files.view.setFocus()
    opened: list[FileRow] = []
    filled.files.chosen.connect(opened.append)
    filled.files.view.setCurrentIndex(filled.files.model.index(1, FILE))
    shelf.rows.append(shelf.row("0.md"))
    with qtbot.waitSignal(filled.reading.listed):
        filled.refresh()
    qtbot.waitUntil(lambda: filled.files.model.rowCount() == 4)
    assert [row.file for row in opened] == ["a.md"]
    current = filled.files.current()
    assert current is not None and current.file == "a.md"


def test_a_search_shows_both_places(
    filled: DocumentsPage, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    found = Passage(
        "c1",
        "a.md",
        "p. 2",
        "Drivers are covered for 36 months.",
        0.9,
        vector_rank=1,
        keyword_rank=None,
        similarity=0.81,
        token_rank=3,
        same_in=("old/a.md, p. 3",),
        newer_than="a-2023.md",
    )

    asked = []

    def search(project: Path, questions: tuple[str, ...], k: int, only: Only) -> Stage:
        asked.append(only)
        passages = () if questions[0] == "nothing" else (found,)
        yield Result(SearchResult(questions[0], passages, 0.04, fits="warranty" in questions[0]))

    monkeypatch.setattr("workbench.retrieval.search.search", search)
    filled.shown(search="How long is the warranty?")
    qtbot.waitUntil(lambda: filled.search._found.count() == 2)
    row = filled.search._found.itemAt(0).widget()
    said = "1. a.md p. 2, meaning 1st, words \N{EN DASH}, similarity 0.81, word by word 3rd"
    said += ". Put before the older edition, a-2023.md. Nearly the same stands in old/a.md, p. 3"
    assert row is not None and row.accessibleName() == said
    filled.search.question.setText("nothing")
    qtbot.keyClick(filled.search.question, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: filled.search.caption.text().startswith("No passage was found"))
    filled.search.question.setText("Which colour is the moon?")
    qtbot.keyClick(filled.search.question, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: filled.search.caption.text().startswith("Nothing in your documents seems"))
    kept_to = filled.search.filter
    kept_to.place.setText("policies")
    qtbot.keyClick(kept_to.place, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(asked) == 4)
    assert asked[0] == Only() and asked[-1] == Only(("policies",))
    types = [kept_to.kind.itemData(place) for place in range(kept_to.kind.count())]
    assert types[0] == "" and "md" in types  # of the files there are
    qtbot.keyClick(kept_to.kind, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: len(asked) == 5)  # a search that is let go of may begin after the next one
    qtbot.keyClick(kept_to.since, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: len(asked) == 6)
    assert asked[-1].types == (types[1],) and 6.9 < (time.time() - asked[-1].since) / 86_400 < 7.1
    assert [ordinal(each) for each in (1, 2, 3, 11, 22, None)] == ["1st", "2nd", "3rd", "11th", "22nd", "\N{EN DASH}"]


def test_settings_apply_only_on_the_button_that_says_the_cost(
    filled: DocumentsPage, project: Project, qtbot: QtBot
) -> None:
    dialog = CutSettingsDialog(project, filled.files.model.rows)
    qtbot.addWidget(dialog)
    assert not dialog.apply.isEnabled()
    dialog.size_box.setValue(96)
    assert dialog.apply.text() == "Read 2 files again" and "2 files are read again" in dialog.cost.text()
    assert "cutting" not in project.info.options
    dialog.apply.click()
    assert cutting_of(project).size == 96
    assert "96 tokens" in source.settings_line(project)


def test_what_is_left_out_is_written_as_in_gitignore(filled: DocumentsPage, project: Project, qtbot: QtBot) -> None:
    dialog = CutSettingsDialog(project, filled.files.model.rows)
    qtbot.addWidget(dialog)
    dialog.patterns.setPlainText("!")
    assert not dialog.apply.isEnabled() and "cannot be used" in dialog.cost.text()
    dialog.patterns.setPlainText("*.log\ndrafts/")
    dialog.hidden.setChecked(True)
    assert dialog.apply.text() == "Use these" and dialog.cost.text().startswith("Only what comes or goes")
    dialog.apply.click()
    kept = left_out_of(project)
    assert (kept.patterns, kept.hidden, kept.folders) == (("*.log", "drafts/"), False, (project.folder,))
    assert "cutting" not in project.info.options


def test_the_date_goes_first_where_room_is_short(filled: DocumentsPage, qtbot: QtBot) -> None:
    from workbench.ui.documents_rows import EDITED

    assert not filled.files.view.isColumnHidden(EDITED)
    filled.resize(760, 700)
    qtbot.waitUntil(lambda: filled.files.view.isColumnHidden(EDITED))


def test_a_change_in_a_folder_is_heard(qtbot: QtBot, tmp_path: Path) -> None:
    watch = FolderWatch()
    watch.watch((tmp_path,))
    with qtbot.waitSignal(watch.touched, timeout=10_000):
        (tmp_path / "new.md").write_text("x")
    watch.close()
    watch.close()


@pytest.mark.slow
def test_a_real_folder_is_read_searched_and_brought_level(bench: Bench, tmp_path: Path, qtbot: QtBot) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    (folder / "warranty.md").write_text("# Warranty\n\nThe X2 has a warranty of 36 months.\n")
    (folder / "empty.txt").write_text("")
    page = DocumentsPage(bench)
    qtbot.addWidget(page)
    page.show()
    with qtbot.waitSignal(bench.index_changed, timeout=120_000):
        page.add_folders([folder])
    qtbot.waitUntil(lambda: names(page) == ["empty.txt", "warranty.md"])
    page.shown(file="warranty.md")
    qtbot.waitUntil(lambda: "36 months" in page.preview.text.toPlainText())
    page.shown(search="How long is the warranty of the X2?")
    qtbot.waitUntil(lambda: page.search._found.count() == 2, timeout=60_000)
    (folder / "returns.md").write_text("# Returns\n\nThirty days.\n")  # it is read without a click
    qtbot.waitUntil(lambda: page.files.model.counts()["indexed"] == 2, timeout=60_000)
    page.watch.close()


def test_rows_of_one_state_are_replaced_in_place(filled: DocumentsPage, shelf: Shelf, qtbot: QtBot) -> None:
    shelf.rows = [replace(row, chunks=99) for row in shelf.rows]
    filled.files.view.setCurrentIndex(filled.files.model.index(1, FILE))

    def current() -> Any:
        return filled.files.view.currentIndex().data(RowRole)

    with qtbot.assertNotEmitted(filled.files.model.modelReset):
        filled.refresh()  # an earlier look that ends only now may be shown first
        qtbot.waitUntil(lambda: current().chunks == 99, timeout=5000)
    assert current().file == "a.md"
