"""Which embedder made the vectors of an index: one, or for as long as another takes its place, both.

A fingerprint stands for embedder and chunk settings; the index keeps beside it what the embedder is called here and its
hash, so that a question is read by the embedder whose vectors it is compared with.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from workbench.catalog.embedders import find_embedder, starter
from workbench.errors import MissingFile
from workbench.index import embed
from workbench.index.embed import Embedder
from workbench.index.keywords import Keywords

FACT = "embedders"  # in the index's facts: JSON of fingerprints to name and hash


@dataclass(frozen=True, slots=True)
class MadeWith:
    """An embedder as an index names it."""

    name: str  # in the list of models
    hash: str = ""  # as Embedder.hash; "" where an earlier version made the index, with the starter

    def open(self) -> Embedder:
        """Raises MissingFile where it is not here any more, or another one has its name; BadModel for a damaged one."""
        found = embed.open_embedder(find_embedder(self.name))
        if self.hash and found.hash != self.hash:
            raise MissingFile(
                f"The embedder {self.name!r} is another one than that these documents were indexed with: index them "
                "again, and until then only their words are searched."
            )
        return found


def made_with(keywords: Keywords) -> dict[str, MadeWith]:
    """Fingerprints of the index with the embedder of each; {} where an earlier version made it."""
    with suppress(ValueError, TypeError, AttributeError):
        kept = json.loads(keywords.fact(FACT) or "{}")
        return {str(key): MadeWith(str(name), str(digest)) for key, (name, digest) in kept.items()}
    return {}


def keep_made_with(keywords: Keywords, known: dict[str, MadeWith]) -> None:
    """Write it down where it differs from what is there."""
    told = json.dumps({key: [each.name, each.hash] for key, each in sorted(known.items())})
    if keywords.fact(FACT) != told:
        keywords.set_fact(FACT, told)


def embedders_of(keywords: Keywords) -> tuple[MadeWith, ...]:
    """The embedders that made the index, each once."""
    return tuple(dict.fromkeys(made_with(keywords).values())) or (MadeWith(starter().name),)


def signs_hash(fingerprint: str, known: dict[str, MadeWith], described: str) -> str:
    """The hash that the signs of a fingerprint's chunks stand under; `described` is the one its vectors stand with."""
    made = known.get(fingerprint)
    return (made.hash if made is not None else "") or described or embed.open_embedder().hash
