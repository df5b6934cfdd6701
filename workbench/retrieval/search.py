"""STAGE search: question in, ranked Passages out.

Fused from the chunks nearest in meaning, those with the same words, and what both found compared word by word.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.bases import name_of, nothing_indexed
from workbench.documents.chunk import embedded_text
from workbench.documents.document import Chunk
from workbench.documents.formats.plain import clean
from workbench.errors import BadProject, InputError, MissingFile
from workbench.events import Note, Progress, Result, Stage
from workbench.index import rerank
from workbench.index.files import read_index
from workbench.index.kept import Keys, Looked, look_up
from workbench.index.keywords import Keywords
from workbench.index.tokens import closeness
from workbench.retrieval.asked import Reader, in_turn, open_embedders, read_questions
from workbench.retrieval.editions import newest_first
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
    InputError when nothing is indexed yet, no file is left or `k` is below 1, BadProject for a damaged index,
    MissingFile where the embedder that made the index is not here, BadModel for a model that cannot be loaded.
    """
    if k < 1:
        raise InputError("At least one passage must be asked for: choose a number from 1 on.")
    asked = [clean(question[:QUESTION_LIMIT]) for question in questions]
    with read_index(project) as keywords:
        if keywords.is_empty():
            raise InputError(nothing_indexed(project))
        keys = narrowed(only, keywords.files() if only != EVERYTHING else ())
        embedders, notes = open_embedders(keywords)
        yield from notes
        if not all(each.loaded for each in embedders):
            yield Progress(0, len(questions), "Loading the embedder", "questions")
        most = max(LOOKED_AT, 2 * k)
        words = WordsAhead(project, embedders[0].hash, asked, most, keys)
        try:
            started = time.perf_counter()
            readers = yield from read_questions(embedders, asked)
            share = (time.perf_counter() - started) / max(1, len(questions))
            for number, question in enumerate(questions):
                started = time.perf_counter()
                try:
                    nearest = _nearest(project, keywords, readers, number, most, keys)
                except BadProject as error:
                    nearest = []
                    yield Note(f"Only the words were searched, not the meaning: {error}", "warning")
                legs = _joined(asked[number], nearest, words.take(), project, readers)
                closest = _closest(legs, readers, number, project)
                passages, about_it = yield from _passages(keywords, legs, closest, k, reranker)
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
    scaled: bool  # whether the cosines are of the embedder that relevance.py knows


def _nearest(
    project: Path, keywords: Keywords, readers: Sequence[Reader], number: int, most: int, keys: Keys | None
) -> list[tuple[str, float]]:
    """The chunks nearest in meaning to one of the questions, with cosine. Raises BadProject."""
    return in_turn(
        nearest_chunks(project, keywords, each.embedder.hash, each.read.vectors[number : number + 1], most, keys)
        for each in readers
    )


def _closest(legs: _Legs, readers: Sequence[Reader], number: int, project: Path) -> list[str]:
    """What both legs found, compared with one of the questions word by word, best first."""
    rankings = []
    for place, each in enumerate(readers):
        digest, ids = each.embedder.hash, list(legs.chunks)
        signs = legs.signs if place == 0 else look_up(project, digest, ids).result().signs
        near = closeness(each.read.tokens[number], signs, each.embedder.multiplies_in)
        rankings.append(sorted(near.items(), key=lambda found: -found[1]))
    return [key for key, _ in in_turn(rankings) if key in legs.chunks]


def _joined(
    question: str, nearest: list[tuple[str, float]], worded: Looked, home: Path, readers: Sequence[Reader]
) -> _Legs:
    """Both legs with what is known of their chunks; that of the words leg was read meanwhile."""
    known = set(worded.ids)
    rest = look_up(home, readers[0].embedder.hash, [key for key, _ in nearest if key not in known]).result()
    chunks, signs = {**worded.chunks, **rest.chunks}, [*worded.signs, *rest.signs]
    return _Legs(question, nearest, worded.ids, chunks, signs, all(each.embedder.is_starter for each in readers))


Ranked = Generator[Progress, None, tuple[tuple[Passage, ...], bool]]


def _passages(keywords: Keywords, legs: _Legs, closest: list[str], k: int, reranker: Path | None) -> Ranked:
    """The passages, and whether any of them seems to be about the question."""
    chunks = legs.chunks
    nearest = [each for each in legs.nearest if each[0] in chunks]  # a build may be half-way through a file
    words = [key for key in legs.worded if key in chunks]
    similarity = nearest[0][1] if nearest and legs.scaled else None
    about_it = fits(legs.question, similarity, [embedded_text(chunks[key][0]) for key in words])
    fused = fuse(nearest, words, closest=closest)
    if reranker is not None:
        fused = yield from _reread(legs.question, fused, chunks, reranker)
    ranked = newest_first(legs.question, [(found, *chunks[found.id]) for found in fused])
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
