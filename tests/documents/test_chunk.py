from __future__ import annotations

import random
import re

import pytest

from workbench.documents.chunk import CHARACTERS, Cutting, chunk, chunk_stepwise, embedded_text, span_location
from workbench.documents.document import Document, Draft, Part, assemble
from workbench.documents.formats.markup import markdown_draft


def count(texts: list[str]) -> list[int]:
    """A stand-in tokenizer: words, punctuation marks, and long words in pieces of six letters."""
    return [sum((len(word) + 5) // 6 for word in re.findall(r"\w+|[^\w\s]", text)) for text in texts]


LIMIT = 254
WORDS = "pump valve pressure reading station operator gauge report daily never always seven before flow pipe".split()


def prose(seed: int, sentences: int) -> str:
    rng = random.Random(seed)
    made = []
    for number in range(sentences):
        words = rng.choices(WORDS, k=rng.randint(4, 22))
        end = "\n\n" if rng.random() < 0.2 else " "
        made.append(f"Number {number} " + " ".join(words) + "." + end)
    return "".join(made).strip()


def document_of(text: str, kind: str = "markdown") -> Document:
    return assemble(markdown_draft(text), "a.md", kind, "a.md")


@pytest.mark.parametrize("seed", range(6))
def test_chunks_are_exact_stretches_within_the_limit_and_together_hold_every_sentence(seed: int) -> None:
    text = "\n\n".join(f"## Part {part}\n\n{prose(seed * 10 + part, 5 * part + 1)}" for part in range(6))
    document = document_of(text)
    chunks = chunk(document, count, LIMIT)
    covered = [False] * len(document.text)
    for number, piece in enumerate(chunks):
        assert piece.text == document.text[piece.start : piece.end]
        assert piece.number == number
        assert count([embedded_text(piece)])[0] <= LIMIT
        covered[piece.start : piece.end] = [True] * (piece.end - piece.start)
    assert all(seen or character.isspace() for seen, character in zip(covered, document.text, strict=True))
    assert len({piece.id for piece in chunks}) == len(chunks)


def test_long_text_overlaps_by_whole_sentences() -> None:
    document = document_of(prose(1, 80).replace("\n\n", " "))
    chunks = chunk(document, count, LIMIT, Cutting(size=100, overlap=30))
    assert len(chunks) > 5
    shared = [one.end - two.start for one, two in zip(chunks, chunks[1:], strict=False)]
    assert all(each > 0 for each in shared)
    assert all(piece.text.startswith("Number") and piece.text.endswith(".") for piece in chunks)


def test_a_paragraph_that_fits_is_kept_whole() -> None:
    paragraphs = [" ".join(["Seven words stand in this one sentence."] * 7) for _ in range(6)]
    chunks = chunk(document_of("\n\n".join(paragraphs)), count, LIMIT, Cutting(size=100, overlap=0))
    assert [piece.text for piece in chunks] == paragraphs


def test_sections_are_not_mixed_and_carry_their_heading() -> None:
    chunks = chunk(
        document_of("# Guide\n\nHello there.\n\n## Returns\n\nWithin 30 days.\n\n## Repairs\n\nAsk us.\n"), count, LIMIT
    )
    assert [(piece.location, piece.heading) for piece in chunks] == [
        ("Guide", "Guide"),
        ("Returns", "Guide › Returns"),
        ("Repairs", "Guide › Repairs"),
    ]


def test_rows_share_chunks_and_name_their_range() -> None:
    parts = [Part(f"Item: thing {n}; Price: {n}", f"sheet A, row {n}", "A", joins=n > 2) for n in range(2, 60)]
    chunks = chunk(assemble(Draft(tuple(parts)), "a.xlsx", "xlsx", "a.xlsx"), count, LIMIT)
    assert chunks[0].location.startswith("sheet A, rows 2-")
    assert all(piece.text.startswith("Item:") for piece in chunks)
    ends = [int(piece.location.rpartition("-")[2]) for piece in chunks]
    begins = [int(piece.location.rpartition(" ")[2].partition("-")[0]) for piece in chunks]
    assert begins[1:] == [end + 1 for end in ends[:-1]]


def test_a_chunk_over_two_pages_names_both() -> None:
    parts = [Part("The sentence goes on", "p. 1", joins=True), Part("and ends here.", "p. 2", joins=True)]
    chunks = chunk(assemble(Draft(tuple(parts)), "a.pdf", "pdf", "a.pdf"), count, LIMIT)
    assert [piece.location for piece in chunks] == ["pp. 1-2"]


def test_plain_text_is_located_by_lines() -> None:
    lines = "\n".join(f"Line {n} says something of use to someone." for n in range(1, 101))
    document = assemble(Draft((Part(lines, first_line=1),)), "a.txt", "text", "a.txt")
    chunks = chunk(document, count, LIMIT, Cutting(overlap=0))
    assert chunks[0].location.startswith("lines 1-") and chunks[-1].location.endswith("-100")


def test_text_without_any_break_is_cut_all_the_same() -> None:
    document = assemble(Draft((Part("x" * 40_000),)), "a.txt", "text", "a.txt")
    chunks = chunk(document, count, LIMIT)
    assert all(count([embedded_text(piece)])[0] <= LIMIT for piece in chunks)
    assert "".join(piece.text for piece in chunks) == document.text


def test_a_long_heading_is_shortened_and_never_costs_the_text_its_room() -> None:
    document = document_of(f"# {'Very long title ' * 60}\n\n## Deepest\n\n{prose(3, 30)}")
    chunks = chunk(document, count, LIMIT)
    assert all(count([piece.heading])[0] <= 40 for piece in chunks)
    assert chunks[-1].heading.endswith("Deepest")


def test_an_edit_keeps_the_ids_of_the_other_chunks() -> None:
    text = "\n\n".join(f"## Part {part}\n\n{prose(part, 6)}" for part in range(5))
    before = {piece.id for piece in chunk(document_of(text), count, LIMIT)}
    after = [piece.id for piece in chunk(document_of("## New\n\nA new part.\n\n" + text), count, LIMIT)]
    assert len(before - set(after)) == 0
    assert len(after) == len(before) + 1


def test_equal_text_in_two_places_gets_two_ids() -> None:
    chunks = chunk(document_of("## A\n\nSame.\n\n## A\n\nSame.\n"), count, LIMIT)
    assert len({piece.id for piece in chunks}) == 2
    other = chunk(document_of("## A\n\nSame.\n"), count, LIMIT, folder="/elsewhere")
    assert other[0].id not in {piece.id for piece in chunks}


def test_abbreviations_do_not_end_a_sentence() -> None:
    text = "Ask Dr. Brown in room No. 5 about it. " * 12
    chunks = chunk(document_of(text), count, LIMIT, Cutting(size=40, overlap=0))
    assert all(piece.text.startswith("Ask") for piece in chunks)


def test_locations_are_joined() -> None:
    assert span_location("p. 2", "p. 4") == "pp. 2-4"
    assert span_location("sheet Q 1, row 2", "sheet Q 1, row 9") == "sheet Q 1, rows 2-9"
    assert span_location("00:01:58", "00:02:10") == "00:01:58 to 00:02:10"
    assert span_location("p. 3", "p. 3") == "p. 3"


@pytest.mark.parametrize("text", ["x" * 300_000, "x" * 90 + ("y" * 101 + " ") * 2000, " .\n" * 100_000 + "end"])
def test_what_the_embedder_takes_for_one_unknown_word_is_cut_all_the_same(text: str) -> None:
    def unknown(texts: list[str]) -> list[int]:  # as WordPiece counts: a word of over a hundred letters is one token
        return [sum(1 if len(word) > 100 else (len(word) + 3) // 4 for word in each.split()) for each in texts]

    document = assemble(Draft((Part(text),)), "a.txt", "text", "a.txt")
    chunks = chunk(document, unknown, LIMIT)
    assert max(len(each.text) for each in chunks) <= 1.5 * CHARACTERS * Cutting().size
    covered = "".join(each.text for each in chunks)
    assert covered.count("x") >= text.count("x") and covered.count("y") >= text.count("y")


@pytest.mark.timeout(60)  # each takes about a second; where every line looks at all others, many minutes
@pytest.mark.parametrize(
    "text",
    ["```\n```\n\n" * 40_000, "```\n" + "\n" * 300_000 + "```\n", "line of words\n" * 30_000, "\u200b\n\n" * 60_000],
)
def test_time_grows_no_faster_than_the_text(text: str) -> None:
    document = assemble(Draft((Part(text, first_line=1),)), "a.txt", "text", "a.txt")
    chunks = chunk(document, count, LIMIT)
    assert all(piece.text == text[piece.start : piece.end] for piece in chunks)
    for piece in chunks[:: len(chunks) // 20 or 1]:
        first = 1 + text.count("\n", 0, piece.start)
        assert piece.location in (f"line {first}", f"lines {first}-{first + piece.text.count(chr(10))}")


def test_a_long_document_is_cut_in_steps_so_that_a_stop_is_heard() -> None:
    counted = 0

    def counting(texts: list[str]) -> list[int]:
        nonlocal counted
        counted += len(texts)
        return count(texts)

    rows = tuple(Part(f"row: {number}; part: valve {number}", f"row {number}", joins=True) for number in range(5000))
    document = assemble(Draft(rows), "a.csv", "csv", "a.csv")
    steps, most = chunk_stepwise(document, counting, LIMIT), 0
    while True:
        before = counted
        try:
            next(steps)
        except StopIteration as done:
            assert done.value == chunk(document, count, LIMIT)
            break
        most = max(most, counted - before)
    assert 0 < most <= 600 < counted
