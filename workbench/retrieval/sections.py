"""STAGE sections: in place of each passage that was found the section it stands in, so that the model reads it whole

A small chunk is found more surely than a big one, a big one explains itself better. So chunks are searched and the
text around them is given: all that stands under the same heading, or as much of it as may be given, nearest first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from workbench.events import Result, Stage
from workbench.index.files import read_index
from workbench.index.keywords import Keywords, Place
from workbench.retrieval.joining import join_locations
from workbench.retrieval.passage import Passage

# Of a section, as the embedder counts; the heading of each chunk in it is counted with it. On the half of
# resources/search that is there for choosing (342 questions), what is given holds the answer to so many, in so many
# tokens: 4 passages 93.9 % in 689, 4 sections of 400 94.4 % in 1,003, of 600 95.0 % in 1,437, of 1,000 95.9 % in 2,201;
# 8 passages 96.2 % in 1,381, 8 sections of 600 97.1 % in 2,873. For the same tokens more passages hold more answers, so
# passages stay what a lane reads unless a person chooses otherwise; what a section adds is what stands around the
# answer. `python resources/choose_sections.py` prints the table.
MOST_TOKENS = 600
LEAST = 8  # tokens of a chunk, about: how far around a passage is looked
SOUGHT, MOST_SOUGHT = 3, 25  # passages to search for each section that is given, and in all: several stand in one


def sought(sections: int) -> int:
    """How many passages to search for so that they stand in so many sections."""
    return max(sections, min(SOUGHT * sections, MOST_SOUGHT))


def sections(home: Path, passages: tuple[Passage, ...], most: int, tokens: int = MOST_TOKENS) -> Stage:
    """STAGE: the sections of some passages, best first, at most `most` of at most `tokens`, one Result(Passage) each.

    `home` is the folder of the base they were found in. No text is given twice: a passage that stands in the section
    of a better one is left out, and a section ends where a better one begins. Each keeps the id and the places of the
    passage it was found by. Raises InputError when nothing is indexed.
    """
    with read_index(home) as keywords:
        for section in widen(keywords, passages, most, tokens):
            yield Result(section)


def widen(keywords: Keywords, passages: tuple[Passage, ...], most: int, tokens: int) -> list[Passage]:
    """The same of an open index, as a list."""
    given: list[Passage] = []
    for passage in passages:
        before = [each for each in given if (each.folder, each.file) == (passage.folder, passage.file)]
        if any(each.start <= passage.start and passage.end <= each.end for each in before):
            continue
        section = _section(keywords, passage, [(each.start, each.end) for each in before], tokens)
        if section is not None:
            given.append(section)
        if len(given) == most:
            break
    return given


@dataclass(frozen=True, slots=True)
class _Reach:
    """From which to which chunk of a file a section goes, both included."""

    first: int  # places in the list of chunks
    last: int


def _section(keywords: Keywords, passage: Passage, taken: list[tuple[int, int]], tokens: int) -> Passage | None:
    """The section of one passage without what is given already; None where that leaves nothing."""
    around = keywords.places(passage.folder, passage.file, passage.id, max(2, tokens // LEAST))
    own = [n for n, each in enumerate(around) if passage.start <= each.start and each.end <= passage.end]
    if not own:  # it was changed after it was found
        return passage
    reach = _grown(around, _Reach(own[0], own[-1]), taken, tokens)
    first, last = around[reach.first], around[reach.last]
    start, end = _free(min(first.start, passage.start), max(last.end, passage.end), passage, taken)
    text = keywords.stretch(passage.folder, passage.file, start, end)
    lead = len(text) - len(text.lstrip()) if start != first.start else 0  # its first line keeps its indentation
    start, text = start + lead, text[lead:].rstrip()
    if not text:
        return None
    where = join_locations(first.location, last.location)
    return replace(passage, text=text, start=start, end=start + len(text), location=where)


def _grown(around: list[Place], reach: _Reach, taken: list[tuple[int, int]], tokens: int) -> _Reach:
    """As far as heading and tokens let it, by turns after and before the passage, up to what is given already."""
    total = sum(each.tokens for each in around[reach.first : reach.last + 1])
    heading, first, last = around[reach.first].heading, reach.first, reach.last
    sides = [1, -1]  # what comes after explains less often, but what comes before may be the end of another matter
    while sides:
        side = sides.pop(0)
        place = last + 1 if side > 0 else first - 1
        if not 0 <= place < len(around):
            continue
        chunk = around[place]
        inside = any(begin <= chunk.start and chunk.end <= end for begin, end in taken)
        if chunk.heading != heading or inside or total + chunk.tokens > tokens:
            continue
        total += chunk.tokens
        first, last = min(first, place), max(last, place)
        sides.append(side)
    return _Reach(first, last)


def _free(start: int, end: int, passage: Passage, taken: list[tuple[int, int]]) -> tuple[int, int]:
    """A range without what better sections have of it: chunks overlap by a sentence."""
    for begin, finish in taken:
        if begin <= start < finish:
            start = finish
        elif begin < end <= finish:
            end = begin
        elif start < begin and finish < end:  # in the middle of it: what is on the passage's side stays
            start, end = (start, begin) if passage.start < begin else (finish, end)
    return start, max(start, end)
