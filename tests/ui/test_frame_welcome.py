"""The first minute: the welcome page, the sample in one click, a folder of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Script
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from workbench import paths, records
from workbench.project import Project
from workbench.sample import make_sample_project, sample_files, sample_questions
from workbench.ui.bench import Bench
from workbench.ui.compare_empty import questions_to_try
from workbench.ui.compare_page import ComparePage
from workbench.ui.compare_text import AnswerText
from workbench.ui.theme import Theme
from workbench.ui.welcome_example import read_record
from workbench.ui.welcome_page import WelcomePage, project_for
from workbench.ui.window import Window


@pytest.fixture
def asked_to_index(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Indexing is only counted here: other tests index for real."""
    found: list[Path] = []
    monkeypatch.setattr(Window, "_on_index_requested", lambda self: found.append(self.bench.project.folder))
    return found


@pytest.fixture
def first_window(
    bench: Bench, theme: Theme, script: Script, asked_to_index: list[Path], qtbot: QtBot
) -> Iterator[Window]:
    bench.change_settings(welcomed=False)
    window = Window(bench, theme)
    qtbot.addWidget(window)
    window.resize(1440, 900)
    window.show()
    yield window
    window.close()


def welcome(window: Window) -> WelcomePage:
    page = window.page("welcome")
    assert isinstance(page, WelcomePage)
    return page


def test_the_sample_is_one_click_away(first_window: Window, asked_to_index: list[Path], qtbot: QtBot) -> None:
    assert not welcome(first_window).back.isVisible()
    qtbot.mouseClick(welcome(first_window).sample, Qt.MouseButton.LeftButton)
    bench = first_window.bench
    assert bench.project.info.folders == (bench.project.folder / "documents",)
    assert asked_to_index == [bench.project.folder]
    assert first_window.current_page == "compare" and first_window.rail.isVisible()
    for leave in (lambda page: page.back.click(), lambda page: qtbot.keyClick(page, Qt.Key.Key_Escape)):
        first_window.open_page("welcome")
        page = welcome(first_window)
        assert page.back.isVisible() and page.back.text() == f"Back to {bench.project.info.name}"
        leave(page)
        assert first_window.current_page == "compare"
    page = first_window.page("compare")
    assert isinstance(page, ComparePage) and questions_to_try(page.bench) == sample_questions()[:3]
    assert bench.settings.welcomed and bench.settings.last_project == str(bench.project.folder)


def test_a_folder_of_ones_own_becomes_a_project(first_window: Window, tmp_path: Path) -> None:
    folder = tmp_path / "My papers"
    folder.mkdir()
    welcome(first_window).open_folder(folder)
    assert first_window.bench.project.info.folders == (folder,)
    assert first_window.bench.project.info.name == "My papers"
    assert first_window.current_page == "documents"


def test_the_same_folder_opens_the_same_project_and_another_one_its_own(project: Project, tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "papers", tmp_path / "b" / "papers"
    assert project_for(first).folder == project_for(first).folder
    assert project_for(second).folder != project_for(first).folder


def test_recorded_answers_are_shown_as_they_were_given(
    bench: Bench, theme: Theme, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "resources").mkdir()
    answers = [{"lane": "base", "text": "word " * 200, "figures": "first 0.1 s", "passages": 0}] * 2
    told: dict[str, Any] = {"question": "How long?", "answers": answers, "note": "recorded"}
    records.write_json(tmp_path / "resources" / "welcome.json", told)
    monkeypatch.setattr(paths, "resources", lambda: tmp_path / "resources")
    assert read_record() is not None
    page = WelcomePage(bench)
    qtbot.addWidget(page)
    texts = page.example.findChildren(AnswerText)
    assert [text.plain()[:9] for text in texts] == ["word word"] * 2 and texts[0].plain().endswith("…")
    assert "How long?" in [label.text() for label in page.example.findChildren(QLabel)]


@pytest.mark.parametrize("content", [None, "{}", '{"question": "a", "answers": [{"lane": "base"}]}', "[1"])
def test_without_a_record_each_lane_is_explained_in_its_place(
    bench: Bench, theme: Theme, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "welcome.json").write_text(content, encoding="utf-8")
    monkeypatch.setattr(paths, "resources", lambda: tmp_path)
    page = WelcomePage(bench)
    qtbot.addWidget(page)
    page.resize(1280, 800)
    page.show()
    shown = {label.text() for label in page.example.findChildren(QLabel)}
    assert {"Base", "Documents (RAG)", "Fine-tuned", "Fine-tuned + documents"} <= shown
    assert page.example.isVisible() and page.example.width() >= 440
    page.resize(900, 700)
    assert not page.example.isVisible()


def test_the_sample_is_made_once_and_keeps_what_a_person_changed(tmp_path: Path) -> None:
    project = make_sample_project(tmp_path / "sample")
    files = sample_files(project)
    assert files.documents.is_dir() and files.suite.is_file() and all(path.is_file() for path in files.datasets)
    files.suite.write_text("changed", encoding="utf-8")
    project.change(system_prompt="mine")
    again = make_sample_project(tmp_path / "sample")
    assert files.suite.read_text(encoding="utf-8") == "changed" and again.info.system_prompt == "mine"
