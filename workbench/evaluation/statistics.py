"""Paired intervals, effects over noise, and how many questions would tell; from scipy, or held beside it by the tests.

A *pair* is one case answered by two lanes; differences are in rate, from -1 to 1, and every interval is of 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import stats

from workbench.evaluation.records import Effect, Noise, Rate

LEVEL = 0.95


def rate_of(passed: int, total: int) -> Rate:
    """A share with its Wilson score interval (Wilson 1927, doi 10.1080/01621459.1927.10502953)."""
    if not total:
        return Rate(0, 0, 0.0, (0.0, 1.0))
    interval = stats.binomtest(passed, total).proportion_ci(LEVEL, method="wilson")
    return Rate(passed, total, passed / total, (float(interval.low), float(interval.high)))


def paired_interval(differences: Sequence[float]) -> tuple[float, float]:
    """The percentile bootstrap interval of the mean of per-case differences (-1, 0 or 1; -2 to 2 for interactions).

    Resampling cannot draw what the sample does not hold: where no case got better (or none got worse), the interval is
    widened to Wilson's, for 0 of n cases do not prove that there are none.
    """
    values = np.asarray(differences, dtype=int)
    if not values.size:
        return (-1.0, 1.0)
    more, less = int((values > 0).sum()), int((values < 0).sum())
    low, high = _bootstrap(values)
    if not less:
        better, none = rate_of(more, values.size).interval, rate_of(0, values.size).interval
        low, high = min(low, better[0] - none[1]), max(high, better[1])
    if not more:
        worse, none = rate_of(less, values.size).interval, rate_of(0, values.size).interval
        low, high = min(low, -worse[1]), max(high, none[1] - worse[0])
    return (low, high)


def _bootstrap(values: np.ndarray) -> tuple[float, float]:
    """What `scipy.stats.bootstrap` comes to with endless resamples, which the tests hold beside it.

    Differences are whole numbers, so the distribution of the resampled sum is known: the sample's own shares,
    convolved with themselves once per case. That needs no seed and takes microseconds, so that thousands of suites can
    be simulated.
    """
    lowest, total = int(values.min()), values.size
    shares = np.bincount(values - lowest) / total
    size = total * (shares.size - 1) + 1
    chances = np.fft.irfft(np.fft.rfft(shares, 2 * size) ** total, 2 * size)[:size]
    below = np.cumsum(chances)
    tail = (1 - LEVEL) / 2
    low, high = (int(np.searchsorted(below, bound)) for bound in (tail, 1 - tail))
    return (lowest + low / total, lowest + min(high, size - 1) / total)


@lru_cache(maxsize=4096)
def mcnemar(better: int, worse: int) -> float:
    """Exact two-sided McNemar: a binomial test on the discordant pairs (McNemar 1947, exact form)."""
    discordant = better + worse
    return float(stats.binomtest(better, discordant, 0.5).pvalue) if discordant else 1.0


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down correction (Holm 1979): the chance of any false finding among them all stays at the level."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return tuple(corrected)


def paired_effect(
    name: str, lane: str, against: str, ours: Sequence[bool], theirs: Sequence[bool], kind: str = ""
) -> Effect:
    """What `lane` adds over `against` on the same cases in the same order."""
    differences = [int(one) - int(other) for one, other in zip(ours, theirs, strict=True)]
    better, worse = differences.count(1), differences.count(-1)
    p_value = mcnemar(better, worse)
    return Effect(
        name=name,
        lane=lane,
        against=against,
        difference=(better - worse) / len(differences) if differences else 0.0,
        interval=paired_interval(differences),
        p_value=p_value,
        better=better,
        worse=worse,
        total=len(differences),
        kind=kind,
        holm_p=p_value,
    )


def interaction(
    lanes: tuple[str, str],
    base: Sequence[bool],
    rag: Sequence[bool],
    tuned: Sequence[bool],
    both: Sequence[bool],
    kind: str = "",
) -> Effect:
    """What having both adds beyond the sum of each: (both - rag) - (tuned - base), per case; McNemar does not apply."""
    values = [
        int(four) - int(two) - int(three) + int(one)
        for one, two, three, four in zip(base, rag, tuned, both, strict=True)
    ]
    return Effect(
        name="interaction",
        lane=lanes[0],
        against=lanes[1],
        difference=sum(values) / len(values) if values else 0.0,
        interval=paired_interval(values),
        p_value=1.0,
        better=sum(value > 0 for value in values),
        worse=sum(value < 0 for value in values),
        total=len(values),
        kind=kind,
    )


def noise_of(lane: str, first: Sequence[bool], again: Sequence[bool], changed_text: int, total: int) -> Noise:
    """How far a lane is from itself under another seed: what it differed by, or what chance lets it differ by.

    Each verdict that flips goes either way, so the difference of two such lanes over all cases has the standard error
    sqrt(flips / cases); 1.96 of them hold 95 %. It is never finer than one case of the suite.
    """
    pairs = list(zip(first, again, strict=True))
    flipped = sum(one != other for one, other in pairs)
    net = abs(sum(first) - sum(again)) / len(pairs) if pairs else 0.0
    z = float(stats.norm.ppf(1 - (1 - LEVEL) / 2))
    chance = z * math.sqrt(flipped / len(pairs) / total) if flipped and total else 0.0
    return Noise(lane, len(pairs), changed_text, flipped, min(1.0, max(net, chance, 1 / total if total else 1.0)))


def noise_within(noise: float, some: int, every: int) -> float:
    """The noise over a part of the cases: chance weighs more where there are fewer."""
    return min(1.0, noise * math.sqrt(every / some)) if some else noise


def losses_by_chance(flips: float, total: int, comparisons: int = 1) -> int:
    """How many cases fewer a lane may pass under another seed, where that seed flips such a share of its verdicts.

    Flips go either way, so the net number has the standard error sqrt(flips total); the bound holds for all of so many
    comparisons together (Bonferroni) in 95 % of runs. 0 where no seed changes anything.
    """
    z = float(stats.norm.ppf(1 - (1 - LEVEL) / max(1, comparisons)))
    return math.floor(z * math.sqrt(flips * total))


def smallest_difference(total: int, power: float = 0.8) -> float:
    """The smallest difference between two lanes that so many questions show at this level with this power, 1 at most.

    Our assumption: the worse lane is the better one on one question in twenty all the same.
    """
    steps = (step / 100 for step in range(1, 101))
    return next((step for step in steps if pairs_to_detect(step, min(1.0, step + 0.1), power) <= total), 1.0)


def pairs_to_detect(difference: float, discordant: float, power: float = 0.8, level: float = LEVEL) -> int:
    """About how many paired questions show a difference at this level with this power.

    Connor 1987, Biometrics 43, 207-211: n = (z_a sqrt(d) + z_b sqrt(d - D^2))^2 / D^2 with D the difference and d the
    share of discordant pairs, which is never under |D|.
    """
    size = abs(difference)
    if size < 1e-9:
        raise ValueError("no number of questions shows a difference of nothing")
    share = max(discordant, size)
    z_level, z_power = stats.norm.ppf(1 - (1 - level) / 2), stats.norm.ppf(power)
    root = z_level * math.sqrt(share) + z_power * math.sqrt(max(0.0, share - size**2))
    return math.ceil(float(root) ** 2 / size**2)


def pairs_to_bound(difference: float, discordant: float, margin: float, level: float = LEVEL) -> int:
    """About how many paired questions keep the upper end of a difference's interval under `margin`.

    From the normal interval of a paired difference, z sqrt((d - D^2) / n), and never under what Wilson's bound asks for
    when no pair is discordant.
    """
    z = float(stats.norm.ppf(1 - (1 - level) / 2))
    room = max(margin - difference, 1e-3)
    return math.ceil(max(z**2 * max(discordant - difference**2, 0.0) / room**2, z**2 * (1 - margin) / margin))
