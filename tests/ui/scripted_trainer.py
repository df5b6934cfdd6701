"""Tuning as tests of the window script it: a report, choices, and runs that leave folders as real ones do."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from made_up_project import make_run

from workbench.errors import BadDataset
from workbench.events import Progress, Result, Stage, Step
from workbench.project import Project
from workbench.tuning import dry_run
from workbench.tuning.dataset import DatasetReport, Problem, Span
from workbench.tuning.forecast import Measured
from workbench.tuning.recipe import Recipe, Sample
from workbench.ui import finetune_page
from workbench.ui import finetune_source as source
from workbench.ui.finetune_presets import Choices

REPORT = DatasetReport(
    "OpenAI messages (JSON lines, UTF-8)", 409,
    (Problem(2, "messages", "error", "the row is not valid JSON", "tickets.jsonl"),
     Problem(3, "", "warning", "the row repeats row 1", "tickets.jsonl")),
    12_000, 40_000, {"shortest": 40, "median": 90, "p95": 400, "longest": 1204},
    ((100, 300), (200, 109)),
    (Span("<|im_start|>user\nLeft X2 crackles\n", False), Span('{"product": "X2"}', True)),
    {"errors": 1, "warnings": 1},
    files=("tickets.jsonl",),
)  # fmt: skip

# A dry run on those rows: 5 ms a token with all 30 layers trained, 200 tokens a second.
MEASURED = Measured(
    "cpu (bf16)", "2026-11-20T21:14:00", 134_515_008, 30, 30, False, 10.0, 0.005, 0.005, 0.002, 4.0, 368, 36_000,
    36_000, 3_000, 1024, 1280, 700_000_000, 1_900_000_000,
)  # fmt: skip


class Trainer:
    """Scripted tuning: a run that takes steps when it is let, and leaves a folder as a real one does."""

    def __init__(self, project: Project) -> None:
        self.project, self.go = project, threading.Event()
        self.started: list[Recipe] = []
        self.anew: list[bool] = []
        self.stopped: list[Path] = []
        self.measured: list[int] = []

    def inspect(
        self, files: tuple[Path, ...], model: Path, suite: object = (), columns: object = (), home: object = None
    ) -> Stage:
        yield Progress(0, 0, "reading")
        if "bad" in files[0].name:
            raise BadDataset(f"{files[0].name} has no row that can be trained.")
        yield Result(REPORT)

    def start_and_watch(self, recipe: Recipe, anew: bool = False) -> Stage:
        self.started.append(recipe)
        self.anew.append(anew)
        make_run(self.project, recipe.name, 1, 138, "stopped")
        yield Step(0, 138, None, 0.7, samples=(Sample("Hum", '{"a":1}', "Sorry"),))
        for step in range(1, 10):
            yield Step(step, 138, 0.6, None, 268.0, step * 2.0)
        while not self.go.wait(0.02):
            yield Progress(9, 138, "training", "steps")
        make_run(self.project, recipe.name, 138, 138, "done")
        yield Result(next(run for run in source.list_runs(self.project) if run.name == recipe.name))

    def dry_run(self, recipe: Recipe, report: DatasetReport, anew: bool = False) -> Stage:
        self.measured.append(report.examples)
        yield Progress(1, 8, "steps of a first pass", "steps")
        dry_run.keep(recipe, report, MEASURED)
        yield Result(MEASURED)

    def stop_run(self, folder: Path) -> Stage:
        self.stopped.append(folder)
        yield Progress(0, 0, "keeping")


def make_up_choices(name: str, model: Path, files: tuple[Path, ...], folder: Path, report: DatasetReport) -> Choices:
    passes = {"quick": 1.0, "balanced": 2.0, "thorough": 4.0}
    recipes = {key: Recipe(name, model, files, folder, epochs=each) for key, each in passes.items()}
    return Choices(recipes, {key: (f"{each:g} passes",) for key, each in passes.items()})


def script_tuning(project: Project, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """Put a scripted trainer in place of the real parts."""
    made = Trainer(project)
    monkeypatch.setattr("workbench.tuning.dataset.inspect", made.inspect)
    monkeypatch.setattr(source, "start_and_watch", made.start_and_watch)
    monkeypatch.setattr(source, "stop_run", made.stop_run)
    monkeypatch.setattr(source, "model_of", lambda project: Path("/models/starter.gguf"))
    monkeypatch.setattr(dry_run, "dry_run", made.dry_run)
    monkeypatch.setattr(finetune_page, "make_choices", make_up_choices)
    return made
