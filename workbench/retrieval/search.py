"""STAGE search: question in, ranked Passages out, fused from the nearest in meaning and those with the same words."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.documents.document import Chunk
from workbench.documents.formats.plain import clean
from workbench.errors import BadProject, InputError, MissingFile
from workbench.events import Note, Progress, Result, Stage
from workbench.index import embed
from workbench.index.files import NOTHING_INDEXED, read_index
from workbench.index.keywords import Keywords
from workbench.index.store import PROCESS, Store, open_store
from workbench.retrieval.passage import Passage, SearchResult

if TYPE_CHECKING:
    from workbench.index.embed import Vectors

# Reciprocal rank fusion: score = sum over legs of weight / (RRF_K + rank). Cormack, Clarke and Buettcher, "Reciprocal
# Rank Fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009, with 60 for lists of thousands.
# Chosen among 3 constants, 4 depths and 5 weights on one half of the questions in resources/search (153 of them): the
# answer is among the first five passages for 82 %. With 60 and a depth of 10 it is so too, but there a weight of 1.5
# falls to 70 %; vectors alone 71 %, BM25 alone 66 %. With 5, all depths and weights from 0.75 to 1.25 stay within four
# points, so nothing hangs on the exact values. `python resources/choose_fusion.py` prints the table.
RRF_K = 5  # so small that the best of one leg comes before what is middling in both
KEYWORD_WEIGHT = 1.0  # of the words beside the vectors
LOOKED_AT = 50  # of each leg, at least
SAME_TEXT = 0.85  # share of two passages' words in common from which one of them is enough
QUESTION_LIMIT = 4000  # characters of a question that are looked at; the embedder reads some 1,000

_seen: dict[Path, tuple[str, str]] = {}  # writer and generation of each store as this process opened it


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk and where each leg placed it."""

    id: str
    score: float  # fused
    vector_rank: int | None = None  # 1-based
    keyword_rank: int | None = None
    similarity: float | None = None  # cosine


def search(project: Path, questions: tuple[str, ...], k: int) -> Stage:
    """STAGE: the `k` best passages for each question, one Result(SearchResult) per question, in their order.

    Raises InputError when nothing is indexed yet or `k` is below 1, BadProject for a damaged index.
    """
    if k < 1:
        raise InputError("At least one passage must be asked for: choose a number from 1 on.")
    asked = [clean(question[:QUESTION_LIMIT]) for question in questions]
    with read_index(project) as keywords:
        if keywords.count()[1] == 0:
            raise InputError(NOTHING_INDEXED)
        embedder = embed.open_embedder()
        if not embedder.loaded:
            yield Progress(0, len(questions), "Loading the embedder", "questions")
        started = time.perf_counter()
        embedder.load()
        steps = embedder.encode_stepwise(asked)
        while True:
            try:
                yield Progress(0, len(questions), f"Reading question {next(steps)}", "questions")
            except StopIteration as done:
                vectors: Vectors = done.value
                break
        share = (time.perf_counter() - started) / max(1, len(questions))
        for number, question in enumerate(questions):
            started = time.perf_counter()
            try:
                nearest = nearest_chunks(
                    project, keywords, embedder.hash, vectors[number : number + 1], max(LOOKED_AT, 2 * k)
                )
            except BadProject as error:
                nearest = []
                yield Note(f"Only the words were searched, not the meaning: {error}", "warning")
            passages = _passages(keywords, asked[number], nearest, k)
            yield Result(SearchResult(question, passages, share + time.perf_counter() - started))


def whole(project: Path, files: tuple[str, ...]) -> Stage:
    """STAGE: whole documents as Passages, one Result(Passage) per file, in their order.

    Raises InputError when nothing is indexed yet, MissingFile for a file the index does not hold.
    """
    with read_index(project) as keywords:
        for file in files:
            row = keywords.file(file)
            if row is None or row.state != "indexed":
                raise MissingFile(f"{file} is not in the index: index its folder again, or name another file.")
            text = keywords.text(row)
            yield Result(Passage(f"whole:{row.hash[:24]}", file, "", text, 1.0, 0, len(text), folder=row.folder))


def warm(project: Path) -> Stage:
    """STAGE: load the embedder and the index before anybody asks; yields Progress, then Result(None).

    A search whose passages nobody wants is the surest way to load all that a search needs. Where nothing is indexed
    there is nothing to load. Raises as `search` does otherwise.
    """
    try:
        with contextlib.closing(search(project, ("ready",), 1)) as stage:
            for event in stage:
                if isinstance(event, Progress):
                    yield event
    except InputError:
        pass
    yield Result(None)


def nearest_chunks(
    project: Path, keywords: Keywords, embedder_hash: str, vector: Vectors, most: int
) -> list[tuple[str, float]]:
    """The vector leg: ids with cosine, best first, from every collection this embedder made."""
    folder = project.expanduser().absolute() / "index"
    for fresh in (False, True):
        try:
            store = _current_store(folder, keywords, fresh)
            found: list[tuple[str, float]] = []
            for fingerprint in store.fingerprints():
                if store.describe(fingerprint).get("embedder") == embedder_hash:
                    found += store.query(fingerprint, vector, most)[0]
            return sorted(found, key=lambda each: -each[1])[:most]
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


def _passages(keywords: Keywords, question: str, nearest: list[tuple[str, float]], k: int) -> tuple[Passage, ...]:
    worded = keywords.search(question, max(LOOKED_AT, 2 * k))
    chunks = keywords.chunks_by_id(list({key for key, _ in (*nearest, *worded)}))
    nearest = [each for each in nearest if each[0] in chunks]  # a build may be half-way through a file
    kept: list[Passage] = []
    for found in fuse(nearest, [key for key, _ in worded if key in chunks]):
        piece, folder = chunks[found.id]
        if len(kept) == k:
            break
        if not any(_doubles(piece, folder, each) for each in kept):
            kept.append(_passage(found, piece, folder))
    return tuple(kept)


def fuse(
    nearest: Sequence[tuple[str, float]],
    worded: Sequence[str],
    constant: float = RRF_K,
    weight: float = KEYWORD_WEIGHT,
) -> list[Found]:
    """Both legs as one ranking, best first; ties go to the one nearer in meaning."""
    vector_ranks = {key: rank for rank, (key, _) in enumerate(nearest, start=1)}
    keyword_ranks = {key: rank for rank, key in enumerate(worded, start=1)}
    cosines = dict(nearest)
    found = []
    for key in dict.fromkeys([*vector_ranks, *keyword_ranks]):
        near, word = vector_ranks.get(key), keyword_ranks.get(key)
        score = (1 / (constant + near) if near else 0.0) + (weight / (constant + word) if word else 0.0)
        found.append(Found(key, score, near, word, cosines.get(key)))
    return sorted(found, key=lambda each: (-each.score, -(each.similarity or -1.0), each.id))


def _passage(found: Found, piece: Chunk, folder: str) -> Passage:
    return Passage(
        *(found.id, piece.file, piece.location, piece.text, found.score, piece.start, piece.end),
        *(found.vector_rank, found.keyword_rank, found.similarity, folder),
    )


def _doubles(piece: Chunk, folder: str, kept: Passage) -> bool:
    """Whether a chunk says what a passage already says: mostly the same stretch of a file, or mostly the same words."""
    if (folder, piece.file) == (kept.folder, kept.file):
        shared = min(piece.end, kept.end) - max(piece.start, kept.start)
        if shared > 0.6 * min(piece.end - piece.start, kept.end - kept.start):
            return True
    one, two = _words(piece.text), _words(kept.text)
    return len(one & two) >= SAME_TEXT * len(one | two)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
