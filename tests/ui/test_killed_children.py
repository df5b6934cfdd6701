"""Children that are killed, in every state they can be in: one clear sentence, nothing lost, and a way on.

The window, its children and what they run are real; only the person is not.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from workbench import paths, settings
from workbench.index.files import list_files
from workbench.project import Project
from workbench.tuning import adapter, tune
from workbench.tuning.recipe import Recipe
from workbench.ui.bench import Bench
from workbench.ui.job import JobHandle
from workbench.ui.notices import Notice
from workbench.ui.theme import Theme
from workbench.ui.window import Window

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL there")]

LONG = 240_000  # milliseconds for what takes seconds, on a machine that has other things to do
FILES = 12
QUESTION = "Write a long story about a loudspeaker that wanted to be a lighthouse."


@pytest.fixture
def live(project: Project, theme: Theme) -> Iterator[Window]:
    """A window with children of its own."""
    window = Window(Bench(project, settings.load_settings()), theme)
    window.resize(1280, 800)
    window.show()
    yield window
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def said(live: Window) -> list[Notice]:
    """What the window has told the person."""
    heard: list[Notice] = []
    live.bench.notices.said.connect(heard.append)
    return heard


@pytest.fixture
def folder(tmp_path: Path, project: Project) -> Path:
    """Documents that take a few seconds to index."""
    made = tmp_path / "papers"
    made.mkdir()
    for number in range(FILES):
        text = "\n\n".join(
            f"Device {number}-{part} hums at {number * part} hertz when it is warm." for part in range(60)
        )
        (made / f"paper-{number:02d}.md").write_text(f"# Paper {number}\n\n{text}\n")
    project.change(folders=(made,))
    return made


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def until(qtbot: QtBot, there: Callable[[], object]) -> None:
    qtbot.waitUntil(lambda: bool(there()), timeout=LONG)


def index_to_the_end(window: Window, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.bench.index_changed, timeout=LONG):
        window.page("documents").index_folders()  # type: ignore[attr-defined]


def states(window: Window) -> set[str]:
    return {each.state for each in list_files(window.bench.project.folder)}


@pytest.mark.parametrize("state", ["idle", "loading", "working"])
def test_a_killed_document_reader_is_told_and_started_afresh(
    state: str, live: Window, said: list[Notice], folder: Path, qtbot: QtBot
) -> None:
    child: Any = live.bench.knowledge
    live.open_page("documents")
    if state == "idle":
        index_to_the_end(live, qtbot)
        said.clear()
        kill(child.pid)
        until(qtbot, lambda: child.pid is None)
        assert not said, "nothing was under way, so there is nothing to tell"
        (folder / "new.md").write_text("# New\n\nOne more.\n")
    else:
        live.page("documents").index_folders()  # type: ignore[attr-defined]
        until(qtbot, lambda: child.pid)
        [handle] = live.bench.jobs.running("documents")
        if state == "working":
            until(qtbot, lambda: handle.progress is not None and handle.progress.done > 0)
        kill(child.pid)
        until(qtbot, lambda: handle.state == "failed")
        [told] = [each.message for each in said]
        assert told.startswith("The document reader stopped unexpectedly (signal SIGKILL). The index keeps every file")
        assert told.endswith("Try again to start it afresh.")
    assert live.isVisible() and live.current_page == "documents"
    index_to_the_end(live, qtbot)
    assert len(list_files(live.bench.project.folder)) == FILES + (state == "idle") and states(live) == {"indexed"}


@pytest.mark.parametrize("state", ["loading", "working"])
def test_a_killed_reader_of_files_costs_one_file_at_most(
    state: str, live: Window, said: list[Notice], folder: Path, qtbot: QtBot
) -> None:
    child: Any = live.bench.knowledge
    live.open_page("documents")
    with qtbot.waitSignal(live.bench.index_changed, timeout=LONG):
        live.page("documents").index_folders()  # type: ignore[attr-defined]
        until(qtbot, lambda: child.pid and readers_of(child.pid))
        if state == "working":
            until(qtbot, lambda: any(each.progress and each.progress.done > 2 for each in live.bench.jobs.running()))
        for each in readers_of(child.pid):
            each.kill()
    rows = list_files(live.bench.project.folder)
    lost = [row for row in rows if row.state != "indexed"]
    assert len(rows) == FILES and len(lost) <= 1 and all(row.reason for row in lost)
    assert all(each.level == "good" for each in said)
    if lost:
        live.page("documents").files.acted.emit(row_of(live, lost[0].file))  # type: ignore[attr-defined]
        until(qtbot, lambda: states(live) == {"indexed"} and not live.bench.jobs.running("documents"))


def row_of(window: Window, file: str) -> Any:
    rows = window.page("documents").files.model.rows  # type: ignore[attr-defined]
    return next(row for row in rows if row.file == file)


def readers_of(pid: int) -> list[psutil.Process]:
    """The processes a document reader reads single files in."""
    found = []
    for each in psutil.Process(pid).children():
        with contextlib.suppress(psutil.Error):  # gone while we looked
            if "resource_tracker import main" not in " ".join(each.cmdline()):
                found.append(each)
    return found


@pytest.mark.parametrize("state", ["idle", "loading", "working"])
def test_a_killed_engine_keeps_what_was_said_and_answers_again(
    state: str, live: Window, said: list[Notice], qtbot: QtBot
) -> None:
    child: Any = live.bench.engine
    page: Any = live.page("compare")
    ask = {"lanes": ("base",), "question": QUESTION, "ask": True}
    live.open_page("compare", ask)
    if state == "idle":
        until(qtbot, lambda: not page.asking.busy)
        kill(child.pid)
        until(qtbot, lambda: child.pid is None)
        live.open_page("compare", ask)
    elif state == "loading":
        until(qtbot, lambda: child.pid)
        kill(child.pid)  # nothing was said yet, so it is simply asked once more
    else:
        until(qtbot, lambda: page.talk.turns[-1].answers["base"].text)
        kill(child.pid)
        until(qtbot, lambda: not page.asking.busy)
        answer = page.talk.turns[-1].answers["base"]
        assert answer.state == "failed" and answer.text, "what was written stays"
        assert answer.error.startswith("The model engine stopped unexpectedly (signal SIGKILL). Your questions")
        live.open_page("compare", ask)
    until(qtbot, lambda: not page.asking.busy)
    turns = page.talk.turns
    assert len(turns) == (1 if state == "loading" else 2) and turns[-1].answers["base"].state == "done"
    assert len({each.message for each in said}) <= 1


def test_a_killed_fine_tune_says_so_and_goes_on(live: Window, said: list[Notice], qtbot: QtBot) -> None:
    project = live.bench.project
    rows = project.datasets_folder / "rows.jsonl"
    rows.parent.mkdir(exist_ok=True)
    line = '{{"prompt": "Ticket {0}: it hums.", "completion": "{{\\"ticket\\": {0}, \\"fault\\": \\"hum\\"}}"}}\n'
    rows.write_text("".join(line.format(number) for number in range(48)))
    run = project.adapters_folder / "hums"
    recipe = Recipe("hums", paths.starter_model(), (rows,), run, epochs=20, sample_rows=0, checkpoint_every=1)
    list(tune.start(recipe))
    page: Any = live.page("finetune")
    live.open_page("finetune")
    for steps in (0, 2):  # killed while it loads, then while it learns
        until(qtbot, lambda: following(live))
        [handle] = following(live)
        until(qtbot, lambda steps=steps: adapter.read_run(run).step >= steps)
        said.clear()
        kill(int(run_pid(run)))
        until(qtbot, lambda handle=handle: not handle.running)
        assert len(said) == 1 and not said[0].details.startswith("Traceback"), said
        until(qtbot, page.resume.isVisible)
        if not steps:
            page.resume.click()
    assert adapter.read_run(run).step >= 2, "what it had learnt is kept; test_finetune_walk goes on from there"


def following(window: Window) -> list[JobHandle]:
    """The jobs that follow a run; the page may be measuring the machine's speed beside them."""
    return [each for each in window.bench.jobs.running("finetune") if each.title.startswith("Fine-tuning ")]


def run_pid(run: Path) -> int:
    from workbench import records

    return int(records.read_json(run / "run.json")["pid"])
