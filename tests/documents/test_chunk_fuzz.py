"""Chunks of drawn documents: nothing lost, nothing twice beyond the overlap, nothing over the limit, places right.

The documents are drawn from seeds: what readers hand over in every shape, filled with what breaks cutters.
"""

from __future__ import annotations

import random
import re
import tempfile
from pathlib import Path

import pytest

from workbench.documents import readers
from workbench.documents.chunk import CHARACTERS, Cutting, chunk, embedded_text
from workbench.documents.document import Chunk, Document, Draft, Part, assemble
from workbench.errors import BadDocument

SEEDS = range(150)
PIECES = (
    *("word", "Sentence one. ", "Is it? ", "no full stop", "\n", "\n\n", "\n \t\n", "    indented\n", "\t", " ", "  "),
    *(
        "- item\n",
        "1. first\n",
        "| a | b |\n",
        "```\ncode\n\ncode\n```\n",
        "```\nnever closed\n",
        "# Heading\n",
        "> said\n",
    ),
    *(
        "Dr. ",
        "e.g. ",
        "3.14",
        "http://a.b/c?d=e",
        "名前は何ですか。",
        "😀",
        "e\u0301",
        "\u200b",
        "\u00a0",
        "\u2028",
        "\r",
    ),
    *(
        "مرحبا ",
        "x" * 300,
        "y-" * 120,
        "a,b;c:" * 30,
        "!" * 80,
        "…",
        "“quoted.” ",
        "(aside) ",
        "\x0b",
        "\x0c",
        "ß",
        "İ",
    ),
)


def count(texts: list[str]) -> list[int]:
    """A stand-in tokenizer in the manner of WordPiece: pieces of four letters, over a hundred letters one unknown."""
    return [
        sum(1 if len(word) > 100 else (len(word) + 3) // 4 for word in re.findall(r"\w+|[^\w\s]", text))
        for text in texts
    ]


def drawn_text(rng: random.Random, most: int) -> str:
    return "".join(rng.choice(PIECES) for _ in range(rng.randint(0, most)))


def drawn_document(rng: random.Random) -> Document:
    shape = rng.choice(("headings", "pages", "rows", "lines"))
    parts = []
    for number in range(1, rng.randint(1, 9) + 1):
        text = drawn_text(rng, rng.choice((3, 30, 200)))
        if shape == "headings":
            path = " › ".join(f"Part {rng.randint(1, 3)}" * rng.choice((1, 1, 20)) for _ in range(rng.randint(0, 3)))
            parts.append(Part(text, path, path))
        elif shape == "pages":
            parts.append(Part(text, f"p. {number}", joins=number > 1))
        elif shape == "rows":
            parts.append(Part(text, f"sheet A, row {number}", "A", joins=number > 1))
        else:
            parts.append(Part(text, first_line=1 + sum(each.text.count("\n") for each in parts)))
    kind = {"rows": "csv", "lines": "text"}.get(shape, "markdown")
    return assemble(Draft(tuple(parts), rng.choice(("", "A title", "title " * 90))), "a.md", kind, "a.md")


def check(document: Document, chunks: tuple[Chunk, ...], limit: int, cutting: Cutting) -> None:
    covered = [0] * len(document.text)
    for number, piece in enumerate(chunks):
        assert piece.text == document.text[piece.start : piece.end] and piece.text.strip()
        assert piece.number == number
        assert count([embedded_text(piece)])[0] <= limit
        assert piece.tokens == count([f"{piece.heading}\n{piece.text}"])[0] + 2
        assert len(piece.text) <= 2 * CHARACTERS * max(limit, cutting.size)
        assert piece.location == expected_place(document, piece)
        for place in range(piece.start, piece.end):
            covered[place] += 1
    lost = [place for place, times in enumerate(covered) if not times and not document.text[place].isspace()]
    assert not lost, document.text[max(0, lost[0] - 30) : lost[0] + 30]
    assert max(covered, default=0) <= 2, "no place stands in more than two chunks"
    for one, two in zip(chunks, chunks[1:], strict=False):
        assert one.start < two.start and one.end < two.end
        shared = document.text[two.start : one.end]
        assert not shared or count([shared])[0] <= min(cutting.overlap, cutting.size // 3)
    assert len({piece.id for piece in chunks}) == len(chunks)


def expected_place(document: Document, piece: Chunk) -> str:
    """Where a chunk lies, worked out from the sections its first and last character stand in."""

    def section_of(place: int) -> int:
        return max((n for n, each in enumerate(document.sections) if each.start <= place), default=0)

    first, last = document.sections[section_of(piece.start)], document.sections[section_of(piece.end - 1)]
    if first.first_line:
        begin = first.first_line + document.text[first.start : piece.start].count("\n")
        end = begin + piece.text.count("\n")
        return f"line {begin}" if begin == end else f"lines {begin}-{end}"
    if first is last or first.location == last.location:
        return first.location
    unit, _, number = first.location.rpartition(" ")
    plural = "pp." if unit == "p." else f"{unit}s"
    return f"{plural} {number}-{last.location.rpartition(' ')[2]}"


@pytest.mark.parametrize("seed", SEEDS)
def test_chunks_of_any_document_hold_all_of_it_once_within_the_limit(seed: int) -> None:
    rng = random.Random(seed)
    document = drawn_document(rng)
    size = rng.choice((24, 60, 144, 254))
    cutting = Cutting(size=size, overlap=rng.choice((0, 8, 24, size)))
    limit = rng.choice((64, 128, 254))
    pieces = chunk(document, count, limit, cutting)
    check(document, pieces, limit, cutting)
    assert pieces == chunk(document, count, limit, cutting), "cut the same way twice"


ENDINGS = tuple(sorted({*readers.READERS, ".txt", ".py", ".log", ".yaml"} - {".doc", ".ppt"}))


@pytest.mark.parametrize("seed", range(60))
def test_readers_of_drawn_bytes_give_a_whole_document_or_a_reason(seed: int) -> None:
    rng = random.Random(seed)
    ending = ENDINGS[seed % len(ENDINGS)]
    text = drawn_text(rng, 120)
    data = rng.choice(
        (text.encode(), text.encode("utf-16"), rng.randbytes(rng.randint(0, 900)), text.encode()[:-1] + b"\xff")
    )
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"a{ending}"
        path.write_bytes(data)
        try:
            document = readers.read(path, path.name)
        except BadDocument as error:
            assert str(error)
            return
    for section in document.sections:
        assert document.text[section.start : section.start + len(section.text)] == section.text
    ends = [section.start + len(section.text) for section in document.sections]
    assert all(end <= section.start for end, section in zip(ends, document.sections[1:], strict=False))
    between = "".join(
        document.text[end : section.start] for end, section in zip([0, *ends], document.sections, strict=False)
    )
    assert not between.strip() and not document.text[ends[-1] :].strip(), "every character is in a section"
    covered: set[int] = set()
    for piece in chunk(document, count, 254):
        assert piece.text == document.text[piece.start : piece.end] and count([embedded_text(piece)])[0] <= 254
        covered.update(range(piece.start, piece.end))
    assert all(place in covered or each.isspace() for place, each in enumerate(document.text))
