"""What to use, by how much, or that it cannot be told yet.

Lanes are chosen in `choice`, over all cases, per kind and per tag; here the choices are said, with their figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from workbench.advice.attribution import REASONS, count_failures, explain_failures
from workbench.advice.choice import ENOUGH, FEW, FEWEST, ORDER, Choice, choose, family, parts
from workbench.advice.records import Verdict
from workbench.advice.wording import (
    HEADLINES,
    NAMES,
    in_points,
    kind_words,
    lane_words,
    left_out_sentences,
    points,
    scope_sentence,
    sentence_for,
)
from workbench.evaluation.records import CaseResult, Effect, Evaluation, Suite
from workbench.evaluation.statistics import noise_within
from workbench.evaluation.summary import regroup


def decide(evaluation: Evaluation, suite: Suite) -> Verdict:
    """The verdict on an evaluation, over all its cases, per kind of case and per tag."""
    noise = evaluation.noise.margin if evaluation.noise else 0.0
    proven = [result for result in evaluation.counted if result.lane not in evaluation.withheld]
    overall = choose(proven, noise)
    kinds = regroup(proven, lambda result: result.kind)
    per_kind = {kind: choose(each, noise_within(noise, len(each), len(proven))) for kind, each in kinds.items()}
    tagged = _tagged(proven, suite)
    per_tag = {
        tag: (kind, choose(each, noise_within(noise, len(each), len(proven)), len(tagged)))
        for tag, kind, each in tagged
    }
    failures = explain_failures(evaluation, suite)
    return Verdict(
        recommendation=overall.recommendation,
        lane=overall.lane,
        headline=_headline(evaluation, overall, per_kind),
        firmness=_firmness(evaluation, overall),
        by_kind={kind: choice.recommendation for kind, choice in per_kind.items()},
        reasons=_reasons(evaluation, overall, per_kind, per_tag, count_failures(failures)),
        would_change=_would_change(evaluation, overall, per_kind),
        effects=evaluation.effects,
        failures=count_failures(failures),
        failed_cases=failures,
        questions_needed=overall.needed,
        needed_by_kind={kind: choice.needed for kind, choice in per_kind.items() if choice.needed},
        unhelped=tuple(kind for kind, choice in per_kind.items() if _nothing_helped(kind, choice, evaluation)),
        by_tag={tag: choice.recommendation for tag, (_, choice) in per_tag.items()},
        scope=scope_sentence(len({result.case for result in evaluation.counted}), FEWEST),
    )


def _tagged(results: Sequence[CaseResult], suite: Suite) -> list[tuple[str, str, list[CaseResult]]]:
    """Kind and results of each tag that can be told of: FEWEST cases or more, all of one kind, and not the whole kind.

    They may be many, so the level is divided among them.
    """
    asked = {result.case for result in results}
    cases = [case for case in suite.cases if case.id in asked]
    sizes = Counter(case.kind for case in cases)
    found = []
    for tag in dict.fromkeys(tag for case in cases for tag in case.tags):
        tagged = {case.id: case.kind for case in cases if tag in case.tags}
        kind = next(iter(tagged.values()))
        if FEWEST <= len(tagged) < sizes[kind] and set(tagged.values()) == {kind}:
            found.append((tag, kind, [result for result in results if result.case in tagged]))
    return found


def _headline(evaluation: Evaluation, choice: Choice, per_kind: Mapping[str, Choice]) -> str:
    if not choice.lane:
        return (
            "It cannot be told yet which to use."
            if len(evaluation.lanes) > 1
            else "One lane alone compares with nothing."
        )
    rate = evaluation.lanes[choice.lane].overall
    if choice.recommendation == "neither" and rate.interval[0] < ENOUGH:
        return HEADLINES["nothing"]
    apart = [
        f"{kind_words(kind)} {lane_words(family(one.lane), False)}"
        for kind, one in per_kind.items()
        if one.lane and one.recommendation != "neither" and not parts(one.lane) <= parts(choice.lane)
    ]
    said = HEADLINES[choice.recommendation]
    return f"{said.rstrip('.')}, but for {' and for '.join(apart)}." if apart else said


def _firmness(evaluation: Evaluation, choice: Choice) -> str:
    gap = choice.gap
    if gap is None:
        return "Evaluate at least two lanes over the same questions, each proven to be what its label says."
    if choice.needed:
        return sentence_for("open", gap, choice.needed, FEW)
    if choice.worse and choice.best == choice.lane:
        return sentence_for("clear", gap, 0, FEW)
    return sentence_for("firm" if choice.firm else "leaning", gap, 0, FEW)


def _reasons(
    evaluation: Evaluation,
    overall: Choice,
    per_kind: dict[str, Choice],
    per_tag: dict[str, tuple[str, Choice]],
    failures: dict[str, dict[str, int]],
) -> tuple[str, ...]:
    told = [f"{lane_words(lane)}: right on {_share(evaluation, lane)}." for lane in _shown(evaluation, overall)]
    told += [
        _effect_sentence(effect) for effect in evaluation.effects if not effect.kind and _worth_telling(effect, overall)
    ]
    if len(per_kind) > 1:
        told += [_kind_sentence(kind, choice, evaluation) for kind, choice in per_kind.items()]
    told += [_tag_sentence(tag, one) for tag, (kind, one) in per_tag.items() if _worth_naming(one, per_kind[kind])]
    told += [*_faults(evaluation), *_oracle_sentence(evaluation)]
    lane = overall.lane or overall.best
    for reason, count in list(failures.get(lane, {}).items())[:1]:
        found, words = REASONS[reason], lane_words(lane, False)
        told.append(f"Of what {words} still fails, most is “{found.title.lower()}” ({count}). {found.next_step}")
    return tuple(told)


def _shown(evaluation: Evaluation, choice: Choice) -> list[str]:
    """The chosen lane, the best, and the cheapest, each once."""
    cheapest = next((lane for lane in evaluation.lanes if family(lane) == "base"), "")
    return [lane for lane in dict.fromkeys((choice.lane, choice.best, cheapest)) if lane in evaluation.lanes]


def _share(evaluation: Evaluation, lane: str) -> str:
    rate = evaluation.lanes[lane].overall
    low, high = (f"{100 * bound:.0f}" for bound in rate.interval)
    return f"{rate.passed} of {rate.total} questions, {100 * rate.rate:.0f} % (between {low} and {high})"


def _worth_telling(effect: Effect, choice: Choice) -> bool:
    wanted = {"prompting", "retrieval", "tuning", "tuning given retrieval", "interaction"}
    tuned = choice.lane if "tuned" in choice.lane else ""
    same = not tuned or "tuned" not in effect.lane or effect.lane.partition(":")[2] == tuned.partition(":")[2]
    return effect.name in wanted and same


def _effect_sentence(effect: Effect) -> str:
    what = NAMES.get(effect.name, effect.name)
    low, high = points(effect.interval[0]), points(effect.interval[1])
    seen = f"{in_points(effect.difference)} (between {low} and {high})"
    if effect.interval[0] <= 0 <= effect.interval[1]:
        return f"{what}: nothing that could be told from chance, {seen}."
    if effect.name == "interaction":
        return f"{what}, beyond the sum of each: {seen}."
    return f"{what} changes the rate by {seen}."


def _kind_sentence(kind: str, choice: Choice, evaluation: Evaluation) -> str:
    total = max((lane.by_kind[kind].total for lane in evaluation.lanes.values() if kind in lane.by_kind), default=0)
    what = kind_words(kind)
    if not choice.lane:
        more = f"; about {choice.needed} more of them would tell" if 0 < choice.needed <= FEW else ""
        return f"For the {total} {what} it cannot be told yet{more}."
    if _nothing_helped(kind, choice, evaluation):
        return f"For the {total} {what} nothing tried here helped enough."
    if choice.needed:
        more = f"; about {choice.needed} more of them would tell" if choice.needed <= FEW else ""
        return (
            f"For the {total} {what}: {lane_words(choice.lane, False)}. Whether {lane_words(choice.best, False)} would "
            f"do still better cannot be told yet{more}."
        )
    return f"For the {total} {what}: {lane_words(choice.lane, False)}{'' if choice.firm else ', not yet firmly'}."


def _worth_naming(tagged: Choice, kind: Choice) -> bool:
    """Whether a tag is told something else than its kind is; the rest is in `by_tag`."""
    return bool(tagged.lane) and tagged.recommendation not in (kind.recommendation, "neither")


def _tag_sentence(tag: str, choice: Choice) -> str:
    firm = "" if choice.firm and not choice.needed else ", not yet firmly"
    return f"For the {choice.total} questions tagged “{tag}”: {lane_words(choice.lane, False)}{firm}."


def _nothing_helped(kind: str, choice: Choice, evaluation: Evaluation) -> bool:
    """Whether the bare model is left over for a kind, and not because it does well."""
    if choice.recommendation != "neither" or not choice.lane:
        return False
    return evaluation.lanes[choice.lane].by_kind[kind].interval[0] < ENOUGH


def _oracle_sentence(evaluation: Evaluation) -> list[str]:
    """How much of what the documents lane failed at a better search would mend."""
    lane = next((each.lane for each in evaluation.oracle), "")
    tried = {each.case: each for each in evaluation.oracle if each.lane == lane}
    failed = [each for each in evaluation.results if each.lane == lane and not each.passed and each.case in tried]
    if not failed:
        return []
    mended, words = sum(tried[each.case].passed for each in failed), lane_words(lane, False)
    return [f"Given the right passages, {words} would get {mended} of the {len(failed)} questions of fact they missed."]


def _faults(evaluation: Evaluation) -> list[str]:
    """What makes the figures themselves doubtful."""
    told = [
        f"{lane_words(lane)} is left out, for its label is not proven. {said}"
        for lane, said in evaluation.canaries.items()
        if said != "ok"
    ]
    told += [
        f"The engine failed at {lane.failed} questions of {lane_words(lane.lane, False)}: they are not compared."
        for lane in evaluation.lanes.values()
        if lane.failed
    ]
    told += [*left_out_sentences(evaluation)]
    if evaluation.missing_sources:
        told.append(f"{len(evaluation.missing_sources)} of the files the questions are about are not in the index.")
    return told


def _would_change(evaluation: Evaluation, overall: Choice, per_kind: dict[str, Choice]) -> tuple[str, ...]:
    told = []
    if 0 < overall.needed <= FEW:
        told.append(f"About {overall.needed} more questions of the same kinds, answered by the same lanes.")
    if overall.lane and overall.gap is not None and overall.best != overall.lane:
        most, best = in_points(overall.gap.interval[1]).removeprefix("+"), lane_words(overall.best, False)
        told.append(f"If {most} would matter to you: {best} could be that much better.")
    for kind, choice in per_kind.items():
        other = choice.lane and choice.recommendation != overall.recommendation
        if other and overall.lane and not _nothing_helped(kind, choice, evaluation):  # which is no advice
            told.append(f"If you only had {kind_words(kind)}: {lane_words(choice.lane, False)}.")
    if overall.recommendation in ("fine-tuning", "both") and "prompted" not in evaluation.lanes:
        told.append("Prompt first: a better prompt was not measured, and it often does what a fine-tune is meant for.")
    missing = [each for each in ORDER if each not in {family(lane) for lane in evaluation.lanes}]
    if missing:
        told.append(f"Not measured here: {', '.join(lane_words(each, False) for each in missing)}.")
    return tuple(told)
