"""What is advised beside a verdict: the questionnaire, and what each lane costs here and elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from workbench import records
from workbench.advice.beside import judge_beside
from workbench.advice.cost import Assumptions, cost_table
from workbench.advice.facts import read_facts
from workbench.advice.projection import all_prices, break_evens, known_prices, project_costs, set_prices
from workbench.advice.questionnaire import known_answers
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


def kept_answers(project: Project) -> dict[str, str]:
    """A person's own answers to the questionnaire, as the window keeps them; those that are known here."""
    kept = project.info.options.get("questionnaire")
    return known_answers(kept) if isinstance(kept, dict) else {}


def kept_assumptions(project: Project) -> Assumptions:
    """What a person said their costs rest on, as the window keeps it; the defaults where it cannot be read."""
    with contextlib.suppress(TypeError, ValueError, AttributeError):
        found: Assumptions = records.from_plain(Assumptions, project.info.options.get("assumptions", {}))
        return found
    return Assumptions()


def kept_prices(project: Project) -> dict[str, float]:
    """The published prices that a person has put their own in place of, as the window keeps them."""
    kept = project.info.options.get("prices")
    return known_prices(kept) if isinstance(kept, dict) else {}
