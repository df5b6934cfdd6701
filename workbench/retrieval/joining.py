"""Ranked chunks become passages: what says the same comes once, and what stands side by side is joined."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from workbench.documents.chunk import span_location
from workbench.documents.document import Chunk
from workbench.index.likeness import is_same, words_of
from workbench.retrieval.fusion import Found
from workbench.retrieval.passage import Passage

# Chunks in one passage. On the half of resources/search that is there for choosing, joining two raised the answers
# among five passages from 84 to 86 % and cut the text that is given twice from 37 characters a question to 14; more
# than two added length only. Showing the neighbours of every chunk instead found fewer answers for the same length.
MOST_JOINED = 2
LOOKED_ON = 20  # chunks after the last passage among which such are looked for that say the same as one of them
_SPAN = re.compile(r"^(.*?)(p\.|pp\.|[a-z]+?)(s?) (\d+)(?:-(\d+))?$")

Stretch = Callable[[str, str, int, int], str]  # folder, file, start and end to the text between them


@dataclass(slots=True)
class _Kept:
    """A passage in the making: the chunk that was found, and its neighbours that were found as well."""

    found: Found  # of the best of its chunks
    folder: str
    pieces: list[Chunk]  # in their order in the file
    said: list[frozenset[str]]  # the words of each, in the order they came
    again: list[str] = field(default_factory=list)  # where else the same stands

    def takes(self, piece: Chunk, folder: str) -> bool:
        """Whether a chunk stands right before or after, in the same section, and there is room."""
        first, last = self.pieces[0], self.pieces[-1]
        beside = piece.number in (first.number - 1, last.number + 1)
        same = (folder, piece.file, piece.heading) == (self.folder, first.file, first.heading)
        return same and beside and len(self.pieces) < MOST_JOINED

    def add(self, piece: Chunk, words: frozenset[str]) -> None:
        self.pieces = sorted([*self.pieces, piece], key=lambda each: each.number)
        self.said.append(words)

    def covers(self, piece: Chunk, folder: str) -> bool:
        """Whether a chunk is mostly the same stretch of the same file."""
        if (folder, piece.file) != (self.folder, self.pieces[0].file):
            return False
        return any(
            min(piece.end, each.end) - max(piece.start, each.start)
            > 0.6 * min(piece.end - piece.start, each.end - each.start)
            for each in self.pieces
        )

    def repeats(self, words: frozenset[str]) -> bool:
        """Whether a chunk of these words says mostly what one of the pieces says."""
        return any(is_same(words, said) for said in self.said)


def gather(ranked: Iterable[tuple[Found, Chunk, str]], k: int, stretch: Stretch) -> tuple[Passage, ...]:
    """The `k` best passages of (found, chunk, folder), best first; each names where else the same is said."""
    kept: list[_Kept] = []
    beyond = 0
    for found, piece, folder in ranked:
        if any(each.covers(piece, folder) for each in kept):
            continue
        words = words_of(piece.text)
        twin = next((each for each in kept if each.repeats(words)), None)
        if twin is not None:
            twin.again.append(f"{piece.file}, {piece.location}" if piece.location else piece.file)
            continue
        neighbour = next((each for each in kept if each.takes(piece, folder)), None) if not beyond else None
        if neighbour is not None:
            neighbour.add(piece, words)
        elif len(kept) < k:
            kept.append(_Kept(found, folder, [piece], [words]))
        else:
            beyond += 1
            if beyond > LOOKED_ON:
                break
    return tuple(_passage(each, stretch) for each in kept)


def _passage(kept: _Kept, stretch: Stretch) -> Passage:
    found, first, last = kept.found, kept.pieces[0], kept.pieces[-1]
    text = first.text if first is last else stretch(kept.folder, first.file, first.start, last.end)
    return Passage(
        *(found.id, first.file, join_locations(first.location, last.location), text, found.score, first.start),
        *(last.end, found.vector_rank, found.keyword_rank, found.similarity, kept.folder),
        token_rank=found.token_rank,
        reread_rank=found.reread_rank,
        same_in=tuple(dict.fromkeys(kept.again)),
        newer_than=found.newer_than,
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
