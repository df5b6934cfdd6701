"""Which words of two answers differ."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

WORD = re.compile(r"\w+|[^\w\s]")

LONG = 300  # words; beyond, words that are everywhere find no partner of their own, or the search takes seconds

Span = tuple[int, int]  # offsets in characters


def differing_spans(first: str, second: str) -> tuple[list[Span], list[Span]]:
    """The stretches only the first text has, and those only the second has; case and spaces do not count."""
    left = [(match.group().casefold(), match.span()) for match in WORD.finditer(first)]
    right = [(match.group().casefold(), match.span()) for match in WORD.finditer(second)]
    head, tail = _shared_ends([word for word, _ in left], [word for word, _ in right])
    left, right = left[head : len(left) - tail], right[head : len(right) - tail]
    long = max(len(left), len(right)) > LONG
    matcher = SequenceMatcher(None, [word for word, _ in left], [word for word, _ in right], autojunk=long)
    only_left: list[Span] = []
    only_right: list[Span] = []
    for what, a, b, c, d in matcher.get_opcodes():
        if what != "equal":
            if b > a:
                only_left.append((left[a][1][0], left[b - 1][1][1]))
            if d > c:
                only_right.append((right[c][1][0], right[d - 1][1][1]))
    return only_left, only_right


def _shared_ends(first: list[str], second: list[str]) -> tuple[int, int]:
    """How many words both begin with, and how many more both end with."""
    most = min(len(first), len(second))
    head = next((place for place in range(most) if first[place] != second[place]), most)
    rest = most - head
    return head, next((place for place in range(rest) if first[-1 - place] != second[-1 - place]), rest)
