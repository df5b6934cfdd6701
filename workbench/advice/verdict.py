"""What to use, by how much, or that it cannot be told yet.

The rule is prompt first: the cheapest lane whose result is not clearly worse than the best. *Clearly worse* asks for
three things at once: McNemar's p under 5 % after Holm's correction over the cheaper lanes, a paired interval that
leaves out zero, and a difference beyond the noise of asking the same lane twice.

Under FEWEST questions nothing is told, however clear it looks: a dozen questions show what a lane does with them and
not with the next ones. Lanes whose canary failed take no part.

A cheaper lane that merely was not shown to be worse is not yet as good. How much better the best could still be is the
upper end of its interval: under MATTERS the verdict is firm, under twice that it leans, and beyond, or where the best
was seen ahead by MATTERS without proof, it cannot be told and the number of questions that would tell is given. One
case is told all the same: where only an addition is open, as documents alone or with a fine-tune on top, the part that
is in both and clearly beats everything cheaper is right either way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from workbench.advice.attribution import REASONS, count_failures, explain_failures
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
from workbench.evaluation.statistics import holm, paired_effect, pairs_to_bound, pairs_to_detect
from workbench.evaluation.summary import regroup

LEVEL = 0.05  # chance of calling any one cheaper lane worse when none is
MATTERS = 0.10  # our choice: one question in ten is what people notice, and what 100 to 200 questions can show
ENOUGH = 0.5  # our choice: a bare model that may be wrong every other time is not praised as enough
FEWEST = 15  # our choice: up to here even a clean sweep leaves a fifth open, by Wilson's interval
FEW = 1000  # beyond so many more questions the difference is too small to be worth measuring

# Cheapest first: what each adds to set up, run and keep up to date.
ORDER = ("base", "prompted", "rag", "tuned", "rag+tuned")
RECOMMENDATIONS = {
    "base": "neither",
    "prompted": "prompt",
    "rag": "retrieval",
    "tuned": "fine-tuning",
    "rag+tuned": "both",
    "": "cannot-tell",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the results of some cases speak for."""

    lane: str  # the lane chosen, "" when it cannot be told
    best: str  # the lane with the most right answers, the cheaper of equals
    gap: Effect | None  # best over the lane chosen (or over the cheapest that could be), None when they are the same
    worse: tuple[str, ...]  # cheaper lanes that are clearly worse than the best
    firm: bool
    needed: int  # about how many more questions would tell, 0 when it is told

    @property
    def recommendation(self) -> str:
        """As in the contract."""
        return RECOMMENDATIONS[family(self.lane)]


def family(lane: str) -> str:
    """ "tuned" for "tuned:tickets"; a person's own lane is its own family."""
    return lane.partition(":")[0]


def decide(evaluation: Evaluation, suite: Suite) -> Verdict:
    """The verdict on an evaluation, over all its cases and per kind of case."""
    noise = evaluation.noise.margin if evaluation.noise else 0.0
    proven = [result for result in evaluation.counted if result.lane not in evaluation.withheld]
    overall = choose(proven, noise)
    kinds = regroup(proven, lambda result: result.kind)
    per_kind = {kind: choose(each, _noise_within(noise, len(each), len(proven))) for kind, each in kinds.items()}
    failures = explain_failures(evaluation, suite)
    return Verdict(
        recommendation=overall.recommendation,
        lane=overall.lane,
        headline=_headline(evaluation, overall),
        firmness=_firmness(evaluation, overall),
        by_kind={kind: choice.recommendation for kind, choice in per_kind.items()},
        reasons=_reasons(evaluation, overall, per_kind, count_failures(failures)),
        would_change=_would_change(evaluation, overall, per_kind),
        effects=evaluation.effects,
        failures=count_failures(failures),
        failed_cases=failures,
        questions_needed=overall.needed,
        needed_by_kind={kind: choice.needed for kind, choice in per_kind.items() if choice.needed},
        scope=scope_sentence(len({result.case for result in evaluation.counted}), FEWEST),
    )


def _noise_within(noise: float, some: int, every: int) -> float:
    """The noise over a part of the cases: chance weighs more where there are fewer."""
    return min(1.0, noise * math.sqrt(every / some)) if some else noise


def choose(results: Sequence[CaseResult], noise: float = 0.0) -> Choice:
    """The cheapest lane that is not clearly worse than the best, over some cases. Lanes a person made are left out."""
    return choose_among(_candidates(results), noise)


def choose_among(lanes: Mapping[str, Mapping[str, bool]], noise: float = 0.0) -> Choice:
    """The same from verdicts by lane and case, the lanes cheapest first."""
    if len(lanes) < 2:
        return Choice("", next(iter(lanes), ""), None, (), False, 0)
    choice = _choose(lanes, noise)
    total = max(len(lane) for lane in lanes.values())
    if total >= FEWEST:
        return choice
    return replace(choice, lane="", worse=(), firm=False, needed=max(choice.needed, _tens(FEWEST - total)))


def _choose(lanes: Mapping[str, Mapping[str, bool]], noise: float) -> Choice:
    best = max(lanes, key=lambda lane: sum(lanes[lane].values()))  # max keeps the first, so the cheaper of equals
    cheaper = list(lanes)[: list(lanes).index(best)]
    gaps = [_gap(best, lane, lanes) for lane in cheaper]
    corrected = holm([gap.p_value for gap in gaps])
    worse = {gap.against for gap, p in zip(gaps, corrected, strict=True) if _clearly(gap, p, noise)}
    left = [gap for gap in gaps if gap.against not in worse]
    ordered = tuple(lane for lane in cheaper if lane in worse)
    if left:
        choice = _weigh(left[0], best, ordered, len(gaps))
        return choice if choice.lane or len(left) > 1 else _certain_part(choice, left[0].against, lanes, noise)
    return _weigh_best(best, lanes, ordered)


