"""The way back to a project: those opened last come first, wherever they lie, and one that is gone is not made anew."""

from __future__ import annotations

import shutil
from pathlib import Path

from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from workbench import records, settings
from workbench.project import Project
from workbench.ui.bench import Bench
from workbench.ui.recent_projects import fill_menu
from workbench.ui.welcome_page import WelcomePage
from workbench.ui.window import Window

GONE = "Take those not found off this list"


def entries(menu: QMenu) -> list[tuple[str, bool]]:
    return [(each.text(), each.isEnabled()) for each in menu.actions()]


def filled(bench: Bench) -> QMenu:
    menu = QMenu()
    fill_menu(menu, bench)
    return menu


def click(menu: QMenu, text: str) -> None:
    next(each for each in menu.actions() if each.text() == text).trigger()


def test_the_last_ten_come_newest_first_and_before_those_beside(bench: Bench, tmp_path: Path) -> None:
    first = bench.project.folder
    Project.open(tmp_path / "Beside")
    for number in range(4):
        bench.open_project(tmp_path / f"place {number}" / f"Project {number}")
    bench.open_project(first)
    bench.project.change(name="R&D")
    bench.open_project(tmp_path / "place 1" / "Project 1")
    assert entries(filled(bench)) == [(each, True) for each in ("R&&D", "Project 3", "Project 2", "Project 0")]
    bench.open_project(first)
    names = ["Project 1", "Project 3", "Project 2", "Project 0", "Beside"]
    assert entries(filled(bench)) == [(each, True) for each in names]
    for number in range(12):
        bench.open_project(tmp_path / "many" / f"m{number}")
    kept = settings.load_settings().recent_projects
    assert len(kept) == 10 and kept[0] == str(tmp_path / "many" / "m11") and str(first) not in kept
    assert settings.load_settings().last_project == kept[0]


def test_one_that_is_gone_is_grey_and_can_be_taken_off(bench: Bench, tmp_path: Path, window: Window) -> None:
    first, gone = bench.project.folder, tmp_path / "stick" / "Gone"
    bench.open_project(gone)
    bench.open_project(first)
    menu = filled(bench)
    shutil.rmtree(gone)
    click(menu, "Gone")
    assert bench.project.folder == first and not gone.exists(), "it would be made anew, and empty"
    assert f"{gone} is not there" in window.notice_bar._text.text()
    menu = filled(bench)
    assert entries(menu) == [("Gone, not found", False), (GONE, True)]
    click(menu, GONE)
    assert entries(filled(bench)) == [] and settings.load_settings().recent_projects == (str(first),)


def test_projects_of_the_same_name_say_where_they_lie(bench: Bench, tmp_path: Path) -> None:
    first = bench.project.folder
    for place in ("work", "home"):
        bench.open_project(tmp_path / place / "Notes")
    bench.open_project(first)
    assert [text for text, _ in entries(filled(bench))] == ["Notes – home", "Notes – work"]


def test_rail_and_welcome_offer_them(window: Window, bench: Bench, tmp_path: Path, qtbot: QtBot) -> None:
    first, other = bench.project.folder, tmp_path / "elsewhere" / "Other"
    bench.open_project(first)
    page = window.page("welcome")
    assert isinstance(page, WelcomePage)
    window.open_page("welcome")
    assert page.recent.isHidden(), "there is no other project yet"
    bench.open_project(other)
    window.rail._menu.aboutToShow.emit()
    click(window.rail._menu, first.name)
    assert bench.project.folder == first
    window.open_page("welcome")
    assert page.recent.isVisible()
    page.recent_menu.aboutToShow.emit()
    click(page.recent_menu, "Other")
    assert bench.project.folder == other and window.current_page == "compare"


def test_a_damaged_list_costs_no_other_preference(bench: Bench) -> None:
    bench.change_settings(theme="dark")
    plain = records.read_json(settings.settings_file())
    for damaged in ([1, None, "", "/a", "/a"], ["/b"] * 40):
        records.write_json(settings.settings_file(), {**plain, "recent_projects": damaged})
        found = settings.load_settings()
        assert found.theme == "dark" and found.recent_projects in (("/a",), ("/b",))
