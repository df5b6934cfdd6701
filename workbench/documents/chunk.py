"""Cut a Document into overlapping Chunks, measured in the embedder's own tokens, so that it reads each one whole."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import TypeVar

from workbench import records
from workbench.documents.document import Chunk, Document, Section
from workbench.documents.formats.markup import ARROW

VERSION = 4  # raised when the same document is cut in other places than before

Count = Callable[[list[str]], list[int]]  # texts to their lengths in tokens, special tokens not counted
Value = TypeVar("Value")
Steps = Generator[int, None, Value]  # yields how many characters it has come through

BATCH = 512  # texts counted at once, some hundredths of a second: nobody waits longer for a stop
FAR = 1 << 14  # characters from the middle of a text that are searched for a place to cut it

# Characters that weigh a token at least. A "word" of over a hundred characters (base64, a minified script) is a single
# unknown token to the embedder: counted so, megabytes of it would be one chunk. Prose has four to six a token.
CHARACTERS = 12
SELF_EXPLAINING = frozenset(
    {"csv", "xlsx", "xlsb", "xls", "ods", "json"}
)  # rows carry their headers, so nothing is repeated between chunks
_BLANK = re.compile(r"\n[ \t]*\n\s*")
_FENCED = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1[^\n]*$", re.MULTILINE | re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[^\Wa-z_])|(?<=[。！？])")
# Only blanks of the same line are looked over: with \s a thousand empty lines would be looked over from each of them.
_LINE = re.compile(r"\n(?=[^\S\n]*(?:[-*+•|>#]|\d{1,3}[.)]|[a-z][)])\s*\S|[^\S\n]{4,}\S)")
_SHORT = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|Nos|Fig|vs|etc|cf|ca|approx|pp?|e\.g|i\.e|z\.B|[A-Z]))\.$")
_HALF = re.compile(r"[;,:)\]]\s+|\s+")
_NUMBERED = re.compile(r"^(.*?)(\b(?:p\.|row|item|line|page|slide|cell))\s(\d+)$")


@dataclass(frozen=True, slots=True)
class Cutting:
    """How big chunks are, in the embedder's tokens."""

    # 144 tokens are about 110 words, one or two paragraphs: one subject, so its vector is clear, and five of them
    # leave a small chat model most of its context. Reasoned, not measured against other sizes.
    size: int = 144
    overlap: int = 24  # about one sentence, so that one that needs the sentence before it still has it
    heading: int = 40  # most tokens the title and heading path may take before the text

    def fingerprint(self) -> str:
        """Two indexes with the same one hold the same chunks."""
        return f"{VERSION}:{self.size}:{self.overlap}:{self.heading}"


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence, line or row: what is never cut where it fits a chunk at all."""

    start: int
    end: int
    tokens: int
    opens: bool  # begins a paragraph: a better place to cut


def chunk(
    document: Document, count: Count, limit: int, cutting: Cutting | None = None, folder: str = ""
) -> tuple[Chunk, ...]:
    """The chunks of a document, in its order.

    `limit` is the most tokens the embedder reads of one text, special tokens not counted: heading, line break and text
    of a chunk together stay within it. `folder` only keeps the ids of equal files in two folders apart.
    """
    steps = chunk_stepwise(document, count, limit, cutting, folder)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            chunks: tuple[Chunk, ...] = done.value
            return chunks


def chunk_stepwise(
    document: Document, count: Count, limit: int, cutting: Cutting | None = None, folder: str = ""
) -> Steps[tuple[Chunk, ...]]:
    """`chunk`, yielding how many characters it has come through: a long document takes many seconds."""
    cutting = cutting or Cutting()
    room = max(8, limit - cutting.heading - 1)  # for the text, when the heading takes all it may
    size = min(cutting.size, room)
    overlap = 0 if document.kind in SELF_EXPLAINING else min(cutting.overlap, size // 3)
    cut: list[tuple[str, int, int, str]] = []
    for stretch in _stretches(document.sections):
        heading = _short_heading(document.title, stretch[0].heading, count, cutting.heading)
        units = yield from _units(document.text, stretch, count, size)
        where = _Where(document.text, stretch)
        for first, last in _pack(units, size, overlap, room):
            start, end = _trim(document.text, units[first].start, units[last - 1].end)
            fitting = _fitting(document.text, start, end, heading, count, limit)
            cut += [(heading, *place, where.location(*place)) for place in fitting]
            yield end
    chunks = yield from _number(document, cut, count, folder)
    return chunks


def embedded_text(piece: Chunk) -> str:
    """What the embedder reads of a chunk: its subject, then its text."""
    return f"{piece.heading}\n{piece.text}" if piece.heading else piece.text


def _stretches(sections: tuple[Section, ...]) -> Iterator[list[Section]]:
    """Sections that run on from each other, together; a chunk never spans two stretches."""
    gathered: list[Section] = []
    for section in sections:
        if gathered and not (section.joins and section.heading == gathered[0].heading):
            yield gathered
            gathered = []
        gathered.append(section)
    if gathered:
        yield gathered


def _short_heading(title: str, path: str, count: Count, most: int) -> str:
    """Title and heading path within `most` tokens; what is deepest in the path says most, so it is kept longest."""
    steps = [step for step in [title, *path.split(ARROW)] if step]
    steps = [step for place, step in enumerate(steps) if step not in steps[:place]]
    while len(steps) > 1 and count([ARROW.join(steps)])[0] > most:
        del steps[0 if len(steps) == 2 else 1]
    heading = ARROW.join(steps)
    while heading and count([heading])[0] > most:
        heading = heading[: len(heading) * 3 // 4].rstrip()
    return heading


def _units(text: str, stretch: list[Section], count: Count, size: int) -> Steps[list[_Unit]]:
    units: list[_Unit] = []
    places = _places(text, stretch)
    while batch := list(islice(places, BATCH)):
        weights = _weigh([text[start:end] for start, end, _ in batch], count, size)
        for (start, end, opens), weight in zip(batch, weights, strict=True):
            for number, (begin, finish, part) in enumerate(_halved(text, start, end, weight, count, size)):
                units.append(_Unit(begin, finish, part, opens and number == 0))
                if len(units) % BATCH == 0:
                    yield finish
        yield batch[-1][1]
    return units


def _places(text: str, stretch: list[Section]) -> Iterator[tuple[int, int, bool]]:
    """Where sentences, lines and rows begin and end, and whether a paragraph begins with them."""
    for section in stretch:
        for start, end in _paragraphs(text, section.start, section.start + len(section.text)):
            opens = True
            for piece in _sentences(text, start, end):
                yield (*piece, opens)
                opens = False


def _weigh(texts: list[str], count: Count, size: int) -> list[int]:
    """How much of a chunk each text takes, in tokens: at least one; of one too long for `size` only that it is."""
    least = [max(len(text) // CHARACTERS, not text.isspace()) for text in texts]
    tokens = iter(count([text for text, length in zip(texts, least, strict=True) if length <= size]))
    return [length if length > size else max(length, next(tokens)) for length in least]


def _paragraphs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Stretches between blank lines; fenced code keeps its blank lines."""
    fences = _FENCED.finditer(text, start, end)
    fence = next(fences, None)
    for found in _BLANK.finditer(text, start, end):
        while fence is not None and fence.end() <= found.start():
            fence = next(fences, None)
        if fence is not None and fence.start() <= found.start():
            continue
        if text[start : found.start()].strip():
            yield start, found.end()
            start = found.end()
    if text[start:end].strip():
        yield start, end


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Sentences, list items and table rows of a paragraph, white space after them included."""
    begin = start
    sentences = (
        found.end()
        for found in _SENTENCE.finditer(text, begin, end)
        if not _SHORT.search(text, max(begin, found.start() - 8), found.start())
    )
    for place in merge((found.end() for found in _LINE.finditer(text, begin, end)), sentences):
        if text[start:place].strip() and place < end:
            yield start, place
            start = place
    yield start, end


def _halved(text: str, start: int, end: int, tokens: int, count: Count, size: int) -> Iterator[tuple[int, int, int]]:
    """A unit as it is when it fits, else cut near its middle, at a comma or a space where there is one."""
    if tokens <= size or end - start < 2:
        yield start, end, tokens
        return
    middle, quarter = (start + end) // 2, min(FAR, max(1, (end - start) // 4))
    cuts = [found.end() for found in _HALF.finditer(text, middle - quarter, middle + quarter)]
    place = min(cuts, key=lambda each: abs(each - middle), default=middle)
    place = place if start < place < end else middle
    left, right = _weigh([text[start:place], text[place:end]], count, size)
    yield from _halved(text, start, place, left, count, size)
    yield from _halved(text, place, end, right, count, size)


def _pack(units: list[_Unit], size: int, overlap: int, room: int) -> Iterator[tuple[int, int]]:
    """Ranges of units that make up the chunks."""
    first = done = 0
    while done < len(units):
        last, total = first, 0
        while last < len(units) and (total + units[last].tokens <= size or last <= done):
            total += units[last].tokens
            last += 1
        rest = sum(unit.tokens for unit in units[last : last + 32]) if last < len(units) else 0
        if last + 32 >= len(units) and rest <= size // 4 and total + rest <= room:
            last = len(units)  # a few words left over say little on their own
        elif last < len(units):
            last = _better_end(units, first, done, last, total, size)
        yield first, last
        first, done = _step_back(units, max(first + 1, done), last, overlap, size), last


def _better_end(units: list[_Unit], first: int, done: int, last: int, total: int, size: int) -> int:
    """The end of the last whole paragraph, when at least a third of a chunk comes before it."""
    for place in range(last, max(first, done), -1):
        if total < size // 3:  # of the units before this place
            break
        if units[place].opens:
            return place
        total -= units[place - 1].tokens
    return last


def _step_back(units: list[_Unit], fresh: int, last: int, overlap: int, size: int) -> int:
    """Where the next chunk begins: whole sentences back from the end of this one, as many as the overlap holds.

    Not before `fresh`, from where on nothing was repeated yet: no sentence stands in three chunks.
    """
    begin, repeated = last, 0
    while begin - 1 >= fresh and repeated + units[begin - 1].tokens <= overlap:
        begin -= 1
        repeated += units[begin].tokens
    fits = last < len(units) and repeated + units[last].tokens <= size
    return begin if fits else last


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """A range without white space at its ends, but with the first line's indentation, which code needs."""
    piece = text[start:end]
    lead = len(piece) - len(piece.lstrip())
    line_start = piece.rfind("\n", 0, lead) + 1
    return start + line_start, start + len(piece.rstrip())


