"""Paired intervals, effects over noise, and how many questions would tell; all of it from scipy.

A *pair* is one case answered by two lanes; differences are in rate, from -1 to 1, and every interval is of 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from workbench.evaluation.records import Effect, Noise, Rate

LEVEL = 0.95
RESAMPLES = 4_000  # scipy resamples in one block; more would not change a figure rounded to a point
SEED = 7


def rate_of(passed: int, total: int) -> Rate:
    """A share with its Wilson score interval (Wilson 1927, doi 10.1080/01621459.1927.10502953)."""
    if not total:
        return Rate(0, 0, 0.0, (0.0, 1.0))
    interval = stats.binomtest(passed, total).proportion_ci(LEVEL, method="wilson")
    return Rate(passed, total, passed / total, (float(interval.low), float(interval.high)))


def paired_interval(differences: Sequence[float], seed: int = SEED) -> tuple[float, float]:
    """The percentile bootstrap interval of the mean of per-case differences (-1, 0 or 1; -2 to 2 for interactions).

    Resampling cannot draw what the sample does not hold: where no case got better (or none got worse), the interval is
    widened by what Wilson's bound leaves open, for 0 of n cases do not prove that there are none.
    """
    values = np.asarray(differences, dtype=float)
    if not values.size:
        return (-1.0, 1.0)
    better, worse = (rate_of(int(count), values.size) for count in ((values > 0).sum(), (values < 0).sum()))
    low = high = float(values[0])
    if np.any(values != values[0]):
        low, high = _bootstrap(values, seed)
    if not worse.passed:
        low = min(low, better.interval[0] - worse.interval[1])
    if not better.passed:
        high = max(high, better.interval[1] - worse.interval[0])
    return (low, high)


def _bootstrap(values: np.ndarray, seed: int) -> tuple[float, float]:
    found = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return (float(found.confidence_interval.low), float(found.confidence_interval.high))


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
    """How far a lane is from itself: the share of flipped verdicts, and never finer than one case of the suite."""
    flipped = sum(one != other for one, other in zip(first, again, strict=True))
    share = flipped / len(first) if first else 0.0
    return Noise(lane, len(first), changed_text, flipped, max(share, 1 / total if total else 1.0))


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
