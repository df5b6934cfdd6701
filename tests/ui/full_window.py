"""A window on a project with something on every page, for tests that walk through all of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from made_up_project import make_evaluation, make_run, make_suite
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTextEdit,
    QWidget,
)

from workbench.documents.document import Chunk
from workbench.project import Project
from workbench.ui.documents_rows import STATES, FileRow
from workbench.ui.window import FOOT, PAGES, Window

CONTROLS = (
    *(QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit, QAbstractItemView),
    QAbstractSlider,
)


def fill(project: Project, folder: Path) -> None:
    """A suite, a run over it, a fine-tune and a folder of documents."""
    folder.mkdir(exist_ok=True)
    project.change(folders=(folder,))
    make_evaluation(project, make_suite(project), "first", "2026-11-20T21:00:00")
    make_run(project)


def show_documents(window: Window, folder: Path) -> None:
    """A row in every state, and the preview of one."""
    page: Any = window.page("documents")
    row = FileRow("a/warranty.pdf", str(folder), "indexed", 9, "PDF, Warranty", 1_790_000_000.0)
    rows = [FileRow(f"{state}.md", str(folder), state, 3, "Markdown", 1_790_000_000.0) for state in STATES]
    page.files.show_rows([row, *rows])
    page.preview.show_row(row)
    chunks = [
        Chunk(f"c{n}", row.file, "p. 1", f"Chunk {n} of the warranty.", n * 20, n * 20 + 25, n, 12) for n in range(60)
    ]
    page.preview._on_fetched(row, chunks, "")
    page._open_side(page.preview)


def each_page(window: Window) -> Iterator[tuple[str, QWidget]]:
    """Every page in front, once, as it stands when it has settled."""
    for name, *_ in (*PAGES, *FOOT):
        window.open_page(name)
        limit = time.monotonic() + 20
        while window.bench.jobs.running() and time.monotonic() < limit:
            QTest.qWait(10)  # what a page reads in the background changes what stands on it
        for _ in range(4):
            QApplication.processEvents()
        yield name, window.page(name)


def controls(part: QWidget) -> list[QWidget]:
    """What a person can use with the keyboard or a screen reader, without the insides of Qt's own widgets."""
    found = []
    for each in part.findChildren(QWidget):
        inner = isinstance(each, (QScrollBar, QHeaderView)) or each.objectName().startswith("qt_")
        inner = inner or isinstance(each.parentWidget(), (QAbstractSpinBox, QComboBox, QAbstractItemView, QLineEdit))
        inner = inner or "PrivateContainer" in each.parentWidget().metaObject().className()
        if isinstance(each, CONTROLS) and not inner and each.isVisibleTo(part):
            found.append(each)
    return found


def name_of(widget: QWidget) -> str:
    """What a screen reader would call it."""
    text = getattr(widget, "text", None)
    return widget.accessibleName() or (text() if isinstance(widget, QAbstractButton) and callable(text) else "")


def tab_stops(window: Window, page: QWidget) -> list[QWidget]:
    """Where Tab comes to on a page, in its order, by pressing it until it leaves."""
    found: list[QWidget] = []
    page.setFocus()
    for _ in range(400):
        QTest.keyClick(window.focusWidget() or page, Qt.Key.Key_Tab)
        focus = window.focusWidget()
        if focus is None or not page.isAncestorOf(focus) or focus in found[:-1]:
            break
        if focus not in found:  # a text with links has Tab go through these first
            found.append(focus)
    return found


def reachable(page: QWidget) -> list[QWidget]:
    """Everything on a page that can take the keyboard now."""
    found = []
    for each in page.findChildren(QWidget):
        takes = bool(each.focusPolicy() & Qt.FocusPolicy.TabFocus) and each.focusProxy() is None
        if takes and each.isVisible() and each.isEnabled() and not each.isWindow():
            found.append(each)
    return found


def place_of(widget: QWidget, page: QWidget) -> QRect:
    return QRect(widget.mapTo(page, QPoint(0, 0)), widget.size())


def out_of_order(window: Window, page: QWidget) -> list[str]:
    """Steps of Tab that go against reading: up without going right, or left on the same line."""
    wrong = []
    stops = tab_stops(window, page)
    mirrored = page.isRightToLeft()
    for before, after in zip(stops, stops[1:], strict=False):
        a, b = place_of(before, page), place_of(after, page)
        onward = b.right() < a.left() + 4 if mirrored else b.left() > a.right() - 4
        backward = b.left() > a.right() if mirrored else b.right() < a.left()
        up = b.bottom() <= a.top() + 2 and not onward
        same_line = b.top() < a.bottom() and a.top() < b.bottom()
        if up or (backward and same_line):
            wrong.append(f"{describe(before)} -> {describe(after)}")
    return wrong


def describe(widget: QWidget) -> str:
    return f"{type(widget).__name__} {name_of(widget)!r}"
