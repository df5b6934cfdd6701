from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.stats import bootstrap, chi2, norm

from workbench.evaluation.statistics import (
    holm,
    interaction,
    losses_by_chance,
    mcnemar,
    noise_of,
    paired_effect,
    paired_interval,
    pairs_to_bound,
    pairs_to_detect,
    rate_of,
    smallest_difference,
)


def test_a_rate_has_wilsons_interval() -> None:
    rate = rate_of(12, 120)
    assert rate.rate == 0.1
    # the closed form, written out: centre and half-width of Wilson's interval at z = 1.959964
    z, n, p = 1.959964, 120, 0.1
    centre, half = (
        (p + z * z / 2 / n) / (1 + z * z / n),
        z * math.sqrt(p * 0.9 / n + z * z / 4 / n / n) / (1 + z * z / n),
    )
    assert rate.interval == pytest.approx((centre - half, centre + half), abs=1e-6)
    assert rate_of(0, 0).interval == (0.0, 1.0)
    assert rate_of(5, 5).interval[0] < 0.6


def test_mcnemar_is_exact() -> None:
    assert mcnemar(8, 0) == pytest.approx(2 * 0.5**8)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(3, 3) == 1.0
    assert mcnemar(9, 2) == mcnemar(2, 9) == pytest.approx(2 * sum(math.comb(11, k) for k in range(3)) / 2**11)


def test_holm_steps_down_in_the_order_given() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([0.9, 0.8]) == (1.0, 1.0)
    assert holm([]) == ()


def simulated_pairs(seed: int, suites: int) -> Iterator[tuple[list[int], float]]:
    """Suites of 50 to 200 questions over two lanes of any quality: the differences of each, and the true difference."""
    rng = np.random.default_rng(seed)
    for _ in range(suites):
        total, better = int(rng.integers(50, 201)), float(rng.uniform(0.05, 0.6))
        worse = float(rng.uniform(0.03, min(0.3, 1 - better)))
        more, less, _ = rng.multinomial(total, [better, worse, 1 - better - worse])
        yield [1] * more + [-1] * less + [0] * (total - more - less), better - worse


def test_paired_intervals_cover_the_truth_in_2000_simulated_suites_as_often_as_they_say() -> None:
    covered = 0
    for differences, truth in simulated_pairs(3, 2000):
        low, high = paired_interval(differences)
        covered += low <= truth <= high
    assert 0.93 <= covered / 2000 <= 0.97


def test_wilson_intervals_cover_the_truth_in_2000_simulated_suites_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)
    totals, truths = rng.integers(50, 201, 2000), rng.uniform(0.02, 0.98, 2000)
    intervals = [
        rate_of(int(n), int(total)).interval for n, total in zip(rng.binomial(totals, truths), totals, strict=True)
    ]
    covered = sum(low <= truth <= high for (low, high), truth in zip(intervals, truths, strict=True))
    assert 0.93 <= covered / 2000 <= 0.97


def test_intervals_of_the_interaction_cover_the_truth_in_2000_simulated_suites() -> None:
    """Four lanes whose answers hang together by how hard each question is; the truth is the chances' own."""
    rng, covered = np.random.default_rng(5), 0
    for _ in range(2000):
        total, ease = int(rng.integers(50, 201)), rng.uniform(-1.0, 1.0, 4)
        share = norm.cdf(ease / math.sqrt(2))  # of all questions, hard and easy ones
        draws = rng.standard_normal((total, 1)) + rng.standard_normal((total, 4)) < ease
        base, rag, tuned, both = draws.T.astype(int)
        low, high = paired_interval((both - rag - tuned + base).tolist())
        covered += low <= share[3] - share[1] - share[2] + share[0] <= high
    assert 0.93 <= covered / 2000 <= 0.97


def test_two_lanes_that_are_the_same_are_told_apart_in_one_suite_of_twenty_at_most() -> None:
    rng, found = np.random.default_rng(6), 0
    for _ in range(2000):
        total, share = int(rng.integers(50, 201)), rng.uniform(0.05, 0.95)
        ours, theirs = rng.random(total) < share, rng.random(total) < share
        found += mcnemar(int((ours & ~theirs).sum()), int((theirs & ~ours).sum())) < 0.05
    assert found / 2000 <= 0.05


def test_among_five_lanes_that_are_the_same_any_finding_comes_in_one_suite_of_twenty_at_most() -> None:
    rng, found, uncorrected = np.random.default_rng(7), 0, 0
    for _ in range(2000):
        lanes = rng.random((5, 105)) < 0.5
        wins = [(int((lane & ~lanes[0]).sum()), int((lanes[0] & ~lane).sum())) for lane in lanes[1:]]
        p_values = [mcnemar(*win) for win in wins]
        found += min(holm(p_values)) < 0.05
        uncorrected += min(p_values) < 0.05
    assert found / 2000 <= 0.05
    assert uncorrected / 2000 > 0.07  # what the correction is for


@pytest.mark.parametrize(("better", "worse", "total"), [(30, 10, 105), (50, 5, 120), (8, 6, 60), (3, 1, 40)])
def test_the_paired_interval_is_scipys_bootstrap(better: int, worse: int, total: int) -> None:
    values = [1] * better + [-1] * worse + [0] * (total - better - worse)
    scipys = bootstrap((values,), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(2))
    expected = (scipys.confidence_interval.low, scipys.confidence_interval.high)
    assert paired_interval(values) == pytest.approx(expected, abs=1.01 / total)  # a resample may lie one case beside


