"""A long answer is shown a part at a time, so that no text, however long, holds the window up. No Qt in here."""

from __future__ import annotations

import re

# What a part may weigh. Measured on two cores of 2.5 GHz: a character costs about a microsecond to read, break into
# lines and lay out, a line 30 more, a table's cell 80 and a picture 150, so that a part takes about 20 ms at most.
BUDGET = 16_000
LINE, CELL, PICTURE = 30, 80, 150
FENCE = re.compile(r"`{3,}|~{3,}")
BLANK_WITHIN = 200  # characters before a cut that are searched for a blank, so that no word is cut


def part_end(text: str, start: int) -> int:
    """Where the part that begins at `start` ends: after a whole line, or within one that is too long by itself."""
    left, at = BUDGET, start
    while at < len(text):
        stop = text.find("\n", at) + 1 or len(text)
        left -= _weight(text, at, stop)
        if left < 0:
            return at if at > start else _cut(text, start)
        at = stop
    return at


def part_start(text: str, end: int) -> int:
    """Where a part begins that ends at `end`."""
    left, at = BUDGET, end
    while at > 0:
        begin = text.rfind("\n", 0, at - 1) + 1
        left -= _weight(text, begin, at)
        if left < 0:
            return at if at < end else _cut_back(text, begin, end)
        at = begin
    return 0


def open_fence(text: str, at: int) -> str:
    """The fence of the code block that a place lies in, "" outside of one."""
    fence = ""
    for match in FENCE.finditer(text, 0, at):
        mark, before = match[0], text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        if before.strip(" ") or len(before) > 3:  # within a line it is no fence
            continue
        if not fence:
            fence = mark
        elif mark[0] == fence[0] and len(mark) >= len(fence):
            fence = ""
    return fence


def part_of(text: str, start: int, end: int) -> str:
    """A part as Markdown of its own: within a code block it stays code."""
    fence = open_fence(text, start) if start else ""
    return f"{fence}\n{text[start:end]}" if fence else text[start:end]


def _weight(text: str, start: int, end: int) -> int:
    return end - start + LINE + CELL * text.count("|", start, end) + PICTURE * text.count("![", start, end)


def _cut(text: str, start: int) -> int:
    """A place within a long line: half the budget's characters, or as many as it has for one that is full of cells."""
    end = start + BUDGET // 2
    while _weight(text, start, end) > BUDGET:
        end = start + (end - start) // 2
    blank = text.rfind(" ", max(start, end - BLANK_WITHIN), end)
    return blank + 1 if blank > start else end


def _cut_back(text: str, begin: int, end: int) -> int:
    """The same from the end of a long line."""
    start = max(begin, end - BUDGET // 2)
    while _weight(text, start, end) > BUDGET:
        start = end - (end - start) // 2
    return start
