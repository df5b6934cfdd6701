"""A question that leans on the talk before it is searched for with the question it leans on."""

from __future__ import annotations

import pytest

from workbench.retrieval.followup import leans, self_contained


@pytest.mark.parametrize(
    "question",
    [
        *("And in winter?", "What about children?", "Why?", "Why not?", "How much is it?", "When are they open?"),
        *(
            "Is its cover waterproof?",
            "Who told her?",
            "Is there one?",
            "Can I return that?",
            "So who pays?",
            "How long?",
        ),
    ],
)
def test_a_question_about_something_it_does_not_name_leans(question: str) -> None:
    assert leans(question)


@pytest.mark.parametrize(
    "question",
    [
        *("How long is the warranty of the X2 speaker?", "Which seals does the pump need?", "price of the kettle"),
        *("Is that rule older than the club?", "Why do tomatoes split in August?", "error QX-7731 meaning"),
        "Is there a ferry on Sundays to Sula?",
    ],
)
def test_a_question_that_names_its_subject_stands_alone(question: str) -> None:
    assert not leans(question)
    assert self_contained(question, ("Which ferry goes to Sula?",)) == question


def test_what_leans_takes_the_question_before_it_and_so_on_back_to_one_that_stands_alone() -> None:
    earlier = ("Who keeps the lighthouse?", "Which ferry goes to Sula?", "What does it cost?")
    before = "What does it cost? Which ferry goes to Sula? What does it cost?"
    assert self_contained("And for children?", earlier) == f"And for children? {before} And for children?"


def test_the_first_question_is_searched_for_as_it_is() -> None:
    assert self_contained("And for children?", ()) == "And for children?"
