"""Benchmark: does the window open at once, stay small and never stand still? Measured offscreen, in child processes.

Windows of ours and empty ones are opened in turn, so that both meet the same machine; each is timed from the start of
its process to the first drawn frame. Bytecode lies ready for both, as it does after a program's first start. The
project is copied before, so that it stays as it is.

Stalls are measured under a load of real children: the sample's documents, many times over, are indexed, four lanes
answer and a fine-tune of the sample's tickets runs, all at once, while the window goes from page to page until each of
them has done so much that it was a load; what they did meanwhile is said beside the stall.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from workbench import program
from workbench.bench import Figure, _windows
from workbench.errors import ChildCrashed
from workbench.events import Event, Progress, Result, Stage

ROUNDS = 7  # of one window each, after one that is not counted
ALLOWED_SECONDS = 0.5  # beyond an empty window
ALLOWED_MB = 250.0
ALLOWED_STALL_MS = 50.0
PATIENCE = 420.0  # seconds for the window under load, which loads three models first
WORK = "Indexing, answering and training before its eyes"
NOTHING = "The window ended under the load, so it was not measured."
LARGEST = 4 << 20  # bytes of a file that is copied; larger ones (adapters) are linked to, and Chroma is left out
EMPTY = """
import os, sys, time
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication(sys.argv[:1])
window = QMainWindow()
window.resize(1440, 900)
window.show()
app.processEvents()
app.processEvents()
print(time.process_time(), flush=True)
os._exit(0)
"""


def run(project: Path) -> Stage:
    """Yields Progress, last a Result with a tuple of Figures. Raises ChildCrashed when the window could not open."""
    from workbench.bench._load import end_runs

    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        copy = _copy(project, Path(name) / "project")
        environment = _windows.environment(Path(name) / "bytecode")
        ours = program.command("workbench.ui.bench_ui", "open", str(copy))
        empty = program.script(EMPTY)
        seconds: list[tuple[float, float, float, float]] = []  # ours: all, of the CPU; empty: all, of the CPU
        for number in range(ROUNDS + 1):
            yield Progress(number, ROUNDS + 2, "Opening windows", "windows")
            seconds.append((*_first_line(ours, environment), *_first_line(empty, environment)))
        busy = Path(name) / "busy"
        try:
            yield from _fill(busy)
            command = program.command("workbench.ui.bench_ui", "real", str(busy))
            told = Progress(ROUNDS + 1, ROUNDS + 2, WORK, "windows")
            load = yield from _windows.said(command, environment, told, PATIENCE, NOTHING)
        finally:
            end_runs(busy)
        yield Result((*_opening(seconds[1:]), *_living(load)))


def _fill(folder: Path) -> Generator[Event, None, None]:
    """A project there: the sample with many more documents, and a fine-tune that was started before the window."""
    from workbench.bench import _load
    from workbench.sample import make_sample_project

    project = make_sample_project(folder)
    yield Progress(ROUNDS + 1, ROUNDS + 2, f"Copying the sample {_load.COPIES} times", "windows")
    _load.fill_folders(project)
    yield from _load.start_run(project)


def _copy(project: Path, target: Path) -> Path:
    """The project without what the window never reads, so that opening its pages changes nothing of a person's."""

    def copy(source: str, place: str) -> None:
        if os.path.getsize(source) > LARGEST:
            os.symlink(source, place)
        else:
            shutil.copy2(source, place)

    shutil.copytree(
        project, target, copy_function=copy, ignore=shutil.ignore_patterns("chroma", "checkpoint*"), dirs_exist_ok=True
    )
    return target


def _first_line(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds until a child says its first line, and the seconds of CPU time it says there.

    Raises ChildCrashed when it ends without a word.
    """
    started = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stderr is not None
        line = child.stdout.readline()
        seconds = time.perf_counter() - started
        if not line:
            raise ChildCrashed("The window did not open, so nothing was measured.", child.stderr.read()[-4000:])
    return seconds, float(line)


def _opening(seconds: list[tuple[float, float, float, float]]) -> tuple[Figure, Figure]:
    ours, cpu, empty, empty_cpu = (statistics.median(each) for each in zip(*seconds, strict=True))
    pairs = sorted(each[0] - each[2] for each in seconds)
    beyond = statistics.median(pairs)
    return (
        Figure("Window open", ours, empty, ours / empty, "s", f"an empty PySide6 window; medians of {ROUNDS}, in turn"),
        Figure(
            *("Window open, beyond an empty one", beyond, ALLOWED_SECONDS, beyond / ALLOWED_SECONDS, "s"),
            f"what is allowed; median of {ROUNDS} pairs, {pairs[0]:.2f} to {pairs[-1]:.2f} s; "
            f"CPU time {cpu:.2f} s against {empty_cpu:.2f} s",
        ),
    )


def _living(load: dict[str, Any]) -> tuple[Figure, Figure]:
    memory, longest = load["rss"] / 1e6, load["longest_ms"]
    pages = ", ".join(f"{name[2:]} {value:.0f}" for name, value in load["worst"].items())
    together = "all at once" if load.get("together") else "NOT all at once"
    return (
        Figure(
            *("Memory with all pages opened", memory, ALLOWED_MB, memory / ALLOWED_MB, "MB"),
            f"what is allowed; resident, {load['uss'] / 1e6:.0f} MB of it shared with no other process; "
            f"{load['rss_after'] / 1e6:.0f} MB after the load",
        ),
        Figure(
            *("Longest stall under load", longest, ALLOWED_STALL_MS, longest / ALLOWED_STALL_MS, "ms"),
            f"what is allowed; real children, {together}: {load.get('files', 0)} files indexed, "
            f"{load.get('words', 0)} words by {load.get('lanes', 0)} lanes, {load.get('steps', 0)} steps learnt "
            f"while pages change (longest on each: {pages}); 99 % of {load['beats']} beats within "
            f"{load['p99_ms']:.0f} ms; with nothing to do {load['quiet_ms']:.0f} ms; "
            f"{load['ours_ms']:.0f} ms of the longest are this process's own work",
        ),
    )
