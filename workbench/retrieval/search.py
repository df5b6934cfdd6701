"""STAGE search: question in, ranked Passages out.

Fused from the chunks nearest in meaning, those with the same words, and what both found compared word by word.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.bases import name_of, nothing_indexed
from workbench.documents.chunk import embedded_text
from workbench.documents.document import Chunk
from workbench.documents.formats.plain import clean
from workbench.errors import BadProject, InputError, MissingFile
from workbench.events import Note, Progress, Result, Stage
from workbench.index import embed, rerank
from workbench.index.files import read_index
from workbench.index.kept import Looked, look_up
from workbench.index.keywords import Keywords
from workbench.index.tokens import closeness
from workbench.retrieval.fusion import LOOKED_AT, REREAD, Found, fuse, reranked
from workbench.retrieval.joining import gather
from workbench.retrieval.legs import WordsAhead, nearest_chunks
from workbench.retrieval.narrow import EVERYTHING, Only, narrowed
from workbench.retrieval.passage import Passage, SearchResult
from workbench.retrieval.relevance import fits

QUESTION_LIMIT = 4000  # characters of a question that are looked at; the embedder reads some 1,000


def search(
    project: Path, questions: tuple[str, ...], k: int, only: Only = EVERYTHING, reranker: Path | None = None
) -> Stage:
    """STAGE: the `k` best passages for each question, one Result(SearchResult) per question, in their order.

    `project` is a project's folder, or that of one of its knowledge bases (bases.py), here and below. `only` keeps it
    to some of the files; a `reranker`, the folder of one, puts the first of what was found in its own order. Raises
    InputError when nothing is indexed yet, no file is left or `k` is below 1, BadProject for a damaged index, BadModel
    for a reranker that cannot be loaded.
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
        most = max(LOOKED_AT, 2 * k)
        words = WordsAhead(project, embedder.hash, asked, most, keys)
        try:
            started = time.perf_counter()
            embedder.load(wait=len(asked) > 1)  # a suite's questions are all read in one way
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
                    nearest = nearest_chunks(project, keywords, embedder.hash, vector, most, keys)
                except BadProject as error:
                    nearest = []
                    yield Note(f"Only the words were searched, not the meaning: {error}", "warning")
                legs = _joined(asked[number], nearest, words.take(), project, embedder.hash)
                near = closeness(read.tokens[number], legs.signs, embedder.multiplies_in)
                passages, about_it = yield from _passages(keywords, legs, near, k, reranker)
                passages = tuple(replace(each, base=name_of(project)) for each in passages)
                yield Result(SearchResult(question, passages, share + time.perf_counter() - started, about_it))
        finally:
            words.close()


def whole(project: Path, files: tuple[tuple[str, str], ...]) -> Stage:
    """STAGE: whole documents as Passages, one Result(Passage) per file, in their order; a file is named by its folder
    and its path there, for two folders may each hold a notes.md ("" for a folder: the first that has it).

    Raises InputError when nothing is indexed yet, MissingFile for a file the index does not hold.
    """
    with read_index(project) as keywords:
        for folder, file in files:
            row = keywords.file(file, folder)
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


@dataclass(frozen=True, slots=True)
class _Legs:
    """What was found for a question, best first."""

    question: str
    nearest: list[tuple[str, float]]  # with cosine
    worded: list[str]
    chunks: dict[str, tuple[Chunk, str]]  # of both, with the folder of their file
    signs: list[tuple[str, bytes]]  # of their tokens


def _joined(question: str, nearest: list[tuple[str, float]], worded: Looked, home: Path, embedder_hash: str) -> _Legs:
    """Both legs with what is known of their chunks; that of the words leg was read meanwhile."""
    known = set(worded.ids)
    rest = look_up(home, embedder_hash, [key for key, _ in nearest if key not in known]).result()
    return _Legs(question, nearest, worded.ids, {**worded.chunks, **rest.chunks}, [*worded.signs, *rest.signs])


Ranked = Generator[Progress, None, tuple[tuple[Passage, ...], bool]]


def _passages(keywords: Keywords, legs: _Legs, near: dict[str, float], k: int, reranker: Path | None) -> Ranked:
    """The passages, and whether any of them seems to be about the question."""
    chunks = legs.chunks
    nearest = [each for each in legs.nearest if each[0] in chunks]  # a build may be half-way through a file
    words = [key for key in legs.worded if key in chunks]
    closest = sorted((key for key in near if key in chunks), key=lambda key: -near[key])
    about_it = fits(legs.question, nearest[0][1] if nearest else None, [embedded_text(chunks[key][0]) for key in words])
    fused = fuse(nearest, words, closest=closest)
    if reranker is not None:
        fused = yield from _reread(legs.question, fused, chunks, reranker)
    ranked = ((found, *chunks[found.id]) for found in fused)
    return gather(ranked, k, keywords.stretch), about_it


def _reread(
    question: str, fused: list[Found], chunks: dict[str, tuple[Chunk, str]], reranker: Path
) -> Generator[Progress, None, list[Found]]:
    """The ranking with its first ones in a reranker's order."""
    first = [embedded_text(chunks[found.id][0]) for found in fused[:REREAD]]
    steps = rerank.open_reranker(reranker).score_stepwise(question, first)
    while True:
        try:
            yield Progress(next(steps), len(first), "Reading passages with the question", "passages")
        except StopIteration as done:
            scores: list[float] = done.value
            return reranked(fused, scores)
