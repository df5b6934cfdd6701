"""What the Advise page reads of a project: the verdict on a run, and what each of its lanes took to make."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QCoreApplication

from workbench.advice.facts import Facts
from workbench.advice.records import Verdict
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
    facts: Facts = field(default_factory=Facts)  # all that is known of the project, these among it
    stale: dict[str, tuple[str, ...]] = field(default_factory=dict)  # adapter -> documents that are newer than it


def advise(project: Project, evaluation: Evaluation) -> Stage:
    """The advice on a run, as a stage: the verdict resamples every pair of lanes."""
    from workbench.advice.facts import read_facts, stale_adapters
    from workbench.advice.verdict import decide

    yield Progress(0, 0, QCoreApplication.translate("Advice", "weighing the results"))
    suite, facts = suite_of(project, evaluation), read_facts(project)
    made = facts.train_seconds, facts.adapter_bytes, facts.index_bytes, facts.index_seconds
    stale = stale_adapters(project)
    yield Result(Advice(evaluation, suite, decide(evaluation, suite), *made, facts, stale))
