"""Benchmark: what indexing adds to the bare embedder and the bare vector store, and what others take for the same."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from workbench import paths, records
from workbench.bench import Figure, _peers
from workbench.bench._looks import growth
from workbench.documents import readers
from workbench.documents.chunk import embedded_text
from workbench.documents.scan import scan
from workbench.errors import BadDocument
from workbench.events import Progress, Result, Stage, last_result
from workbench.index import embed
from workbench.index.build import build
from workbench.index.files import why_not
from workbench.index.keywords import Keywords
from workbench.project import Project

SIZE = 1_500_000  # bytes of documents that are indexed, so that the benchmark stays under two minutes
LOOK = 1.0  # seconds between two looks at the memory, which take a hundredth of that
WINDOW = 64  # chunks embedded in turn by either side, so that a busy moment of the machine hits both


def run(project: Path) -> Stage:
    """Index some of the project's documents (the sample's, when it has none); the last Result is a tuple of Figures."""
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        folder, made = Path(name) / "documents", Path(name) / "project"
        copied = copy_documents(documents_of(project), folder)
        parts = 3 + bool(_peers.there_are())
        yield Progress(0, parts, f"Loading the embedder for {copied} files", "figures")
        embedder = embed.open_embedder()
        embedder.load()
        started, held = time.perf_counter(), list[float]()
        yield from _weighed(build(made, (folder,)), held)
        whole = time.perf_counter() - started
        with Keywords(made / "index") as keywords:
            texts = [embedded_text(piece) for row in keywords.files() for piece in keywords.chunks(row)]
        yield Progress(1, parts, f"Embedding {len(texts)} chunks by both ways in turn", "figures")
        seconds, vectors = _embed_in_turn(embedder, texts)
        yield Progress(2, parts, "Adding them to a bare Chroma collection", "figures")
        added = _bare_add(Path(name) / "bare", vectors)
        again, hashed = _nothing_to_do(made, folder)
        yield Progress(3, parts, "Having others take in the same texts", "figures")
        peers = _beside_peers(folder, Path(name), embedder)
        memory = growth(
            "memory while indexing", held[len(held) // 4 :], "from a quarter of the looks on, reader included"
        )
        yield Result((*_figures(len(texts), whole, seconds, added, again, hashed), memory, *peers))


def _weighed(stage: Stage, held: list[float]) -> Iterator[Progress]:
    """A build's Progress; meanwhile the memory of this process and its children, in MB, every LOOK seconds."""
    looked = time.monotonic()
    for event in stage:
        if not isinstance(event, Progress):
            continue
        if time.monotonic() - looked > LOOK:
            looked = time.monotonic()
            held.append(_memory())
        yield event


def _memory() -> float:
    own = psutil.Process()
    sizes = [own.memory_info().rss]
    for child in own.children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            sizes.append(child.memory_info().rss)
    return sum(sizes) / 1e6


def documents_of(project: Path) -> tuple[Path, ...]:
    """The project's folders that are there, or the sample's documents."""
    folders = tuple(each for each in Project.open(project).info.folders if each.is_dir())
    return folders or (paths.resources() / "sample" / "documents",)


def copy_documents(folders: tuple[Path, ...], target: Path) -> int:
    """Copy readable documents until SIZE is reached; gives how many."""
    size = copied = 0
    for folder in folders:
        for found in scan(folder):
            if why_not(found) or size + found.size > SIZE:
                continue
            place = target / str(len(str(folder))) / found.file
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found.path, place)
            size, copied = size + found.size, copied + 1
    return copied


@dataclass(frozen=True, slots=True)
class Embedding:
    """Seconds to embed the same chunks."""

    ours: float
    bare: float  # sentence-transformers at its defaults, in fp32
    best: float  # the same in the type that is fastest here
    precision: str  # that type


