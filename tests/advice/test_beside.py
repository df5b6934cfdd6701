from __future__ import annotations

import dataclasses

import pytest
from made_up import make_evaluation, make_suite, telling

from workbench.advice.beside import judge_beside
from workbench.advice.verdict import decide
from workbench.errors import InputError

FOR_TUNING = {"change": "rarely", "citations": "no", "task": "narrow", "latency": "quick", "examples": "enough"}


def test_what_is_measured_fills_answers_in() -> None:
    suite = make_suite(80, 10, 10)
    cited = dataclasses.replace(suite.cases[0], checks=({"cites": "handbook.md"},))
    suite = dataclasses.replace(suite, cases=(cited, *suite.cases[1:]))
    evaluation = make_evaluation(suite, telling)
    found = judge_beside(evaluation, suite, decide(evaluation, suite), {"latency": "relaxed"}, examples=120)
    assert found.answers == {"latency": "relaxed", "citations": "yes", "task": "broad", "examples": "few"}
    assert "120 training rows" in found.measured["examples"] and "80 %" in found.measured["task"]
    assert found.suggestion.recommendation == "retrieval" and found.suggestion.open == ("change",)


def test_a_disagreement_is_said_and_the_measurement_goes_first() -> None:
    suite = make_suite(60, 0, 0)
    evaluation = make_evaluation(suite, lambda lane, case, place: "rag" in lane)
    found = judge_beside(evaluation, suite, decide(evaluation, suite), FOR_TUNING)
    assert found.agrees is False and "disagree" in found.sentence and "goes first" in found.sentence
    assert any("You answered “Narrow" in note and "questions of fact" in note for note in found.notes)
    assert any("Over the half second" in note and "1.0 s" in note for note in found.notes)


def test_an_agreement_is_said_too_and_an_open_verdict_is_neither() -> None:
    suite = make_suite(60, 0, 0)
    evaluation = make_evaluation(suite, lambda lane, case, place: "rag" in lane)
    for_documents = {"change": "often", "citations": "yes", "latency": "relaxed"}
    assert judge_beside(evaluation, suite, decide(evaluation, suite), for_documents).agrees is True
    few = make_suite(6, 0, 0)
    evaluation = make_evaluation(few, lambda lane, case, place: "rag" in lane)
    found = judge_beside(evaluation, few, decide(evaluation, few), for_documents)
    assert found.agrees is None and "Nothing measured speaks" in found.sentence


@pytest.mark.parametrize(("answers", "said"), [({"colour": "red"}, "no question"), ({"task": "odd"}, "narrow, broad")])
def test_an_answer_there_is_not_is_refused(answers: dict[str, str], said: str) -> None:
    suite = make_suite(6, 0, 0)
    evaluation = make_evaluation(suite, telling)
    with pytest.raises(InputError, match=said):
        judge_beside(evaluation, suite, decide(evaluation, suite), answers)
