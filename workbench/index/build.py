"""STAGE build: bring the index level with its folders, one file at a time.

Order of a commit, so that a kill at any moment leaves what the next build puts right:

1. the new vectors go into Chroma, under ids made from the chunks themselves;
2. one SQLite transaction puts the file's row, text, chunks and words in the place of the old ones: now it counts;
3. vectors of chunks the file no longer has leave Chroma.

Killed before 2, the file is read again and finds its vectors there already; killed before 3, the left-over vectors are
found when the sets of ids are compared at the end of the next build (`dirty` says that this is needed). Vectors SQLite
does not name are never shown by a search.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TypeVar

from workbench import records
from workbench.documents import readers
from workbench.documents.chunk import Cutting, chunk, embedded_text
from workbench.documents.document import Chunk, Document
from workbench.documents.fence import FencedReader, Limits, Reading
from workbench.documents.scan import Difference, FoundFile, KnownFile, compare, scan
from workbench.events import Note, Progress, Result, Stage
from workbench.index import embed
from workbench.index.files import check_folders, current_fingerprint, cutting_of, known_files, why_not
from workbench.index.keywords import FileRow, Keywords
from workbench.index.report import IndexReport, Skipped
from workbench.index.store import PROCESS, Store, open_store
from workbench.project import Project

WINDOW = 96  # chunks embedded together: enough to sort by length, few enough to lose little when stopped
TICK = 0.3  # seconds between signs of life

Value = TypeVar("Value")
Steps = Generator[Progress | Note, None, Value]


def build(project: Path, folders: tuple[Path, ...]) -> Stage:
    """STAGE: bring the index of a project level with folders; the last Result is an IndexReport.

    Only the files of these folders are looked at; those of the project's other folders stay. Raises MissingFile for a
    folder that is not there, ProjectBusy while another process writes, DiskFull, BadProject for a damaged index.
    """
    opened = Project.open(project)
    checked = check_folders(folders)
    with opened.writing("indexing"), records.naming_full_disk(opened.index_folder / "index"):
        work = Builder(opened, checked)
        try:
            yield from work.run()
        finally:
            work.close()


def forget(project: Path, folders: tuple[Path, ...]) -> Stage:
    """STAGE: take all files of some folders out of the index; the folders need not exist. Last Result: IndexReport."""
    opened = Project.open(project)
    with opened.writing("removing a folder from the index"):
        work = Builder(opened, tuple(folder.expanduser().absolute() for folder in folders))
        try:
            yield from work.forget()
        finally:
            work.close()


class _Pending:
    """A file that was read and waits for its vectors."""

    def __init__(self, reading: Reading, document: Document, chunks: tuple[Chunk, ...]) -> None:
        self.reading, self.document, self.chunks = reading, document, chunks


class Builder:
    """One build: what it holds open and what it has done so far."""

    def __init__(
        self, project: Project, folders: tuple[Path, ...], cutting: Cutting | None = None, limits: Limits | None = None
    ) -> None:
        self._started = monotonic()
        self._project, self._folders = project, folders
        self._cutting = cutting or cutting_of(project)
        self._embedder = embed.open_embedder()
        self._fingerprint = current_fingerprint(self._cutting, self._embedder.hash)
        self._keywords = Keywords(project.index_folder, write=True)
        self._rows = {row.key: row for row in self._keywords.files()}
        self._reader = FencedReader(limits)
        self._store: Store | None = None
        self._added: list[str] = []
        self._changed: list[str] = []
        self._removed: list[str] = []
        self._renamed: list[tuple[str, str]] = []
        self._skipped: list[Skipped] = []
        self._unchanged = 0
        self._moved_from: set[tuple[str, str]] = set()
        self._lost: set[tuple[str, str]] = set()  # files with vectors missing
        self._total = self._done = 0  # files to look into
        self._bytes = self._bytes_done = 0  # of the same
        self._embedded = 0
        self._embed_seconds = 0.0

    def close(self) -> None:
        """Let go of everything; called however the build ends."""
        self._reader.close()
        self._keywords.close()

    def run(self) -> Stage:
        """The whole build."""
        difference = yield from self._compare()
        if difference.new or difference.changed or difference.gone or self._is_dirty():
            self._lost = yield from self._open_store()
            difference = _with_lost(difference, self._lost)
        self._project.change(folders=tuple(dict.fromkeys((*self._project.info.folders, *self._folders))))
        todo = [each for each in (*difference.new, *difference.changed) if not self._skip_unread(each)]
        waiting = self._remove_gone(difference, todo)
        self._keep_unchanged(difference)
        yield from self._bring(todo, waiting)
        for gone in waiting:
            self._remove(gone.key)
        self._tidy()
        yield Result(self._report())

    def forget(self) -> Stage:
        """Take every file of the folders out."""
        yield from self._open_store()
        names = {str(folder) for folder in self._folders}
        for key in [key for key in self._rows if key[0] in names]:
            self._remove(key)
            yield Progress(len(self._removed), 0, f"Removing {key[1]}", "files")
        kept = tuple(folder for folder in self._project.info.folders if str(folder) not in names)
        self._project.change(folders=kept)
        self._tidy()
        yield Result(self._report())

    # What changed

    def _compare(self) -> Steps[Difference]:
        found: list[FoundFile] = []
        told = monotonic()
        yield Progress(0, 0, "Looking through the folder", "files")
        for folder in self._folders:
            for each in scan(folder, leave_out=(self._project.folder,)):
                found.append(each)
                if monotonic() - told > TICK:
                    told = monotonic()
                    yield Progress(len(found), 0, "Looking through the folder", "files")
        difference = compare(found, known_files(self._rows, self._folders, self._fingerprint))
        closed = [f"{each.file}/" for each in found if each.closed]  # what cannot be looked into is not gone
        gone = [each for each in difference.gone if not any(each.file.startswith(name) for name in closed)]
        return replace(difference, gone=tuple(gone))

    def _is_dirty(self) -> bool:
        """Whether an earlier build was killed, or someone took the vectors away."""
        if self._keywords.fact("dirty") == "1":
            return True
        return any(row.chunks for row in self._rows.values()) and not (self._chroma_folder / "chroma.sqlite3").exists()

    @property
    def _chroma_folder(self) -> Path:
        return self._project.index_folder / "chroma"

    def _open_store(self) -> Steps[set[tuple[str, str]]]:
        """Open Chroma; gives the files whose vectors are not all there, which must be read again."""
        foreign = self._keywords.fact("writer") != PROCESS
        self._store = yield from _meanwhile(
            lambda: open_store(self._chroma_folder, fresh=foreign), Progress(0, 0, "Opening the index", "files")
        )
        facts = {"embedder": self._embedder.hash, "dimension": self._embedder.dimension}
        self._store.prepare(self._fingerprint, {**facts, "cutting": self._cutting.fingerprint()})
        named = self._keywords.ids_made_with(self._fingerprint)
        if self._store.count(self._fingerprint) == len(named) and self._keywords.fact("dirty") != "1":
            return set()
        missing = named - self._store.ids(self._fingerprint)
        return self._keywords.owners(missing)

    def _mark_dirty(self) -> None:
        if self._keywords.fact("dirty") != "1" or self._keywords.fact("writer") != PROCESS:
            self._keywords.set_fact("dirty", "1")
            self._keywords.set_fact("writer", PROCESS)

    # Files that need no reading

    def _skip_unread(self, found: FoundFile) -> bool:
        """Note a file that its entry or name already rules out."""
        reason = why_not(found)
        if reason:
            self._skip(found, reason, found.size, found.mtime_ns, "", lasting=True)
        return bool(reason)

    def _skip(self, found: FoundFile, reason: str, size: int, mtime_ns: int, digest: str, lasting: bool) -> None:
        self._skipped.append(Skipped(found.file, reason, found.folder))
        before = self._rows.get(found.key)
        if before is not None and before.state == "indexed" and not lasting:
            return  # what was read of it before stays until it can be read again
        row = FileRow(
            *(found.folder, found.file, "skipped", size, mtime_ns, digest, reason),
            read_with=readers.VERSION,
            lasting=lasting,
        )
        if row != before:
            self._commit(row, None, ())

    def _remove_gone(self, difference: Difference, todo: list[FoundFile]) -> list[KnownFile]:
        """Remove what is gone for good at once; gives those that a new file of the same size may replace."""
        sizes = {(each.size, each.path.suffix) for each in todo}
        waiting = []
        for gone in difference.gone:
            row = self._rows[gone.key]
            if row.state == "indexed" and (row.size, Path(row.file).suffix) in sizes:
                waiting.append(gone)
            else:
                self._remove(gone.key)
        return waiting

    def _remove(self, key: tuple[str, str]) -> None:
        row = self._rows.pop(key)
        stale = self._keywords.chunk_ids(row)
        self._mark_dirty()
        self._keywords.remove_file(key)
        self._drop_vectors(row.made_with, stale)
        if row.state == "indexed":
            self._removed.append(row.file)

    def _keep_unchanged(self, difference: Difference) -> None:
        for found in difference.unchanged:
            row = self._rows[found.key]
            if row.state == "indexed":
                self._unchanged += 1
            else:
                self._skipped.append(Skipped(row.file, row.reason, row.folder))

    # Files that are read

    def _bring(self, todo: list[FoundFile], gone: list[KnownFile]) -> Stage:
        """Read, cut, embed and commit; the next file is read while the ones before it are embedded."""
        self._total, self._bytes = len(todo), sum(each.size for each in todo)
        queue, batch, told = deque(todo), list[_Pending](), monotonic()
        while queue or batch or self._reader.busy:
            if queue and not self._reader.busy:
                found = queue.popleft()
                self._reader.start(found, self._known_hashes(found, gone))
            if not self._reader.busy or sum(len(each.chunks) for each in batch) >= WINDOW:
                yield from self._embed(batch)
                continue
            reading = self._reader.take(TICK)
            if reading is not None:
                self._sort_in(reading, gone, batch)
            elif batch:
                yield from self._embed(batch)
            if reading is None or monotonic() - told > TICK:
                told = monotonic()
                yield self._progress(f"Reading {queue[0].file if queue else todo[-1].file}")

    def _known_hashes(self, found: FoundFile, gone: list[KnownFile]) -> frozenset[str]:
        """Contents that need no reading: the file's own, and those of files it may be the new name of."""
        own = self._rows.get(found.key)
        whole = own is not None and own.lasting and self._is_current(own) and own.key not in self._lost
        rows = [own] if own is not None and whole else []
        rows += self._sources(found, gone)
        return frozenset(row.hash for row in rows if row.hash)

    def _is_current(self, row: FileRow) -> bool:
        return row.read_with == readers.VERSION and (row.state == "skipped" or row.made_with == self._fingerprint)

    def _sources(self, found: FoundFile, gone: list[KnownFile]) -> list[FileRow]:
        rows = [self._rows[each.key] for each in gone if each.key not in self._moved_from]
        suffix = found.path.suffix
        return [
            row for row in rows if row.size == found.size and Path(row.file).suffix == suffix and self._is_current(row)
        ]

    def _sort_in(self, reading: Reading, gone: list[KnownFile], batch: list[_Pending]) -> None:
        found, before = reading.found, self._rows.get(reading.found.key)
        if reading.document is not None:
            pieces = chunk(
                reading.document, self._embedder.count, self._embedder.limit, self._cutting, reading.found.folder
            )
            batch.append(_Pending(reading, reading.document, pieces))
            return
        self._count_done(found)
        if not reading.known:
            place = (reading.size or found.size, reading.mtime_ns or found.mtime_ns, reading.hash)
            self._skip(found, reading.reason, *place, lasting=reading.lasting)
        elif before is not None and before.hash == reading.hash:
            self._keywords.touch_file(before, reading.size, reading.mtime_ns)
            if before.state == "indexed":
                self._unchanged += 1
            else:
                self._skipped.append(Skipped(before.file, before.reason, before.folder))
        else:
            source = next(row for row in self._sources(found, gone) if row.hash == reading.hash)
            self._rename(source, reading)

    def _rename(self, old: FileRow, reading: Reading) -> None:
        """Put a file under its new name with the vectors it has; only its ids change."""
        assert self._store is not None
        found = reading.found
        title = Path(found.file).name if old.title == Path(old.file).name else old.title
        row = replace(
            old, folder=found.folder, file=found.file, title=title, size=reading.size, mtime_ns=reading.mtime_ns
        )
        before = self._keywords.chunks(old)
        kept = {each.id: embedded_text(each) for each in before}
        document = Document(found.file, old.kind, title, self._keywords.text(old), (), old.notes)
        pieces = [
            replace(each, id=records.hash_text(f"{found.folder}\0{found.file}\0{each.id}")[:32], file=found.file)
            for each in before
        ]
        vectors = self._store.vectors(self._fingerprint, list(kept))
        self._mark_dirty()
        if pieces:
            import numpy as np

            rows = np.array([vectors[each.id] for each in before], dtype=np.float32)
            self._store.add(self._fingerprint, [each.id for each in pieces], rows, [found.file] * len(pieces))
        self._commit(row, document, pieces)
        self._moved_from.add(old.key)
        self._renamed.append((old.file, found.file))

    # Vectors and commits

    def _embed(self, batch: list[_Pending]) -> Stage:
        """Embed the chunks of some files, a window at a time, and commit each file when its last vector is in."""
        assert self._store is not None
        ids = [piece.id for each in batch for piece in each.chunks]
        there = self._store.present(self._fingerprint, ids)
        wanted = deque((each, piece) for each in batch for piece in each.chunks if piece.id not in there)
        if wanted:
            self._mark_dirty()
            yield from _meanwhile(self._embedder.load, self._progress("Loading the embedder"))
        waiting = deque(batch)
        while wanted:
            window = [wanted.popleft() for _ in range(min(WINDOW, len(wanted)))]
            yield from self._embed_window(window)
            while waiting and (not wanted or wanted[0][0] is not waiting[0]) and waiting[0] is not window[-1][0]:
                self._commit_pending(waiting.popleft())
            yield self._progress(f"Indexing {window[-1][0].document.file}")
        while waiting:
            self._commit_pending(waiting.popleft())
        batch.clear()

    def _embed_window(self, window: list[tuple[_Pending, Chunk]]) -> Stage:
        assert self._store is not None
        started = monotonic()
        steps = self._embedder.encode_stepwise([embedded_text(piece) for _, piece in window])
        vectors = yield from self._narrated(steps, window[0][0].document.file)
        self._store.add(
            self._fingerprint, [piece.id for _, piece in window], vectors, [piece.file for _, piece in window]
        )
        self._embedded += len(window)
        self._embed_seconds += monotonic() - started

    def _narrated(self, steps: Generator[int, None, Value], file: str) -> Steps[Value]:
        while True:
            try:
                next(steps)
            except StopIteration as done:
                value: Value = done.value
                return value
            yield self._progress(f"Indexing {file}")

    def _commit_pending(self, pending: _Pending) -> None:
        reading, document = pending.reading, pending.document
        row = FileRow(
            *(reading.found.folder, reading.found.file, "indexed", reading.size, reading.mtime_ns, reading.hash, ""),
            *(document.kind, document.title, document.notes, len(pending.chunks), self._fingerprint, readers.VERSION),
        )
        self._commit(row, document, pending.chunks)
        self._count_done(reading.found)

    def _commit(self, row: FileRow, document: Document | None, chunks: tuple[Chunk, ...] | list[Chunk]) -> None:
        before = self._rows.get(row.key)
        stale = set(self._keywords.chunk_ids(before)) - {each.id for each in chunks} if before is not None else set()
        row = replace(row, chunks=len(chunks))
        self._keywords.commit_file(row, document, chunks)
        self._rows[row.key] = row
        if before is not None and stale:
            self._mark_dirty()
            self._drop_vectors(before.made_with, sorted(stale))
        if row.state == "indexed":
            (self._changed if before is not None and before.state == "indexed" else self._added).append(row.file)

    def _drop_vectors(self, fingerprint: str, ids: list[str]) -> None:
        if self._store is not None and fingerprint == self._fingerprint and ids:
            self._store.remove(fingerprint, ids)

    def _tidy(self) -> None:
        """Remove vectors no file names any more, and collections of other settings once every file left them."""
        if self._store is not None:
            named = self._keywords.ids_made_with(self._fingerprint)
            if self._store.count(self._fingerprint) != len(named):
                self._store.remove(self._fingerprint, sorted(self._store.ids(self._fingerprint) - named))
            used = {row.made_with for row in self._rows.values()} | {self._fingerprint}
            for other in self._store.fingerprints() - used:
                self._store.drop(other)
        if self._embed_seconds > 1 and self._bytes_done:
            rate = self._bytes_done / max(1e-3, monotonic() - self._started)
            self._keywords.set_fact("bytes_per_second", str(rate))
        self._keywords.set_fact("fingerprint", self._fingerprint)
        self._keywords.set_fact("dirty", "0")

    # Telling

    def _count_done(self, found: FoundFile) -> None:
        self._done += 1
        self._bytes_done += found.size

    def _progress(self, note: str) -> Progress:
        rate = self._embedded / self._embed_seconds if self._embed_seconds else None
        spent = monotonic() - self._started
        left = None
        if self._bytes_done and spent > 2:
            left = spent * (self._bytes - self._bytes_done) / self._bytes_done
        return Progress(self._done, self._total, note, "files", rate, "chunks/s", left)

    def _report(self) -> IndexReport:
        files, chunks = self._keywords.count()
        return IndexReport(
            *(files, chunks, tuple(sorted(self._added)), tuple(sorted(self._changed)), tuple(sorted(self._removed))),
            *(self._unchanged, tuple(sorted(self._skipped, key=lambda each: each.file)), monotonic() - self._started),
            *(self._embedded, tuple(sorted(self._renamed))),
        )


def _with_lost(difference: Difference, lost: set[tuple[str, str]]) -> Difference:
    """Unchanged files whose vectors are gone count as changed."""
    return replace(
        difference,
        changed=(*difference.changed, *(each for each in difference.unchanged if each.key in lost)),
        unchanged=tuple(each for each in difference.unchanged if each.key not in lost),
    )


def _meanwhile(function: Callable[[], Value], sign: Progress) -> Steps[Value]:
    """Run something that takes seconds (loading a library) in a thread and give signs of life meanwhile."""
    from concurrent.futures import TimeoutError as NotYet

    pool = ThreadPoolExecutor(1, thread_name_prefix="loading")
    try:
        future = pool.submit(function)
        while True:
            try:
                return future.result(TICK)
            except NotYet:
                yield sign
    finally:
        pool.shutdown(wait=False)  # a library half loaded cannot be stopped, but nobody has to wait for it
