"""What is said of a training set as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from workbench.tuning.remarks import remarks


@dataclass(frozen=True)
class Row:
    row: int
    messages: tuple[tuple[str, str], ...]
    grounded: bool = False

    @property
    def answer(self) -> str:
        return self.messages[-1][1]


def rows(*pairs: tuple[str, str], grounded: bool = False) -> list[Row]:
    return [
        Row(number, (("user", asked), ("assistant", said)), grounded) for number, (asked, said) in enumerate(pairs, 1)
    ]


def plenty(count: int = 600) -> list[Row]:
    """Rows with nothing to remark: each its own words, answers of a behaviour."""
    return rows(
        *((f"rewrite{n} politely{n} this{n} note{n}", f"dear{n} friend{n} kindly{n} please{n}") for n in range(count))
    )


def said(given: list[Row], about: str, suite: tuple[tuple[str, str], ...] = ()) -> str:
    return " ".join(each.message for each in remarks(given, suite) if each.about == about)


def test_a_good_set_has_nothing_to_weigh() -> None:
    assert remarks(plenty()) == ()


@pytest.mark.parametrize(("count", "words"), [(20, "20 rows are few"), (300, "the guides ask for 500"), (600, "")])
def test_too_few_rows_are_said_plainly(count: int, words: str) -> None:
    found = said(plenty(count), "size")
    assert words in found and bool(found) == bool(words)


def test_rows_that_ask_what_the_suite_asks_are_named() -> None:
    given = [*plenty(), *rows(("Where does the night ferry to Sula leave?", "From the pier."))]
    suite = (("fact-01", "where does the night ferry to Sula leave"), ("fact-02", "What does a crossing cost?"))
    assert said(given, "suite", suite).startswith("Asked by the suite as well (fact-01): row 1.")
    assert said(given, "suite", suite[1:]) == ""


@pytest.mark.parametrize(
    ("row", "case", "same"),
    [
        ("What is the capital of France?", "What is the capital of Spain?", False),
        ("what is the price of the red model in the list", "what is the price of the green model in the list", False),
        ("How many days off has grade 3 of the house?", "How many days off has grade 4 of the house?", False),
        ("Who may open the north gate after nightfall?", "Who may open the gate after nightfall?", True),
        (
            "What does the night boat to Sula cost for one dog?",
            "what does the night boat to Sula costs for one dog now",
            True,
        ),
    ],
)
def test_a_question_about_something_else_in_the_same_words_is_another(row: str, case: str, same: bool) -> None:
    assert bool(said([*plenty(), *rows((row, "So."))], "suite", (("case", case),))) == bool(same)


def test_rows_of_one_template_are_near_duplicates_however_many_there_are() -> None:
    text = "please write to the grower {} that the probe will be late by one week because the supplier is ill and away"
    template = rows(*((text.format(f"name{n}"), "yes of course we will do that at once") for n in range(90)))
    assert "89 rows" in said([*plenty(), *template], "alike")
    preamble = "you are the desk of a house for garden tools and answer in one short line "
    other = rows(*((f"{preamble} {' '.join(f'w{n}x{k}' for k in range(20))}", "yes") for n in range(90)))
    assert said([*plenty(), *other], "alike") == ""


def test_the_question_of_a_row_with_passages_is_what_stands_behind_them() -> None:
    given = rows(("[1] a.md\nThe ferry leaves at 8.\n\nQuestion: When does it leave?", "At 8 [1]."), grounded=True)
    assert "(case)" in said(given, "suite", (("case", "When does it leave?"),))


def test_near_duplicates_are_counted_and_exact_ones_are_left_to_the_rows() -> None:
    text = "please write to the grower that the probe will be late by one week because the supplier is ill"
    near = rows((text, "yes of course"), (text.removesuffix("ill") + "away", "yes of course"))
    assert "Nearly the same as another one: row 2." in said([*plenty(), *near], "alike")
    assert said([*plenty(), *rows((text, "yes"), (text, "yes"))], "alike") == ""


def test_rare_labels_are_named_and_texts_are_no_labels() -> None:
    labels = [("billing", 60), ("fault", 50), ("praise", 3)]
    given = rows(*((f"message {label} {n}", label) for label, count in labels for n in range(count)))
    assert "'billing' has 60 rows, praise 3" in said(given, "balance")
    even = rows(*((f"message {n}", "ab"[n % 2]) for n in range(100)))
    assert said(even, "balance") == "" and said(plenty(), "balance") == ""


def test_facts_are_told_from_behaviour() -> None:
    facts = rows(*((f"How much does the part {n} cost?", f"It costs {n + 200} crowns.") for n in range(600)))
    assert "by their looks: 600 rows (1, 2, 3, 4, 5, …)" in said(facts, "facts")
    assert said(plenty(), "facts") == ""
    tickets = rows(*((f"What a day! Our {n} hub died", f'{{"product":"Hub","order":"{n}"}}') for n in range(600)))
    assert said(tickets, "facts") == ""


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Write to ansa.wick@example.org today", "an e-mail address"),
        ("Call +44 1544 770 902 after six", "a telephone number"),
        ("Pay to GB33 BUKB 2020 1555 5555 55", "a bank account number"),
        ("My card is 4539 1488 0343 6467", "a card number"),
        ("Order 4417, serial 25-0412, 1 200 300 crowns", ""),
        ("The card 4539 1488 0343 6468 has a wrong check digit", ""),
    ],
)
def test_personal_data_is_hinted_at(text: str, what: str) -> None:
    found = said([*plenty(), *rows((text, "done"))], "personal")
    assert (what in found) if what else not found


def test_a_thousand_long_rows_take_no_time() -> None:
    import time

    given = rows(*((" ".join(f"word{n * k % 997}" for k in range(200)), f"answer {n}") for n in range(1000)))
    began = time.monotonic()
    remarks(given)
    assert time.monotonic() - began < 20
