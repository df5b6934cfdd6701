"""How a model answers general questions with an adapter and without: in what words, how long, and what it refuses.

A side effect of a fine-tune that the loss on general text does not show. A question is a pair, answered before and
after, and every change comes with its paired interval of 95 %.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from typing import Any

from workbench.retrieval.refusal import is_refusal

# Answers have taken on another manner when those with and without the adapter have fewer of their words in common: a
# quick fine-tune of the starter on the sample's tickets, which answers all of them with a ticket, comes to 0.01.
ALIKE = 0.1
RESAMPLES, SEED, LEVEL = 9999, 3407, 0.95

Interval = tuple[float, float]


def compare_answers(questions: Sequence[str], before: Sequence[str], after: Sequence[str]) -> dict[str, Any]:
    """What differs between the answers to each question without an adapter and with it.

    Words are per answer, shares of all questions; the intervals are of the changes, the second in shares.
    """
    count, pairs = len(questions), list(zip(before, after, strict=True))
    words = [(len(_words(one)), len(_words(other))) for one, other in pairs]
    refused = [(is_refusal(one), is_refusal(other)) for one, other in pairs]
    alike = statistics.fmean(_likeness(one, other) for one, other in pairs)
    return {
        "questions": count,
        "words_before": statistics.fmean(one for one, _ in words),
        "words_after": statistics.fmean(other for _, other in words),
        "words_interval": mean_interval([other - one for one, other in words]),
        "refused_before": sum(one for one, _ in refused) / count,
        "refused_after": sum(other for _, other in refused) / count,
        "refused_interval": share_interval(refused),
        "same": sum(one == other for one, other in pairs) / count,
        "alike": alike,
        "another_manner": alike < ALIKE,
        "answers": [
            {"question": question, "before": one, "after": other}
            for question, (one, other) in zip(questions, pairs, strict=True)
        ],
    }


def mean_interval(changes: Sequence[float]) -> Interval | None:
    """The percentile bootstrap interval of a mean of paired changes; None below two of them."""
    import numpy as np
    from scipy import stats

    if len(changes) < 2:
        return None
    dice = np.random.default_rng(SEED)
    found = stats.bootstrap(
        (np.asarray(changes, dtype=float),),
        np.mean,
        n_resamples=RESAMPLES,
        method="percentile",
        confidence_level=LEVEL,
        rng=dice,
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def share_interval(pairs: Sequence[tuple[bool, bool]]) -> Interval:
    """The interval of the change of a share between paired yes-and-no outcomes (before, after), from -1 to 1.

    Newcombe's tenth method (1998, doi 10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C): from both
    shares' Wilson intervals and their correlation, so that none of n is not taken for a proof that there are none.
    """
    total = len(pairs)
    both, neither = sum(one and other for one, other in pairs), sum(not one and not other for one, other in pairs)
    only_before = sum(one and not other for one, other in pairs)
    only_after = total - both - neither - only_before
    first, second = (both + only_before) / total, (both + only_after) / total
    (low_1, high_1), (low_2, high_2) = _wilson(both + only_before, total), _wilson(both + only_after, total)
    margins = (both + only_before) * (only_after + neither) * (both + only_after) * (only_before + neither)
    cross = float(both * neither - only_before * only_after)
    if cross > 0:
        cross = max(cross - total / 2, 0.0)
    related = cross / math.sqrt(margins) if margins else 0.0

    def away(one: float, other: float) -> float:
        return math.sqrt(max(0.0, one**2 - 2 * related * one * other + other**2))

    change = second - first
    return change - away(second - low_2, high_1 - first), change + away(high_2 - second, first - low_1)


def describe_manner(general: dict[str, Any]) -> str:
    """The same in a sentence for people; manifests of before the intervals are said without them."""
    count = general["questions"]
    same, before, after = (round(general[key] * count) for key in ("same", "refused_before", "refused_after"))
    words = f"{general['words_after']:.0f} words instead of {general['words_before']:.0f}"
    if interval := general.get("words_interval"):
        words += " ({:+.0f}, with 95 % confidence {:+.0f} to {:+.0f})".format(
            general["words_after"] - general["words_before"], *interval
        )
    refused = (
        f", and {after} instead of {before} are refused" if before != after else f"; {after} are refused as before"
    )
    if interval := general.get("refused_interval"):
        refused += " ({:+.0f} % of them, {:+.0f} to {:+.0f})".format(
            *(100 * each for each in (general["refused_after"] - general["refused_before"], *interval))
        )
    manner = (
        ": it answers them in the manner of its rows; ordinary questions with their answers among the rows help"
        if general["another_manner"]
        else ""
    )
    return f"Of {count} general questions {same} are answered as before, in {words}{refused}{manner}."


def _wilson(some: int, total: int) -> Interval:
    from scipy import stats

    found = stats.binomtest(some, total).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _likeness(one: str, other: str) -> float:
    """The share of two answers' different words that both have (Jaccard)."""
    first, second = set(_words(one)), set(_words(other))
    return len(first & second) / len(first | second) if first or second else 1.0