def _fitting(text: str, start: int, end: int, heading: str, count: Count, limit: int) -> Iterator[tuple[int, int]]:
    """The range, or its halves where a tokenizer counts the whole above the sum of its parts."""
    if end - start > 1 and count([f"{heading}\n{text[start:end]}"])[0] > limit:
        middle = (start + end) // 2
        space = text.rfind(" ", start + 1, middle)
        middle = space + 1 if space > 0 else middle
        for first, last in ((start, middle), (middle, end)):
            yield from _fitting(text, *_trim(text, first, last), heading, count, limit)
    elif end > start:
        yield start, end


class _Where:
    """Where ranges of a stretch lie. Asked in the order of the text, so that each line is counted once."""

    def __init__(self, text: str, stretch: list[Section]) -> None:
        self._text, self._stretch = text, stretch
        self._starts = [section.start for section in stretch]
        self._first, self._at, self._line = stretch[0], stretch[0].start, stretch[0].first_line

    def location(self, start: int, end: int) -> str:
        """From the first to the last section a range touches."""
        first, last = self._section(start), self._section(end - 1)
        if first.first_line:
            begin = self._line_of(first, start)
            finish = begin + self._text.count("\n", start, end)
            return f"line {begin}" if begin == finish else f"lines {begin}-{finish}"
        return span_location(first.location, last.location)

    def _section(self, place: int) -> Section:
        return self._stretch[max(0, bisect_right(self._starts, place) - 1)]

    def _line_of(self, first: Section, place: int) -> int:
        if first is not self._first or place < self._at:
            self._first, self._at, self._line = first, first.start, first.first_line
        self._line += self._text.count("\n", self._at, place)
        self._at = place
        return self._line


