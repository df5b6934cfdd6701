"""What holds on every page: names for screen readers, Tab in reading order, visible focus, any scale and side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Script
from full_window import controls, describe, each_page, fill, name_of, out_of_order, reachable, show_documents, tab_stops
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from workbench.project import Project
from workbench.ui.bench import Bench
from workbench.ui.reading_order import stops_in
from workbench.ui.theme import Theme
from workbench.ui.window import FOOT, PAGES, SHORTCUTS, Window

NAMES = [each[0] for each in (*PAGES, *FOOT)]


@pytest.fixture
def full(
    project: Project, bench: Bench, theme: Theme, script: Script, tmp_path: Path, qtbot: QtBot
) -> Iterator[Window]:
    """A window with something on every page."""
    fill(project, tmp_path / "docs")
    window = Window(bench, theme)
    window.resize(1440, 900)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.open_page("compare", {"question": "How long is the warranty?", "ask": True})
    page: Any = window.page("compare")
    qtbot.waitUntil(lambda: not page.asking.busy)
    window.open_page("documents")
    qtbot.waitUntil(lambda: not bench.jobs.running())
    show_documents(window, tmp_path / "docs")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    yield window
    qtbot.waitUntil(lambda: not bench.jobs.running())
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_every_control_of_every_page_has_a_name(full: Window) -> None:
    nameless = {}
    for name, page in each_page(full):
        nameless[name] = [describe(each) for each in controls(page) if not name_of(each).strip()]
    nameless["frame"] = [
        describe(each) for each in controls(full.rail) + controls(full.notice_bar) if not name_of(each)
    ]
    assert not any(nameless.values()), nameless


@pytest.mark.parametrize("name", NAMES)
def test_tab_goes_through_a_page_in_reading_order(name: str, full: Window) -> None:
    full.open_page(name)
    QApplication.processEvents()
    page = full.page(name)
    assert out_of_order(full, page) == []
    missed = set(reachable(page)) - set(tab_stops(full, page))
    assert not missed, [describe(each) for each in missed]


def test_tab_goes_down_the_rail(full: Window) -> None:
    assert out_of_order(full, full.rail) == []


def test_focus_can_be_seen_on_every_control(full: Window, qtbot: QtBot) -> None:
    """A control looks different with the keyboard on it than without."""
    unseen = []
    for name, page in each_page(full):
        for each in stops_in(page):
            page.setFocus()
            QApplication.processEvents()
            before = looks(each)
            each.setFocus(Qt.FocusReason.TabFocusReason)
            if each.hasFocus() and looks(each) == before:
                unseen.append(f"{name}: {describe(each)}")
    assert unseen == []


def looks(widget: QWidget) -> bytes:
    """The pixels of a control and of what holds it: some show the focus on the box around them."""
    QApplication.processEvents()
    frame = widget.parentWidget() if widget.parentWidget() is not None else widget
    image = frame.grab().toImage()
    return bytes(image.constBits())


def test_f6_goes_from_rail_to_page_to_sheet(full: Window, qtbot: QtBot) -> None:
    from workbench.ui.page import Sheet

    full.open_page("settings")
    sheet = Sheet("Details")
    full.bench.show_sheet(sheet)
    parts = {"rail": full.rail, "page": full.page("settings"), "sheet": sheet}
    visited = []
    for _ in range(3):
        before = full.focusWidget()
        qtbot.keyClick(full, Qt.Key.Key_F6)
        qtbot.waitUntil(lambda before=before: full.focusWidget() not in (None, before))
        visited.append(next(name for name, part in parts.items() if part.isAncestorOf(full.focusWidget())))
    assert sorted(visited) == ["page", "rail", "sheet"]


@pytest.mark.parametrize(("keys", "page"), [(f"Ctrl+{place + 1}", name) for place, name in enumerate(NAMES[:7])])
def test_the_number_keys_open_the_pages(keys: str, page: str, full: Window, qtbot: QtBot) -> None:
    full.open_page("help")
    qtbot.keyClick(full, Qt.Key.Key_0 + int(keys[-1]), Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: full.current_page == page)


@pytest.mark.parametrize("name", ["documents", "settings"])
def test_ctrl_f_searches_on_the_page(name: str, full: Window, qtbot: QtBot) -> None:
    full.open_page(name)
    page: Any = full.page(name)
    field = page.search if name == "settings" else page.files.find_line
    qtbot.keyClick(full, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(field.hasFocus)


def test_every_shortcut_is_listed_in_help(full: Window) -> None:
    from PySide6.QtWidgets import QLabel

    full.open_page("help")
    shown = {each.text() for each in full.page("help").findChildren(QLabel)}
    assert {keys for keys, _ in SHORTCUTS} <= shown


class _Shown(QObject):
    """Hears of whatever is shown as a window of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.windows: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.windows.append(describe(watched))
        return False


def test_no_part_of_a_page_flashes_up_as_a_window_of_its_own(
    project: Project, bench: Bench, theme: Theme, script: Script, tmp_path: Path, qapp: QApplication, qtbot: QtBot
) -> None:
    """A widget that is shown before it stands in its page is a window for a moment, and takes the keyboard away."""
    fill(project, tmp_path / "docs")
    shown = _Shown()
    window = Window(bench, theme)
    window.show()
    qapp.installEventFilter(shown)
    for _ in each_page(window):
        pass
    qapp.removeEventFilter(shown)
    qtbot.waitUntil(lambda: not bench.jobs.running())
    window.close()
    assert shown.windows == []


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_pages_fit_the_smallest_window_at_double_size(
    direction: Qt.LayoutDirection, full: Window, theme: Theme, qapp: QApplication
) -> None:
    """Nothing is pushed out of the window: a page needs no more room than there is."""
    qapp.setLayoutDirection(direction)
    full.bench.change_settings(text_scale=2.0)
    try:
        full.resize(1280, 800)
        too_wide = {}
        page: Any
        for name, page in each_page(full):
            head = page.header.layout().minimumSize().width()
            if head > page.width():
                too_wide[f"{name}, header"] = (head, describe(page.header))
            if page.minimumSizeHint().width() > 1280 - full.rail.width() or full.width() > 1280:
                parts = [each for each in page.findChildren(QWidget) if each.isVisible()]
                widest = max(parts, key=lambda part: part.minimumSizeHint().width() if not part.layout() else 0)
                too_wide[name] = (page.minimumSizeHint().width(), describe(widest))
        assert too_wide == {}
    finally:
        qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        full.bench.change_settings(text_scale=1.0)
