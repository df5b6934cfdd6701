"""Benchmark: does a big index stay quick? Nothing changed, one file saved, one question asked, over 100,000 passages.

The index is made without the embedder, from drawn words and drawn vectors: what is measured afterwards is not.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from workbench import records
from workbench.bench import Figure
from workbench.documents.chunk import Cutting
from workbench.documents.document import Chunk, Document
from workbench.documents.fence import Reading
from workbench.documents.scan import FoundFile, scan
from workbench.events import Progress, Result, Stage, last_result
from workbench.index import embed
from workbench.index.build import build
from workbench.index.ledger import Ledger
from workbench.project import Project
from workbench.retrieval.search import search

FILES = 10_000
CHUNKS = 10  # of each file
QUESTIONS = 100
WORDS = 20_000  # there are, drawn by rank as in a language: word n about 1/n as often as the first
SEED = 7
WORDED = 60  # tokens of a chunk that are no function words: as many as in the documents of resources/search
GATHERED = 500  # chunks added to Chroma at once


def run(project: Path) -> Stage:
    """Make the index beside the project and measure; the last Result is a tuple of Figures."""
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        folder, made = Path(name) / "documents", Path(name) / "project"
        yield from _fill(folder, made)
        yield Progress(0, 3, "Looking through unchanged files", "figures")
        unchanged = _unchanged(made, folder)
        yield Progress(1, 3, "Asking questions one by one", "figures")
        asked = _asked(made)
        yield Progress(2, 3, "Saving files one by one", "figures")
        yield Result((unchanged, _saved(made, folder), *asked))


def _fill(folder: Path, project: Path) -> Iterator[Progress]:
    """Write the files and put them in the index as a build would have."""
    import numpy as np

    rng, draw = random.Random(SEED), np.random.default_rng(SEED)
    opened = Project.open(project)
    opened.change(folders=(folder,))
    with opened.writing("indexing"):
        ledger = Ledger(opened, Cutting())
        ledger.use(ledger.opening()())
        ledger.mark_dirty()
        waiting: list[tuple[Reading, Document, tuple[Chunk, ...]]] = []
        for number in range(FILES):
            waiting.append(_made(folder, number, rng))
            if len(waiting) * CHUNKS >= GATHERED or number == FILES - 1:
                pieces = [piece for _, _, chunks in waiting for piece in chunks]
                vectors = draw.standard_normal((len(pieces), ledger.embedder.dimension), dtype=np.float32)
                tokens = tuple(draw.standard_normal((WORDED, vectors.shape[1]), dtype=np.float32) for _ in pieces)
                vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
                ledger.add_vectors(pieces, embed.Read(vectors, tokens))
                for each in waiting:
                    ledger.commit(*each)
                waiting.clear()
                yield Progress(number + 1, FILES, "Making an index", "files")
        ledger.tidy()
        for done in ledger.keywords.compare_new():
            yield Progress(done, FILES * CHUNKS, "Comparing its passages", "passages")
        ledger.close()


def _made(folder: Path, number: int, rng: random.Random) -> tuple[Reading, Document, tuple[Chunk, ...]]:
    """One file on disk, and what reading and cutting it would have given."""
    file = f"{number // 100:02}/note{number:05}.txt"
    parts = [" ".join(f"w{int(WORDS ** rng.random())}" for _ in range(60)) for _ in range(CHUNKS)]
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(parts), encoding="utf-8")
    status = path.stat()
    found = FoundFile(str(folder), file, path, status.st_size, status.st_mtime_ns)
    chunks, start = [], 0
    for place, text in enumerate(parts):
        end = start + len(text)
        chunks.append(Chunk(f"{number}-{place}", file, "", text, start, end, place, 120, path.name))
        start = end + 2
    digest = records.hash_file(path)
    return (
        Reading(found, digest, status.st_size, status.st_mtime_ns),
        Document(file, "text", path.name, "\n\n".join(parts), ()),
        tuple(chunks),
    )


def _unchanged(project: Path, folder: Path) -> Figure:
    """Seconds of a build with nothing to do, beside a plain stat of every file."""
    started = time.perf_counter()
    files = [os.stat(os.path.join(place, name)) for place, _, names in os.walk(folder) for name in names]
    middle = time.perf_counter()
    last_result(build(project, (folder,)))
    plain, ours = middle - started, time.perf_counter() - middle
    note = f"yardstick: os.walk and a stat of each; the difference is to stay below 2 s, it is {ours - plain:.2f} s"
    return Figure(f"{len(files):,} unchanged files", ours, plain, ours / plain, "s", note)


def _asked(project: Path) -> tuple[Figure, ...]:
    """Milliseconds from a question to its passages, embedding included, beside the bare embedding of it."""
    rng = random.Random(SEED + 1)
    questions = [
        "How is " + " and ".join(f"w{int(WORDS ** rng.random())}" for _ in range(6)) + " kept from getting wet?"
        for _ in range(QUESTIONS)
    ]
    embedder = embed.open_embedder()
    list(search(project, tuple(questions[:2]), 5))
    ours, bare = [], []
    for question in questions:
        started = time.perf_counter()
        list(search(project, (question,), 5))
        middle = time.perf_counter()
        embedder.encode([question])
        ours.append(1000 * (middle - started))
        bare.append(1000 * (time.perf_counter() - middle))
    note = f"{QUESTIONS} questions over {FILES * CHUNKS:,} passages; yardstick: embedding the question alone"
    return tuple(
        Figure(f"question to passages, {name}", one, two, one / two, "ms", note)
        for name, one, two in (
            ("median", _at(ours, 0.5), _at(bare, 0.5)),
            ("95 of 100", _at(ours, 0.95), _at(bare, 0.95)),
        )
    )


def _at(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _saved(project: Path, folder: Path) -> Figure:
    """Seconds until a file that was just saved is found, the median of five, beside the wait that is allowed."""
    seconds = []
    for number in range(5):
        path = folder / f"saved{number}.md"
        path.write_text(f"# Saved\n\nThe lighthouse keeper of rock {number} counts the gulls.\n", encoding="utf-8")
        started = time.perf_counter()
        last_result(build(project, (folder,)))
        best = last_result(search(project, (f"Who counts gulls on rock {number}?",), 5)).passages
        seconds.append(time.perf_counter() - started)
        assert any(each.file == path.name for each in best), "a saved file was not found"
    middle = _at(seconds, 0.5)
    note = f"{len(list(scan(folder))):,} files; yardstick: one second"
    return Figure("a saved file is found", middle, 1.0, middle, "s", note)
