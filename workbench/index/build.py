"""STAGE build: bring the index level with its folders, one file at a time; ledger.py keeps what is written whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TypeVar

from workbench import records
from workbench.bases import Base, open_base
from workbench.documents.chunk import Cutting, chunk_stepwise, embedded_text
from workbench.documents.document import Chunk, Document
from workbench.documents.fence import FencedReader, Limits, Reading
from workbench.documents.scan import Difference, FoundFile, KnownFile, compare, scan
from workbench.events import Note, Progress, Result, Stage
from workbench.index.files import check_folders, cutting_of, folder_names, known_files, left_out_of, why_not
from workbench.index.keywords import FileRow
from workbench.index.ledger import Key, Ledger

WINDOW = 96  # chunks embedded together: enough to sort by length, few enough to lose little when stopped
TICK = 0.3  # seconds between signs of life

Value = TypeVar("Value")
Steps = Generator[Progress | Note, None, Value]


def build(home: Path, folders: tuple[Path, ...], only: tuple[Key, ...] = ()) -> Stage:
    """STAGE: bring the index of a knowledge base level with folders; the last Result is an IndexReport.

    `home` is the base's folder. Only the files of these folders are looked at, which become the base's; those of its
    other folders stay, and what is of none of them any more leaves the index. With `only`, pairs of folder and file, no
    other file is read or taken out, however it differs from the index. Raises MissingFile for a folder that is not
    there, ProjectBusy while another process writes, DiskFull, BadProject for a damaged index.
    """
    opened = open_base(home)
    checked = check_folders(folders)
    with opened.writing("indexing"), records.naming_full_disk(opened.index_folder / "index"):
        work = Builder(opened, checked, only=only)
        try:
            yield from work.run()
        finally:
            work.close()


def forget(home: Path, folders: tuple[Path, ...]) -> Stage:
    """STAGE: take all files of some folders out of the index; the folders need not exist. Last Result: IndexReport."""
    opened = open_base(home)
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
    """One build: how the folders differ from the index, what is read and in which order."""

    def __init__(
        self,
        base: Base,
        folders: tuple[Path, ...],
        cutting: Cutting | None = None,
        limits: Limits | None = None,
        only: tuple[Key, ...] = (),
    ) -> None:
        self._started = monotonic()
        self._base, self._folders, self._only = base, folders, frozenset(only)
        self._ledger = Ledger(base, cutting or cutting_of(base))
        self._embedder = self._ledger.embedder
        self._reader = FencedReader(limits)
        self._total = self._done = 0  # files to look into
        self._bytes = self._bytes_done = 0  # of the same
        self._embed_seconds = 0.0

    def close(self) -> None:
        """Let go of everything; called however the build ends."""
        self._reader.close()
        self._ledger.close()

    def run(self) -> Stage:
        """The whole build."""
        difference = yield from self._compare()
        if difference.new or difference.changed or difference.gone or self._ledger.is_dirty():
            yield from self._open_store()
            difference = _with_lost(difference, self._ledger.lost)
        if self._only:
            difference = _narrowed(difference, self._only)
        self._base.change(folders=tuple(dict.fromkeys((*self._base.info.folders, *self._folders))))
        todo = [each for each in (*difference.new, *difference.changed) if not self._skip_unread(each)]
        waiting = self._remove_gone(difference, todo)
        for found in difference.unchanged:
            self._ledger.keep(self._ledger.rows[found.key])
        yield from self._bring(todo, waiting)
        for gone in waiting:
            self._ledger.remove(gone.key)
        self._note_speed()
        self._ledger.tidy()
        for done in self._ledger.keywords.compare_new():
            yield self._progress(f"Looking for what is said twice: {done:,} passages")
        yield Result(self._ledger.report(monotonic() - self._started))

    def forget(self) -> Stage:
        """Take every file of the folders out."""
        names = folder_names(self._folders)
        kept = tuple(folder for folder in self._base.info.folders if not folder_names((folder,)) & names)
        self._base.change(folders=kept)  # first: what a stop leaves of them goes with the next build
        yield from self._open_store()
        for key in [key for key in self._ledger.rows if key[0] in names]:
            self._ledger.remove(key)
            yield Progress(self._ledger.removed, 0, f"Removing {key[1]}", "files")
        self._ledger.tidy()
        yield Result(self._ledger.report(monotonic() - self._started))

    # What changed

    def _compare(self) -> Steps[Difference]:
        found: list[FoundFile] = []
        told = monotonic()
        yield Progress(0, 0, "Looking through the folder", "files")
        for folder in self._folders:
            for each in scan(folder, left_out_of(self._base)):
                found.append(each)
                if self._is_news(each):
                    self._reader.prepare()
                if monotonic() - told > TICK:
                    told = monotonic()
                    yield Progress(len(found), 0, "Looking through the folder", "files")
        kept = (*self._base.info.folders, *self._folders)
        difference = compare(found, known_files(self._ledger.rows, self._folders, self._ledger.fingerprint, kept))
        closed = [f"{each.file}/" for each in found if each.closed]  # what cannot be looked into is not gone
        gone = [each for each in difference.gone if not any(each.file.startswith(name) for name in closed)]
        return replace(difference, gone=tuple(gone))

    def _is_news(self, found: FoundFile) -> bool:
        """Whether a file will be read, as far as its entry tells."""
        row = self._ledger.rows.get(found.key)
        same = row is not None and (row.size, row.mtime_ns) == (found.size, found.mtime_ns)
        return not same and not why_not(found)

    def _open_store(self) -> Steps[None]:
        store = yield from _meanwhile(self._ledger.opening(), Progress(0, 0, "Opening the index", "files"))
        self._ledger.use(store)

    def _skip_unread(self, found: FoundFile) -> bool:
        """Note a file that its entry or name already rules out."""
        reason = why_not(found)
        if reason:
            self._ledger.skip(found, reason)
        return bool(reason)

    def _remove_gone(self, difference: Difference, todo: list[FoundFile]) -> list[KnownFile]:
        """Remove what is gone for good at once; gives those that a new file of the same size may replace."""
        sizes = {(each.size, each.path.suffix) for each in todo}
        waiting = []
        for gone in difference.gone:
            row = self._ledger.rows[gone.key]
            if row.state == "indexed" and (row.size, Path(row.file).suffix) in sizes:
                waiting.append(gone)
            else:
                self._ledger.remove(gone.key)
        return waiting

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
                yield from self._sort_in(reading, gone, batch)
            elif batch:
                yield from self._embed(batch)
            if reading is None or monotonic() - told > TICK:
                told = monotonic()
                yield self._progress(f"Reading {queue[0].file if queue else todo[-1].file}")

    def _known_hashes(self, found: FoundFile, gone: list[KnownFile]) -> frozenset[str]:
        """Contents that need no reading: the file's own, and those of files it may be the new name of."""
        own = self._ledger.rows.get(found.key)
        whole = own is not None and own.lasting and self._ledger.is_current(own) and own.key not in self._ledger.lost
        rows = [own] if own is not None and whole else []
        rows += self._sources(found, gone)
        return frozenset(row.hash for row in rows if row.hash)

    def _sources(self, found: FoundFile, gone: list[KnownFile]) -> list[FileRow]:
        """Rows of vanished files that this one may be the new name of."""
        rows = [self._ledger.rows[each.key] for each in gone if each.key not in self._ledger.moved]
        alike = [row for row in rows if row.size == found.size and Path(row.file).suffix == found.path.suffix]
        return [row for row in alike if self._ledger.is_current(row) and row.key not in self._ledger.lost]

    def _sort_in(self, reading: Reading, gone: list[KnownFile], batch: list[_Pending]) -> Steps[None]:
        found, before = reading.found, self._ledger.rows.get(reading.found.key)
        if reading.document is not None:
            steps = chunk_stepwise(
                reading.document, self._embedder.count, self._embedder.limit, self._ledger.cutting, found.folder
            )
            pieces = yield from self._narrated(steps, f"Cutting {found.file}")
            batch.append(_Pending(reading, reading.document, pieces))
            return
        self._count_done(found)
        if not reading.known:
            self._ledger.skip(found, reading.reason, reading)
        elif before is not None and before.hash == reading.hash:
            self._ledger.touch(before, reading)
        else:
            self._ledger.rename(next(row for row in self._sources(found, gone) if row.hash == reading.hash), reading)

    def _embed(self, batch: list[_Pending]) -> Stage:
        """Embed the chunks of some files, a window at a time, and commit each file when its last vector is in."""
        missing = self._ledger.missing([piece.id for each in batch for piece in each.chunks])
        wanted = deque((each, piece) for each in batch for piece in each.chunks if piece.id in missing)
        if wanted:
            self._ledger.mark_dirty()
            yield from _meanwhile(self._embedder.get_ready, self._progress("Loading the embedder"))
        waiting = deque(batch)
        while wanted:
            window = [wanted.popleft() for _ in range(min(WINDOW, len(wanted)))]
            yield from self._embed_window([piece for _, piece in window])
            while waiting and (not wanted or wanted[0][0] is not waiting[0]) and waiting[0] is not window[-1][0]:
                self._commit(waiting.popleft())
            yield self._progress(f"Indexing {window[-1][0].document.file}")
        while waiting:
            self._commit(waiting.popleft())
        batch.clear()

    def _embed_window(self, pieces: list[Chunk]) -> Stage:
        started = monotonic()
        steps = self._embedder.read_stepwise([embedded_text(piece) for piece in pieces], gives_way=True)
        read = yield from self._narrated(steps, f"Indexing {pieces[0].file}")
        self._ledger.add_vectors(pieces, read)
        self._embed_seconds += monotonic() - started

    def _narrated(self, steps: Generator[int, None, Value], note: str) -> Steps[Value]:
        """Take some steps, with a sign of life now and then: that is where a stop is heard."""
        told = monotonic()
        while True:
            try:
                next(steps)
            except StopIteration as done:
                value: Value = done.value
                return value
            if monotonic() - told > TICK / 2:
                told = monotonic()
                yield self._progress(note)

    def _commit(self, pending: _Pending) -> None:
        self._ledger.commit(pending.reading, pending.document, pending.chunks)
        self._count_done(pending.reading.found)

    # Telling

    def _count_done(self, found: FoundFile) -> None:
        self._done += 1
        self._bytes_done += found.size

    def _note_speed(self) -> None:
        """Keep how fast this was, for the next preview."""
        if self._embed_seconds > 1 and self._bytes_done:
            rate = self._bytes_done / max(1e-3, monotonic() - self._started)
            self._ledger.keywords.set_fact("bytes_per_second", str(rate))

    def _progress(self, note: str) -> Progress:
        rate = self._ledger.embedded / self._embed_seconds if self._embed_seconds else None
        spent = monotonic() - self._started
        left = None
        if self._bytes_done and spent > 2:
            left = spent * (self._bytes - self._bytes_done) / self._bytes_done
        return Progress(self._done, self._total, note, "files", rate, "chunks/s", left)


def _with_lost(difference: Difference, lost: set[Key]) -> Difference:
    """Unchanged files whose vectors are gone count as changed."""
    return replace(
        difference,
        changed=(*difference.changed, *(each for each in difference.unchanged if each.key in lost)),
        unchanged=tuple(each for each in difference.unchanged if each.key not in lost),
    )


def _narrowed(difference: Difference, only: frozenset[Key]) -> Difference:
    """The same for these files alone; what differs otherwise waits."""
    return replace(
        difference,
        new=tuple(each for each in difference.new if each.key in only),
        changed=tuple(each for each in difference.changed if each.key in only),
        gone=tuple(each for each in difference.gone if each.key in only),
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
