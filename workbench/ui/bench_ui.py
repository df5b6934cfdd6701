"""The window's side of `workbench bench ui`: a window of its own, offscreen, that is measured and then thrown away.

    python -m workbench.ui.bench_ui open PROJECT       prints its CPU seconds once the window is drawn and takes input
    python -m workbench.ui.bench_ui real PROJECT       prints memory and stalls as JSON, under a load of real children
    python -m workbench.ui.bench_ui scripted PROJECT   the same under a load that is scripted, for a quick look

The real load needs a project made by `workbench.bench.ui`: folders that take longer to index than this measures, and a
fine-tune that has been started.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from workbench.children import Worker
from workbench.events import Progress
from workbench.project import Project
from workbench.settings import load_settings
from workbench.ui.app import make_application
from workbench.ui.bench import Bench
from workbench.ui.bench_scripted import LANES, Scripted, start, take_the_place_of_stages
from workbench.ui.preload import Preload
from workbench.ui.theme import Theme
from workbench.ui.window import FOOT, PAGES, Window

BEAT_MS = 5  # how often the event loop is asked whether it is there
WALK = (("compare", 3.0), ("documents", 2.0), ("finetune", 2.0), ("compare", 5.0))  # pages and seconds on each
QUIET_SECONDS = 2.0
LEAST = {"files": 20, "steps": 5, "words": 200}  # done under the walk's eyes, else the load is said to be none
WALKS = 12  # rounds of the walk at most, until that much is done
BETWEEN = 0.3  # seconds between what a person clicks: what two clicks take is not one stall
PATIENCE = 180.0  # seconds until indexing, a first answer and a first step are all there; a model is loaded for each
QUESTION = "How long is the warranty, and what has to be kept for it?"


class Heart(QObject):
    """Beats every few milliseconds; what it beats late by is how long the event loop stood still."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer, interval=BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def begin(self) -> None:
        """Forget what was, and count from now on."""
        self.late: list[float] = []  # milliseconds
        self.ours: list[float] = []  # the same, at most what this process worked: other programs cannot add to it
        self._last, self._worked = time.perf_counter(), time.process_time()

    def _beat(self) -> None:
        now, worked = time.perf_counter(), time.process_time()
        late = max(0.0, (now - self._last) * 1000 - BEAT_MS)
        self.late.append(late)
        self.ours.append(min(late, (worked - self._worked) * 1000))
        self._last, self._worked = now, worked

    def said(self) -> dict[str, Any]:
        """The longest and nearly longest stall, in milliseconds."""
        late = sorted(self.late) or [0.0]
        return {
            "longest_ms": late[-1],
            "p99_ms": late[int(0.99 * len(late))],
            "ours_ms": max(self.ours, default=0.0),
            "beats": len(self.late),
        }


def open_bench(project: Path, scripted: bool) -> tuple[QApplication, Window]:
    """The window as `app.open_window` opens it, past the welcome."""
    settings = replace(load_settings(), welcomed=True)
    app = make_application(sys.argv[:1])
    theme = Theme(app, settings.theme, settings.text_scale)
    workers: tuple[Worker | None, Worker | None] = (Scripted(), Scripted()) if scripted else (None, None)
    window = Window(Bench(Project.open(project), settings, *workers), theme)
    window.show()
    app.processEvents()
    return app, window


def stay(app: QApplication, seconds: float) -> None:
    """Let events come for so long, in a loop of its own: once `app.exec` was left no thread's end is heard again."""
    loop = QEventLoop(app)
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()
    loop.deleteLater()


def stay_until(app: QApplication, there: Callable[[], bool], most: float) -> bool:
    """Let the event loop run until something is there; whether it came."""
    end = time.monotonic() + most
    while not there() and time.monotonic() < end:
        stay(app, 0.1)
    return there()


