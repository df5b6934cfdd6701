"""A question as the words to look for: function words left out, codes kept whole, any text a query that cannot fail"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

MOST_WORDS = 64  # of a question; a pasted page would make a query of hundreds

# English function words: they are in nearly every passage, so they only cost time.
STOPWORDS = frozenset(
    "a about after all also am an and any are as at be because been before being but by can could did do does"
    " doing for from had has have having he her here him his how i if in into is it its just me more most my no"
    " not of off on once only or our out over own please same she should so some such tell than that the their"
    " them then there these they this those through to too under until up very was we were what when where which"
    " while who whom whose why will with would you your".split()
)


def question_words(question: str) -> list[str]:
    """The words of a question as FTS5 phrases, quoted, in its order; function words only where there is nothing else.

    Words with inner punctuation (AX-2041, node.js) are asked for as a phrase and by their parts.
    """
    found: dict[str, None] = {}
    for word in re.findall(r"\w+(?:[-./'’:@#+&]\w+)*", question.casefold()):
        parts = re.findall(r"\w+", word)
        for each in [" ".join(parts), *parts] if len(parts) > 1 else parts:
            found.setdefault(each)
    kept = [
        word for word in found if word not in STOPWORDS and not (len(word) == 1 and word.isascii() and word.isalpha())
    ]
    return [f'"{word}"' for word in (kept or list(found))[:MOST_WORDS]]


def any_of(words: Sequence[str]) -> str:
    """The FTS5 query for what holds any of the words, "" without a word."""
    return " OR ".join(words)


def telling(words: Sequence[str], holders: Callable[[str, int], int], most: int) -> list[str]:
    """The words to look for so that about `most` chunks have to be scored, in their order.

    `holders(word, limit)` counts the chunks that hold a word, up to the limit. The rarer a word, the more it says
    (BM25 weighs it by just that), so the rarest come first and what is in thousands of chunks is left out; one word
    stays whatever it costs. Where an index is small nothing is left out.
    """
    limit = most + 1
    there = {word: count for word in words if (count := holders(word, limit))}
    while there and min(there.values()) >= limit:  # all are common: count on until the rarest is known
        limit *= 8
        there = {word: holders(word, limit) for word in there}
    ordered = sorted(there, key=lambda word: there[word])
    chosen, scored = set(ordered[:1]), there[ordered[0]] if ordered else 0
    for word in ordered[1:]:
        scored += there[word]
        if scored > most:
            break
        chosen.add(word)
    return [word for word in words if word in chosen]
