"""Which sentences of an answer no passage supports."""

from __future__ import annotations

import pytest

from workbench.retrieval.passage import Passage
from workbench.retrieval.support import unsupported

FERRY = Passage(
    "a", "ferry.md", "", "The ferry to Sula leaves at 8.40 from the northern pier and takes 25 minutes.", 1.0
)
PRICES = Passage("b", "prices.md", "", "A crossing costs 12 crowns; children under seven travel free.", 0.5)
GIVEN = (FERRY, PRICES)


def marked(text: str, question: str = "When does the ferry leave?") -> list[str]:
    return [text[start:end].strip() for start, end in unsupported(text, question, GIVEN)]


@pytest.mark.parametrize(
    "text",
    [
        "It leaves at 8.40 [1].",
        "The ferry departs at 8.40 from the northern pier [1]. Children under seven travel free [2].",
        "I could not find this in the documents.",
        "Yes.",
        "",
    ],
)
def test_what_a_passage_says_is_not_marked(text: str) -> None:
    assert marked(text) == []


def test_a_number_that_no_passage_holds_marks_its_sentence() -> None:
    assert marked("It leaves at 9.15 [1]. A crossing costs 12 crowns [2].") == ["It leaves at 9.15 [1]."]


def test_words_from_nowhere_are_marked_and_so_is_what_only_two_passages_together_hold() -> None:
    assert marked("A restaurant serves excellent lobster on board.") == [
        "A restaurant serves excellent lobster on board."
    ]
    assert marked("It takes 12 minutes.") == ["It takes 12 minutes."]  # the number is that of the price


def test_words_of_the_question_need_no_support() -> None:
    assert marked("The gold-plated ferry takes 25 minutes.", "How long does the gold-plated ferry take?") == []


def test_an_answer_without_passages_is_not_judged() -> None:
    assert unsupported("The moon is made of cheese.", "What is the moon?", ()) == ()


@pytest.mark.parametrize(
    ("said", "held"), [("It costs 1250 crowns.", "1,250.00"), ("It costs 1,250 crowns.", "1250"), ("It is 12.", "12.0")]
)
def test_a_number_is_compared_by_its_value(said: str, held: str) -> None:
    passage = Passage("a", "a.md", "", f"A season ticket costs {held} crowns.", 1.0)
    assert unsupported(said, "What is it?", (passage,)) == ()
    assert unsupported(said.replace("2", "3"), "What is it?", (passage,)) != ()


@pytest.mark.parametrize("held", ["1.2.0", "12,50", "1250.5", "12:00"])
def test_what_only_begins_alike_is_another_number(held: str) -> None:
    passage = Passage("a", "a.md", "", f"A season ticket costs {held} crowns.", 1.0)
    assert unsupported("It costs 1250 crowns.", "What is it?", (passage,)) != ()
