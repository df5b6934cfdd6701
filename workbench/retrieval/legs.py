"""The two legs of a search: the chunks nearest in meaning, and those with the same words, looked for meanwhile"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import BadProject
from workbench.index import kept
from workbench.index.kept import Keys, Looked
from workbench.index.keywords import Keywords
from workbench.index.store import PROCESS, Store, open_store

if TYPE_CHECKING:
    from workbench.index.embed import Vectors

_seen: dict[Path, tuple[str, str]] = {}  # writer and generation of each store as this process opened it


class WordsAhead:
    """Looks for the words of several questions meanwhile, always one ahead; close it at the end."""

    def __init__(self, home: Path, embedder_hash: str, questions: Sequence[str], most: int, keys: Keys | None) -> None:
        self._home, self._embedder, self._most, self._keys = home, embedder_hash, most, keys
        self._questions = deque(questions)
        self._next = self._look_on()

    def _look_on(self) -> Future[Looked] | None:
        if not self._questions:
            return None
        return kept.look_for_words(self._home, self._embedder, self._questions.popleft(), self._most, self._keys)

    def take(self) -> Looked:
        """What was found for the next question, in their order. Raises BadProject for a damaged index."""
        assert self._next is not None, "every question was taken"
        found = self._next.result()
        self._next = self._look_on()
        return found

    def close(self) -> None:
        """Give up what waits."""
        if self._next is not None:
            self._next.cancel()


def nearest_chunks(
    project: Path,
    keywords: Keywords,
    embedder_hash: str,
    vector: Vectors,
    most: int,
    keys: Keys | None = None,
) -> list[tuple[str, float]]:
    """The vector leg: ids with cosine, best first, from every collection this embedder made.

    `keys` (folder and file) keep it to the chunks of these files.
    """
    files = [file for _, file in keys] if keys is not None else None
    folder = project.expanduser().absolute() / "index"
    for fresh in (False, True):
        try:
            store = _current_store(folder, keywords, fresh)
            found: list[tuple[str, float]] = []
            for fingerprint in store.fingerprints():
                if store.describe(fingerprint).get("embedder") == embedder_hash:
                    found += store.query(fingerprint, vector, most, files)[0]
            found.sort(key=lambda each: -each[1])
            if keys is not None:  # Chroma knows the files' names, and two folders may each hold a notes.md
                wanted, chunks = set(keys), keywords.chunks_by_id([key for key, _ in found])
                found = [
                    (key, cosine)
                    for key, cosine in found
                    if key in chunks and (chunks[key][1], chunks[key][0].file) in wanted
                ]
            return found[:most]
        except BadProject:
            if fresh:  # another process may have been writing at the first try
                raise
    return []


def _current_store(folder: Path, keywords: Keywords, fresh: bool) -> Store:
    """The store as its last writer left it: opened anew when that was another process and something changed since."""
    state = (keywords.fact("writer"), keywords.fact("generation"))
    foreign = state[0] != PROCESS and _seen.get(folder) != state
    store = open_store(folder / "chroma", fresh=fresh or foreign)
    _seen[folder] = state
    return store
