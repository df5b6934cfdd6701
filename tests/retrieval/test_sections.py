"""Sections around passages: whole where they fit, true to their document, and never the same text twice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from workbench.documents.chunk import Cutting, chunk
from workbench.documents.document import Chunk, Document, Draft, Part, assemble
from workbench.errors import InputError
from workbench.events import Result
from workbench.index.keywords import FileRow, Keywords
from workbench.retrieval.passage import Passage
from workbench.retrieval.sections import MOST_SOUGHT, sections, sought, widen

TERMS = (
    "The pump is covered for two years. It starts on the day of purchase. Wear is left out. Frost is left out as well."
)
RETURNS = "Goods come back within 24 days. The buyer pays the carriage. Opened seals are kept. Nothing else is charged."


def count(texts: list[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def indexed(home: Path, *documents: Document) -> list[tuple[Chunk, ...]]:
    """Put documents in the word index as a build would; gives the chunks of each."""
    made = []
    with Keywords(home / "index", write=True) as keywords:
        for document in documents:
            pieces = chunk(document, count, 60, Cutting(size=12, overlap=4), "/f")
            row = FileRow("/f", document.file, "indexed", 1, 1, made_with="x")
            keywords.commit_file(row, document, pieces)
            made.append(pieces)
    return made


def found(piece: Chunk) -> Passage:
    return Passage(piece.id, piece.file, piece.location, piece.text, 1.0, piece.start, piece.end, folder="/f")


def widened(home: Path, passages: list[Passage], most: int = 5, tokens: int = 400) -> list[Passage]:
    with Keywords(home / "index") as keywords:
        return widen(keywords, tuple(passages), most, tokens)


@pytest.fixture
def manual(tmp_path: Path) -> Document:
    parts = (Part(TERMS, "Warranty", "Warranty"), Part(RETURNS, "Returns", "Returns"))
    made = assemble(Draft(parts, "Manual"), "manual.md", "markdown", "manual.md")
    indexed(tmp_path, made)
    return made


def pieces_of(home: Path, file: str) -> tuple[Chunk, ...]:
    with Keywords(home / "index") as keywords:
        row = keywords.file(file)
        assert row is not None
        return keywords.chunks(row)


def test_a_passage_brings_its_whole_section_and_no_other(tmp_path: Path, manual: Document) -> None:
    pieces = pieces_of(tmp_path, "manual.md")
    assert len(pieces) > 4
    (section,) = widened(tmp_path, [found(pieces[1])])
    assert section.text == TERMS and section.id == pieces[1].id
    assert manual.text[section.start : section.end] == section.text and section.location == "Warranty"


def test_a_section_comes_once_however_many_of_its_passages_were_found(tmp_path: Path, manual: Document) -> None:
    pieces = pieces_of(tmp_path, "manual.md")
    given = widened(tmp_path, [found(each) for each in reversed(pieces)])
    assert [each.text for each in given] == [RETURNS, TERMS]
    assert len(widened(tmp_path, [found(each) for each in pieces], most=1)) == 1


def test_a_long_section_is_read_as_far_as_it_may_be_on_both_sides(tmp_path: Path) -> None:
    text = " ".join(f"Sentence {number} says a few more words here." for number in range(80))
    (pieces,) = indexed(tmp_path, assemble(Draft((Part(text),)), "long.txt", "text", "long.txt"))
    middle = pieces[len(pieces) // 2]
    (section,) = widened(tmp_path, [found(middle)], tokens=60)
    assert section.start < middle.start and middle.end < section.end
    assert count([section.text])[0] <= 60 and text[section.start : section.end] == section.text


def drawn(draw: random.Random, name: str) -> Document:
    def line() -> str:
        return " ".join(draw.choice(("one", "two.", "  three", "four,")) for _ in range(draw.randint(1, 14))).strip()

    parts = []
    for _ in range(draw.randint(1, 5)):
        heading = f"Part {draw.randint(1, 3)}"
        parts.append(Part("\n".join(line() for _ in range(draw.randint(1, 9))), heading, heading))
    return assemble(Draft(tuple(parts), name), name, "markdown", name)


def test_sections_are_true_to_their_documents_and_share_no_character(tmp_path: Path) -> None:
    draw = random.Random(1)
    documents = {name: drawn(draw, name) for name in (f"{number}.md" for number in range(60))}
    made = indexed(tmp_path, *documents.values())
    for _ in range(100):
        pieces = [each for some in draw.sample(made, 2) for each in some]
        asked = [found(each) for each in draw.sample(pieces, draw.randint(1, len(pieces)))]
        tokens = draw.choice((20, 60, 400))
        taken: dict[str, set[int]] = {each.file: set() for each in asked}
        for each in widened(tmp_path, asked, most=len(asked), tokens=tokens):
            assert each.text.strip() and documents[each.file].text[each.start : each.end] == each.text
            places = set(range(each.start, each.end))
            assert not places & taken[each.file] and count([each.text])[0] <= tokens
            taken[each.file] |= places
        for each in asked:  # what was found is given, by whichever section
            lost = [place for place in range(each.start, each.end) if place not in taken[each.file]]
            assert all(documents[each.file].text[place].isspace() for place in lost)


def test_a_passage_whose_file_changed_meanwhile_stays_as_it_was_found(tmp_path: Path, manual: Document) -> None:
    gone = Passage("no such chunk", "manual.md", "Warranty", "Some words.", 1.0, 3, 14, folder="/f")
    assert widened(tmp_path, [gone]) == [gone]
    events = list(sections(tmp_path, (gone,), 3))
    assert [event.value for event in events if isinstance(event, Result)] == [gone]
    with pytest.raises(InputError):
        list(sections(tmp_path / "elsewhere", (gone,), 3))


def test_enough_is_searched_for_and_no_more_than_others_are_given_as_well() -> None:
    assert [sought(each) for each in (1, 4, 8, 20, 100)] == [3, 12, 24, MOST_SOUGHT, 100]
