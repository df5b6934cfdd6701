"""What the Advise page reads of a project: the verdict on a run, and what each of its lanes took to make."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass

from workbench.advice.records import Verdict
from workbench.errors import WorkbenchError
from workbench.evaluation.records import Evaluation, Suite
from workbench.events import Progress, Result, Stage
from workbench.project import Project
from workbench.ui.evaluate_source import suite_of


@dataclass(frozen=True, slots=True)
class Advice:
    """Everything the page shows of a run."""

    evaluation: Evaluation
    suite: Suite
    verdict: Verdict
    train_seconds: dict[str, float]
    adapter_bytes: dict[str, int]
    index_bytes: int
    index_seconds: float  # to read all documents once, at the speed of this project's own builds; 0: not known


def read_seconds(project: Project) -> float:
    """About how long it takes to read all documents of the project from scratch, 0 where no build has told."""
    from workbench.index.files import list_files, read_index

    with contextlib.suppress(WorkbenchError, OSError, ValueError, sqlite3.Error):
        with read_index(project.folder) as index:
            rate = float(index.fact("bytes_per_second", "0"))
        size = sum(file.size for file in list_files(project.folder) if file.state == "indexed")
        return size / rate if rate else 0.0
    return 0.0


def advise(project: Project, evaluation: Evaluation) -> Stage:
    """The advice on a run, as a stage: the verdict resamples every pair of lanes."""
    from workbench.advice.verdict import decide

    yield Progress(0, 0, "weighing the results")
    suite = suite_of(project, evaluation)
    seconds, sizes = {}, {}
    with contextlib.suppress(WorkbenchError, OSError):
        from workbench.tuning.adapter import list_runs

        for run in list_runs(project.folder):
            seconds[run.name] = run.seconds
            sizes[run.name] = run.adapter.stat().st_size if run.adapter is not None else 0
    index = sum(path.stat().st_size for path in project.index_folder.rglob("*") if path.is_file())
    yield Result(Advice(evaluation, suite, decide(evaluation, suite), seconds, sizes, index, read_seconds(project)))
