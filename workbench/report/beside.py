"""What stands beside the verdict on the page: the questionnaire, costs, a judging model, adapters that are stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.advice.cost import Cost
from workbench.advice.projection import PLACES, TITLES, Projection
from workbench.advice.questionnaire import QUESTIONS, RULES, SOURCES, SYMPTOMS
from workbench.evaluation.judge import JudgeReport
from workbench.evaluation.records import Evaluation
from workbench.report.views import duration, lane_views


def beside_values(
    evaluation: Evaluation, advice: Mapping[str, Any], stale: Mapping[str, Sequence[str]], judge: JudgeReport | None
) -> dict[str, Any]:
    """What the template asks for beside the measurement itself; each is empty where nothing is known."""
    lanes = lane_views(evaluation)
    return {
        "questionnaire": _questionnaire(advice.get("questionnaire")),
        "symptoms": SYMPTOMS,
        "rules": RULES,
        "costs": [_cost(each, lanes[each.lane], evaluation) for each in advice.get("costs", ()) if each.lane in lanes],
        "money": _money(advice.get("projections", ()), lanes),
        "break_even": list(advice.get("break_even", ())),
        "judge": f"{judge.sentence} {judge.marks_sentence}" if judge is not None else "",
        "stale": _stale(evaluation, stale),
    }


def _questionnaire(beside: Any) -> dict[str, Any] | None:
    """The five questions with their answers, and what they come to; None without a single answer."""
    if beside is None or not beside.answers:
        return None
    rows = []
    for question in QUESTIONS:
        chosen = next((each for each in question.options if each.key == beside.answers.get(question.key)), None)
        rows.append(
            {
                "question": question.text,
                "answer": chosen.text if chosen else "open",
                "leads_to": chosen.leads_to if chosen else "",
                "measured": beside.measured.get(question.key, ""),
            }
        )
    return {
        "rows": rows,
        "sentence": beside.sentence,
        "notes": beside.notes,
        "agrees": beside.agrees,
        "source": SOURCES["S4"],
    }


def _cost(cost: Cost, lane: dict[str, str], evaluation: Evaluation) -> dict[str, Any]:
    """One lane's measured costs as cells."""
    summary, memory = evaluation.lanes[cost.lane], evaluation.memory.get(cost.lane)
    share = f"{100 * summary.retrieve_share:.0f} %" if summary.retrieve_share else "–"
    cells = [
        duration(cost.setup_seconds) if cost.setup_seconds else "nothing",
        duration(cost.typical_seconds),
        share,
        f"{cost.tokens:.0f}",
        size_words(memory) if memory else "–",
        size_words(cost.disk) if cost.disk else "nothing",
    ]
    return {**lane, "cells": cells}


def size_words(count: int) -> str:
    """Bytes as people read them."""
    return (
        f"{count / 1e9:.1f} GB"
        if count >= 1e9
        else f"{count / 1e6:.0f} MB"
        if count >= 1e6
        else f"{count / 1e3:.0f} kB"
    )


def _money(projections: Sequence[Projection], lanes: Mapping[str, dict[str, str]]) -> dict[str, Any] | None:
    """A year of each lane in each place, as bars over one scale; None where nothing costs anything."""
    most = max((each.year for each in projections), default=0.0)
    if not most:
        return None
    by_lane: dict[str, list[Projection]] = {}
    for each in projections:
        if each.lane in lanes:
            by_lane.setdefault(each.lane, []).append(each)
    rows = [
        {
            **lanes[lane],
            "bars": [
                {
                    "place": TITLES[each.place],
                    "css": f"place-{each.place}",
                    "year": f"${each.year:,.0f}",
                    "question": f"${each.month / each.questions:.4f} a question" if each.questions else "",
                    "width": round(100 * each.year / most, 1),
                    "parts": ", ".join(f"{what} ${amount:,.0f}" for what, amount in each.parts),
                }
                for each in sorted(places, key=lambda each: PLACES.index(each.place))
            ],
        }
        for lane, places in by_lane.items()
    ]
    return {"rows": rows, "questions": f"{projections[0].questions:,.0f}"}


def _stale(evaluation: Evaluation, stale: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Lane -> what makes its fine-tune stale."""
    found = {}
    for lane in evaluation.lanes:
        files = stale.get(lane.partition(":")[2], ()) if ":" in lane else ()
        if files:
            one = "1 document has" if len(files) == 1 else f"{len(files)} documents have"
            found[lane] = f"{one} changed since it was trained: {', '.join(list(files)[:5])}"
    return found
