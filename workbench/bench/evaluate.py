"""Benchmark: what a run of a suite takes beside the model's own time, on real answers in the usual child processes."""

from __future__ import annotations

import contextlib
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from workbench import records
from workbench.bench import Figure
from workbench.children import Child
from workbench.evaluation.evaluate import evaluate
from workbench.evaluation.records import Suite
from workbench.evaluation.results import LINES
from workbench.evaluation.suite import read_suite
from workbench.events import Progress, Result, Stage, last_result
from workbench.index.build import build
from workbench.lanes.lane import Lane
from workbench.lanes.presets import standard_lanes
from workbench.project import Project
from workbench.sample import make_sample_project, sample_files

LANES = ("base", "prompted", "rag")  # an adapter changes nothing of what the program does beside the model
CASES = 40
TOKENS = 40  # the longest answer, as in the demo


@dataclass(frozen=True, slots=True)
class Spent:
    """One run, in seconds."""

    answers: int  # all that were asked, the second base lane's and the oracle's too
    whole: float
    model: float  # in the engine, from a request to its last token
    search: float  # each answer's own share of the one search
    own: float  # processor time of the program's own process


def run(project: Path, count: int = CASES) -> Stage:
    """Evaluate some cases of the sample over three lanes in a project of its own; the last Result is the Figures."""
    with (
        tempfile.TemporaryDirectory(prefix="workbench-bench-") as folder,
        contextlib.closing(Child("The document index")) as knowledge,
        contextlib.closing(Child("The model engine")) as engine,
    ):
        made = make_sample_project(Path(folder) / "project")
        yield Progress(0, 2, "Indexing the sample's documents", "figures")
        last_result(knowledge.run(build, made.folder, made.info.folders))
        known = standard_lanes(made)
        lanes = tuple(replace(known[name], sampling=replace(known[name].sampling, max_tokens=TOKENS)) for name in LANES)
        suite = read_suite(sample_files(made).suite)
        chosen = suite.cases[:: max(1, len(suite.cases) // count)][:count]
        workers = knowledge, engine
        _spend(made, replace(suite, cases=suite.cases[1:2], hash="first"), lanes, workers)  # starts and loads all
        yield Progress(1, 2, f"Asking {len(chosen)} cases in {len(lanes)} lanes", "figures")
        spent = _spend(made, replace(suite, cases=chosen, hash="measured"), lanes, workers)
        yield Result(_figures(spent))


def _spend(project: Project, suite: Suite, lanes: tuple[Lane, ...], workers: tuple[Child, Child]) -> Spent:
    began, own = time.perf_counter(), time.process_time()
    found = last_result(evaluate(suite, lanes, project.folder, *workers, name=suite.hash))
    whole, own = time.perf_counter() - began, time.process_time() - own
    answers = [line["result"]["answer"] for line in records.read_lines(found.folder / LINES)]
    search = sum(each["retrieve_seconds"] for each in answers)
    return Spent(len(answers), whole, sum(each["seconds"] for each in answers) - search, search, own)


def _figures(spent: Spent) -> tuple[Figure, ...]:
    def share(name: str, ours: float, note: str) -> Figure:
        return Figure(
            name, 1000 * ours / spent.answers, 1000 * spent.whole / spent.answers, ours / spent.whole, "ms", note
        )

    told = f"an answer, of {spent.answers}; yardstick: the whole run, {spent.whole:.0f} s"
    return (
        share("outside the model", spent.whole - spent.model, f"{told}; searching, asking, checking, keeping"),
        share("of that, searching", spent.search, told),
        share("processor time of the program itself", spent.own, told),
    )
