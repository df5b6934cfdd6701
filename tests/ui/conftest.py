"""What tests of the window share: a project, a bench with scripted workers, a window; nothing real is loaded."""

from __future__ import annotations

import gc
import logging
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from workbench import paths, settings
from workbench.children import Here
from workbench.events import Progress, Result, Stage, Token, Waiting
from workbench.lanes.lane import Answer, Lane, Stamp
from workbench.project import Project
from workbench.retrieval.passage import Passage
from workbench.stops import Stops
from workbench.ui import compare_asking, compare_lanes, lane_names
from workbench.ui import theme as theme_module
from workbench.ui.app import SWITCH
from workbench.ui.bench import Bench
from workbench.ui.compare_page import ComparePage
from workbench.ui.compare_talk import Talk
from workbench.ui.compare_talk_list import read_list
from workbench.ui.theme import Theme
from workbench.ui.window import Window

MODEL = Path("/models/SmolLM2-135M-Instruct.Q4_1.gguf")
PASSAGE = Passage(
    "c1", "policies/warranty.md", "Cover", "The X2 has a warranty of 36 months from the date on the receipt.", 0.9,
    start=10, end=75, vector_rank=1, keyword_rank=2, similarity=0.81,
)  # fmt: skip
OTHER = Passage(
    "c2", "returns.md", "Opening a return", "A return needs the serial number.", 0.7, vector_rank=3, similarity=0.6
)


def make_lane(name: str, **changes: Any) -> Lane:
    return replace(Lane(name=name, model=MODEL), **changes)


LANES = {
    "base": make_lane("base"),
    "prompted": make_lane("prompted", system="Be brief.", examples=(("a", "b"),)),
    "rag": make_lane("rag", context="passages", passages=4),
    "full": make_lane("full", context="full"),
}


@dataclass
class Script:
    """What the scripted engine says, and how fast; a test changes it before asking."""

    words: dict[str, str] = field(default_factory=dict)  # lane -> whole answer
    failing: dict[str, str] = field(default_factory=dict)  # lane -> the sentence it fails with
    hold: threading.Event = field(default_factory=threading.Event)  # cleared: answers stay half-way until it is set
    error: Exception | None = None  # raised before any answer
    deaf: bool = False  # it does not listen when a lane is stopped
    asked: list[tuple[str, tuple[Lane, ...], dict[str, Any]]] = field(default_factory=list)

    def stage(
        self, question: str, lanes: Any, project: Path, history: Any, knowledge: Any, engine: Any, stops: Stops
    ) -> Stage:
        self.asked.append((question, tuple(lanes), history))
        for lane in lanes:
            yield Waiting(lane.name, "reading 2 passages" if lane.context == "passages" else "prefill 43 %")
        if self.error is not None:
            raise self.error
        texts = {lane.name: self.words.get(lane.name, f"The answer of {lane.name} [1].") for lane in lanes}
        for lane in lanes:
            if lane.name not in self.failing:
                yield Token(lane.name, texts[lane.name][:5])
        left = list(lanes)
        while not self.hold.wait(0.02):
            for lane in [each for each in left if each.name in stops and not self.deaf]:
                left.remove(lane)
                yield Result(replace(make_answer(question, lane, texts[lane.name][:5]), stopped="cancelled"))
            if not left:
                return
            yield Progress(0, 1, "writing")
        for lane in left:
            if lane.name in self.failing:
                answer = Answer(question, lane.name, "", stopped="failed", error=self.failing[lane.name])
            else:
                yield Token(lane.name, texts[lane.name][5:])
                answer = make_answer(question, lane, texts[lane.name])
            yield Result(answer)


def make_answer(question: str, lane: Lane, text: str) -> Answer:
    passages = (PASSAGE, OTHER) if lane.context == "passages" else ()
    stamp = Stamp("8f3c02d1" * 4, "", 1.0, "b41e77a0" * 4, tuple(p.id for p in passages), 7, {}, "llama.cpp", "ok")
    return Answer(
        question, lane.name, text if passages else text.replace(" [1]", ""), passages,
        (1,) if "[1]" in text and passages else (),
        prompt="<|im_start|>system\nBe brief.\n<|im_start|>user\n" + question,
        prompt_parts=(("system", 12), ("question", 9)), prompt_tokens=21, answer_tokens=len(text.split()),
        retrieve_seconds=0.04 if passages else 0.0, first_token_seconds=0.3, tokens_per_second=80.0, seconds=0.6,
        retrieved=passages, stamp=stamp,
    )  # fmt: skip


