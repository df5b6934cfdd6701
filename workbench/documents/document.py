"""Document and Chunk: what reading a file gives, and the pieces an index holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a document with one location."""

    location: str  # for people: "p. 2", "Opening a return", "sheet Prices, row 2", "slide 3", "" when there is none
    text: str
    start: int  # offset of the text in Document.text, in characters
    heading: str = ""  # heading path, embedded with the text; "" directly under the title
    joins: bool = False  # the text runs on from the section before (pages, rows), so that a chunk may span both
    first_line: int = 0  # line of the file the text begins on, 1-based; 0 where lines mean nothing


@dataclass(frozen=True, slots=True)
class Document:
    """A file as text."""

    file: str  # path relative to the indexed folder, with forward slashes
    kind: str  # "markdown", "pdf", ...
    title: str  # from the document itself, or the file name
    text: str  # all sections, a blank line between them; a line break where one runs on from the one before
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()  # what a person should know: "pages 3-4 hold no text (scans)"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document, small enough for the embedder to read whole."""

    # Stable: a hash of folder, file, heading and text (and which of several equal ones), so an edit keeps the others.
    id: str
    file: str  # as in Document
    location: str
    text: str
    start: int  # offsets in Document.text, in characters: text == document.text[start:end]
    end: int
    number: int  # 0-based place among the file's chunks, so that neighbours can be joined
    tokens: int  # length in the embedder's tokens, heading and special tokens included
    heading: str = ""  # title and heading path, embedded with the text so that a bare paragraph is found by its subject


@dataclass(frozen=True, slots=True)
class Part:
    """A section as a reader hands it over, before its place in the whole text is known."""

    text: str
    location: str = ""
    heading: str = ""
    joins: bool = False
    first_line: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """What a reader makes of a file; readers.read turns it into a Document."""

    parts: tuple[Part, ...]
    title: str = ""  # "" when the file does not name itself
    notes: tuple[str, ...] = ()


def assemble(draft: Draft, file: str, kind: str, title: str) -> Document:
    """Join a draft's parts to one text and note where each begins; empty parts are left out."""
    pieces: list[str] = []
    sections: list[Section] = []
    length = 0
    for part in draft.parts:
        if not part.text.strip():
            continue
        joins = part.joins and bool(sections)
        gap = "" if not sections else "\n" if joins else "\n\n"
        start = length + len(gap)
        pieces += [gap, part.text]
        length = start + len(part.text)
        sections.append(Section(part.location, part.text, start, part.heading, joins, part.first_line))
    return Document(file, kind, draft.title or title, "".join(pieces), tuple(sections), draft.notes)
