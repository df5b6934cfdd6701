"""Gather what an evaluation's page and JSON show: verdict, costs, runs, stale adapters, a person's marks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench import records
from workbench.evaluation.records import Evaluation, Suite
from workbench.project import Project
from workbench.tuning.recipe import RunInfo


def write_page(
    path: Path, evaluation: Evaluation, suite: Suite, project: Project, redacted: str = "", **more: Any
) -> Path:
    """Write the report page of an evaluation with its verdict, its costs and the runs of its adapters."""
    from workbench.advice.facts import stale_adapters
    from workbench.advice.further import further_advice, kept_answers, kept_assumptions, kept_prices
    from workbench.advice.verdict import decide
    from workbench.evaluation.judge import read_report
    from workbench.evaluation.trials import kept_beside
    from workbench.report.page import write_report

    runs = _runs(evaluation, project)
    verdict = decide(evaluation, suite)
    given = kept_answers(project), kept_assumptions(project), kept_prices(project)
    more = {"advice": further_advice(evaluation, suite, verdict, project, *given), **more}
    more |= {"stale": stale_adapters(project), "judge": read_report(evaluation), "redacted": redacted}
    more["tests"] = kept_beside(project.folder, suite.name, evaluation.suite_hash, evaluation.lanes)
    return write_report(path, evaluation, suite, verdict, title=project.info.name, runs=runs, **more)


def write_json_dossier(path: Path, evaluation: Evaluation, suite: Suite, project: Project, redacted: str) -> Path:
    """Write the dossier as JSON, with what the page shows and all answers."""
    from workbench.advice.further import further_advice, kept_answers, kept_assumptions, kept_prices
    from workbench.advice.verdict import decide
    from workbench.evaluation.judge import read_report
    from workbench.evaluation.trials import kept_beside
    from workbench.report.dossier import write_dossier
    from workbench.report.side_effects import plain_side_effects
    from workbench.report.trials import redact_tests, trial_plain

    verdict = decide(evaluation, suite)
    given = kept_answers(project), kept_assumptions(project), kept_prices(project)
    more = records.to_plain(further_advice(evaluation, suite, verdict, project, *given))
    more["judge"] = records.to_plain(read_report(evaluation))
    tests = kept_beside(project.folder, suite.name, evaluation.suite_hash, evaluation.lanes)
    more["side_effects"] = plain_side_effects(_runs(evaluation, project))
    more["tests"] = trial_plain(evaluation, redact_tests(tests, redacted))
    return write_dossier(path, evaluation, suite, verdict, title=project.info.name, redacted=redacted, more=more)


def _runs(evaluation: Evaluation, project: Project) -> tuple[RunInfo, ...]:
    """The fine-tunes whose adapters an evaluation's lanes have."""
    from workbench.tuning.adapter import list_runs

    used = {name.partition(":")[2] for name in evaluation.lanes}
    return tuple(run for run in list_runs(project.folder) if run.name in used)
