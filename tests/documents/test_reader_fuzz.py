"""Damaged documents through the fenced reader, and any text through the chunker, as hypothesis makes them up.

The same examples each time; WORKBENCH_FUZZ=2000 looks at so many new ones instead.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import made_files as made
import pytest

from workbench.documents.chunk import Cutting, chunk, embedded_text
from workbench.documents.document import Document, Draft, Part, assemble
from workbench.documents.fence import FencedReader, Limits, Reading
from workbench.documents.scan import FoundFile
from workbench.index.embed import open_embedder

hypothesis = pytest.importorskip("hypothesis", reason="it is installed by `make setup`")
given, st = hypothesis.given, hypothesis.strategies

LONGER = int(os.environ.get("WORKBENCH_FUZZ", "0"))
EXAMPLES = LONGER or 60
looked_at = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not LONGER,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
TEXTS = {
    "md": "# Pumps\n\n## Seals\n\nThe seal is replaced.\n\n```\ncode\n\nmore\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    "rst": "Pumps\n=====\n\nSeals\n-----\n\nThe seal is replaced::\n\n    code\n",
    "adoc": "= Pumps\n\n== Seals\n\nThe seal is replaced.\n",
    "html": made.PAGE,
    "csv": "item,price\nkettle,29\ntoaster,34\n",
    "json": '{"items": [{"name": "kettle", "price": 29}, {"name": "toaster", "price": 34}]}',
    "jsonl": '{"name": "kettle"}\n{"name": "toaster"}\n',
    "xml": "<list><item name='kettle'>29</item><item name='toaster'>34</item></list>",
    "rtf": r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 The seal is {\b replaced} every 900 hours.\par Twice.}",
    "eml": made.MAIL,
    "mbox": made.MAILBOX,
    "srt": "1\n00:00:01,000 --> 00:00:02,000\nWelcome.\n\n2\n00:00:03,000 --> 00:00:04,000\nGoodbye.\n",
    "py": "def seal():\n    return 4471\n",
}
MADE = {
    "pdf": lambda path: made.make_pdf(path, ["Words of page one", "", "Words of page three"], title="Pumps"),
    "docx": made.make_docx,
    "pptx": made.make_pptx,
    "xlsx": made.make_xlsx,
    "epub": made.make_epub,
    "odt": made.make_odt,
    "odp": made.make_odp,
    "ods": made.make_ods,
    "ipynb": made.make_notebook,
    "xls": made.copied("old.xls"),
    "msg": made.copied("mail.msg"),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("originals")
    found = {ending: text.encode() for ending, text in TEXTS.items()}
    for ending, make in MADE.items():
        make(folder / f"a.{ending}")
        found[ending] = (folder / f"a.{ending}").read_bytes()
    return found


def damaged(data: bytes, draw: Any) -> bytes:
    """A file cut short, with a stretch lost, changed, repeated, or of other bytes altogether."""
    for _ in range(draw(st.integers(1, 3))):
        size = len(data)
        begin = draw(st.integers(0, size))
        end = draw(st.integers(begin, min(size, begin + max(8, size // 2))))
        how = draw(st.sampled_from(("cut", "lost", "changed", "repeated", "drawn")))
        if how == "cut":
            data = data[:begin]
        elif how == "lost":
            data = data[:begin] + data[end:]
        elif how == "changed":
            other = draw(st.binary(min_size=1, max_size=16))
            data = data[:begin] + other + data[begin + len(other) :]
        elif how == "repeated":
            data = data[:end] + data[begin:end] * draw(st.integers(1, 3)) + data[end:]
        else:
            data = draw(st.binary(max_size=400))
    return data


def test_a_damaged_document_is_read_or_skipped_with_a_reason(tmp_path: Path, originals: dict[str, bytes]) -> None:
    reader = FencedReader(Limits(seconds=30.0))
    path, seen = tmp_path, set()

    @looked_at
    @given(st.sampled_from(sorted(originals)), st.data())
    def look(ending: str, data: Any) -> None:
        nonlocal path
        path = tmp_path / f"a.{ending}"
        path.write_bytes(damaged(originals[ending], data.draw) or b"\n")
        reading = read(reader, path)
        assert reading.hash and not reading.reason.startswith("the reader broke down"), reading.reason
        if reading.document is None:
            assert re.search(r"\w+ \w+", reading.reason), "a person is told why"
        else:
            check(reading.document)
        seen.add((ending, reading.document is None))

    try:
        look()
        path.write_text("The reader still reads.")
        (tmp_path / "good.txt").write_text("The reader still reads.")
        after = read(reader, tmp_path / "good.txt")
        assert after.document is not None and after.document.text == "The reader still reads."
    finally:
        reader.close()
    assert {skipped for _, skipped in seen} == {True, False}


def read(reader: FencedReader, path: Path) -> Reading:
    status = path.stat()
    reader.start(FoundFile(str(path.parent), path.name, path, status.st_size, status.st_mtime_ns))
    while (reading := reader.take(1.0)) is None:
        pass
    return reading


def check(document: Document, cutting: Cutting | None = None) -> None:
    """Sections are where they say; chunks hold all of it, are true to it and are read whole by the embedder."""
    embedder = open_embedder()
    for section in document.sections:
        assert document.text[section.start : section.start + len(section.text)] == section.text
    pieces = chunk(document, embedder.count, embedder.limit, cutting)
    covered = bytearray(len(document.text))
    for number, piece in enumerate(pieces):
        assert piece.number == number and piece.text == document.text[piece.start : piece.end]
        covered[piece.start : piece.end] = b"\x01" * (piece.end - piece.start)
    lost = [place for place, held in enumerate(covered) if not held and not document.text[place].isspace()]
    assert not lost, document.text[max(0, lost[0] - 30) : lost[0] + 30]
    lengths = embedder.count([embedded_text(each) for each in pieces])
    assert max(lengths, default=0) <= embedder.limit


@looked_at
@given(
    st.lists(st.tuples(st.text(max_size=400), st.text(max_size=60), st.booleans()), min_size=1, max_size=6),
    st.sampled_from(("text", "markdown", "csv")),
    st.integers(8, 300),
    st.integers(0, 300),
)
def test_chunks_of_any_text_hold_all_of_it_and_are_read_whole(
    parts: list[tuple[str, str, bool]], kind: str, size: int, overlap: int
) -> None:
    drafted = tuple(Part(text, heading, heading, joins) for text, heading, joins in parts)
    check(assemble(Draft(drafted), "a.txt", kind, "a.txt"), Cutting(size=size, overlap=overlap))
