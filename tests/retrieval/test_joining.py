from __future__ import annotations

import pytest

from workbench.documents.document import Chunk
from workbench.retrieval.fusion import Found
from workbench.retrieval.joining import gather, join_locations
from workbench.retrieval.passage import Passage

TEXT = "The red boat sails. The blue car waits. A green train stops. Five kites fly. Rain falls on tin roofs."
SENTENCES = [each + "." for each in TEXT.removesuffix(".").split(". ")]


def piece(number: int, file: str = "a.md", heading: str = "Trips") -> Chunk:
    start = TEXT.index(SENTENCES[number])
    return Chunk(
        f"{file}{number}",
        file,
        f"line {number}",
        SENTENCES[number],
        start,
        start + len(SENTENCES[number]),
        number,
        9,
        heading,
    )


def gathered(*pieces: Chunk, k: int = 5) -> list[Passage]:
    ranked = [(Found(each.id, 1.0 / rank, rank), each, "/f") for rank, each in enumerate(pieces, start=1)]
    return list(gather(ranked, k, lambda folder, file, start, end: TEXT[start:end]))


def test_neighbours_that_were_both_found_are_one_passage_in_the_files_order() -> None:
    passages = gathered(piece(1), piece(3, "b.md"), piece(0))
    assert [each.text for each in passages] == ["The red boat sails. The blue car waits.", "Five kites fly."]
    joined = passages[0]
    assert (joined.id, joined.vector_rank, joined.location) == ("a.md1", 1, "lines 0-1")
    assert TEXT[joined.start : joined.end] == joined.text


def test_what_stands_between_overlapping_neighbours_is_given_once() -> None:
    first = Chunk("1", "a.md", "lines 1-2", TEXT[:39], 0, 39, 0, 9, "Trips")
    second = Chunk("2", "a.md", "lines 2-3", TEXT[20:61], 20, 61, 1, 9, "Trips")
    (joined,) = gathered(first, second)
    assert joined.text == TEXT[:61] and joined.text.count("blue car") == 1
    assert joined.location == "lines 1-3"


def test_a_passage_holds_two_chunks_at_most() -> None:
    assert [each.text for each in gathered(piece(1), piece(2), piece(3))] == [
        *("The blue car waits. A green train stops.", "Five kites fly."),
    ]


@pytest.mark.parametrize("other", [piece(2), piece(1, "b.md"), piece(1, heading="Weather")])
def test_what_is_not_side_by_side_in_one_section_stays_apart(other: Chunk) -> None:
    assert len(gathered(piece(0), other)) == 2


def test_joining_leaves_room_for_another_passage_but_no_more_than_asked_for() -> None:
    assert [each.id for each in gathered(piece(0), piece(1), piece(3), piece(2, "b.md"), k=2)] == ["a.md0", "a.md3"]


def test_the_same_words_in_two_files_come_once_and_the_other_place_is_named() -> None:
    (passage,) = gathered(piece(0), piece(0, "copy.md"))
    assert passage.file == "a.md" and passage.same_in == ("copy.md, line 0",)


def test_a_copy_is_named_where_it_ranks_below_the_last_passage_too() -> None:
    passages = gathered(piece(0), piece(2), piece(4), piece(2, "copy.md"), k=2)
    assert [(each.id, each.same_in) for each in passages] == [("a.md0", ()), ("a.md2", ("copy.md, line 2",))]


def test_a_stretch_of_the_same_place_is_no_copy() -> None:
    whole = Chunk("w", "a.md", "lines 0-1", TEXT[:39], 0, 39, 7, 9, "Trips")
    (passage,) = gathered(whole, piece(0))
    assert passage.same_in == ()


@pytest.mark.parametrize(
    ("first", "last", "joined"),
    [
        ("p. 2", "p. 3", "pp. 2-3"),
        ("pp. 2-3", "p. 4", "pp. 2-4"),
        ("sheet A, rows 2-9", "sheet A, rows 10-12", "sheet A, rows 2-12"),
        ("lines 3-9", "lines 8-15", "lines 3-15"),
        ("line 3", "line 4", "lines 3-4"),
        ("Returns", "Returns", "Returns"),
        ("slide 2", "slide 2", "slide 2"),
        ("", "", ""),
    ],
)
def test_locations_are_joined(first: str, last: str, joined: str) -> None:
    assert join_locations(first, last) == joined
