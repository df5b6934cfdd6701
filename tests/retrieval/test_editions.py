from __future__ import annotations

import pytest

from workbench.documents.document import Chunk
from workbench.retrieval.editions import LOOKED_AT, Ranked, edition_of, newest_first
from workbench.retrieval.fusion import Found

CHARGE = "The charge for delivery within the county is {} pounds for each parcel."
OTHER = "Minutes were taken by the clerk; nobody objected and the meeting closed early."


def ranked(*told: tuple[str, str], folder: str = "/f") -> list[Ranked]:
    return [
        (Found(f"{number}", 1.0 / number, number), Chunk(f"{number}", file, "", text, 0, len(text), 0, 9, ""), folder)
        for number, (file, text) in enumerate(told, start=1)
    ]


def files(question: str, *told: tuple[str, str]) -> list[str]:
    return [piece.file for _, piece, _ in newest_first(question, ranked(*told))]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("prices-2024.xlsx", "prices-2025.csv"),
        ("2024/prices.xlsx", "2025/prices.xlsx"),
        ("Price list 2024.pdf", "Price list 2025.pdf"),
        ("rules_2024-02-01.md", "rules_2024-11-30.md"),
        ("rules-20240201.md", "rules 20241130.md"),
        ("terms 2023-24.docx", "terms 2024-25.docx"),
        ("manual-v1.9.pdf", "manual-v1.10.pdf"),
        ("docs/v2/setup.md", "docs/v10/setup.md"),
        ("policy rev 2.docx", "policy_rev3.docx"),
    ],
)
def test_a_newer_edition_comes_before_what_the_older_says_of_the_same(older: str, newer: str) -> None:
    told = ((older, CHARGE.format(4)), ("else.md", OTHER), (newer, CHARGE.format(5)))
    assert files("What is the charge?", *told) == [newer, older, "else.md"]
    found = newest_first("What is the charge?", ranked(*told))
    assert [(each[0].newer_than, each[0].score) for each in found] == [(older, 1.0), ("", 1.0), ("", 0.5)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("prices-2024.xlsx", "charges-2025.xlsx"),
        ("chapter-1.md", "chapter-2.md"),
        ("SB-017.pdf", "SB-019.pdf"),
        ("prices.xlsx", "prices-2025.xlsx"),
        ("flight-1999-a.md", "flight-2025-b.md"),
        ("2024.md", "2025.md"),
        ("room12024.md", "room12025.md"),
        ("v1/prices-2024.xlsx", "prices-2025.xlsx"),
    ],
)
def test_files_of_other_names_are_no_editions(one: str, other: str) -> None:
    assert files("What is the charge?", (one, CHARGE.format(4)), (other, CHARGE.format(5))) == [one, other]


def test_minutes_of_two_days_stay_as_they_were_found() -> None:
    assert files("Charge?", ("2024-11-14-board.md", CHARGE), ("2025-05-22-board.md", OTHER)) == [
        *("2024-11-14-board.md", "2025-05-22-board.md"),
    ]


@pytest.mark.parametrize("question", ["What was the charge in 2024?", "By the list of 2024, what is the charge?"])
def test_a_question_that_names_the_older_edition_gets_it_first(question: str) -> None:
    told = (("prices-2024.csv", CHARGE.format(4)), ("prices-2025.csv", CHARGE.format(5)))
    assert files(question, *told) == ["prices-2024.csv", "prices-2025.csv"]


def test_a_year_that_both_editions_bear_names_neither() -> None:
    told = (("prices-2024-02.csv", CHARGE.format(4)), ("prices-2024-11.csv", CHARGE.format(5)))
    assert files("What was the charge in 2024?", *told) == ["prices-2024-11.csv", "prices-2024-02.csv"]


def test_the_newest_of_three_comes_first_and_of_one_edition_the_passage_found_best() -> None:
    told = (
        ("a-2023.md", CHARGE.format(3)),
        ("a-2024.md", CHARGE.format(4)),
        ("a-2025.md", CHARGE.format(5) + " Paid on the day."),
        ("a-2025.md", CHARGE.format(6)),
    )
    found = newest_first("What is the charge?", ranked(*told))
    assert [each[0].id for each in found] == ["3", "1", "2", "4"]


def test_a_newer_edition_in_another_indexed_folder_is_another_document() -> None:
    both = [*ranked(("a-2024.md", CHARGE)), *ranked(("b.md", OTHER), ("a-2025.md", CHARGE), folder="/g")[1:]]
    assert newest_first("Charge?", both) == both


def test_nothing_is_lost_and_nothing_comes_twice_in_a_long_ranking() -> None:
    told = [(f"a-{2000 + (7 * number) % 23}.md", CHARGE.format(number)) for number in range(3 * LOOKED_AT)]
    before = ranked(*told)
    after = newest_first("What is the charge?", before)
    assert sorted(each[0].id for each in after) == sorted(each[0].id for each in before)
    assert after[0][1].file == "a-2022.md"


def test_what_a_name_says() -> None:
    edition = edition_of("Prices/List 2024-03 v1.2.xlsx")
    assert edition is not None
    assert edition.order == ((2024, 3), (1, 2)) and edition.marks == {"2024", "1.2"}
    assert edition_of("readme.md") is None and edition_of("2024/2025.md") is None