def measure(project: Path, scripted: bool) -> dict[str, Any]:
    """Memory with every page opened, then stalls with nothing to do and under the load."""
    import psutil

    if scripted:
        take_the_place_of_stages()
    app, window = open_bench(project, scripted)
    for name, *_ in (*PAGES, *FOOT):
        window.open_page(name)
        stay(app, 0.3)
    window.open_page("compare", {"lanes": LANES})
    stay(app, 0.5)
    if not scripted:  # as app.open_window does; what it loads is there before a person has written a question
        ahead = Preload(window.bench)
        stay_until(app, lambda: not ahead.busy, PATIENCE)
    memory, heart = psutil.Process().memory_full_info(), Heart()
    stay(app, QUIET_SECONDS)
    quiet = heart.said()
    heart.begin()
    load = _start_scripted(window) if scripted else _start_real(app, window)
    found = {"rss": memory.rss, "uss": memory.uss, "quiet_ms": quiet["longest_ms"], **load}
    before, rounds = Done.of(window), 1
    found["worst"] = _walk(app, window, heart, scripted)
    while not scripted and not Done.of(window).since(before).is_enough and rounds < WALKS:
        again, rounds = _walk(app, window, heart, scripted), rounds + 1
        found["worst"] = {name: max(worst, again.get(name, 0.0)) for name, worst in found["worst"].items()}
    found["rss_after"] = psutil.Process().memory_info().rss
    found |= heart.said()
    if not scripted:
        done = Done.of(window).since(before)
        found |= asdict(done) | {"together": found["together"] and done.is_enough}
        window.close()  # its children as well
    return found


@dataclass(frozen=True, slots=True)
class Done:
    """What the children of a window have done, as its jobs say: without it a short stall says nothing."""

    files: int  # indexed
    steps: int  # learnt
    words: int  # answered
    lanes: int  # that answered them

    @classmethod
    def of(cls, window: Window) -> Done:
        compare: Any = window.page("compare")
        answers = [answer for turn in compare.talk.turns for answer in turn.answers.values() if answer.text]
        jobs = window.bench.jobs
        return cls(
            files=sum(_done(each.progress) for each in jobs.running("documents")),
            steps=sum(_done(each.progress) for each in jobs.running("finetune")),
            words=sum(len(answer.text.split()) for answer in answers),
            lanes=len({answer.lane for answer in answers}),
        )

    def since(self, before: Done) -> Done:
        return Done(self.files - before.files, self.steps - before.steps, self.words - before.words, self.lanes)

    @property
    def is_enough(self) -> bool:
        return all(getattr(self, name) >= least for name, least in LEAST.items()) and self.lanes == len(LANES)


def _done(progress: Progress | None) -> int:
    return progress.done if progress is not None and progress.total > 0 else 0


def _walk(app: QApplication, window: Window, heart: Heart, scripted: bool) -> dict[str, float]:
    """Go from page to page under the load; the longest stall on each, the load's beginning first."""
    worst = {"0 start": round(max(heart.late, default=0.0), 1)}
    for place, (name, seconds) in enumerate(WALK, start=1):
        seen = len(heart.late)
        busy = bool(window.bench.jobs.running("compare")) or scripted
        window.open_page(name, {} if name != "compare" or busy else {"question": QUESTION, "ask": True})
        stay(app, seconds)
        worst[f"{place} {name}"] = round(max(heart.late[seen:], default=0.0), 1)
    return worst


def _start_scripted(window: Window) -> dict[str, Any]:
    start(window)
    return {}


def _start_real(app: QApplication, window: Window) -> dict[str, Any]:
    """Indexing, four lanes and the fine-tune, until each of the three has something to show."""
    documents: Any = window.page("documents")
    documents.index_folders()
    began = time.monotonic()
    stay(app, BETWEEN)
    window.open_page("compare", {"lanes": LANES, "question": QUESTION, "ask": True})

    def under_way() -> bool:
        done = Done.of(window)
        return bool(done.files and done.steps and done.words)

    together = stay_until(app, under_way, PATIENCE)
    return {"together": together, "until_together": time.monotonic() - began}


def main(what: str, project: str) -> None:
    """Measure and end at once: there is nothing worth keeping, and the project must stay as it is."""
    if what == "open":
        app, _ = open_bench(Path(project), scripted=False)
        app.processEvents()
        print(time.process_time(), flush=True)
    else:
        print(json.dumps(measure(Path(project), scripted=what == "scripted")), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:3])
