"""Results become rates per lane and effects between lanes."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

import numpy as np

from workbench.evaluation.checks import same_file
from workbench.evaluation.records import Case, CaseResult, Effect, LaneSummary, Rate
from workbench.evaluation.statistics import holm, interaction, paired_effect, rate_of
from workbench.retrieval.refusal import is_refusal

Passed = dict[str, bool]  # case id -> passed, of one lane


def summarise(
    lane: str,
    results: Sequence[CaseResult],
    cases: Sequence[Case],
    repeats: Sequence[CaseResult] = (),
    flaky: int = 0,
) -> LaneSummary:
    """One lane over a suite; latencies are of the answers that were given, repeated ones included."""
    failed = sum(result.answer.stopped == "failed" for result in results)
    answers = [each.answer for each in (*results, *repeats) if each.answer.stopped != "failed"]
    seconds = [answer.seconds for answer in answers]
    return LaneSummary(
        lane=lane,
        overall=_rate(result.passed for result in results),
        by_kind=_rates((result.kind, result.passed) for result in results),
        by_check=_rates((check.check, check.passed) for result in results for check in result.checks),
        refused=_rates((result.kind, is_refusal(result.answer.text)) for result in results),
        median_seconds=_median(seconds),
        p95_seconds=float(np.percentile(seconds, 95)) if seconds else 0.0,
        median_first_token=_median([answer.first_token_seconds for answer in answers]),
        tokens_per_second=_median([answer.tokens_per_second for answer in answers if answer.tokens_per_second > 0]),
        found=_found(results, cases),
        failed=failed,
        flaky=flaky,
        retrieve_share=_median([each.retrieve_seconds / each.seconds for each in answers if each.seconds > 0]),
        prompt_tokens=_median([float(answer.prompt_tokens) for answer in answers]),
        answer_tokens=_median([float(answer.answer_tokens) for answer in answers]),
    )


def _rate(passed: Iterable[bool]) -> Rate:
    each = list(passed)
    return rate_of(sum(each), len(each))


def _rates(pairs: Iterable[tuple[str, bool]]) -> dict[str, Rate]:
    grouped: dict[str, list[bool]] = defaultdict(list)
    for name, passed in pairs:
        grouped[name].append(passed)
    return {name: _rate(passed) for name, passed in grouped.items()}


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else 0.0


def _found(results: Sequence[CaseResult], cases: Sequence[Case]) -> Rate | None:
    """How often the file that holds the answer was in the prompt, over the cases that name one."""
    if not any(result.answer.passages for result in results):
        return None
    sources = {case.id: case.source for case in cases if case.source}
    named = [(sources[result.case], result.answer.passages) for result in results if result.case in sources]
    return _rate(any(same_file(source, passage.file) for passage in passages) for source, passages in named)


def effects_of(results: Sequence[CaseResult], withheld: Collection[str] = ()) -> tuple[Effect, ...]:
    """Every effect the lanes that ran allow, over all kinds first and then per kind; Holm's correction within each.

    Lanes whose label is withheld have none: a difference to them would be a claim about something else.
    """
    results = [result for result in results if result.lane not in withheld]
    kinds = list(dict.fromkeys(result.kind for result in results))
    found: list[Effect] = []
    for kind in ["", *(kinds if len(kinds) > 1 else [])]:
        chosen = [result for result in results if not kind or result.kind == kind]
        effects = _effects_within(_passed_by_lane(chosen), kind)
        tested = [effect for effect in effects if effect.name != "interaction"]
        corrected = iter(holm([effect.p_value for effect in tested]))
        found += [
            effect if effect.name == "interaction" else dataclasses.replace(effect, holm_p=next(corrected))
            for effect in effects
        ]
    return tuple(found)


def _passed_by_lane(results: Iterable[CaseResult]) -> dict[str, Passed]:
    lanes: dict[str, Passed] = defaultdict(dict)
    for result in results:
        lanes[result.lane][result.case] = result.passed
    return lanes


def _effects_within(lanes: dict[str, Passed], kind: str) -> list[Effect]:
    found = []

    def add(name: str, lane: str, against: str) -> None:
        if lane in lanes and against in lanes:
            ours, theirs = _paired(lanes[lane], lanes[against])
            found.append(paired_effect(name, lane, against, ours, theirs, kind))

    for lane in lanes:
        if lane != "base":
            add(effect_name(lane), lane, "base")
    for lane in lanes:
        if lane.startswith("rag+tuned"):
            tuned = lane.removeprefix("rag+")
            add("tuning given retrieval", lane, "rag")
            add("retrieval given tuning", lane, tuned)
            if {"base", "rag", tuned} <= set(lanes):
                four = _paired(lanes["base"], lanes["rag"], lanes[tuned], lanes[lane])
                found.append(interaction((lane, "base"), four[0], four[1], four[2], four[3], kind))
    return found


def effect_name(lane: str) -> str:
    """What a lane adds to the base lane: a standard lane's effect by its name, a person's own lane by the lane's."""
    first = lane.partition(":")[0]
    standard = {
        "prompted": "prompting",
        "rag": "retrieval",
        "tuned": "tuning",
        "rag+tuned": "both",
        "full": "whole documents",
    }
    return standard.get(first, lane)


def _paired(*lanes: Passed) -> tuple[list[bool], ...]:
    """The verdicts of several lanes over the cases they share, in one order."""
    shared = [case for case in lanes[0] if all(case in other for other in lanes[1:])]
    return tuple([lane[case] for case in shared] for lane in lanes)


def majority(asked: Sequence[CaseResult]) -> CaseResult:
    """The first of a case's repeats that came out as most did; as many of each is not passed."""
    passed = 2 * sum(result.passed for result in asked) > len(asked)
    return next(result for result in asked if result.passed == passed)


def regroup(results: Iterable[CaseResult], key: Callable[[CaseResult], str]) -> dict[str, list[CaseResult]]:
    """Results by a key of theirs, in order of first appearance."""
    grouped: dict[str, list[CaseResult]] = {}
    for result in results:
        grouped.setdefault(key(result), []).append(result)
    return grouped
