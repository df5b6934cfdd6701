"""Benchmark: how much of its speed a conversation keeps while a folder is indexed, or a fine-tune runs, beside it.

All of it as in the window: the engine, the document reader and the trainer are processes of their own.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench import paths
from workbench.bench import Figure, _load
from workbench.bench.decode import STORY
from workbench.children import Child, Worker
from workbench.events import Progress, Result, Stage
from workbench.index.build import build
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Answer, Lane, Sampling
from workbench.sample import make_sample_project
from workbench.tuning.adapter import read_run

ROUNDS = 5  # questions asked alone, beside indexing and beside a fine-tune
TOKENS = 96  # of an answer
ALLOWED = 0.6  # share of its own speed a conversation keeps


def run(project: Path) -> Stage:
    """Yields Progress and last a Result with a tuple of Figures; the project itself is not touched."""
    rounds = 3 * ROUNDS
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        engine = Child("The model engine")
        try:
            yield Progress(0, rounds, "Asking alone", "questions")
            _speed(engine)
            alone = []
            for number in range(ROUNDS):
                alone.append(_speed(engine))
                yield Progress(number + 1, rounds, "Asking alone", "questions")
            with _indexing(Path(name) / "indexed"):
                indexing = []
                for number in range(ROUNDS):
                    indexing.append(_speed(engine))
                    yield Progress(ROUNDS + number + 1, rounds, "Asking while a folder is indexed", "questions")
            with _training(Path(name) / "trained") as trainer:
                training, before = [], trainer()
                for number in range(ROUNDS):
                    training.append(_speed(engine))
                    yield Progress(2 * ROUNDS + number + 1, rounds, "Asking while a fine-tune runs", "questions")
                steps = trainer() - before
        finally:
            engine.close()
    note = f"{ROUNDS} answers of {TOKENS} tokens; asked for is {ALLOWED:g} of the speed alone"
    yield Result(
        (
            _figure("decode while a folder is indexed", indexing, alone, note),
            _figure("decode while a fine-tune runs", training, alone, f"{note}; it made {steps} steps meanwhile"),
        )
    )


def _figure(name: str, beside: list[float], alone: list[float], note: str) -> Figure:
    ours, yardstick = statistics.median(beside), statistics.median(alone)
    return Figure(name, ours, yardstick, ours / yardstick, "tokens/s", note)


def _speed(engine: Worker) -> float:
    """Tokens per second of one answer."""
    lane = Lane("base", paths.starter_model(), sampling=Sampling(max_tokens=TOKENS))
    found = [event.value for event in engine.run(answer, (Request(STORY, lane),)) if isinstance(event, Result)]
    said: Answer = found[-1]
    return said.tokens_per_second


@contextmanager
def _indexing(folder: Path) -> Iterator[None]:
    """A folder that takes longer than this measures is read by the document reader, until the end of the block."""
    project = make_sample_project(folder)
    _load.fill_folders(project)
    reader, begun = Child("The document reader", niceness=5), threading.Event()  # as in the window

    def pull() -> None:
        try:
            for event in reader.run(build, project.folder, project.info.folders):
                if isinstance(event, Progress) and event.done > 1:
                    begun.set()
        except Exception:  # it was closed under its hands, which is how this ends
            begun.set()

    thread = threading.Thread(target=pull, daemon=True)
    thread.start()
    begun.wait(60)
    try:
        yield
    finally:
        reader.close()
        thread.join(10)


@contextmanager
def _training(folder: Path) -> Iterator[Callable[[], int]]:
    """A fine-tune of the sample's tickets that has begun; the block gets a function that says at which step it is."""
    project = make_sample_project(folder)
    for _ in _load.start_run(project):
        pass
    [run] = project.adapters_folder.iterdir()
    try:
        limit = time.monotonic() + 120
        while read_run(run).step < 1 and time.monotonic() < limit:
            time.sleep(0.5)
        yield lambda: read_run(run).step
    finally:
        _load.end_runs(project.folder)
