"""What the commands share about dossiers: the page, the JSON, and what is advised beside the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench import records
from workbench.advice.cost import Assumptions
from workbench.advice.records import Verdict
from workbench.evaluation.records import Evaluation, Suite
from workbench.project import Project


def write_page(
    path: Path, evaluation: Evaluation, suite: Suite, project: Project, redacted: str = "", **more: Any
) -> Path:
    """Write the report page of an evaluation with its verdict, its costs and the runs of its adapters."""
    from workbench.advice.facts import stale_adapters
    from workbench.advice.verdict import decide
    from workbench.evaluation.judge import read_report
    from workbench.report.page import write_report
    from workbench.tuning.adapter import list_runs

    used = {name.partition(":")[2] for name in evaluation.lanes}
    runs = tuple(run for run in list_runs(project.folder) if run.name in used)
    verdict = decide(evaluation, suite)
    more = {"advice": further_advice(evaluation, suite, verdict, project), **more}
    more |= {"stale": stale_adapters(project), "judge": read_report(evaluation), "redacted": redacted}
    return write_report(path, evaluation, suite, verdict, title=project.info.name, runs=runs, **more)


def write_json_dossier(path: Path, evaluation: Evaluation, suite: Suite, project: Project, redacted: str) -> Path:
    """Write the dossier as JSON, with what the page shows and all answers."""
    from workbench.advice.verdict import decide
    from workbench.report.dossier import write_dossier

    verdict = decide(evaluation, suite)
    more = records.to_plain(further_advice(evaluation, suite, verdict, project))
    return write_dossier(path, evaluation, suite, verdict, title=project.info.name, redacted=redacted, more=more)


def further_advice(
    evaluation: Evaluation,
    suite: Suite,
    verdict: Verdict,
    project: Project,
    answers: Mapping[str, str] | None = None,
    assumptions: Assumptions | None = None,
    prices: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """The questionnaire beside a verdict, and what each lane costs here and elsewhere; records by name."""
    from workbench.advice.beside import judge_beside
    from workbench.advice.cost import cost_table
    from workbench.advice.facts import read_facts
    from workbench.advice.projection import all_prices, break_evens, project_costs, set_prices

    facts, given, own = read_facts(project), assumptions or Assumptions(), set_prices(prices or {})
    measured = cost_table(
        evaluation,
        given,
        index_seconds=facts.index_seconds,
        train_seconds=facts.train_seconds,
        index_bytes=facts.index_bytes,
        adapter_bytes=facts.adapter_bytes,
    )
    projected = project_costs(evaluation, facts, given, own)
    return {
        "questionnaire": judge_beside(evaluation, suite, verdict, answers or {}, facts.examples),
        "costs": measured,
        "projections": projected,
        "break_even": break_evens(projected, verdict.lane),
        "prices": {key: {"value": own[key], **records.to_plain(price)} for key, price in all_prices().items()},
    }
