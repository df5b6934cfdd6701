"""What is advised beside a verdict: the questionnaire, and what each lane costs here and elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench import records
from workbench.advice.beside import judge_beside
from workbench.advice.cost import Assumptions, cost_table
from workbench.advice.facts import read_facts
from workbench.advice.projection import all_prices, break_evens, project_costs, set_prices
from workbench.advice.records import Verdict
from workbench.evaluation.records import Evaluation, Suite
from workbench.project import Project


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
