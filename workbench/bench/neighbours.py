"""Benchmark: what a conversation keeps of its speed while a folder is indexed, or a fine-tune runs, and what those do.

All of it as in the window: the engine, the document reader and the trainer are processes of their own. Each is measured
alone and beside the other, so that the figures say both whether chat comes first and whether the rest is used.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workbench import paths
from workbench.bench import Figure, _load
from workbench.bench._answering import STORY
from workbench.children import Child, Worker
from workbench.events import Event, Progress, Result, Stage
from workbench.index.build import build
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Answer, Lane, Sampling
from workbench.priority import ANSWERING, READING
from workbench.sample import make_sample_project
from workbench.tuning.adapter import read_run
from workbench.turns import WORKS

ROUNDS = 5  # questions asked at least, each time
ALONE = 0.15  # of the time of work that is asked for alone before it and after it: a machine's speed changes meanwhile
SECONDS = 60.0  # that work is measured for, alone and beside a conversation: a fine-tune makes some steps in it
PATIENCE = 300.0  # seconds for work to begin, and for the first of it to be done: a busy machine is slow
TOKENS = 96  # of an answer
COPIES = 200  # of the sample's documents: they outlast the measurement on a fast machine
ALLOWED = 0.6  # share of its own speed a conversation keeps

Count = Callable[[], float]  # how much of the work is done: files indexed, steps made


@dataclass(frozen=True, slots=True)
class Measured:
    """What went on for a while."""

    speeds: tuple[float, ...]  # tokens per second of each answer
    work: float  # done per minute


def run(project: Path, rounds: int = ROUNDS, seconds: float = SECONDS) -> Stage:
    """Yields Progress and last a Result with a tuple of Figures; the project itself is not touched."""
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        engine = Child("The model engine", niceness=ANSWERING)
        try:
            yield Progress(0, 0, "Asking alone")
            _speed(engine)
            before = yield from _alone(engine, rounds, seconds)
            with _indexing(Path(name) / "indexed") as files:
                left_alone = yield from _work(seconds, files, "Indexing alone")
                indexing = yield from _converse(engine, rounds, seconds, files, "while a folder is indexed")
            between = yield from _alone(engine, rounds, seconds)
            with _load.training(Path(name) / "trained", steps=1, patience=PATIENCE) as tuned:
                steps = _steps(tuned)
                trained_alone = yield from _work(seconds, steps, "Fine-tuning alone")
                training = yield from _converse(engine, rounds, seconds, steps, "while a fine-tune runs")
            after = yield from _alone(engine, rounds, seconds)
        finally:
            engine.close()
    yield Result(
        (
            _chat("decode while a folder is indexed", indexing, before + between),
            _done("files indexed beside a conversation", indexing, left_alone),
            _chat("decode while a fine-tune runs", training, between + after),
            _done("fine-tune steps beside a conversation", training, trained_alone),
        )
    )


def _alone(engine: Worker, rounds: int, seconds: float) -> Generator[Event, None, tuple[float, ...]]:
    """The speeds of some answers beside nothing else."""
    time.sleep(min(WORKS, seconds))  # until nobody takes what has ended for going on
    found = yield from _converse(engine, rounds, ALONE * seconds, time.monotonic, "alone")
    return found.speeds


def _converse(
    engine: Worker, rounds: int, seconds: float, count: Count, beside: str
) -> Generator[Event, None, Measured]:
    """Ask without a pause, so many questions at least and so long at least."""
    began, before = time.monotonic(), count()
    speeds: list[float] = []
    while len(speeds) < rounds or _too_soon(began, seconds, count() - before):
        speeds.append(_speed(engine))
        yield Progress(len(speeds), 0, f"Asking {beside}", "questions")
    return Measured(tuple(speeds), 60.0 * (count() - before) / (time.monotonic() - began))


def _too_soon(began: float, seconds: float, done: float) -> bool:
    """Whether the time is not up, or nothing is done yet and there is patience for it."""
    passed = time.monotonic() - began
    return passed < seconds or (seconds > 0 and not done and passed < PATIENCE)


def _work(seconds: float, count: Count, note: str) -> Generator[Event, None, Measured]:
    """Leave the work alone for a while."""
    began, before = time.monotonic(), count()
    while _too_soon(began, seconds, count() - before):
        yield Progress(int(time.monotonic() - began), int(seconds), note, "seconds")
        time.sleep(min(0.5, seconds))
    return Measured((), 60.0 * (count() - before) / max(time.monotonic() - began, 1e-3))


def _chat(name: str, beside: Measured, alone: Sequence[float]) -> Figure:
    ours, yardstick = statistics.median(beside.speeds), statistics.median(alone)
    note = f"{len(beside.speeds)} answers of {TOKENS} tokens; asked for is {ALLOWED:g} of the speed alone"
    return Figure(name, ours, yardstick, ours / yardstick, "tokens/s", note)


def _done(name: str, beside: Measured, alone: Measured) -> Figure:
    ratio = beside.work / alone.work if alone.work else 0.0
    return Figure(name, beside.work, alone.work, ratio, "/min", "beside it alone, on the same cores")


def _steps(run: Path) -> Count:
    """At which step a fine-tune is."""
    return lambda: read_run(run).step


def _speed(engine: Worker) -> float:
    """Tokens per second of one answer."""
    lane = Lane("base", paths.starter_model(), sampling=Sampling(max_tokens=TOKENS))
    found = [event.value for event in engine.run(answer, (Request(STORY, lane),)) if isinstance(event, Result)]
    said: Answer = found[-1]
    return said.tokens_per_second


@contextmanager
def _indexing(folder: Path) -> Iterator[Count]:
    """A folder that takes longer than this measures is read by the document reader, until the end of the block, which
    gets a function that says how many files are done."""
    project = make_sample_project(folder)
    _load.fill_folders(project, COPIES)
    reader, begun = Child("The document reader", niceness=READING), threading.Event()  # as in the window
    done = [0]

    def pull() -> None:
        try:
            for event in reader.run(build, project.folder, project.info.folders):
                if isinstance(event, Progress) and event.done > 1 and event.total:
                    done[0] = event.done
                    begun.set()
        except Exception:  # it was closed under its hands, which is how this ends
            begun.set()

    thread = threading.Thread(target=pull, daemon=True)
    thread.start()
    begun.wait(PATIENCE)
    try:
        yield lambda: done[0]
    finally:
        reader.close()
        thread.join(10)
