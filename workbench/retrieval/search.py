"""STAGE search: question in, ranked Passages out.

Fused from the chunks nearest in meaning, those with the same words, and what both found compared word by word.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.bases import name_of, nothing_indexed
from workbench.documents.chunk import embedded_text
from workbench.documents.formats.plain import clean
from workbench.errors import BadProject, InputError, MissingFile
from workbench.events import Note, Progress, Result, Stage
from workbench.index import embed
from workbench.index.files import read_index
from workbench.index.keywords import Keywords
from workbench.index.store import PROCESS, Store, open_store
from workbench.index.tokens import TokenSigns
from workbench.retrieval.fusion import LOOKED_AT, fuse
from workbench.retrieval.joining import gather
from workbench.retrieval.narrow import EVERYTHING, Only, narrowed
from workbench.retrieval.passage import Passage, SearchResult
from workbench.retrieval.relevance import fits

if TYPE_CHECKING:
    from workbench.index.embed import Vectors

QUESTION_LIMIT = 4000  # characters of a question that are looked at; the embedder reads some 1,000

_seen: dict[Path, tuple[str, str]] = {}  # writer and generation of each store as this process opened it


def search(project: Path, questions: tuple[str, ...], k: int, only: Only = EVERYTHING) -> Stage:
    """STAGE: the `k` best passages for each question, one Result(SearchResult) per question, in their order.

    `project` is a project's folder, or that of one of its knowledge bases (bases.py), here and below. `only` keeps it
    to some of the files. Raises InputError when nothing is indexed yet, no file is left or `k` is
    below 1, BadProject for a damaged index.
    """
    if k < 1:
        raise InputError("At least one passage must be asked for: choose a number from 1 on.")
    asked = [clean(question[:QUESTION_LIMIT]) for question in questions]
    with read_index(project) as keywords:
        if keywords.is_empty():
            raise InputError(nothing_indexed(project))
        keys = narrowed(only, keywords.files() if only != EVERYTHING else ())
        embedder = embed.open_embedder()
        if not embedder.loaded:
            yield Progress(0, len(questions), "Loading the embedder", "questions")
        started = time.perf_counter()
        embedder.load()
        steps = embedder.read_stepwise(asked)
        while True:
            try:
                yield Progress(0, len(questions), f"Reading question {next(steps)}", "questions")
            except StopIteration as done:
                read: embed.Read = done.value
                break
        share = (time.perf_counter() - started) / max(1, len(questions))
        for number, question in enumerate(questions):
            started = time.perf_counter()
            try:
                vector = read.vectors[number : number + 1]
                nearest = nearest_chunks(project, keywords, embedder.hash, vector, max(LOOKED_AT, 2 * k), keys)
            except BadProject as error:
                nearest = []
                yield Note(f"Only the words were searched, not the meaning: {error}", "warning")
            worded = keywords.search(asked[number], max(LOOKED_AT, 2 * k), keys)
            legs = _Legs(asked[number], nearest, [key for key, _ in worded])
            closeness = token_closeness(project, embedder.hash, legs.ids, read.tokens[number])
            passages, about_it = _passages(keywords, legs, closeness, k)
            passages = tuple(replace(each, base=name_of(project)) for each in passages)
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
            yield Result(
                Passage(
                    f"whole:{row.hash[:24]}",
                    file,
                    "",
                    text,
                    1.0,
                    0,
                    len(text),
                    folder=row.folder,
                    base=name_of(project),
                )
            )


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
    project: Path,
    keywords: Keywords,
    embedder_hash: str,
    vector: Vectors,
    most: int,
    keys: Sequence[tuple[str, str]] | None = None,
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


def token_closeness(project: Path, embedder_hash: str, ids: Sequence[str], question: Vectors) -> dict[str, float]:
    """How close a question's tokens come to those of some chunks; {} where an earlier version made the index."""
    try:
        with TokenSigns(project.expanduser().absolute() / "index") as tokens:
            return tokens.closeness(embedder_hash, ids, question)
    except (FileNotFoundError, BadProject):  # it only orders what was found: a search goes on without
        return {}


def _current_store(folder: Path, keywords: Keywords, fresh: bool) -> Store:
    """The store as its last writer left it: opened anew when that was another process and something changed since."""
    state = (keywords.fact("writer"), keywords.fact("generation"))
    foreign = state[0] != PROCESS and _seen.get(folder) != state
    store = open_store(folder / "chroma", fresh=fresh or foreign)
    _seen[folder] = state
    return store


@dataclass(frozen=True, slots=True)
class _Legs:
    """What was found for a question, best first."""

    question: str
    nearest: list[tuple[str, float]]  # with cosine
    worded: list[str]

    @property
    def ids(self) -> list[str]:
        return list(dict.fromkeys([*(key for key, _ in self.nearest), *self.worded]))


def _passages(keywords: Keywords, legs: _Legs, closeness: dict[str, float], k: int) -> tuple[tuple[Passage, ...], bool]:
    """The passages, and whether any of them seems to be about the question."""
    chunks = keywords.chunks_by_id(legs.ids)
    nearest = [each for each in legs.nearest if each[0] in chunks]  # a build may be half-way through a file
    words = [key for key in legs.worded if key in chunks]
    closest = sorted((key for key in closeness if key in chunks), key=lambda key: -closeness[key])
    about_it = fits(legs.question, nearest[0][1] if nearest else None, [embedded_text(chunks[key][0]) for key in words])
    ranked = ((found, *chunks[found.id]) for found in fuse(nearest, words, closest=closest))
    return gather(ranked, k, keywords.stretch), about_it
