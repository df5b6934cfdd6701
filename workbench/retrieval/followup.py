"""A question that leans on the talk before it, as one a search can answer: with the question it leans on"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.index.wording import STOPWORDS

# Words that stand for something said before. "that" and "this" only where no noun follows: "that rule" names its own.
_POINTS = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers)\b"
    r"|\b(?:this|that|these|those|there|one|ones|both|either)\b(?=\s*(?:[?.!,]|$))",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"\s*(?:(?:and|but|or|so|then|also|what about|how about)\b|why(?: not)?\s*\?)", re.IGNORECASE)
FEW = 1  # words of its own, function words left out, up to which a question says too little to be searched for


def self_contained(question: str, earlier: Sequence[str]) -> str:
    """The question as it is searched for; `earlier` are the questions before it, oldest first.

    No model is asked: a small one rewrites badly, and a search needs words, not grammar. What leans on the question
    before it (which may lean in turn) is searched for together with that one, and counts twice. On the choosing half
    of resources/search, each question with the one before it on the same document: of 17 that lean the answer is found
    for 15 in place of 13; of 81 that do not lean the words of another question would cost a few (docs/benchmarks.md).
    """
    if not earlier or not leans(question):
        return question
    return f"{question} {self_contained(earlier[-1], earlier[:-1])} {question}"


def leans(question: str) -> bool:
    """Whether a question is about something it does not name itself."""
    own = [word for word in re.findall(r"\w+", question.casefold()) if word not in STOPWORDS]
    return len(own) <= FEW or bool(_GOES_ON.match(question)) or bool(_POINTS.search(question))
