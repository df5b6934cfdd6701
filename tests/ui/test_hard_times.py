"""What goes wrong around the window: closed mid-work, opened twice, a project that is newer, away or read-only."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from workbench import records, settings
from workbench.errors import BadProject, WorkbenchError
from workbench.index.files import list_files
from workbench.index.keywords import FILE_NAME
from workbench.project import FORMAT, Project
from workbench.ui import app, widgets
from workbench.ui.bench import Bench
from workbench.ui.notices import Notice
from workbench.ui.recent_projects import open_or_tell
from workbench.ui.theme import Theme
from workbench.ui.window import FOOT, PAGES, Window

LONG = 240_000
NAMES = (
    "عقد الضمان.md",
    "מדריך למשתמש.md",
    "保证书.md",
    "取扱説明書 (第2版).md",
    "사용 설명서.md",
    "naïve – “quoted” & 100 %.md",
    "🎧 headphones.md",
    "two\nlines.md",
    "a" * 120 + ".md",
)


@pytest.fixture
def make_window(theme: Theme) -> Iterator[Any]:
    """Opens windows with children of their own and closes those a test left open."""
    opened: list[Window] = []

    def make(project: Project) -> tuple[Window, list[Notice]]:
        window, said = Window(Bench(project, settings.load_settings()), theme), list[Notice]()
        window.bench.notices.said.connect(said.append)
        window.resize(1280, 800)
        window.show()
        opened.append(window)
        return window, said

    yield make
    for window in opened:
        window.close()
        window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def papers(tmp_path: Path, project: Project) -> Path:
    made = tmp_path / "papers"
    made.mkdir()
    for number in range(24):
        text = "\n\n".join(
            f"Device {number}-{part} hums at {number * part} hertz when it is warm." for part in range(60)
        )
        (made / f"paper-{number:02d}.md").write_text(f"# Paper {number}\n\n{text}\n")
    project.change(folders=(made,))
    return made


def reading(window: Window) -> Any:
    """Start reading and come back once files are coming in."""
    window.open_page("documents")
    window.page("documents").index_folders()  # type: ignore[attr-defined]
    return window.bench.jobs.running("documents")[0]


def no_surprise(said: list[Notice]) -> None:
    """A notice with a traceback is a fault nobody thought of."""
    assert not any(each.message.startswith("Something unexpected") for each in said), [each.details for each in said]


@pytest.mark.slow
def test_closing_the_window_while_it_reads_and_answers_loses_nothing(
    make_window: Any, project: Project, papers: Path, qtbot: QtBot
) -> None:
    window, _ = make_window(project)
    handle = reading(window)
    window.open_page("compare", {"lanes": ("base",), "question": "Write a long story.", "ask": True})
    page: Any = window.page("compare")
    qtbot.waitUntil(lambda: bool(page.talk.turns[-1].answers["base"].text), timeout=LONG)
    qtbot.waitUntil(
        lambda: handle.progress is not None and handle.progress.done > 0 or not handle.running, timeout=LONG
    )
    children = psutil.Process().children(recursive=True)
    began = time.monotonic()
    window.close()
    assert time.monotonic() - began < 8  # three seconds by its own clock, on a machine that is busy
    _, alive = psutil.wait_procs(
        [each for each in children if "resource_tracker import main" not in command(each)], timeout=5
    )
    assert not alive
    again, said = make_window(Project.open(project.folder))
    assert again.page("compare").talk.turns[-1].question == "Write a long story."  # type: ignore[attr-defined]
    with qtbot.waitSignal(again.bench.index_changed, timeout=LONG):
        reading(again)
    assert {row.state for row in list_files(project.folder)} == {"indexed"} and len(list_files(project.folder)) == 24
    no_surprise(said)


def command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@pytest.mark.slow
def test_a_second_window_on_the_same_project_is_told_who_is_writing(
    make_window: Any, project: Project, papers: Path, qtbot: QtBot
) -> None:
    first, _ = make_window(project)
    handle = reading(first)
    qtbot.waitUntil(lambda: handle.progress is not None and handle.progress.total > 0, timeout=LONG)
    second, said = make_window(Project.open(project.folder))
    other = reading(second)
    qtbot.waitUntil(lambda: not other.running, timeout=LONG)
    if other.state == "failed":  # the first one may have been quicker
        assert said[-1].message.startswith("Another Workbench is indexing") and "stop it there" in said[-1].message
    qtbot.waitUntil(lambda: not handle.running, timeout=LONG)
    assert handle.state == "done"
    with qtbot.waitSignal(second.bench.index_changed, timeout=LONG):
        reading(second)
    qtbot.waitUntil(lambda: len(second.page("documents").files.model.rows) == 24, timeout=LONG)
    no_surprise(said)


def test_a_project_of_a_newer_version_is_left_alone_and_another_one_opens(
    make_window: Any, project: Project, tmp_path: Path
) -> None:
    newer = Project.open(tmp_path / "newer")
    newer.change(format=FORMAT + 1)
    before = (newer.folder / "project.json").read_bytes()
    window, said = make_window(project)
    with pytest.raises(BadProject, match="newer version"):
        window.bench.open_project(newer.folder)
    assert not open_or_tell(window.bench, newer.folder)
    assert said[-1].message.endswith("update Workbench to open it.") and window.bench.project is project
    opened, trouble = app._open_first(newer.folder)
    assert opened.folder != newer.folder and "newer version" in str(trouble)
    assert (newer.folder / "project.json").read_bytes() == before


def test_a_damaged_index_is_told_with_its_mending_and_the_page_stays(
    make_window: Any, project: Project, papers: Path, qtbot: QtBot
) -> None:
    project.index_folder.mkdir(parents=True)
    (project.index_folder / FILE_NAME).write_bytes(b"not a database at all, but long enough to be looked at" * 40)
    window, said = make_window(project)
    window.open_page("documents")
    qtbot.waitUntil(lambda: bool(said), timeout=LONG)
    assert "cannot be used" in said[0].message and "delete that file" in said[0].message
    assert window.page("documents").isVisible()
    no_surprise(said)


def test_a_missing_model_file_is_one_sentence_on_every_page(
    make_window: Any, project: Project, tmp_path: Path, qtbot: QtBot
) -> None:
    project.change(chat_model=str(tmp_path / "gone.gguf"))
    window, said = make_window(project)
    for name, *_ in (*PAGES, *FOOT):
        window.open_page(name)
        assert window.current_page == name
    window.open_page("compare", {"lanes": ("base",), "question": "Who is there?", "ask": True})
    page: Any = window.page("compare")
    qtbot.waitUntil(lambda: not page.asking.busy, timeout=LONG)
    errors = [answer.error for turn in page.talk.turns for answer in turn.answers.values()]
    assert any("gone.gguf" in each for each in [*errors, *(notice.message for notice in said)])
    no_surprise(said)


@pytest.mark.slow
def test_files_in_every_script_are_listed_read_and_found(
    make_window: Any, project: Project, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = tmp_path / "مستندات 文档"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        (folder / name).write_text(
            f"# {name}\n\nمدة الضمان 36 شهرا. 保修期为36个月。 number{number}\n", encoding="utf-8"
        )
    with open(os.fsencode(folder) + b"/\xff\xfe broken name.md", "w") as file:
        file.write("# Broken\n\nIts name is no text.\n")
    window, said = make_window(project)
    window.open_page("documents")
    page: Any = window.page("documents")
    page.add_folders([folder])
    qtbot.waitUntil(lambda: {row.state for row in page.files.model.rows} == {"indexed"}, timeout=LONG)
    assert len(page.files.model.rows) == len(NAMES) + 1
    assert set(NAMES) <= {row.file for row in page.files.model.rows}
    for row in page.files.model.rows:
        page._on_row_chosen(row)
        qtbot.waitUntil(lambda: bool(page.preview.text.toPlainText()), timeout=LONG)
        assert not page.grab().isNull()
    page.shown(search="保修期")
    qtbot.waitUntil(lambda: page.search._found.count() > 1, timeout=LONG)
    no_surprise(said)


def walk(window: Window, said: list[Notice], folder: Path) -> None:
    """Every page, and what a person does there that writes to the project."""
    for name, *_ in (*PAGES, *FOOT):
        window.open_page(name)
    page: Any = window.page("documents")
    page.add_folders([folder])
    window.open_page("compare", {"lanes": ("base",), "question": "Who is there?"})
    window.bench.notices.tell("still here")
    assert window.isVisible() and said[-1].message == "still here"


@pytest.mark.slow
def test_a_project_folder_that_vanishes_is_one_sentence_and_a_way_on(
    make_window: Any, project: Project, tmp_path: Path, qtbot: QtBot
) -> None:
    window, said = make_window(project)
    window.open_page("documents")
    kept = tmp_path / "kept elsewhere"
    project.folder.rename(kept)
    project.folder.write_text("the disk is away")  # so that it cannot be made anew without a word
    (tmp_path / "docs").mkdir()
    walk(window, said, tmp_path / "docs")
    qtbot.waitUntil(lambda: not window.bench.jobs.running(), timeout=LONG)
    assert any(str(project.folder) in each.message for each in said)
    no_surprise(said)
    project.folder.unlink()
    kept.rename(project.folder)
    page: Any = window.page("documents")
    page.add_folders([tmp_path / "docs"])
    assert Project.open(project.folder).info.folders == (tmp_path / "docs",), "once it is back, one goes on"
    qtbot.waitUntil(lambda: not window.bench.jobs.running("documents"), timeout=LONG)


@pytest.fixture
def read_only(project: Project) -> Iterator[Project]:
    """The project on a disk that takes no writing; for the superuser only a mounted one does not."""
    folder = project.folder
    if os.geteuid():
        folder.chmod(0o555)
        yield project
        folder.chmod(0o755)
        return
    if subprocess.run(["mount", "--bind", str(folder), str(folder)], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here, and the superuser may write everywhere")
    subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True, capture_output=True)
    yield project
    subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


@pytest.mark.skipif(os.name == "nt", reason="there is no such folder there")
def test_a_read_only_project_can_be_looked_at(
    make_window: Any, read_only: Project, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "docs").mkdir()
    before = json.loads((read_only.folder / "project.json").read_text())
    window, said = make_window(read_only)
    walk(window, said, tmp_path / "docs")
    qtbot.waitUntil(lambda: not window.bench.jobs.running(), timeout=LONG)
    assert any("read" in each.message.lower() and str(read_only.folder) in each.message for each in said)
    no_surprise(said)
    window.close()
    assert json.loads((read_only.folder / "project.json").read_text()) == before
    with pytest.raises(WorkbenchError, match=r"written"):
        read_only.change(name="another")


def test_a_full_tray_of_long_names_stays_in_its_place(make_window: Any, project: Project, slow_stage: Any) -> None:
    window, _ = make_window(project)
    handles = [window.bench.jobs.start("保证书 " * 30 + "عقد " * 30, slow_stage, kind=str(n)) for n in range(3)]
    assert window.rail.width() == 208 and widgets.about_text(3) == "a few seconds"
    for each in handles:
        each.stop()


def test_damaged_settings_and_a_damaged_project_open_something(project: Project, make_window: Any) -> None:
    (settings.settings_file()).write_text("{", encoding="utf-8")
    assert settings.load_settings() == settings.Settings()
    records.write_text(project.folder / "project.json", "{")
    opened, trouble = app._open_first(project.folder)
    assert "damaged" in str(trouble)
    window, said = make_window(opened)
    assert window.isVisible()
    no_surprise(said)
