"""Benchmark: how soon does it end once a person says stop? Answers in every state, and the jobs, as in the window.

Each is stopped at a moment drawn anew (seeded) in each round: from the word to the child that answers until it has
said that it ended. The yardstick is what is allowed; what is given is the longest of all rounds.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench import paths
from workbench.bench import Figure, _load
from workbench.bench._answering import SENTENCE, STORY, SYSTEMS
from workbench.children import Child, Worker
from workbench.errors import InputError
from workbench.evaluation.evaluate import evaluate
from workbench.evaluation.suite import read_suite, suite_files
from workbench.events import Event, Progress, Result, Stage, Token, Waiting
from workbench.index.build import build
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Lane, Sampling
from workbench.priority import ANSWERING, READING
from workbench.project import Project
from workbench.retrieval.passage import Passage
from workbench.sample import make_sample_project
from workbench.stops import Stops
from workbench.tuning import tune

ROUNDS = 10  # of each, unless told otherwise
ALLOWED_ANSWER = 0.2  # seconds from the stop of an answer to its end
ALLOWED_JOB = 1.0  # the same of any other job
WITHIN = 0.8  # seconds after the state was reached in which the stop falls
LONG = SENTENCE * 330  # some 6,500 tokens: more than a person can see being read
SEED = 11
RUNS = 3  # fine-tunes that are stopped: each has to be started first
PATIENCE = 180.0  # seconds a fine-tune has to begin

Measure = tuple[str, float, Callable[[], float]]  # what, seconds allowed, and one round of it


def run(project: Path, count: int = ROUNDS) -> Stage:
    """Yields Progress and last a Result with a tuple of Figures; the project itself is not touched. `count` is of the
    rounds of each; a fine-tune is stopped RUNS times at most, for each has to be started first."""
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        sample = make_sample_project(Path(name) / "sample")
        _load.fill_folders(sample)
        engine = Child("The model engine", niceness=ANSWERING)  # as in the window
        reader = Child("The document reader", niceness=READING)
        measures = (*_answers(engine, chance), *_jobs(sample, engine, reader, chance))
        total, figures = count * (len(measures) + 1), []
        try:
            for _ in engine.run(answer, (Request("Who is there?", _lane("base", tokens=8)),)):
                pass  # the child starts and loads the model
            for place, (what, allowed, measure) in enumerate(measures):
                seconds = []
                for number in range(count):
                    yield Progress(place * count + number, total, what, "stops")
                    seconds.append(measure())
                figures.append(_figure(what, seconds, allowed))
        finally:
            engine.close()
            reader.close()
        yield Progress(count * len(measures), total, "stop a fine-tune", "stops")
        seconds = [_stop_training(Path(name) / f"tuned-{number}") for number in range(min(RUNS, count))]
        figures.append(_figure("stop a fine-tune", seconds, ALLOWED_JOB))
    yield Result(tuple(figures))


def _answers(engine: Worker, chance: random.Random) -> tuple[Measure, ...]:
    def stop(requests: tuple[Request, ...], *rest: Any) -> float:
        return _stop_answers(engine, requests, chance, *rest)

    return (
        ("stop just after asking", ALLOWED_ANSWER, lambda: stop(_many(), None)),
        ("stop while a long prompt is read", ALLOWED_ANSWER, lambda: stop(_long(), _reads)),
        ("stop while four lanes write", ALLOWED_ANSWER, lambda: stop(_many(), _writes)),
        ("stop one of four lanes", ALLOWED_ANSWER, lambda: stop(_many(), _writes, ("lane 1",))),
    )


def _jobs(project: Project, engine: Worker, reader: Worker, chance: random.Random) -> tuple[Measure, ...]:
    lanes = (_lane("base"), replace(_lane("rag"), context="passages"))
    suite = read_suite(suite_files(project)[0])

    def evaluating() -> float:
        return _stop_job(evaluate(suite, lanes, project.folder, reader, engine), chance, _evaluates)

    def indexing() -> float:
        return _stop_job(reader.run(build, project.folder, project.info.folders), chance, _indexes)

    return ("stop indexing", ALLOWED_JOB, indexing), ("stop an evaluation", ALLOWED_JOB, evaluating)


def _figure(name: str, seconds: list[float], allowed: float) -> Figure:
    longest = max(seconds)
    note = (
        f"longest of {len(seconds)} at any moment, what is allowed beside it; median {statistics.median(seconds):.3f}"
    )
    return Figure(name, longest, allowed, longest / allowed, "s", note)


def _lane(name: str, system: str = "", tokens: int = 512) -> Lane:
    return Lane(name, paths.starter_model(), system=system, sampling=Sampling(max_tokens=tokens))


def _many() -> tuple[Request, ...]:
    """Four lanes that write for longer than anybody waits here."""
    return tuple(Request(STORY, _lane(f"lane {number}", system)) for number, system in enumerate(SYSTEMS))


def _long() -> tuple[Request, ...]:
    """A lane whose prompt was never seen before, so that all of it is read."""
    text = f"{time.monotonic_ns()} {LONG}"
    whole = Passage("long", "long.txt", "", text, 1.0)
    return (Request("What was written down?", replace(_lane("full"), context="full"), (whole,)),)


class _Word:
    """A person's word to stop, a while after something was reached; from a thread, for no event may come just then."""

    def __init__(self, chance: random.Random, say: Callable[[], object]) -> None:
        self._delay, self._say = chance.uniform(0, WITHIN), say
        self._timer: threading.Timer | None = None
        self.said = 0.0  # when

    def reached(self) -> None:
        """The state is reached; a second time changes nothing."""
        if self._timer is None:
            self._timer = threading.Timer(self._delay, self._on_time)
            self._timer.start()

    def _on_time(self) -> None:
        self.said = time.perf_counter()
        self._say()

    def seconds(self, ended: float) -> float:
        """From the word to the end. Raises InputError where the end came first, so that nothing was measured."""
        if self._timer is not None:
            self._timer.cancel()
        if not self.said or ended < self.said:
            raise InputError("What was to be stopped had ended before: this machine is too quick for the benchmark.")
        return ended - self.said


