from __future__ import annotations

import pytest

from workbench.advice.questionnaire import QUESTIONS, RULES, SOURCES, SYMPTOMS, answers_from_facts, suggest

FOR_DOCUMENTS = {"change": "often", "citations": "yes", "task": "broad", "latency": "relaxed", "examples": "few"}


def test_three_answers_for_retrieval_start_there() -> None:
    assert suggest(FOR_DOCUMENTS).recommendation == "retrieval"
    found = suggest({"change": "often", "citations": "yes", "latency": "relaxed"})
    assert (found.recommendation, found.for_retrieval, found.open) == ("retrieval", 3, ("task", "examples"))


def test_a_narrow_task_with_enough_examples_speaks_for_tuning() -> None:
    tuned = {"change": "rarely", "citations": "no", "task": "narrow", "latency": "quick", "examples": "enough"}
    assert suggest(tuned).recommendation == "fine-tuning"
    assert suggest({**tuned, "examples": "few"}).recommendation == "prompt"
    both = {**FOR_DOCUMENTS, "task": "narrow", "examples": "enough"}
    assert suggest(both).recommendation == "both"


def test_too_few_answers_suggest_nothing() -> None:
    assert suggest({}).recommendation == "cannot-tell"
    assert suggest({"change": "often"}).recommendation == "cannot-tell"


def test_an_unknown_answer_is_not_passed_over() -> None:
    for answers in ({"colour": "red"}, {"change": "sometimes"}):
        with pytest.raises(KeyError):
            suggest(answers)


def test_facts_fill_answers_in() -> None:
    assert answers_from_facts(examples=499, seconds=0.4, cites=True) == {
        "examples": "few",
        "latency": "quick",
        "citations": "yes",
    }
    assert answers_from_facts(examples=500, seconds=0.7) == {"examples": "enough", "latency": "medium"}
    assert answers_from_facts() == {}


def test_every_published_rule_names_its_source() -> None:
    assert {each.source for each in (*QUESTIONS, *SYMPTOMS, *RULES)} <= set(SOURCES)
    assert len(QUESTIONS) == 5 and len(SYMPTOMS) == 6
    found = suggest(FOR_DOCUMENTS)
    assert all("(article S4" in reason for reason in found.reasons)
