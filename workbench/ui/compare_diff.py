"""Which words of two answers differ."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

WORD = re.compile(r"\w+|[^\w\s]")

Span = tuple[int, int]  # offsets in characters


def differing_spans(first: str, second: str) -> tuple[list[Span], list[Span]]:
    """The stretches only the first text has, and those only the second has; case and spaces do not count."""
    left = [(match.group().casefold(), match.span()) for match in WORD.finditer(first)]
    right = [(match.group().casefold(), match.span()) for match in WORD.finditer(second)]
    matcher = SequenceMatcher(None, [word for word, _ in left], [word for word, _ in right], autojunk=False)
    only_left: list[Span] = []
    only_right: list[Span] = []
    for what, a, b, c, d in matcher.get_opcodes():
        if what != "equal":
            if b > a:
                only_left.append((left[a][1][0], left[b - 1][1][1]))
            if d > c:
                only_right.append((right[c][1][0], right[d - 1][1][1]))
    return only_left, only_right