def test_mcnemar_nears_the_chi_square_of_large_counts() -> None:
    statistic = (abs(430 - 370) - 1) ** 2 / (430 + 370)  # with the continuity correction
    assert mcnemar(430, 370) == pytest.approx(float(chi2.sf(statistic, 1)), rel=0.01)


def test_the_same_pairs_give_the_same_interval() -> None:
    values = [1, 0, 0, -1, 1, 1, 0] * 9
    assert paired_interval(values) == paired_interval(values)


def test_pairs_that_all_agree_do_not_prove_that_there_is_no_difference() -> None:
    low, high = paired_interval([0] * 10)
    assert low == -high and 0.2 < high < 0.4
    low, high = paired_interval([1] * 5)
    assert high == 1.0 and low < 0.6
    assert paired_interval([]) == (-1.0, 1.0)
    assert paired_interval([2, 2, 2])[1] == 2.0


def test_never_getting_better_in_a_few_cases_does_not_prove_that_it_never_does() -> None:
    low, high = paired_interval([0, 0, -1, 0])
    assert high > 0.4 and low < -0.5
    low, high = paired_interval([0, 0, 1, 0])
    assert low < -0.4
    assert paired_interval([0] * 100 + [-1] * 20)[1] < 0.0  # with many cases it does show


def test_an_effect_counts_who_alone_was_right() -> None:
    effect = paired_effect("retrieval", "rag", "base", [True, True, False, True], [False, True, True, False])
    assert (effect.better, effect.worse, effect.total, effect.difference) == (2, 1, 4, 0.25)


def test_the_interaction_is_what_both_add_beyond_the_sum() -> None:
    effect = interaction(("both", "base"), [False] * 4, [True] * 4, [True] * 4, [True] * 4)
    assert effect.difference == -1.0 and effect.p_value == 1.0
    effect = interaction(("both", "base"), [False] * 4, [False] * 4, [False] * 4, [True, True, False, False])
    assert effect.difference == 0.5


def test_noise_is_never_finer_than_one_case() -> None:
    assert noise_of("base", [True] * 12, [True] * 12, 0, 120).margin == pytest.approx(1 / 120)
    assert noise_of("base", [True] * 12, [False] * 3 + [True] * 9, 3, 120).margin == 0.25
    assert noise_of("base", [], [], 0, 0).margin == 1.0


def test_two_lanes_that_flip_by_chance_lie_within_the_noise_19_times_of_20() -> None:
    rng, within = np.random.default_rng(8), 0
    for _ in range(1000):
        first, again, third = rng.random((3, 100)) < rng.random(100)
        margin = noise_of("base", first.tolist(), again.tolist(), 0, 100).margin
        within += abs(int(third.sum()) - int(first.sum())) / 100 <= margin
    assert 0.93 <= within / 1000 <= 1.0


def test_a_gate_over_many_lanes_and_kinds_cries_wolf_in_one_run_of_twenty_at_most() -> None:
    """Five lanes over four groups of cases, asked twice with other seeds; each verdict is a coin of its own."""
    rng, alarms = np.random.default_rng(9), 0
    groups = [slice(0, 105), slice(0, 52), slice(52, 87), slice(87, 105)]
    for _ in range(500):
        chances = rng.random((5, 105))
        then, now = rng.random((5, 105)) < chances, rng.random((5, 105)) < chances
        flipped = int(((rng.random(105) < chances[0]) != (rng.random(105) < chances[0])).sum())
        flips = rate_of(flipped, 105).interval[1]  # as the gate takes it
        lost = [
            int(then[lane, group].sum()) - int(now[lane, group].sum())
            > losses_by_chance(flips, len(chances[0, group]), 20)
            for lane in range(5)
            for group in groups
        ]
        alarms += any(lost)
    assert alarms / 500 <= 0.05
    assert losses_by_chance(0.0, 105, 20) == 0  # where no chance is at work, one lost case is a lost case


def test_fewer_questions_show_only_larger_differences() -> None:
    assert smallest_difference(12) > 0.5 > smallest_difference(50) > 0.15 > smallest_difference(200) > 0.0
    assert smallest_difference(3) == 1.0


def test_the_number_of_pairs_that_detects_does_detect() -> None:
    total = pairs_to_detect(0.2, 0.4)
    assert 60 <= total <= 90
    rng, found = np.random.default_rng(5), 0
    for _ in range(400):
        draws = rng.choice([1, 0, -1], size=total, p=[0.3, 0.6, 0.1])
        found += mcnemar(int((draws == 1).sum()), int((draws == -1).sum())) < 0.05
    assert 0.7 <= found / 400 <= 0.9
    with pytest.raises(ValueError, match="difference of nothing"):
        pairs_to_detect(0.0, 0.1)


def test_bounding_a_difference_needs_more_pairs_the_nearer_it_is() -> None:
    assert pairs_to_bound(0.0, 0.0, 0.1) == 35  # Wilson's bound on 0 of n
    assert pairs_to_bound(0.0, 0.2, 0.1) < pairs_to_bound(0.05, 0.2, 0.1)