def _embed_in_turn(embedder: embed.Embedder, texts: list[str]) -> tuple[Embedding, Any]:
    """Ours and sentence-transformers in both types, window by window, and the vectors."""
    import numpy as np

    models = [embed.bare_model(embedder.folder, each) for each in ("float32", embedder.precision)]
    for model in models:
        model.encode(texts[:2])
    ours, bare, vectors = 0.0, [0.0, 0.0], []
    for place in range(0, len(texts), WINDOW):
        part = texts[place : place + WINDOW]
        started = time.perf_counter()
        vectors.append(embedder.encode(part))
        ours += time.perf_counter() - started
        for number, model in enumerate(models):
            started = time.perf_counter()
            model.encode(part, show_progress_bar=False)
            bare[number] += time.perf_counter() - started
    return Embedding(ours, bare[0], bare[1], embedder.precision), np.concatenate(vectors)


def _bare_add(folder: Path, vectors: Any) -> float:
    """Seconds for one plain add of all vectors to a new collection."""
    from workbench.index.store import Store

    store = Store(folder)
    store.prepare("bare", {"made": "by the benchmark"})
    started = time.perf_counter()
    store.add("bare", [str(number) for number in range(len(vectors))], vectors, [""] * len(vectors))
    seconds = time.perf_counter() - started
    store.close()
    return seconds


def _nothing_to_do(project: Path, folder: Path) -> tuple[float, float]:
    """Seconds of a build with nothing to do, and of reading and hashing the same files."""
    started = time.perf_counter()
    last_result(build(project, (folder,)))
    middle = time.perf_counter()
    for found in scan(folder):
        records.hash_file(found.path)
    return middle - started, time.perf_counter() - middle


def _beside_peers(folder: Path, place: Path, embedder: embed.Embedder) -> tuple[Figure, ...]:
    """Our build of the documents' texts beside that of others: the same folder, embedder and kind of store."""
    names = _peers.there_are()
    if not names:
        return ()
    texts = _write_texts(folder, place / "texts")
    started = time.perf_counter()
    last_result(build(place / "beside", (texts,)))
    seconds = time.perf_counter() - started
    with Keywords(place / "beside" / "index") as keywords:
        pieces = [embedded_text(piece) for row in keywords.files() for piece in keywords.chunks(row)]
    mine = _peers.counted(seconds, pieces, embedder)
    figures: list[Figure] = []
    for name in names:
        other = _peers.take_in(name, texts, embedder, place / name)
        said = f"{mine.pieces} chunks, {mine.cut} cut off; yardstick: {name}, {other.pieces}, {other.cut} cut off"
        rates = mine.tokens / mine.seconds, other.tokens / other.seconds
        figures += [
            Figure(f"the same texts, {name}", mine.seconds, other.seconds, mine.seconds / other.seconds, "s", said),
            Figure(f"text embedded, {name}", *rates, rates[0] / rates[1], "tokens/s", "of what the embedder read"),
        ]
    return tuple(figures)


def _write_texts(folder: Path, target: Path) -> Path:
    """What our readers make of each document, as plain text: what every one of them can read."""
    for found in scan(folder):
        path = target / f"{found.file}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(BadDocument):
            path.write_text(readers.read(found.path, found.file).text, encoding="utf-8")
    return target


def _figures(
    chunks: int, whole: float, embedding: Embedding, added: float, again: float, hashed: float
) -> tuple[Figure, ...]:
    def rate(name: str, our_seconds: float, their_seconds: float, note: str) -> Figure:
        return Figure(name, chunks / our_seconds, chunks / their_seconds, their_seconds / our_seconds, "chunks/s", note)

    best = f"sentence-transformers in {embedding.precision}, the fastest type here, batches of 32"
    return (
        rate(
            *("indexing: read, cut, embed, commit", whole, embedding.bare + added),
            f"yardstick: bare sentence-transformers and one Chroma add of the same {chunks} chunks, nothing read",
        ),
        rate("indexing beside the bare embedder", whole, embedding.best, f"yardstick: {best}, nothing read or kept"),
        rate(
            *("embedding alone", embedding.ours, embedding.bare),
            f"in turn, {WINDOW} chunks at a time; yardstick: fp32, batches of 32",
        ),
        rate("embedding alone, fastest type", embedding.ours, embedding.best, f"in turn; yardstick: {best}"),
        Figure("a build with nothing to do", again, hashed, again / hashed, "s", "yardstick: hashing every file"),
    )
