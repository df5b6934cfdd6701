"""Document and Chunk: what reading a file gives, and the pieces an index holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a document with one location."""

    location: str  # for people: "p. 2", "Opening a return", "sheet Prices, rows 2-40", "slide 3", "" when there is none
    text: str
    start: int  # offset of the text in Document.text, in characters


@dataclass(frozen=True, slots=True)
class Document:
    """A file as text."""

    file: str  # path relative to the indexed folder, with forward slashes
    kind: str  # "markdown", "pdf", ...
    title: str  # from the document itself, or the file name
    text: str  # all sections, joined by blank lines
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()  # what a person should know: "pages 3-4 hold no text (scans)"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document, small enough for the embedder to read whole."""

    id: str  # stable: hash of file, position and text
    file: str  # as in Document
    location: str
    text: str
    start: int  # offsets in Document.text, in characters: text == document.text[start:end]
    end: int
    number: int  # 0-based place among the file's chunks, so that neighbours can be joined
    tokens: int  # length in the embedder's tokens
    heading: str = ""  # title and heading path, embedded with the text so that a bare paragraph is found by its subject
