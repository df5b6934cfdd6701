"""The window's side of `workbench bench ui`: a window of its own, offscreen, that is measured and then thrown away.

    python -m workbench.ui.bench_ui open PROJECT    prints its CPU seconds once the window is drawn and takes input
    python -m workbench.ui.bench_ui load PROJECT    prints memory and stalls as JSON

The load is scripted: stages that stand for indexing, for four lanes answering and for a fine-tune's steps run in the
window's own threads and send what the real ones send, faster. Nothing is read, answered or trained by them, so what is
measured is what drawing costs.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from workbench.children import Worker
from workbench.events import Progress, Result, Stage, Step, Token, Waiting
from workbench.lanes.lane import Answer, Lane
from workbench.project import Project
from workbench.settings import load_settings
from workbench.ui.app import make_application
from workbench.ui.bench import Bench
from workbench.ui.theme import Theme
from workbench.ui.window import FOOT, PAGES, Window

BEAT_MS = 5  # how often the event loop is asked whether it is there
LANES = ("base", "prompted", "rag", "full")
TOKENS, TOKENS_PER_SECOND = 360, 40  # of each lane: four lanes of the starter reach about 25 on two cores
STEPS_PER_SECOND, FILES_PER_SECOND = 10, 40
WALK = (("compare", 3.0), ("documents", 2.0), ("finetune", 2.0), ("compare", 5.0))  # pages and seconds on each
QUIET_SECONDS = 2.0
TEXT = (
    "## Cover\n\nThe drivers are covered for **36 months** [1], electronics for 24.\n\n- keep the receipt\n"
    "- keep the box\n\n| part | months |\n| --- | --- |\n| driver | 36 |\n\n```json\n{\"months\": 36}\n```\n\n"
)  # fmt: skip


class Heart(QObject):
    """Beats every few milliseconds; what it beats late by is how long the event loop stood still."""

    def __init__(self) -> None:
        super().__init__()
        self.late: list[float] = []  # milliseconds
        self.busy: list[float] = []  # milliseconds of CPU time of this thread, which other programs cannot add to
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer, interval=BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.late.append(max(0.0, (now - self._last) * 1000 - BEAT_MS))
        self.busy.append((worked - self._worked) * 1000)
        self._last, self._worked = now, worked

    def begin(self) -> None:
        """Forget what was, and count from now on."""
        self.late, self.busy = [], []
        self._last, self._worked = time.perf_counter(), time.thread_time()


class Scripted:
    """A worker that runs a script in place of every stage."""

    def run(self, function: Any, *arguments: Any) -> Stage:
        yield from reading() if function.__name__ == "build" else ()

    def close(self) -> None:
        pass


def reading() -> Stage:
    """Stands for indexing."""
    for number in range(100_000):
        yield Progress(number, 100_000, f"Reading file-{number}.md", "files", 120.0, "chunks/s", 60.0)
        time.sleep(1 / FILES_PER_SECOND)


def steps() -> Stage:
    """Stands for a fine-tune."""
    total = 2000
    for step in range(1, total):
        held = 0.3 + math.exp(-step / 400) if step % 10 == 0 else None
        yield Step(step, total, 0.2 + math.exp(-step / 300), held, 268.0, step * 2.6)
        yield Progress(step, total, "learning", "steps", 268.0, "tokens/s", (total - step) * 2.6)
        time.sleep(1 / STEPS_PER_SECOND)


def answering(
    question: str, lanes: Sequence[Lane], project: Path, history: Any, knowledge: Worker, engine: Worker, stops: Any
) -> Stage:
    """Stands for the answers of all lanes."""
    words = (TEXT * 20).split(" ")
    for lane in lanes:
        yield Waiting(lane.name, "reading 5 passages")
    for place in range(TOKENS):
        for lane in lanes:
            yield Token(lane.name, words[place % len(words)] + " ")
        time.sleep(1 / TOKENS_PER_SECOND)
    for lane in lanes:
        yield Result(Answer(question, lane.name, " ".join(words[:TOKENS]), answer_tokens=TOKENS, seconds=9.0))


def open_bench(project: Path, scripted: bool) -> tuple[QApplication, Window]:
    """The window as `app.open_window` opens it, past the welcome."""
    settings = replace(load_settings(), welcomed=True)
    app = make_application(sys.argv[:1])
    theme = Theme(app, settings.theme, settings.text_scale)
    workers = (Scripted(), Scripted()) if scripted else (None, None)
    window = Window(Bench(Project.open(project), settings, *workers), theme)
    window.show()
    app.processEvents()
    return app, window


def stay(app: QApplication, seconds: float) -> None:
    """Let the event loop run for so long."""
    QTimer.singleShot(int(seconds * 1000), app.quit)
    app.exec()


def measure_load(project: Path) -> dict[str, Any]:
    """Memory with every page opened, then stalls with nothing to do and under the load."""
    import psutil

    from workbench.ui import compare_asking, compare_lanes

    compare_lanes.standard_lanes_of = lambda project: {name: Lane(name, Path("/none.gguf")) for name in LANES}
    compare_asking.ask_stage = answering
    app, window = open_bench(project, scripted=True)
    for name, *_ in (*PAGES, *FOOT):
        window.open_page(name)
        stay(app, 0.3)
    window.open_page("compare", {"lanes": LANES})
    stay(app, 0.5)
    memory, heart = psutil.Process().memory_full_info(), Heart()
    heart.begin()
    stay(app, QUIET_SECONDS)
    quiet = heart.late
    start_load(window)
    heart.begin()
    worst = {}
    for place, (name, seconds) in enumerate(WALK):
        seen = len(heart.late)
        window.open_page(name)
        stay(app, seconds)
        worst[f"{place + 1} {name}"] = round(max(heart.late[seen:]), 1)
    late = sorted(heart.late)
    return {
        "rss": memory.rss,
        "uss": memory.uss,
        "quiet_ms": max(quiet),
        "longest_ms": late[-1],
        "p99_ms": late[int(0.99 * len(late))],
        "worst": worst,
        "busy_ms": max(heart.busy),
        "beats": len(late),
    }


def start_load(window: Window) -> None:
    """Indexing, a fine-tune and four lanes, as the pages themselves start them."""
    documents: Any = window.page("documents")
    documents.index_folders()
    finetune: Any = window.page("finetune")
    finetune._begin("load", 3.0, False)
    finetune._start_job("load", steps)
    window.open_page("compare", {"lanes": LANES, "question": "How long is the warranty?", "ask": True})


def main(what: str, project: str) -> None:
    """Measure and end at once: there is nothing worth keeping, and the project must stay as it is."""
    if what == "open":
        app, _ = open_bench(Path(project), scripted=False)
        app.processEvents()
        print(time.process_time(), flush=True)
    else:
        print(json.dumps(measure_load(Path(project))), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:3])