def span_location(first: str, last: str) -> str:
    """Two locations as one: "p. 2" and "p. 4" are "pp. 2-4", "sheet A, row 2" and "... 9" are "sheet A, rows 2-9"."""
    if first == last:
        return first
    one, two = _NUMBERED.match(first), _NUMBERED.match(last)
    if one and two and one.group(1, 2) == two.group(1, 2):
        unit = "pp." if one.group(2) == "p." else f"{one.group(2)}s"
        return f"{one.group(1)}{unit} {one.group(3)}-{two.group(3)}"
    return f"{first} to {last}"


def _number(
    document: Document, cut: list[tuple[str, int, int, str]], count: Count, folder: str
) -> Steps[tuple[Chunk, ...]]:
    seen: Counter[str] = Counter()
    chunks: list[Chunk] = []
    for place in range(0, len(cut), BATCH):
        part = cut[place : place + BATCH]
        texts = [document.text[start:end] for _, start, end, _ in part]
        tokens = count([f"{heading}\n{text}" for (heading, *_), text in zip(part, texts, strict=True)])
        for (heading, start, end, location), text, length in zip(part, texts, tokens, strict=True):
            key = chunk_id(folder, document.file, heading, text, seen)
            chunks.append(Chunk(key, document.file, location, text, start, end, len(chunks), length + 2, heading))
        yield part[-1][2]
    return tuple(chunks)


def chunk_id(folder: str, file: str, heading: str, text: str, seen: Counter[str]) -> str:
    """The id of a file's next chunk; `seen` counts those before it, for the same text may come twice."""
    base = "\0".join((folder, file, heading, text))
    seen[base] += 1
    return records.hash_text(f"{base}\0{seen[base]}")[:32]
