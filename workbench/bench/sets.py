"""Benchmark: what a fine-tune with the default preset teaches, on rows it never saw: intents, JSON, a house style.

Every task takes the product's own way: the rows are written to a file, inspected, trained with the preset's recipe, and
the bare and the tuned lane answer the unseen rows greedily in llama.cpp, judged by the contract's checks.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench import paths
from workbench.bench import Figure
from workbench.bench._sets import TaskSet, make_sets
from workbench.children import Child
from workbench.errors import InputError
from workbench.evaluation.evaluate import evaluate
from workbench.evaluation.records import Case, CaseResult, Evaluation
from workbench.evaluation.statistics import rate_of
from workbench.evaluation.suite import write_suite
from workbench.events import Event, Progress, Result, Stage
from workbench.lanes.lane import Lane, Sampling
from workbench.project import Project
from workbench.tuning.dataset import DatasetReport, inspect
from workbench.tuning.recipe import RunInfo, choose_recipe
from workbench.tuning.tune import tune

SEED = 1  # of what is held back; recipes were compared on others, see docs/benchmarks.md
PRESET = "balanced"  # what the command and the Fine-tune page begin with
BASE_MOST = 5.0  # per cent: what the bare model gets right at most, for a task that has to be learnt
# What a small model should reach, in per cent of the unseen rows: (what, the check or "" for all of a case, goal).
GOALS = {
    "intents": (("right", "", 85.0),),
    "bookings": (("valid JSON", "json", 98.0), ("exact JSON", "json_equals", 70.0)),
    "letters": (("in house style", "", 85.0),),  # no goal was given: as for the classes
}
PLAIN_SECONDS = {"intents": 450.0, "bookings": 413.0, "letters": 413.0}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A task, trained and asked."""

    task: TaskSet
    run: RunInfo
    evaluation: Evaluation


def run(project: Path) -> Stage:
    """Yields Progress and last a Result with a tuple of Figures; the project itself is left alone."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as folder:
        for task in make_sets(SEED):
            outcome = yield from learn(task, Path(folder) / task.name)
            figures += report(outcome)
    yield Result(tuple(figures))


def learn(task: TaskSet, folder: Path, **changes: Any) -> Generator[Event, None, Outcome]:
    """Fine-tune the starter on a task and ask both lanes; yields events, returns the Outcome.

    `folder` becomes a project; `changes` are of the preset's recipe. Raises InputError when the training left none.
    """
    home = Project.open(folder)
    model = paths.starter_model()
    file = home.folder / "datasets" / f"{task.name}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = ({"prompt": row.question, "completion": row.answer} for row in task.train)
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    knowledge, engine = Child("The document index", ""), Child("The model engine", "")
    try:
        told: DatasetReport = yield from _watched(knowledge.run(inspect, (file,), model), task.name)
        chosen, _ = choose_recipe(PRESET, task.name, model, (file,), home.adapters_folder / task.name, told)
        trained: RunInfo = yield from _watched(tune(replace(chosen, **changes)), f"{task.name}: training")
        if trained.adapter is None:  # a lane without one would be the bare model again
            raise InputError(f"The task {task.name} left no adapter to ask. {trained.outcome}")
        cases = [Case(f"{place}", row.question, "behaviour", row.checks) for place, row in enumerate(task.unseen)]
        suite = write_suite(home.suites_folder / f"{task.name}.yaml", task.name, cases)
        base = Lane("base", model, sampling=Sampling(max_tokens=task.answer_tokens))
        lanes = base, replace(base, name="tuned", adapter=trained.adapter)
        stage = evaluate(suite, lanes, home.folder, knowledge, engine, task.name)
        asked: Evaluation = yield from _watched(stage, f"{task.name}: asking")
    finally:
        engine.close()
        knowledge.close()
    return Outcome(task, trained, asked)


def _watched(stage: Stage, note: str) -> Generator[Event, None, Any]:
    """A stage's progress under a name of its own; returns its last Result's value."""
    value = None
    with contextlib.closing(stage):  # so that a benchmark that is stopped leaves no training behind
        for event in stage:
            if isinstance(event, Result):
                value = event.value
            elif isinstance(event, Progress):
                yield replace(event, note=f"{note}: {event.note}" if event.note else note)
    return value


def report(outcome: Outcome) -> Iterable[Figure]:
    """Tuned and bare beside what they should reach, and the seconds that training took."""
    task = outcome.task
    lanes = {name: [each for each in outcome.evaluation.results if each.lane == name] for name in ("base", "tuned")}
    for what, check, goal in GOALS[task.name]:
        yield _rate(f"{task.name}, tuned, {what}, beside the goal", lanes["tuned"], check, goal)
        yield _rate(f"{task.name}, bare, {what}, beside the most it may be", lanes["base"], check, BASE_MOST)
    if task.name == "letters":
        wanted = {f"{place}": row.answer for place, row in enumerate(task.unseen)}
        exact = 100 * sum(each.answer.text.strip() == wanted[each.case] for each in lanes["tuned"]) / len(wanted)
        style = 100 * sum(each.passed for each in lanes["tuned"]) / len(wanted)
        note = "letters that are word for word as the house writes them, beside those in its style"
        yield Figure("letters, tuned, word for word", exact, style, exact / max(style, 1e-9), "%", note)
    if task.name == "intents":
        right, counted = _rate("", lanes["tuned"], "").ours, 100 * bag_of_words(task)
        note = "naive Bayes over words and pairs of words, on the same rows: how far the wording alone leads"
        yield Figure("intents, tuned, beside a bag of words", right, counted, right / counted, "%", note)
    seconds, plain = outcome.run.seconds, PLAIN_SECONDS[task.name]
    note = (
        f"{outcome.run.step} steps; a plain recipe took the yardstick's on 500 to 600 rows of a public set, elsewhere"
    )
    yield Figure(f"{task.name}, training on {len(task.train)} rows", seconds, plain, seconds / plain, "s", note)


def bag_of_words(task: TaskSet) -> float:
    """The share of the unseen rows whose answer follows from their words alone, as far as the rows teach it."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.naive_bayes import ComplementNB
    from sklearn.pipeline import make_pipeline

    (asked, answers), (unseen, wanted) = (
        ([row.question for row in rows], [row.answer for row in rows]) for rows in (task.train, task.unseen)
    )
    counted = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), ComplementNB())
    return float(counted.fit(asked, answers).score(unseen, wanted))


def _rate(name: str, results: Sequence[CaseResult], check: str, beside: float = 100.0) -> Figure:
    """A share of rows with its Wilson interval."""
    good = [
        each.passed if not check else all(done.passed for done in each.checks if done.check == check)
        for each in results
    ]
    rate = rate_of(sum(good), len(good))
    low, high = (100 * end for end in rate.interval)
    note = f"{rate.passed} of {rate.total} unseen rows, 95 % interval {low:.0f} to {high:.0f} %"
    return Figure(name, 100 * rate.rate, beside, 100 * rate.rate / beside, "%", note)
