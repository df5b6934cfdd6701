"""STAGE search: question in, ranked Passages out, fused from the nearest in meaning and those with the same words."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.documents.chunk import embedded_text
from workbench.documents.formats.plain import clean
from workbench.errors import BadProject, InputError, MissingFile
from workbench.events import Note, Progress, Result, Stage
from workbench.index import embed
from workbench.index.files import NOTHING_INDEXED, read_index
from workbench.index.keywords import Keywords
from workbench.index.store import PROCESS, Store, open_store
from workbench.retrieval.fusion import LOOKED_AT, fuse
from workbench.retrieval.joining import gather
from workbench.retrieval.passage import Passage, SearchResult
from workbench.retrieval.relevance import fits

if TYPE_CHECKING:
    from workbench.index.embed import Vectors

QUESTION_LIMIT = 4000  # characters of a question that are looked at; the embedder reads some 1,000

_seen: dict[Path, tuple[str, str]] = {}  # writer and generation of each store as this process opened it


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
            passages, about_it = _passages(keywords, asked[number], nearest, k)
            yield Result(SearchResult(question, passages, share + time.perf_counter() - started, about_it))


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


def _passages(
    keywords: Keywords, question: str, nearest: list[tuple[str, float]], k: int
) -> tuple[tuple[Passage, ...], bool]:
    """The passages, and whether any of them seems to be about the question."""
    worded = keywords.search(question, max(LOOKED_AT, 2 * k))
    chunks = keywords.chunks_by_id(list({key for key, _ in (*nearest, *worded)}))
    nearest = [each for each in nearest if each[0] in chunks]  # a build may be half-way through a file
    words = [key for key, _ in worded if key in chunks]
    about_it = fits(question, nearest[0][1] if nearest else None, [embedded_text(chunks[key][0]) for key in words])
    ranked = ((found, *chunks[found.id]) for found in fuse(nearest, words))
    return gather(ranked, k, keywords.stretch), about_it
