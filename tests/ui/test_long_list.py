"""A folder of 10,000 files: listed, compared with the disk, filtered, sorted and scrolled without a stall.

Stalls are counted as far as this process worked in them: what other programs take of a busy machine is not ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from workbench.documents import readers
from workbench.index.keywords import FileRow, Keywords
from workbench.project import Project
from workbench.ui.bench import Bench
from workbench.ui.bench_ui import Heart
from workbench.ui.documents_rows import FOUND
from workbench.ui.theme import Theme
from workbench.ui.window import Window

pytestmark = pytest.mark.slow

FILES, KNOWN = 10_000, 6_000
LONGEST_MS = 50.0
TRIES = 8


@pytest.fixture
def project_of_thousands(project: Project, tmp_path: Path) -> Project:
    """A folder of 10,000 files, of which the index knows 6,000."""
    folder = tmp_path / "thousands"
    with Keywords(project.index_folder, write=True) as index:
        for number in range(FILES):
            path = folder / f"{number // 250:02d}" / f"note-{number:05d}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"# Note {number}\n")
            if number < KNOWN:
                found = path.stat()
                row = FileRow(
                    str(folder), f"{number // 250:02d}/{path.name}", "skipped", found.st_size, found.st_mtime_ns
                )
                index.commit_file(row_as_read(row), None, ())
    project.change(folders=(folder,))
    return project


def row_as_read(row: FileRow) -> FileRow:
    from dataclasses import replace

    return replace(row, hash="0" * 64, reason="the file is empty", read_with=readers.VERSION)


@pytest.fixture
def page(project_of_thousands: Project, bench: Bench, theme: Theme) -> Iterator[Any]:
    window = Window(bench, theme)
    window.resize(1440, 900)
    window.show()
    yield window.page("documents")
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_ten_thousand_files_do_not_hold_up_the_window(page: Any, bench: Bench, qtbot: QtBot) -> None:
    window = page.window()
    window.open_page("documents")  # opening a page for the first time builds it, which is measured elsewhere
    qtbot.wait(200)
    heart, stalls = Heart(), dict[str, float]()

    def during(name: str, do: Callable[[], object], there: Callable[[], bool]) -> None:
        heart.begin()
        do()
        qtbot.waitUntil(there, timeout=120_000)
        qtbot.wait(150)
        stalls[name] = min(stalls.get(name, math.inf), round(max(heart.ours), 1))

    def listed() -> bool:
        return page.files.model.rowCount() == FILES and not bench.jobs.running()

    for _ in range(TRIES):  # the window's own work takes as long every time
        during("list and scan", page.reload, listed)
        during("list again", page.refresh, listed)
        during("filter", lambda: page.files.find_line.setText("note-00"), lambda: page.files.model.rowCount() == 1000)
        during("filter off", page.files.find_line.clear, listed)
        during("one state", lambda: page.files.show_state("new"), lambda: page.files.model.rowCount() == FILES - KNOWN)
        during("all states", lambda: page.files.show_state(""), listed)
        during("sort", lambda: page.files.view.sortByColumn(FOUND, Qt.SortOrder.DescendingOrder), listed)
        during("scroll", lambda: page.files.view.scrollToBottom(), listed)
        assert page.files.model.counts() == {"skipped": KNOWN, "new": FILES - KNOWN}
        if max(stalls.values()) <= LONGEST_MS:
            break
    assert max(stalls.values()) <= LONGEST_MS, stalls
