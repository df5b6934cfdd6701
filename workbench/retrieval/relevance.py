"""Whether anything that was found seems to be about the question, so that "nothing in your documents" can be said."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.index.wording import STOPWORDS

# Chosen on one half of resources/search so that at most one in a hundred questions whose answer was found is called
# unanswered (1 of 153); it recognises 8 of 23 that nothing answers. On the other half: 3 of 152, and 6 of 23. A small
# embedder's cosine tells no more: questions near the documents' subjects come as near as those they answer. It holds
# for the embedder that comes with the program; with another one the cosine counts as unknown.
NEAR = 0.25  # cosine of the nearest passage from which on it is about the question
COVERED = 2 / 3  # share of the question's words in one passage from which on it is, whatever the cosine
STEM = 5  # letters of a word that are compared, so that its endings do not matter
LOOKED_AT = 5  # of the passages with the question's words


def fits(question: str, similarity: float | None, worded: Sequence[str]) -> bool:
    """Whether the nearest passage (its cosine, None when unknown) or one with the question's words is about it."""
    if similarity is None or similarity >= NEAR:
        return True
    asked = _stems(question)
    return any(len(asked & _stems(text)) >= COVERED * len(asked) for text in worded[:LOOKED_AT] if asked)


def _stems(text: str) -> set[str]:
    words = re.findall(r"\w\w+", text.casefold())
    return {word[:STEM] for word in words if word not in STOPWORDS}