def _stop_answers(
    engine: Worker,
    requests: tuple[Request, ...],
    chance: random.Random,
    after: Callable[[Event], bool] | None,
    names: tuple[str, ...] = (),
) -> float:
    """Seconds from the stop of these lanes (all where none is named) to the last of their answers.

    The stop falls a while `after` the first such event, or after the question itself.
    """
    stops, left = Stops(), set(names) or {each.lane.name for each in requests}

    def say() -> None:
        for name in sorted(left):
            stops.add(name)

    word = _Word(chance, say)
    stage = engine.run(answer, requests, stops)
    if after is None:
        word.reached()
    try:
        for event in stage:
            if after is not None and after(event):
                word.reached()
            if isinstance(event, Result):
                left.discard(event.value.lane)
                if not left:
                    return word.seconds(time.perf_counter())
    finally:
        stage.close()
    raise InputError("A lane that was stopped gave no answer.")


def _reads(event: Event) -> bool:
    return isinstance(event, Waiting) and event.message.startswith("prefill")


def _writes(event: Event) -> bool:
    return isinstance(event, Token)


def _stop_job(stage: Stage, chance: random.Random, after: Callable[[Event], bool]) -> float:
    """Seconds from the stop of a stage to its end, heard as `ui.job` hears it: at its next yield."""
    wanted = threading.Event()
    word = _Word(chance, wanted.set)
    try:
        for event in stage:
            if after(event):
                word.reached()
            if wanted.is_set():
                break
    finally:
        stage.close()
    return word.seconds(time.perf_counter())


def _evaluates(event: Event) -> bool:
    return isinstance(event, Progress) and event.unit == "cases"


def _indexes(event: Event) -> bool:
    return isinstance(event, Progress) and event.done > 0


def _stop_training(folder: Path) -> float:
    """Seconds from the stop of a fine-tune that learns to the end of its process, its checkpoint written."""
    with _load.training(folder, steps=2, patience=PATIENCE) as run:
        began = time.perf_counter()
        tune.stop(run)
        return time.perf_counter() - began