def _certain_part(choice: Choice, lane: str, lanes: Mapping[str, Mapping[str, bool]], noise: float) -> Choice:
    """The one lane that is left, if it is a part of the best and clearly better than all that are cheaper than it."""
    below = [_gap(lane, each, lanes) for each in list(lanes)[: list(lanes).index(lane)]]
    corrected = holm([gap.p_value for gap in below])
    proven = below and all(_clearly(gap, p, noise) for gap, p in zip(below, corrected, strict=True))
    return replace(choice, lane=lane) if proven and _parts(lane) < _parts(choice.best) else choice


def _parts(lane: str) -> set[str]:
    return set(family(lane).split("+"))


def _candidates(results: Sequence[CaseResult]) -> dict[str, dict[str, bool]]:
    """Verdicts by case for the standard lanes, cheapest first; of several fine-tunes the one that did best."""
    lanes: dict[str, dict[str, bool]] = {}
    for result in results:
        if family(result.lane) in ORDER and result.answer.stopped != "failed":
            lanes.setdefault(result.lane, {})[result.case] = result.passed
    best: dict[str, str] = {}
    for lane, passed in lanes.items():
        holder = best.get(family(lane))
        if holder is None or sum(passed.values()) > sum(lanes[holder].values()):
            best[family(lane)] = lane
    return {best[each]: lanes[best[each]] for each in ORDER if each in best}


def _gap(best: str, lane: str, lanes: Mapping[str, Mapping[str, bool]]) -> Effect:
    shared = [case for case in lanes[best] if case in lanes[lane]]
    ours, theirs = [lanes[best][case] for case in shared], [lanes[lane][case] for case in shared]
    return paired_effect("gap", best, lane, ours, theirs)


def _clearly(gap: Effect, corrected: float, noise: float) -> bool:
    return corrected < LEVEL and gap.interval[0] > 0 and gap.difference > noise


def _weigh(gap: Effect, best: str, worse: tuple[str, ...], compared: int) -> Choice:
    """Whether the cheapest lane that is left is as good as the best, or merely was not shown to be worse."""
    upper = gap.interval[1]
    if gap.difference >= MATTERS or upper > 2 * MATTERS:
        return Choice("", best, gap, worse, False, _needed(gap, compared))
    return Choice(gap.against, best, gap, worse, upper <= MATTERS, 0)


def _weigh_best(best: str, lanes: Mapping[str, Mapping[str, bool]], worse: tuple[str, ...]) -> Choice:
    """The best beats all cheaper lanes clearly, or is itself the cheapest: then dearer ones may still beat it."""
    if worse:
        return Choice(best, best, _gap(best, worse[-1], lanes), worse, True, 0)
    dearer = [_gap(lane, best, lanes) for lane in lanes if lane != best]
    widest = max(dearer, key=lambda gap: gap.interval[1])
    return _weigh(widest, best, worse, len(dearer))


def _needed(gap: Effect, compared: int) -> int:
    """About how many more questions would tell, rounded up to tens: to prove the difference, or to bound it.

    Holm asks most of the first of `compared` differences, so the level is divided by their number.
    """
    discordant = (gap.better + gap.worse + 1) / (gap.total + 2)  # smoothed: no discordant pair of three is not none
    if abs(gap.difference) >= MATTERS:
        total = pairs_to_detect(gap.difference, discordant, level=1 - LEVEL / compared)
    else:
        total = pairs_to_bound(max(gap.difference, 0.0), discordant, 2 * MATTERS)
    return _tens(total - gap.total)


def _tens(number: float) -> int:
    return max(10, math.ceil(number / 10) * 10)


def _headline(evaluation: Evaluation, choice: Choice) -> str:
    if not choice.lane:
        return (
            "It cannot be told yet which to use."
            if len(evaluation.lanes) > 1
            else "One lane alone compares with nothing."
        )
    rate = evaluation.lanes[choice.lane].overall
    if choice.recommendation == "neither" and rate.interval[0] < ENOUGH:
        return HEADLINES["nothing"]
    return HEADLINES[choice.recommendation]


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
    evaluation: Evaluation, overall: Choice, per_kind: dict[str, Choice], failures: dict[str, dict[str, int]]
) -> tuple[str, ...]:
    told = [f"{lane_words(lane)}: right on {_share(evaluation, lane)}." for lane in _shown(evaluation, overall)]
    told += [
        _effect_sentence(effect) for effect in evaluation.effects if not effect.kind and _worth_telling(effect, overall)
    ]
    if len(per_kind) > 1:
        told += [_kind_sentence(kind, choice, evaluation) for kind, choice in per_kind.items()]
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


def _nothing_helped(kind: str, choice: Choice, evaluation: Evaluation) -> bool:
    """Whether the bare model is left over for a kind, and not because it does well."""
    if choice.recommendation != "neither" or not choice.lane:
        return False
    return evaluation.lanes[choice.lane].by_kind[kind].interval[0] < ENOUGH


def _oracle_sentence(evaluation: Evaluation) -> list[str]:
    """How much of what the documents lane failed at a better search would mend."""
    tried = {each.case: each for each in evaluation.oracle}
    lane = next((each.lane for each in evaluation.oracle), "")
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
