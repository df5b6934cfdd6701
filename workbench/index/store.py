"""The only home of chromadb: add, remove and query vectors. The vectors are ours; Chroma embeds nothing."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import children
from workbench.errors import BadProject, DiskFull
from workbench.events import Result, Stage

if TYPE_CHECKING:
    from workbench.index.embed import Vectors

PREFIX = "chunks-"  # of collection names; the fingerprint of what its vectors were made with follows
FULL_DISK = ("disk is full", "no space left", "os error 28", "code: 13", "quota exceeded")
PROCESS = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"  # written beside what this process changes: see open_store
BATCH = 2000  # rows a call; Chroma refuses more than about 5,400


class Store:
    """The vectors of a project, one collection per fingerprint of embedder and chunk settings."""

    def __init__(self, folder: Path) -> None:
        """Open the store in `folder`, made when missing. Raises BadProject when Chroma cannot open what is there."""
        for key, value in children.QUIET.items():
            os.environ.setdefault(key, value)
        import chromadb
        from chromadb.config import Settings

        self.folder = folder
        self._collections: dict[str, Any] = {}
        self._known: set[str] | None = None  # fingerprints; Chroma takes milliseconds to list them
        with self._naming_trouble():
            folder.mkdir(parents=True, exist_ok=True)
            self._client: Any = chromadb.PersistentClient(
                path=str(folder), settings=Settings(anonymized_telemetry=False, allow_reset=False)
            )

    def close(self) -> None:
        """Let go of the files. A store that was closed is not used again."""
        with contextlib.suppress(Exception):
            self._client.close()

    def fingerprints(self) -> set[str]:
        """The fingerprints there are collections for."""
        if self._known is None:
            with self._naming_trouble():
                names = [each.name for each in self._client.list_collections()]
            self._known = {name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)}
        return set(self._known)

    def describe(self, fingerprint: str) -> dict[str, Any]:
        """What a collection says of itself: embedder hash, dimension, chunk settings. {} when there is none."""
        found = self._collection(fingerprint)
        return dict(found.metadata or {}) if found is not None else {}

    def prepare(self, fingerprint: str, facts: dict[str, Any]) -> None:
        """Make the collection for a fingerprint when there is none; `facts` become its metadata."""
        self._known = None
        if self._collection(fingerprint) is None:
            with self._naming_trouble():
                self._collections[fingerprint] = self._client.get_or_create_collection(
                    PREFIX + fingerprint,
                    embedding_function=None,
                    metadata=facts,
                    configuration={"hnsw": {"space": "cosine"}},
                )

    def drop(self, fingerprint: str) -> None:
        """Delete a collection and all its vectors."""
        self._known = None
        self._collections.pop(fingerprint, None)
        with self._naming_trouble():
            self._client.delete_collection(PREFIX + fingerprint)

    def add(self, fingerprint: str, ids: Sequence[str], vectors: Vectors, files: Sequence[str]) -> None:
        """Add vectors, or replace those with the same ids; `files` are kept beside them for people who look inside."""
        collection = self._collection(fingerprint)
        for place in range(0, len(ids), BATCH):
            part = slice(place, place + BATCH)
            with self._naming_trouble():
                collection.upsert(
                    ids=list(ids[part]), embeddings=vectors[part], metadatas=[{"file": file} for file in files[part]]
                )

    def remove(self, fingerprint: str, ids: Sequence[str]) -> None:
        """Remove vectors; ids that are not there are passed over."""
        collection = self._collection(fingerprint)
        for place in range(0, len(ids) if collection is not None else 0, BATCH):
            with self._naming_trouble():
                collection.delete(ids=list(ids[place : place + BATCH]))

    def ids(self, fingerprint: str) -> set[str]:
        """All ids of a collection."""
        collection = self._collection(fingerprint)
        if collection is None:
            return set()
        with self._naming_trouble():
            return set(collection.get(include=[])["ids"])

    def present(self, fingerprint: str, ids: Sequence[str]) -> set[str]:
        """Those of the ids that are there."""
        collection = self._collection(fingerprint)
        found: set[str] = set()
        for place in range(0, len(ids) if collection is not None else 0, BATCH):
            with self._naming_trouble():
                found.update(collection.get(ids=list(ids[place : place + BATCH]), include=[])["ids"])
        return found

    def vectors(self, fingerprint: str, ids: Sequence[str]) -> dict[str, Any]:
        """The vectors of the ids that are there, as rows by id."""
        collection = self._collection(fingerprint)
        found: dict[str, Any] = {}
        for place in range(0, len(ids) if collection is not None else 0, BATCH):
            with self._naming_trouble():
                got = collection.get(ids=list(ids[place : place + BATCH]), include=["embeddings"])
            found.update(zip(got["ids"], got["embeddings"], strict=True))
        return found

    def count(self, fingerprint: str) -> int:
        """How many vectors a collection holds."""
        collection = self._collection(fingerprint)
        with self._naming_trouble():
            return int(collection.count()) if collection is not None else 0

    def query(
        self, fingerprint: str, vectors: Vectors, most: int, files: Sequence[str] | None = None
    ) -> list[list[tuple[str, float]]]:
        """For each vector the nearest ids with their cosine, best first; of these files only, where any are named."""
        collection = self._collection(fingerprint)
        if collection is None or not len(vectors):
            return [[] for _ in vectors]
        with self._naming_trouble():
            where = {"file": {"$in": list(dict.fromkeys(files))}} if files is not None else None
            found = collection.query(
                query_embeddings=vectors, n_results=max(1, most), where=where, include=["distances"]
            )
        rows = zip(found["ids"], found["distances"], strict=True)
        return [[(key, 1.0 - float(far)) for key, far in zip(ids, away, strict=True)] for ids, away in rows]

    def _collection(self, fingerprint: str) -> Any:
        if fingerprint not in self._collections:
            from chromadb.errors import NotFoundError

            with self._naming_trouble():
                try:
                    found = self._client.get_collection(PREFIX + fingerprint, embedding_function=None)
                except NotFoundError:
                    return None
            self._collections[fingerprint] = found
        return self._collections[fingerprint]

    @contextlib.contextmanager
    def _naming_trouble(self) -> Iterator[None]:
        """Chroma's failures as sentences. It reports a full disk in words only, so the words are looked at."""
        try:
            yield
        except (OSError, RuntimeError, ValueError, Exception) as error:
            if type(error).__module__.startswith("workbench"):
                raise
            words = str(error).lower()
            if any(sign in words for sign in FULL_DISK):
                raise DiskFull(
                    f"The disk that holds {self.folder} is full: nothing already indexed is lost; free some space"
                    " and start again."
                ) from error
            raise BadProject(
                f"The vector store in {self.folder} cannot be used ({type(error).__name__}): close other programs that"
                " use it, or delete that folder; the next indexing makes it anew from your documents."
            ) from error


_open: dict[Path, Store] = {}


def open_store(folder: Path, fresh: bool = False) -> Store:
    """The store of a folder, shared by everything in this process.

    Chroma keeps its index in memory and does not see what another process wrote; `fresh` opens it anew.
    """
    store = _open.get(folder)
    if store is not None and (fresh or not folder.exists()):
        _open.pop(folder).close()
        store = None
    if store is None:
        store = _open[folder] = Store(folder)
    return store


def let_go(home: Path) -> Stage:
    """STAGE: close what this process holds open of a knowledge base, so that it can be moved or deleted."""
    from workbench.index import kept

    kept.let_go(home)
    store = _open.pop(home.expanduser().absolute() / "index" / "chroma", None)
    if store is not None:
        store.close()
    yield Result(None)
