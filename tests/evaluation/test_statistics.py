from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.evaluation.statistics import (
    holm,
    interaction,
    mcnemar,
    noise_of,
    paired_effect,
    paired_interval,
    pairs_to_bound,
    pairs_to_detect,
    rate_of,
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


def test_the_paired_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng, covered = np.random.default_rng(3), 0
    for number in range(200):
        draws = rng.choice([1, 0, -1], size=60, p=[0.3, 0.6, 0.1])
        low, high = paired_interval(draws.tolist(), seed=number)
        covered += low <= 0.2 <= high
    assert 0.90 <= covered / 200 <= 0.99


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