def read_talks(path: Path) -> list[Talk]:
    """The conversations of a file, whole, newest first, as the history opens them."""
    found = read_list(path)
    return [talk for entry in found.entries() if (talk := found.read(entry.id)) is not None]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """The scripted engine in place of the real one; it answers at once unless `hold` is cleared."""
    made = Script()
    made.hold.set()
    monkeypatch.setattr(compare_asking, "ask_stage", made.stage)
    monkeypatch.setattr(compare_lanes, "standard_lanes_of", lambda project: dict(LANES))
    return made


def _hand_on(source: Path, target: Path) -> None:
    """What trials found of this machine: they take seconds and are no part of what the window's tests are about."""
    target.mkdir(parents=True, exist_ok=True)
    for name in ("engine.json", "embedders.json"):
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Project:
    shared = paths.cache_folder()
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    _hand_on(shared, paths.cache_folder())
    request.addfinalizer(lambda: _hand_on(tmp_path / "home" / "cache", shared))
    settings.change_settings(welcomed=True)
    return Project.open(tmp_path / "Kestrel Audio")


@pytest.fixture(scope="session")
def one_theme(qapp: QApplication) -> Theme:
    """The application has one theme for its life; a second would dress every widget twice. Threads take turns as in the
    program."""
    sys.setswitchinterval(SWITCH)
    return Theme(qapp, "light")


@pytest.fixture
def theme(one_theme: Theme) -> Theme:
    one_theme.choose("light", 1.0)
    return one_theme


@pytest.fixture(autouse=True)
def _qt_says_nothing() -> Iterator[None]:
    """A warning of Qt's is a fault of ours."""
    said: list[str] = []

    def hear(kind: QtMsgType, _context: object, message: str) -> None:
        harmless = ("propagateSizeHints", "This plugin does not support", "QFontDatabase", "XDG_RUNTIME_DIR")
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) and not any(each in message for each in harmless):
            said.append(message)

    before = qInstallMessageHandler(hear)
    yield
    qInstallMessageHandler(before)
    assert not said, said


@pytest.fixture(scope="module", autouse=True)
def _what_is_there_is_not_looked_through_again() -> None:
    """The half million objects of torch and its like, where a test before loaded them: a quarter of a second a test."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _garbage_is_collected_here() -> Iterator[None]:
    """As in the window: what a test leaves is taken apart between tests, and not by a later job's thread."""
    gc.disable()
    yield
    gc.collect()


@pytest.fixture
def bench(project: Project, theme: Theme) -> Iterator[Bench]:
    made = Bench(project, settings.load_settings(), Here(), Here())
    yield made
    made.close()
    lane_names.show_names({})  # the names and colours are those of one project
    theme_module.place_lanes({})


@pytest.fixture
def open_window(bench: Bench, theme: Theme, script: Script, qtbot: Any) -> Iterator[Callable[[], Window]]:
    """Opens windows and closes those a test left open."""
    opened: list[Window] = []

    def open_() -> Window:
        window = Window(bench, theme)
        window.resize(1440, 900)
        window.show()
        window.activateWindow()
        opened.append(window)
        return window

    yield open_
    script.hold.set()
    for window in opened:
        window.leave()
        window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def window(open_window: Callable[[], Window]) -> Window:
    return open_window()


@pytest.fixture
def compare(window: Window) -> ComparePage:
    """The Compare page of a window, in front."""
    found = window.page("compare")
    assert isinstance(found, ComparePage)
    return found


@pytest.fixture
def slow_stage() -> Callable[[], Stage]:
    """A stage that goes on until it is stopped."""

    def stage() -> Stage:
        done = 0
        while True:
            done += 1
            yield Progress(min(done, 999), 1000, "counting", "things", seconds_left=130.0)
            threading.Event().wait(0.01)

    return stage


logging.getLogger("workbench").setLevel(logging.INFO)
