"""Where an answer is over though the model goes on: it writes the next prompt, or says the same again and again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.retrieval.passage import Passage

# A piece that ends a text so often in a row is no answer any more: as often as makes about 144 characters, and three
# times at least. A small model that begins such a circle greedily never leaves it; refrains and tables are shorter.
SHORTEST, LONGEST = 12, 240  # characters of a piece
CIRCLE, TURNS = 144, 3

_SAYS_SOMETHING = re.compile(r"[^\W\d_]{2}")  # two letters: rows of dashes, noughts or blanks may well be meant


def next_prompt(text: str, passages: Sequence[Passage]) -> int | None:
    """Where an answer ends and the prompt's own shape begins again: another question, or a passage with its file.

    A small model that was shown worked examples likes to write the next one. None where it does not.
    """
    starts = ["\nQuestion:", *(f"\n[{number}] {each.file}" for number, each in enumerate(passages, start=1))]
    places = [place for place in map(text.find, starts) if place > 0] if passages else []
    return min(places, default=None)


def goes_round(text: str) -> bool:
    """Whether a text has come to say the same piece again and again, to the letter."""
    if len(text) < CIRCLE:
        return False
    for size in range(SHORTEST, min(LONGEST, len(text) // TURNS) + 1):
        if text[-1] != text[-1 - size]:  # which settles nearly all sizes: this is asked at every token
            continue
        piece = text[-size:]
        if text.endswith(piece * max(TURNS, -(-CIRCLE // size))) and _SAYS_SOMETHING.search(piece):
            return True
    return False
