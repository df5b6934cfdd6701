"""What a build writes: a file's row, text, chunks and vectors, in an order that a kill cannot spoil.

1. the new vectors go into Chroma, under ids made from the chunks themselves;
2. one SQLite transaction puts the file's row, text, chunks and words in the place of the old ones: now it counts;
3. vectors of chunks the file no longer has leave Chroma.

Killed before 2, the file is read again and finds its vectors there already; killed before 3, the left-over vectors are
found when the sets of ids are compared at the end of the next build (`dirty` says that this is needed). Vectors SQLite
does not name are never shown by a search.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.bases import Base
from workbench.catalog.embedders import find_embedder, starter
from workbench.documents import readers
from workbench.documents.chunk import Cutting, chunk_id
from workbench.documents.document import Chunk, Document
from workbench.documents.fence import Reading
from workbench.documents.scan import FoundFile
from workbench.index import embed
from workbench.index.files import current_fingerprint, embedder_of
from workbench.index.keywords import FileRow, Keywords
from workbench.index.made import MadeWith, keep_made_with, made_with, signs_hash
from workbench.index.report import IndexReport, Skipped
from workbench.index.store import PROCESS, Store, open_store
from workbench.index.tokens import TokenSigns

if TYPE_CHECKING:
    from workbench.index.embed import Read

Key = tuple[str, str]  # folder and file


class Ledger:
    """The index of a knowledge base while one build writes to it, and what that build has done so far."""

    def __init__(self, base: Base, cutting: Cutting) -> None:
        """Raises MissingFile where the base's embedder is not on this machine, BadModel, BadProject."""
        self.cutting = cutting
        self._embedder_name = embedder_of(base)
        self.embedder = embed.open_embedder(find_embedder(self._embedder_name))
        self.fingerprint = current_fingerprint(cutting, self.embedder.hash)
        self.keywords = Keywords(base.index_folder, write=True)
        self.tokens = TokenSigns(base.index_folder, write=True)
        self.rows = {row.key: row for row in self.keywords.files()}
        self.lost: set[Key] = set()  # files with vectors missing
        self.moved: set[Key] = set()  # files that were found under a new name
        self._chroma = base.index_folder / "chroma"
        self._store: Store | None = None
        self._added: list[str] = []
        self._changed: list[str] = []
        self._removed: list[str] = []
        self._renamed: list[tuple[str, str]] = []
        self._skipped: list[Skipped] = []
        self._unchanged = 0
        self.embedded = 0  # chunks whose vectors were computed

    def close(self) -> None:
        """Let go of the files."""
        self.tokens.close()
        self.keywords.close()

    @property
    def store(self) -> Store:
        """The vectors; `use` comes first."""
        assert self._store is not None, "nothing was to be written"
        return self._store

    @property
    def removed(self) -> int:
        """How many files were removed so far."""
        return len(self._removed)

    def is_dirty(self) -> bool:
        """Whether an earlier build was killed, or someone took the vectors away."""
        if self.keywords.fact("dirty") == "1":
            return True
        chunks = sum(row.chunks for row in self.rows.values())
        if chunks != self.tokens.count(self.embedder.hash):  # also where an earlier version made the index
            return True
        return bool(chunks) and not (self._chroma / "chroma.sqlite3").exists()

    def opening(self) -> Callable[[], Store]:
        """A function that opens Chroma, which takes a second or so; it may run in another thread than the rest."""
        fresh = self.keywords.fact("writer") != PROCESS
        return lambda: open_store(self._chroma, fresh=fresh)

    def use(self, store: Store) -> None:
        """Take the opened store, and find the files whose vectors are not all there: they must be read again."""
        self._store = store
        facts = {"embedder": self.embedder.hash, "dimension": self.embedder.dimension}
        store.prepare(self.fingerprint, {**facts, "cutting": self.cutting.fingerprint()})
        keep_made_with(self.keywords, self._made_with({*self._used(), self.fingerprint}))
        if not self._is_level() or self.keywords.fact("dirty") == "1":
            named = self.keywords.ids_made_with(self.fingerprint)
            there = store.ids(self.fingerprint) & self.tokens.ids(self.embedder.hash)
            self.lost = self.keywords.owners(named - there)

    def _used(self) -> set[str]:
        """The fingerprints of the files as they are."""
        return {row.made_with for row in self.rows.values() if row.made_with}

    def _made_with(self, fingerprints: set[str]) -> dict[str, MadeWith]:
        """The embedder of each fingerprint."""
        known = {**made_with(self.keywords), self.fingerprint: MadeWith(self._embedder_name, self.embedder.hash)}
        for each in fingerprints - known.keys():  # an earlier version made it, which had but the one
            told = str(self.store.describe(each).get("embedder", ""))
            known[each] = MadeWith(starter().name, signs_hash(each, known, told))
        return {each: known[each] for each in fingerprints}

    def _is_level(self) -> bool:
        """Whether both have as many vectors as there are chunks; the ids are compared only where this fails."""
        counts = (self.store.count(self.fingerprint), self.tokens.count(self.embedder.hash))
        return set(counts) == {self.keywords.count_made_with(self.fingerprint)}

    def mark_dirty(self) -> None:
        """Say that the vectors are about to change, so that a kill is noticed."""
        if self.keywords.fact("dirty") != "1" or self.keywords.fact("writer") != PROCESS:
            self.keywords.set_fact("dirty", "1")
            self.keywords.set_fact("writer", PROCESS)

    def is_current(self, row: FileRow) -> bool:
        """Whether a file's row was made with the settings and readers of today."""
        return row.read_with == readers.VERSION and (row.state == "skipped" or row.made_with == self.fingerprint)

    # Files that get no new vectors

    def keep(self, row: FileRow) -> None:
        """Count a file that needed nothing."""
        if row.state == "indexed":
            self._unchanged += 1
        else:
            self._skipped.append(Skipped(row.file, row.reason, row.folder))

    def touch(self, row: FileRow, reading: Reading) -> None:
        """Note the new time of a file whose content stayed the same."""
        self.keywords.touch_file(row, reading.size, reading.mtime_ns)
        self.keep(row)

    def skip(self, found: FoundFile, reason: str, reading: Reading | None = None) -> None:
        """Note a file that could not be read; without a Reading, that it was not even opened."""
        self._skipped.append(Skipped(found.file, reason, found.folder))
        before = self.rows.get(found.key)
        lasting = reading is None or reading.lasting
        if before is not None and before.state == "indexed" and not lasting:
            return  # what was read of it before stays until it can be read again
        place = (found.size, found.mtime_ns, "")
        if reading is not None:
            place = (reading.size or found.size, reading.mtime_ns or found.mtime_ns, reading.hash)
        row = FileRow(found.folder, found.file, "skipped", *place, reason, read_with=readers.VERSION, lasting=lasting)
        if row != before:
            self._commit(row, None, ())

    def remove(self, key: Key) -> None:
        """Forget a file and its vectors."""
        row = self.rows.pop(key)
        stale = self.keywords.chunk_ids(row)
        self.mark_dirty()
        self.keywords.remove_file(key)
        self._drop_vectors(row.made_with, stale)
        if row.state == "indexed":
            self._removed.append(row.file)

    def rename(self, old: FileRow, reading: Reading) -> None:
        """Put a file under its new name with the vectors it has; only its ids change."""
        found = reading.found
        title = Path(found.file).name if old.title == Path(old.file).name else old.title
        row = replace(
            old, folder=found.folder, file=found.file, title=title, size=reading.size, mtime_ns=reading.mtime_ns
        )
        before = self.keywords.chunks(old)
        document = Document(found.file, old.kind, title, self.keywords.text(old), (), old.notes)
        seen: Counter[str] = Counter()
        ids = [chunk_id(found.folder, found.file, each.heading, each.text, seen) for each in before]
        pieces = [replace(each, id=key, file=found.file) for each, key in zip(before, ids, strict=True)]
        vectors = self.store.vectors(self.fingerprint, [each.id for each in before])
        self.mark_dirty()
        if pieces:
            import numpy as np

            rows = np.array([vectors[each.id] for each in before], dtype=np.float32)
            self.tokens.rename(self.embedder.hash, [(each.id, key) for each, key in zip(before, ids, strict=True)])
            self.store.add(self.fingerprint, ids, rows, [found.file] * len(pieces))
        self._commit(row, document, pieces)
        self.moved.add(old.key)
        self._renamed.append((old.file, found.file))

    # Files that are read

    def missing(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that have no vector yet."""
        there = self.store.present(self.fingerprint, ids) & self.tokens.present(self.embedder.hash, ids)
        return set(ids) - there

    def add_vectors(self, pieces: Sequence[Chunk], read: Read) -> None:
        """Put vectors in their place; they count once their file is committed."""
        ids = [each.id for each in pieces]
        self.tokens.add(self.embedder.hash, ids, read.tokens)
        self.store.add(self.fingerprint, ids, read.vectors, [each.file for each in pieces])
        self.embedded += len(pieces)

    def commit(self, reading: Reading, document: Document, chunks: tuple[Chunk, ...]) -> None:
        """Put a file that was read in the place of what was known of it; its vectors are there already."""
        row = FileRow(
            *(reading.found.folder, reading.found.file, "indexed", reading.size, reading.mtime_ns, reading.hash, ""),
            *(document.kind, document.title, document.notes, len(chunks), self.fingerprint, readers.VERSION),
        )
        self._commit(row, document, chunks)

    def _commit(self, row: FileRow, document: Document | None, chunks: Sequence[Chunk]) -> None:
        before = self.rows.get(row.key)
        stale = set(self.keywords.chunk_ids(before)) - {each.id for each in chunks} if before is not None else set()
        row = replace(row, chunks=len(chunks))
        self.keywords.commit_file(row, document, chunks)
        self.rows[row.key] = row
        if before is not None and stale:
            self.mark_dirty()
            self._drop_vectors(before.made_with, sorted(stale))
        if row.state == "indexed":
            (self._changed if before is not None and before.state == "indexed" else self._added).append(row.file)

    def _drop_vectors(self, fingerprint: str, ids: list[str]) -> None:
        self.tokens.remove(self.embedder.hash, ids)
        if self._store is not None and fingerprint == self.fingerprint and ids:
            self._store.remove(fingerprint, ids)

    # The end

    def tidy(self) -> None:
        """Remove vectors no file names any more, and collections of other settings once every file left them."""
        if self._store is not None:
            used = self._used() | {self.fingerprint}
            known = self._made_with(used)
            if not self._is_level() or len(used) > 1:
                self._drop_unnamed(known)
            for other in self._store.fingerprints() - used:
                self._store.drop(other)
            self.tokens.remove_others([each.hash for each in known.values()])
            keep_made_with(self.keywords, known)
        self.keywords.set_fact("fingerprint", self.fingerprint)
        self.keywords.set_fact("dirty", "0")

    def _drop_unnamed(self, known: dict[str, MadeWith]) -> None:
        """Remove the vectors that no file names any more."""
        kept: dict[str, set[str]] = {}
        for fingerprint, made in known.items():
            ids = self.keywords.ids_made_with(fingerprint)
            self.store.remove(fingerprint, sorted(self.store.ids(fingerprint) - ids))
            kept.setdefault(made.hash, set()).update(ids)
        for digest, ids in kept.items():
            self.tokens.remove(digest, self.tokens.ids(digest) - ids)

    def report(self, seconds: float) -> IndexReport:
        """How the index stands, and what was done."""
        files, chunks = self.keywords.count()
        return IndexReport(
            *(files, chunks, tuple(sorted(self._added)), tuple(sorted(self._changed)), tuple(sorted(self._removed))),
            *(self._unchanged, tuple(sorted(self._skipped, key=lambda each: each.file)), seconds),
            *(self.embedded, tuple(sorted(self._renamed)), self.keywords.alike()),
            *(self._embedder_name, self.embedder.hash),
        )
