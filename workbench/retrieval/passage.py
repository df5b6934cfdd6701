"""Passage: what a search gives, ranked, with why it was found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found for a question."""

    id: str  # the chunk's id
    file: str  # relative to the indexed folder
    location: str
    text: str
    score: float  # fused score, higher is better; only its order means something
    start: int = 0  # offsets in the document's text, in characters
    end: int = 0
    vector_rank: int | None = None  # 1-based place in the vector leg, None when that leg did not find it
    keyword_rank: int | None = None  # the same for the exact-word leg
    similarity: float | None = None  # cosine to the question, -1 to 1, None when only words found it
    folder: str = ""  # the indexed folder, absolute, so that the source can be opened
    token_rank: int | None = None  # 1-based place among all that was found, compared word by word
    base: str = ""  # the knowledge base it was found in, "" for the project's own
    reread_rank: int | None = None  # 1-based place among those a reranker read together with the question
    same_in: tuple[str, ...] = ()  # "file, location" of chunks left out because they say nearly the same
    newer_than: str = ""  # the file of an older edition of the same document, before which this one was put


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The passages for one question, best first."""

    question: str
    passages: tuple[Passage, ...]
    seconds: float
    fits: bool = (
        True  # False: nothing found seems to be about the question; the passages are only the nearest there are
    )
