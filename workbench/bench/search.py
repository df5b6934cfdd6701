"""Benchmark: does the fused search find more than either of its legs, and what does a question cost?

The questions are made from the indexed documents themselves: a passage is drawn, and some of the rarer words of one of
its sentences become the question, in another order (known-item search; Azzopardi, de Rijke and Balog, "Building
simulated queries for known-item topics", SIGIR 2007). That favours the words over the meaning, so a project's own
suite, whose questions people wrote, is measured beside it where there is one.
"""

from __future__ import annotations

import random
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench import paths
from workbench.bench import Figure
from workbench.bench.index import documents_of
from workbench.documents.document import Chunk
from workbench.errors import WorkbenchError
from workbench.events import Progress, Result, Stage
from workbench.index import embed
from workbench.index.build import build
from workbench.index.files import list_files, read_index
from workbench.index.keywords import STOPWORDS, Keywords
from workbench.retrieval.passage import SearchResult
from workbench.retrieval.search import nearest_chunks, search

SEED = 20
QUESTIONS = 120
K = 5
Hit = Callable[[Chunk], bool]  # whether a passage answers a question


def run(project: Path) -> Stage:
    """Search the project's index (the sample's documents, when it has none); the last Result is a tuple of Figures."""
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        if not any(each.state == "indexed" for each in list_files(project)):
            documents, project = documents_of(project), Path(name)
            yield from (event for event in build(project, documents) if isinstance(event, Progress))
        figures: list[Figure] = []
        for kind, questions in (
            ("made questions", _made_questions(project)),
            ("suite questions", _suite_questions(project)),
        ):
            if questions:
                yield Progress(len(figures), 5, f"Searching {len(questions)} {kind}", "figures")
                figures += yield from _measure(project, kind, questions)
        yield Result(tuple(figures))


def _made_questions(project: Path) -> list[tuple[str, Hit]]:
    """Questions made of indexed sentences; a hit holds the sentence."""
    rng = random.Random(SEED)
    with read_index(project) as keywords:
        chunks = [piece for row in keywords.files() for piece in keywords.chunks(row)]
    made = []
    for piece in rng.sample(chunks, min(QUESTIONS, len(chunks))):
        sentences = [each for each in re.split(r"(?<=[.;])\s+|\n", piece.text) if len(_content(each)) >= 5]
        if sentences:
            sentence = rng.choice(sentences)
            words = rng.sample(_content(sentence), max(3, len(_content(sentence)) // 3))
            made.append((" ".join(words), _holds(piece.file, sentence)))
    return made


def _content(text: str) -> list[str]:
    words = dict.fromkeys(re.findall(r"\w+", text.casefold()))
    return [word for word in words if word not in STOPWORDS and len(word) > 2]


def _holds(file: str, sentence: str) -> Hit:
    return lambda piece: piece.file == file and sentence in piece.text


def _suite_questions(project: Path) -> list[tuple[str, Hit]]:
    """The questions of the project's suites (or the sample's) that name a source; a hit comes from that file."""
    from workbench.evaluation.suite import read_suite

    indexed = {each.file for each in list_files(project)}
    found: list[tuple[str, Hit]] = []
    for path in [*sorted((project / "suites").glob("*.*")), paths.resources() / "sample" / "suite.yaml"]:
        try:
            cases = read_suite(path).cases
        except WorkbenchError:
            continue
        found += [(case.question, _is_from(case.source)) for case in cases if case.source in indexed]
    return found


def _is_from(file: str | None) -> Hit:
    return lambda piece: piece.file == file


def _measure(project: Path, kind: str, questions: list[tuple[str, Hit]]) -> Any:
    """A generator of Progress that returns the Figures for one set of questions."""
    asked = tuple(question for question, _ in questions)
    for _ in search(project, asked[:1], K):  # loads what is loaded once
        pass
    results: list[SearchResult] = []
    for event in search(project, asked, K):
        if isinstance(event, Result):
            results.append(event.value)
        else:
            yield event
    embedder = embed.open_embedder()
    with read_index(project) as keywords:
        vectors = embedder.encode(list(asked))
        near, word = [], []
        for place, question in enumerate(asked):
            ids = [key for key, _ in nearest_chunks(project, keywords, embedder.hash, vectors[place : place + 1], K)]
            near.append(_in_order(keywords, ids))
            word.append(_in_order(keywords, [key for key, _ in keywords.search(question, K)]))
        ours = [_in_order(keywords, [each.id for each in result.passages]) for result in results]
        seconds, bare = _time_both(project, keywords, asked[:20])
    hits = [_rate(found, questions) for found in (ours, near, word)]
    note = f"{len(questions)} {kind}, right passage among the first {K}"
    return [
        Figure(
            f"hits, {kind}", hits[0], hits[1], hits[0] / max(hits[1], 1e-9), "%", f"{note}; yardstick: vectors alone"
        ),
        Figure(f"hits, {kind}", hits[0], hits[2], hits[0] / max(hits[2], 1e-9), "%", f"{note}; yardstick: BM25 alone"),
        Figure(
            f"one question, {kind}", seconds, bare, seconds / bare, "ms", "yardstick: bare encode and one Chroma query"
        ),
    ]


def _in_order(keywords: Keywords, ids: list[str]) -> list[Chunk]:
    chunks = keywords.chunks_by_id(ids)
    return [chunks[key][0] for key in ids if key in chunks]


def _rate(found: list[list[Chunk]], questions: list[tuple[str, Hit]]) -> float:
    hits = [any(hit(piece) for piece in pieces) for pieces, (_, hit) in zip(found, questions, strict=True)]
    return 100 * sum(hits) / len(hits)


def _time_both(project: Path, keywords: Keywords, questions: tuple[str, ...]) -> tuple[float, float]:
    """Milliseconds a question, ours and the bare two calls, in turn."""
    embedder = embed.open_embedder()
    ours = bare = 0.0
    for question in questions:
        started = time.perf_counter()
        for _ in search(project, (question,), K):
            pass
        middle = time.perf_counter()
        nearest_chunks(project, keywords, embedder.hash, embedder.encode([question]), K)
        ours, bare = ours + middle - started, bare + time.perf_counter() - middle
    return 1000 * ours / len(questions), 1000 * bare / len(questions)
