"""How general questions are answered before and after: length, refusals, and how sure that is."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.tuning import manner

REFUSES = "I'm sorry, I cannot help with that."


def test_length_and_refusals_are_compared_question_by_question() -> None:
    questions = [f"Question {number}?" for number in range(12)]
    before = ["Leaves turn brown because the green fades."] * 12
    after = [REFUSES if number < 9 else "Brown." for number in range(12)]
    found = manner.compare_answers(questions, before, after)
    assert (found["refused_before"], found["refused_after"]) == (0.0, 0.75)
    low, high = found["refused_interval"]
    assert 0 < low < 0.75 < high < 1
    low, high = found["words_interval"]
    assert low <= found["words_after"] - found["words_before"] <= high and low < 0
    assert found["another_manner"] and found["answers"][0] == {
        "question": "Question 0?", "before": before[0], "after": REFUSES,
    }  # fmt: skip


def test_that_nothing_was_refused_is_no_proof_that_nothing_will_be() -> None:
    low, high = manner.share_interval([(False, False)] * 24)
    assert low == -high and 0.1 < high < 0.2
    assert manner.share_interval([(False, False)] * 8)[1] > high
    assert manner.mean_interval([1.0]) is None and manner.mean_interval([2.0, 2.0]) == (2.0, 2.0)


def test_the_interval_of_shares_is_newcombes() -> None:
    """Table III of Newcombe (1998), method 10: 36, 12, 2 and 0 of 50 pairs come to 0.0569 to 0.3404."""
    pairs = [(True, True)] * 36 + [(True, False)] * 12 + [(False, True)] * 2
    low, high = manner.share_interval([(after, before) for before, after in pairs])
    assert (low, high) == (pytest.approx(0.0569, abs=1e-4), pytest.approx(0.3404, abs=1e-4))


def test_the_interval_of_shares_holds_the_truth_about_as_often_as_it_says() -> None:
    dice, inside = np.random.default_rng(5), 0
    for _ in range(400):
        before = dice.random(24) < 0.1
        after = np.where(dice.random(24) < 0.3, dice.random(24) < 0.7, before)
        low, high = manner.share_interval(list(zip(before.tolist(), after.tolist(), strict=True)))
        inside += low <= 0.3 * 0.6 <= high
    assert 0.92 <= inside / 400 <= 0.99


def test_what_was_measured_before_there_were_intervals_is_said_without_them() -> None:
    old = {
        "questions": 8, "words_before": 21.0, "words_after": 9.0, "refused_before": 0.0, "refused_after": 0.0,
        "same": 0.25, "another_manner": False,
    }  # fmt: skip
    said = manner.describe_manner(old)
    assert said == (
        "Of 8 general questions 2 are answered as before, in 9 words instead of 21; 0 are refused as before."
    )
    measured = {**old, "refused_after": 0.125, "words_interval": (-15.0, -9.0), "refused_interval": (-0.2, 0.47)}
    assert manner.describe_manner(measured).endswith(
        "in 9 words instead of 21 (-12, with 95 % confidence -15 to -9), and 1 instead of 0 are refused "
        "(+12 % of them, -20 to +47)."
    )
