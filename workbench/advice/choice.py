"""Which lane the results of some cases speak for, or that it cannot be told yet.

The rule is prompt first: the cheapest lane whose result is not clearly worse than the best. *Clearly worse* asks for
three things at once: McNemar's p under 5 % after Holm's correction over all other lanes, as the best was chosen among
them, a paired interval that leaves out zero, and a difference beyond the noise of asking the same lane twice.

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

from workbench.evaluation.records import CaseResult, Effect
from workbench.evaluation.statistics import holm, paired_effect, pairs_to_bound, pairs_to_detect

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
    total: int = 0  # cases it rests on

    @property
    def recommendation(self) -> str:
        """As in the contract."""
        return RECOMMENDATIONS[family(self.lane)]


def family(lane: str) -> str:
    """ "tuned" for "tuned:tickets"; a person's own lane is its own family."""
    return lane.partition(":")[0]


def choose(results: Sequence[CaseResult], noise: float = 0.0, groups: int = 1) -> Choice:
    """The cheapest lane that is not clearly worse than the best, over some cases. Lanes a person made are left out.

    Of several groups of cases that are looked at so, each gets its part of the level (Bonferroni).
    """
    return choose_among(_candidates(results), noise, LEVEL / max(1, groups))


def choose_among(lanes: Mapping[str, Mapping[str, bool]], noise: float = 0.0, level: float = LEVEL) -> Choice:
    """The same from verdicts by lane and case, the lanes cheapest first."""
    if len(lanes) < 2:
        return Choice("", next(iter(lanes), ""), None, (), False, 0)
    total = max(len(lane) for lane in lanes.values())
    choice = replace(_choose(lanes, noise, level), total=total)
    if total >= FEWEST:
        return choice
    return replace(choice, lane="", worse=(), firm=False, needed=max(choice.needed, _tens(FEWEST - total)))


def _choose(lanes: Mapping[str, Mapping[str, bool]], noise: float, level: float) -> Choice:
    best = max(lanes, key=lambda lane: sum(lanes[lane].values()))  # max keeps the first, so the cheaper of equals
    cheaper = list(lanes)[: list(lanes).index(best)]
    others = [_gap(best, lane, lanes) for lane in lanes if lane != best]
    corrected = holm([gap.p_value for gap in others])
    clear = {gap.against for gap, p in zip(others, corrected, strict=True) if _clearly(gap, p, noise, level)}
    worse = clear & set(cheaper)
    left = [gap for gap in others if gap.against in cheaper and gap.against not in worse]
    ordered = tuple(lane for lane in cheaper if lane in worse)
    if left:
        choice = _weigh(left[0], best, ordered, len(others))
        return choice if choice.lane or len(left) > 1 else _certain_part(choice, left[0].against, lanes, noise, level)
    return _weigh_best(best, lanes, ordered)


def _certain_part(
    choice: Choice, lane: str, lanes: Mapping[str, Mapping[str, bool]], noise: float, level: float
) -> Choice:
    """The one lane that is left, if it is a part of the best and clearly better than all that are cheaper than it."""
    below = [_gap(lane, each, lanes) for each in list(lanes)[: list(lanes).index(lane)]]
    corrected = holm([gap.p_value for gap in below])
    proven = below and all(_clearly(gap, p, noise, level) for gap, p in zip(below, corrected, strict=True))
    return replace(choice, lane=lane) if proven and parts(lane) < parts(choice.best) else choice


def parts(lane: str) -> set[str]:
    """What a lane is made of: "rag" and "tuned" for "rag+tuned:tickets"."""
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


def _clearly(gap: Effect, corrected: float, noise: float, level: float) -> bool:
    return corrected < level and gap.interval[0] > 0 and gap.difference > noise


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
