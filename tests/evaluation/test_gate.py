from __future__ import annotations

import dataclasses

import pytest
from made_up import LANES, make_evaluation, make_suite, telling

from workbench.errors import InputError
from workbench.evaluation.gate import baseline_of, gate_json, gate_sentences, hold_against
from workbench.evaluation.records import Evaluation, Suite
from workbench.evaluation.statistics import noise_of

SUITE = make_suite(20, 10, 0)


def evaluation_with(lost: tuple[str, ...] = (), won: tuple[str, ...] = (), suite: Suite = SUITE) -> Evaluation:
    """Base and documents; documents pass every other case, but for the changes."""

    def right(lane: str, case: object, place: int) -> bool:
        name = case.id  # type: ignore[attr-defined]
        return lane == "rag" and name not in lost and (place % 2 == 0 or name in won)

    return make_evaluation(suite, right, ("base", "rag"))


def test_the_same_results_pass() -> None:
    gate = hold_against(baseline_of(evaluation_with(), SUITE), evaluation_with(), SUITE)
    assert gate.passed and gate_sentences(gate) == ["Nothing got worse."] and not gate.regressions


def test_one_question_lost_fails_the_gate_and_is_named() -> None:
    gate = hold_against(baseline_of(evaluation_with(), SUITE), evaluation_with(lost=("fact-4",)), SUITE)
    assert not gate.passed and gate.regressions == {("rag", "fact-4")}
    assert any("rag got worse on all questions: 1 lost, 0 won of 30" in said for said in gate_sentences(gate))
    assert [change["worse"] for change in gate_json(gate)["changes"] if change["lane"] == "base"] == [False] * 3


def test_a_loss_in_one_kind_is_not_made_good_by_another() -> None:
    after = evaluation_with(lost=("fact-4",), won=("ticket-1",))
    gate = hold_against(baseline_of(evaluation_with(), SUITE), after, SUITE)
    assert {(change.kind, change.worse) for change in gate.changes if change.lane == "rag"} == {
        ("", False),
        ("fact", True),
        ("behaviour", False),
    }
    assert not gate.passed


def test_what_another_seed_alone_may_cost_is_no_regression() -> None:
    shaky = dataclasses.replace(evaluation_with(), noise=noise_of("base", [True] * 10, [False, *[True] * 9], 1, 30))
    baseline = baseline_of(shaky, SUITE)
    assert hold_against(baseline, evaluation_with(lost=("fact-4", "fact-6")), SUITE).passed
    assert not hold_against(baseline, evaluation_with(lost=tuple(f"fact-{n}" for n in range(0, 20, 2))), SUITE).passed


def test_questions_that_changed_are_not_compared() -> None:
    changed = dataclasses.replace(SUITE.cases[4], question="Something else?")
    suite = dataclasses.replace(SUITE, cases=(*SUITE.cases[:4], changed, *SUITE.cases[6:]))
    gate = hold_against(baseline_of(evaluation_with(), SUITE), evaluation_with(lost=("fact-4",), suite=suite), suite)
    assert gate.passed and gate.changed_cases == ("fact-4",) and gate.gone_cases == ("fact-5",)


def test_a_label_that_is_no_longer_proven_fails_the_gate() -> None:
    after = dataclasses.replace(
        evaluation_with(), canaries={"base": "ok", "rag": "No passage ever reached the prompt."}
    )
    gate = hold_against(baseline_of(evaluation_with(), SUITE), after, SUITE)
    assert not gate.passed and gate.withheld == ("rag",)


def test_a_dossier_of_something_else_is_refused() -> None:
    baseline = baseline_of(evaluation_with(), SUITE)
    other = make_suite(0, 0, 5)
    with pytest.raises(InputError, match="shares no question"):
        hold_against(baseline, make_evaluation(other, telling, LANES), other)
    with pytest.raises(InputError, match="shares no lane"):
        hold_against(baseline, make_evaluation(SUITE, telling, ("tuned:x",)), SUITE)
