"""The frame as a person meets it: pages, rail, sheets, notices, an orderly close and what comes back."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import LANES, Script, make_lane
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from workbench.errors import BadModel, Cancelled
from workbench.project import Project
from workbench.ui import compare_lanes, rail, widgets
from workbench.ui import theme as theme_module
from workbench.ui.advise_verdict import _Sentence
from workbench.ui.bench import Bench
from workbench.ui.lane_looks import follow_lanes
from workbench.ui.lane_names import lane_short, lane_title
from workbench.ui.notices import Notices, describe
from workbench.ui.page import Sheet
from workbench.ui.plain import tooltip
from workbench.ui.tables import Column, RecordModel
from workbench.ui.theme import Theme
from workbench.ui.window import FOOT, PAGES, SHORTCUTS, Window


def test_the_window_opens_on_compare_and_builds_no_other_page(window: Window) -> None:
    assert window.current_page == "compare"
    assert window.stack.count() == 1
    assert window.windowTitle() == "Kestrel Audio – Workbench"


def test_every_page_can_be_opened_from_the_rail(window: Window, qtbot: QtBot) -> None:
    for key, title, *_ in (*PAGES, *FOOT):
        qtbot.mouseClick(window.rail.buttons[key], Qt.MouseButton.LeftButton)
        assert window.current_page == key
        assert window.page(key).title == title
        assert window.rail.buttons[key].isChecked()


def test_keys_open_pages(window: Window, qtbot: QtBot) -> None:
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.current_page == "documents")
    qtbot.keyClick(window, Qt.Key.Key_F1)
    qtbot.waitUntil(lambda: window.current_page == "help")


def test_a_sheet_opens_beside_the_page_and_folds_the_rail_where_room_is_short(window: Window, qtbot: QtBot) -> None:
    sheet = Sheet("Details")
    window.bench.show_sheet(sheet)
    assert window.sheet is sheet and sheet.isVisible()
    assert window.rail.folded
    assert window.rail.buttons["documents"].accessibleName() == "Documents"
    qtbot.mouseClick(sheet.close_button, Qt.MouseButton.LeftButton)
    assert window.sheet is None
    assert not window.rail.folded


def test_a_sheet_closes_with_escape_and_with_its_page(window: Window, qtbot: QtBot) -> None:
    sheet = Sheet("Details")
    window.bench.show_sheet(sheet)
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert window.sheet is None
    window.bench.show_sheet(Sheet("Another"))
    window.open_page("documents")
    assert window.sheet is None


def test_our_error_is_one_line_and_anything_else_carries_its_details(window: Window, qtbot: QtBot) -> None:
    bar = window.notice_bar
    window.bench.notices.error(BadModel("The model is damaged: fetch it again."))
    assert bar.isVisible() and bar._text.text() == "The model is damaged: fetch it again."
    assert not bar._more.isVisible()
    try:
        raise ValueError("inner")
    except ValueError as error:
        window.bench.notices.error(error)
    assert bar._more.isVisible() and not bar._details.isVisible()
    qtbot.mouseClick(bar._more, Qt.MouseButton.LeftButton)
    assert "ValueError: inner" in bar._details.toPlainText() and bar._details.isVisible()
    qtbot.mouseClick(bar._copy, Qt.MouseButton.LeftButton)
    assert "ValueError: inner" in QApplication.clipboard().text()


def test_what_was_not_seen_comes_back_after_what_was_said_over_it(window: Window, qtbot: QtBot) -> None:
    bar, done, tell = window.notice_bar, list[str](), window.bench.notices.tell
    tell("Removed a.", action_text="Undo", action=lambda: done.append("a"))
    window.bench.notices.error(BadModel("It is damaged."))
    tell("Copied.")
    assert bar._text.text() == "Copied." and bar._others.text() == "2 more" and bar._timer.isActive()
    bar._timer.timeout.emit()
    assert bar._text.text() == "It is damaged." and not bar._timer.isActive()
    tell("Removed b.", action_text="Undo", action=lambda: done.append("b"))
    assert bar._others.text() == "1 more", "an Undo takes the place of the one before"
    window.open_page("help")
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert done == ["b"] and bar._text.text() == "It is damaged."
    qtbot.mouseClick(bar._close, Qt.MouseButton.LeftButton)
    assert not bar.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert done == ["b"]


def test_an_action_of_a_notice_can_be_taken_once(window: Window, qtbot: QtBot) -> None:
    done: list[str] = []
    window.bench.notices.tell("Removed.", action_text="Undo", action=lambda: done.append("undone"))
    qtbot.mouseClick(window.notice_bar._action, Qt.MouseButton.LeftButton)
    assert done == ["undone"] and not window.notice_bar.isVisible()


def test_what_is_said_before_the_window_exists_is_kept(qapp: QApplication) -> None:
    notices, heard = Notices(), []
    notices.tell("early")
    notices.error(Cancelled("stopped by hand"))
    notices.attach(heard.append)
    notices.tell("late")
    assert [each.message for each in heard] == ["early", "late"]


@pytest.mark.logs_errors
def test_what_nobody_caught_is_told_and_logged(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("excepthook",):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    import threading

    from PySide6.QtCore import qInstallMessageHandler

    before = qInstallMessageHandler(None)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    window.bench.notices.install_hooks()
    qInstallMessageHandler(before)
    error = RuntimeError("out of the blue")
    sys.excepthook(RuntimeError, error, None)
    assert window.notice_bar.isVisible()
    assert "out of the blue" in describe(error).details


def test_closing_while_work_goes_on_stops_it_soon(window: Window, slow_stage: Any, qtbot: QtBot) -> None:
    handle = window.bench.jobs.start("Counting", slow_stage, kind="documents")
    qtbot.waitUntil(lambda: handle.progress is not None)
    began = time.monotonic()
    window.close()
    assert time.monotonic() - began < 3
    assert handle._job is not None and handle._job.isFinished()


def test_size_and_page_come_back(open_window: Callable[[], Window], bench: Bench, qtbot: QtBot) -> None:
    first = open_window()
    first.resize(1200, 720)
    first.open_page("models")
    first.close()
    again = Bench(Project.open(bench.project.folder), bench.settings)
    second = Window(again)
    qtbot.addWidget(second)
    assert second.current_page == "models"
    assert second.height() == 720  # the screen of a test is 800 wide, and a window is never restored wider
    second.close()


def test_a_new_person_is_welcomed_without_a_rail(bench: Bench, theme: Theme, qtbot: QtBot) -> None:
    bench.change_settings(welcomed=False)
    window = Window(bench, theme)
    qtbot.addWidget(window)
    window.show()
    assert window.current_page == "welcome" and not window.rail.isVisible()
    bench.use_project(bench.project)
    window.open_page("compare")
    assert window.rail.isVisible()
    window.close()


def test_light_and_dark_switch_live(window: Window, theme: Theme) -> None:
    light = window.grab().toImage().pixelColor(300, 30)
    window.bench.change_settings(theme="dark")
    dark = window.grab().toImage().pixelColor(300, 30)
    assert light.name().upper() == theme_module.LIGHT.page and dark.name().upper() == theme_module.DARK.page
    window.bench.change_settings(theme="light")


@pytest.mark.parametrize("tokens", [theme_module.LIGHT, theme_module.DARK])
def test_texts_stand_out_from_what_is_behind_them(tokens: theme_module.Tokens) -> None:
    for ground in (tokens.page, tokens.surface, tokens.sunken, tokens.selected):
        for text in (tokens.text, tokens.muted, tokens.accent):
            assert theme_module.contrast(text, ground) >= 4.5
    for text, ground in (
        (tokens.good, tokens.good_tint),
        (tokens.warning, tokens.warning_tint),
        (tokens.bad, tokens.bad_tint),
        (tokens.on_accent, tokens.accent),
    ):
        assert theme_module.contrast(text, ground) >= 4.5
    lanes = theme_module.LANES_DARK if tokens.dark else theme_module.LANES_LIGHT
    own = theme_module.OWN_DARK if tokens.dark else theme_module.OWN_LIGHT
    for color in (*lanes.values(), *own):
        assert theme_module.contrast(color, tokens.surface) >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_lane_has_a_colour_and_a_name_of_its_own(bench: Bench, theme: Theme, script: Script, scheme: str) -> None:
    lanes = [make_lane(name) for name in ("tuned:a", "tuned:b", "tuned:c")]
    lanes += [make_lane(f"own-{n}", title=f"My lane {n}", short=f"Mine {n}") for n in range(8)]
    for lane in lanes:
        compare_lanes.keep_lane(bench.project, lane)
    follow_lanes(bench)
    names = [*LANES, *(lane.name for lane in lanes)]
    theme.choose(scheme)
    colors = {name: theme_module.lane_color(name).name() for name in names}
    assert len(set(colors.values())) == len(names)
    assert all(theme_module.contrast(each, theme_module.tokens().surface) >= 3 for each in colors.values())
    assert len({lane_title(name) for name in names}) == len(names)
    assert (lane_title("own-3"), lane_short("own-3"), lane_title("tuned:b")) == (
        "My lane 3",
        "Mine 3",
        "Fine-tuned \N{MIDDLE DOT} b",
    )
    compare_lanes.drop_lane(bench.project, "own-0")
    follow_lanes(bench)
    assert colors == {name: theme_module.lane_color(name).name() for name in names} and lane_title("own-0")[-1] == "0"


def test_every_control_has_a_name(window: Window) -> None:
    from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QPlainTextEdit

    for kind in (QAbstractButton, QComboBox, QLineEdit, QPlainTextEdit):
        for each in window.findChildren(kind):
            if each.objectName().startswith("qt_") or not each.isVisible():
                continue
            name = each.accessibleName() or getattr(each, "text", str)() or each.toolTip()
            assert name, (kind.__name__, each.parentWidget())


def test_the_keyboard_reaches_every_control_of_the_page(window: Window, qtbot: QtBot) -> None:
    seen: list[QWidget] = []
    each: QWidget = window
    for _ in range(200):
        each = each.nextInFocusChain()
        if each is window:
            break
        seen.append(each)
    page = window.page("compare")
    assert page.composer.edit in seen  # type: ignore[attr-defined]
    assert all(button in seen for button in window.rail.buttons.values())


def test_shortcuts_are_listed() -> None:
    keys = [key for key, _ in SHORTCUTS]
    assert {"Ctrl+Return", "Esc", "Ctrl+N", "Ctrl+F", "F1"} <= set(keys)


def test_the_windows_process_loads_nothing_heavy(tmp_path: Path) -> None:
    import os
    import subprocess

    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from workbench.ui.app import make_application\n"
        "from workbench.ui.theme import Theme\n"
        "from workbench.ui.bench import Bench\n"
        "from workbench.ui.window import Window\n"
        "from workbench.project import Project\n"
        "app = make_application()\n"
        "theme = Theme(app)\n"
        f"window = Window(Bench(Project.open(Path({str(tmp_path / 'p')!r}))), theme)\n"
        "window.open_page('compare'); window.show(); app.processEvents()\n"
        "heavy = 'torch transformers chromadb llama_cpp scipy pyqtgraph jinja2 sentence_transformers numpy qtawesome'\n"
        "print([name for name in heavy.split() if name in sys.modules])\n"
        "window.close()\n"
    )
    env = {**os.environ, "WORKBENCH_HOME": str(tmp_path / "home"), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_what_people_and_files_brought_is_shown_as_it_is(window: Window, bench: Bench, qtbot: QtBot) -> None:
    asked = "What does <b> do, and why R&D?"
    shown = QTextDocument()
    label = widgets.ElidedLabel(asked)
    table = RecordModel((Column("Question", str),))
    table.set_records([asked])
    qtbot.addWidget(label)
    label.resize(20, 20)
    label.show()
    for tip in (label.toolTip(), table.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)):
        shown.setHtml(tip)
        assert shown.toPlainText() == asked
    assert tooltip("a < b\nc") != "a < b\nc" and tooltip("R&D\nplain") == "R&D\nplain"
    menu = QMenu(window)
    assert [widgets.add_action(menu, "R&D", print).text(), widgets.button("R&D").text()] == ["R&&D"] * 2
    bench.project.change(name="R&D")
    window.rail.refresh()
    assert window.rail.project.text().strip() == "R&&D" and window.rail.project.accessibleName() == "Project R&D"
    bench.notices.tell("<h1>Read</h1> <a href='x'>this</a>")
    assert window.notice_bar._text.textFormat() is Qt.TextFormat.PlainText
    assert _Sentence("<b>").textFormat() is Qt.TextFormat.PlainText


def test_a_folder_with_documents_becomes_a_project_only_when_asked_for(
    window: Window, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, asked = tmp_path / "documents", list[str]()
    folder.mkdir()
    (folder / "a.md").write_text("A")
    monkeypatch.setattr(rail.QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    monkeypatch.setattr(rail, "question", lambda parent, title, text: bool(asked.append(text)))
    window.rail._on_open_clicked()
    assert len(asked) == 1 and not (folder / "project.json").exists() and bench.project.folder != folder
    (folder / "a.md").unlink()
    window.rail._on_open_clicked()
    assert len(asked) == 1 and bench.project.folder == folder
