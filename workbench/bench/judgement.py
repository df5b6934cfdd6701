"""Benchmark: do the statistics keep what they promise? Intervals and verdicts over thousands of simulated suites"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy import stats

from workbench.advice.choice import ORDER, choose_among
from workbench.bench import Figure
from workbench.evaluation.statistics import LEVEL, mcnemar, paired_interval, rate_of
from workbench.events import Progress, Result, Stage

SUITES = 2000
FEWEST, MOST = 50, 200  # questions of a suite, as the guides ask for
SEED = 2026
RESAMPLES = 999  # of scipy's bootstrap, its own default being ten times as slow and no wider
EVERY = 25  # suites between two signs of life

Interval = tuple[float, float]
Drawn = tuple[Sequence[int], float]  # of a simulated suite: a value a question, and the true mean of such values


def run(project: Path, count: int = SUITES) -> Stage:
    """Simulate so many suites for each figure; the last Result is the Figures. The project is left alone."""
    figures: list[Figure] = []
    told = f"of {count} simulated suites of {FEWEST} to {MOST} questions, seed {SEED}"
    for number, (name, draw, ours, theirs, yardstick) in enumerate(COVERED):
        held = np.zeros(2, dtype=int)
        rng = np.random.default_rng(SEED + number)
        for place, (values, truth) in enumerate(draw(rng, count)):
            if place % EVERY == 0:
                yield Progress(place, count, name, "suites")
            held += [low <= truth <= high for low, high in (ours(values), theirs(values))]
        note = f"{told}; {100 * LEVEL:.0f} is what they promise; yardstick: {yardstick}"
        figures.append(_figure(f"{name} that hold the truth", held, count, note))
    for lanes in (2, len(ORDER)):
        found = np.zeros(2, dtype=int)
        rng = np.random.default_rng(SEED + lanes)
        for place in range(count):
            if place % EVERY == 0:
                yield Progress(place, count, f"{lanes} identical lanes", "suites")
            verdicts = _identical(rng, lanes)
            found += [bool(choose_among(verdicts).worse), _wins_uncorrected(verdicts)]
        note = f"{told}; 5 is the most allowed; yardstick: McNemar under 5 % for the best lane, uncorrected"
        figures.append(_figure(f"a winner among {lanes} identical lanes", found, count, note))
    yield Result(tuple(figures))


def _figure(name: str, counts: np.ndarray, total: int, note: str) -> Figure:
    ours, theirs = (100 * int(count) / total for count in counts)
    return Figure(name, ours, theirs, ours / theirs if theirs else 0.0, "%", note)


def _size(rng: np.random.Generator) -> int:
    return int(rng.integers(FEWEST, MOST + 1))


def _rates(rng: np.random.Generator, count: int) -> Iterator[Drawn]:
    """Lanes of any quality: whether each question is passed."""
    for _ in range(count):
        share = float(rng.uniform(0.02, 0.98))
        yield (rng.random(_size(rng)) < share).astype(int).tolist(), share


def _pairs(rng: np.random.Generator, count: int) -> Iterator[Drawn]:
    """Two lanes over the same questions, one of which alone is right on a share of them, the other on another."""
    for _ in range(count):
        better = float(rng.uniform(0.05, 0.6))
        worse = float(rng.uniform(0.03, min(0.3, 1 - better)))
        more, less, same = rng.multinomial(_size(rng), [better, worse, 1 - better - worse])
        yield [1] * more + [-1] * less + [0] * same, better - worse


def _fours(rng: np.random.Generator, count: int) -> Iterator[Drawn]:
    """Four lanes whose answers hang together by how hard each question is; what both bring beyond the sum of each."""
    for _ in range(count):
        ease = rng.uniform(-1.0, 1.0, 4)
        share = stats.norm.cdf(ease / math.sqrt(2))  # of all questions, hard and easy ones
        total = _size(rng)
        draws = rng.standard_normal((total, 1)) + rng.standard_normal((total, 4)) < ease
        base, rag, tuned, both = draws.T.astype(int)
        yield (both - rag - tuned + base).tolist(), float(share[3] - share[1] - share[2] + share[0])


def _wilson(passed: Sequence[int]) -> Interval:
    return rate_of(sum(passed), len(passed)).interval


def _wald(passed: Sequence[int]) -> Interval:
    """The share and 1.96 standard errors to each side, as many tables have it."""
    share = sum(passed) / len(passed)
    reach = float(stats.norm.ppf(1 - (1 - LEVEL) / 2)) * math.sqrt(share * (1 - share) / len(passed))
    return share - reach, share + reach


def _scipys(values: Sequence[int]) -> Interval:
    """scipy's own percentile bootstrap of the mean."""
    found = stats.bootstrap(
        (np.asarray(values),),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _identical(rng: np.random.Generator, lanes: int) -> dict[str, dict[str, bool]]:
    """Verdicts of lanes that are all the same coin."""
    share, total = rng.uniform(0.1, 0.9), _size(rng)
    draws = rng.random((lanes, total)) < share
    return {
        name: {str(n): bool(passed) for n, passed in enumerate(row)}
        for name, row in zip(ORDER[:lanes], draws, strict=True)
    }


def _wins_uncorrected(verdicts: dict[str, dict[str, bool]]) -> bool:
    """Whether the lane with the most right answers differs from any other by McNemar's test alone."""
    best = max(verdicts.values(), key=lambda lane: sum(lane.values()))
    return any(
        mcnemar(
            sum(best[case] and not other[case] for case in best), sum(other[case] and not best[case] for case in best)
        )
        < 1 - LEVEL
        for other in verdicts.values()
        if other is not best
    )


COVERED: tuple[
    tuple[
        str,
        Callable[[np.random.Generator, int], Iterator[Drawn]],
        Callable[[Sequence[int]], Interval],
        Callable[[Sequence[int]], Interval],
        str,
    ],
    ...,
] = (
    ("intervals of a rate", _rates, _wilson, _wald, "the share and 1.96 standard errors, on the same suites"),
    ("intervals of a difference", _pairs, paired_interval, _scipys, f"scipy's bootstrap, {RESAMPLES} resamples"),
    ("intervals of an interaction", _fours, paired_interval, _scipys, f"scipy's bootstrap, {RESAMPLES} resamples"),
)
