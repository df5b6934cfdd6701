"""Ranked chunks become passages: what says the same comes once, and what stands side by side is joined."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from workbench.documents.chunk import span_location
from workbench.documents.document import Chunk
from workbench.retrieval.fusion import Found
from workbench.retrieval.passage import Passage

SAME_TEXT = 0.85  # share of two passages' words in common from which one of them is enough
# Chunks in one passage. On the half of resources/search that is there for choosing, joining two raised the answers
# among five passages from 84 to 86 % and cut the text that is given twice from 37 characters a question to 14; more
# than two added length only. Showing the neighbours of every chunk instead found fewer answers for the same length.
MOST_JOINED = 2
_SPAN = re.compile(r"^(.*?)(p\.|pp\.|[a-z]+?)(s?) (\d+)(?:-(\d+))?$")

Stretch = Callable[[str, str, int, int], str]  # folder, file, start and end to the text between them


@dataclass(slots=True)
class _Kept:
    """A passage in the making: the chunk that was found, and its neighbours that were found as well."""

    found: Found  # of the best of its chunks
    folder: str
    pieces: list[Chunk]  # in their order in the file

    def takes(self, piece: Chunk, folder: str) -> bool:
        """Whether a chunk stands right before or after, in the same section, and there is room."""
        first, last = self.pieces[0], self.pieces[-1]
        beside = piece.number in (first.number - 1, last.number + 1)
        same = (folder, piece.file, piece.heading) == (self.folder, first.file, first.heading)
        return same and beside and len(self.pieces) < MOST_JOINED

    def add(self, piece: Chunk) -> None:
        self.pieces = sorted([*self.pieces, piece], key=lambda each: each.number)


def gather(ranked: Iterable[tuple[Found, Chunk, str]], k: int, stretch: Stretch) -> tuple[Passage, ...]:
    """The `k` best passages of (found, chunk, folder), best first."""
    kept: list[_Kept] = []
    for found, piece, folder in ranked:
        if any(_doubles(piece, folder, each) for each in kept):
            continue
        neighbour = next((each for each in kept if each.takes(piece, folder)), None)
        if neighbour is not None:
            neighbour.add(piece)
        elif len(kept) < k:
            kept.append(_Kept(found, folder, [piece]))
        else:
            break
    return tuple(_passage(each, stretch) for each in kept)


def _passage(kept: _Kept, stretch: Stretch) -> Passage:
    found, first, last = kept.found, kept.pieces[0], kept.pieces[-1]
    text = first.text if first is last else stretch(kept.folder, first.file, first.start, last.end)
    return Passage(
        *(found.id, first.file, join_locations(first.location, last.location), text, found.score, first.start),
        *(last.end, found.vector_rank, found.keyword_rank, found.similarity, kept.folder),
        found.token_rank,
    )


def join_locations(first: str, last: str) -> str:
    """Two locations as one, spans among them: "lines 3-9" and "lines 8-15" are "lines 3-15"."""
    one, two = _SPAN.match(first), _SPAN.match(last)
    if one is None or two is None:
        return span_location(first, last)
    begin, end = _single(one, one[4]), _single(two, two[5] or two[4])
    return span_location(begin, end)


def _single(span: re.Match[str], number: str) -> str:
    unit = "p." if span[2] in ("p.", "pp.") else span[2]
    return f"{span[1]}{unit} {number}"


def _doubles(piece: Chunk, folder: str, kept: _Kept) -> bool:
    """Whether a chunk says what a passage already says: mostly the same stretch of a file, or mostly the same words."""
    return any(_same(piece, each, folder == kept.folder) for each in kept.pieces)


def _same(one: Chunk, two: Chunk, same_folder: bool) -> bool:
    if same_folder and one.file == two.file:
        shared = min(one.end, two.end) - max(one.start, two.start)
        if shared > 0.6 * min(one.end - one.start, two.end - two.start):
            return True
    words, others = _words(one.text), _words(two.text)
    return len(words & others) >= SAME_TEXT * len(words | others)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
