"""Read files in a process that can be killed: a bad file costs its own time limit and nothing else."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from workbench import children, records
from workbench.documents import readers
from workbench.documents.document import Document
from workbench.documents.scan import FoundFile
from workbench.errors import BadDocument, ChildCrashed
from workbench.events import Progress, Result, Stage

READY_TICK = 0.3  # seconds between signs of life
MOST_KEPT = 200 << 20  # bytes of memory up to which a process that has read files stays for the next ones
STARTING = 15.0  # seconds a new process may take to start on a busy machine, before the file's own time begins


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost."""

    # Of processor time, or of waiting for something; not of waiting for a processor, of which a busy machine has none
    # to give. A 1,000-page PDF takes about a minute on a slow machine.
    seconds: float = 90.0
    seconds_per_mb: float = 3.0  # on top, so that big files are not refused for their size alone
    memory: int = 4 << 30  # bytes of address space of the reading process, where the system can set it


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading one file gave: a document, or the reason why there is none."""

    found: FoundFile
    hash: str = ""  # SHA-256 of the content, "" when it could not be opened
    size: int = 0  # bytes and time of what was read, which may be newer than what the scan saw
    mtime_ns: int = 0
    document: Document | None = None
    reason: str = ""  # why there is no document, "" when there is one or the content was known
    known: bool = False  # the content's hash was among those known already, so it was not read
    lasting: bool = True  # the same content will fail the same way; False: worth another try next time


def read_file(found: FoundFile, known: frozenset[str], limits: Limits) -> Stage:
    """STAGE, run in the fenced process: hash a file and, when its hash is not in `known`, read it."""
    _set_memory_limit(limits.memory)
    yield Result(_read(found, known))


def get_ready() -> Stage:
    """STAGE, run in the fenced process: nothing; it has started, and has loaded what reading needs, once this ends."""
    yield Result(None)


def _read(found: FoundFile, known: frozenset[str]) -> Reading:
    digest = ""
    try:
        for _ in range(2):  # a file that is being written gets a second chance
            before = os.stat(found.path)
            digest = records.hash_file(found.path)
            place = (found, digest, before.st_size, before.st_mtime_ns)
            if digest in known:
                return Reading(*place, known=True)
            try:
                reading = Reading(*place, document=readers.read(found.path, found.file))
            except BadDocument as error:
                reading = Reading(*place, reason=str(error))
            after = os.stat(found.path)
            if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
                return reading
        return Reading(found, reason="the file kept changing while it was being read", lasting=False)
    except FileNotFoundError:
        return Reading(found, reason="the file vanished while it was being read", lasting=False)
    except OSError as error:
        return Reading(found, reason=_unopened(error), lasting=False)
    except MemoryError:
        return Reading(found, digest, found.size, found.mtime_ns, reason="reading it takes more memory than allowed")


def _unopened(error: OSError) -> str:
    return f"the file cannot be opened: {(error.strerror or str(error)).lower()}"


def _set_memory_limit(limit: int) -> None:
    """Cap this process's address space; a system that cannot (Windows, macOS) still has the time limit."""
    if sys.platform.startswith("linux"):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


class _Clock:
    """Runs while a process computes or sleeps, and stands while it waits for a processor."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._looked = monotonic()
        self._computed = 0.0  # seconds of processor time at the last look

    def is_over(self, pid: int | None) -> bool:
        """Whether the time is used up; to be asked every second or so."""
        now = monotonic()
        passed, self._looked = now - self._looked, now
        self._left -= min(passed, self._used(pid, passed))
        return self._left < 0

    def _used(self, pid: int | None, passed: float) -> float:
        import psutil

        if pid is None:
            return passed
        try:
            process = psutil.Process(pid)
            times, computing = process.cpu_times(), process.status() == psutil.STATUS_RUNNING
        except psutil.Error:  # it is gone, which the waiting thread will say
            return passed
        before, self._computed = self._computed, times.user + times.system
        return self._computed - before if computing else passed


class _Spare:
    """The process that stays between two readings, where somebody asked for one: starting it takes half a second."""

    def __init__(self) -> None:
        self.wanted = False
        self._child: children.Child | None = None
        self._lock = threading.Lock()

    def take(self) -> children.Child:
        with self._lock:
            child, self._child = self._child, None
        return child or children.Child("The document reader")

    def give(self, child: children.Child) -> None:
        """Keep a process that is at rest and small, or end it."""
        with self._lock:
            keep = self.wanted and self._child is None and child.pid is not None and _memory(child.pid) < MOST_KEPT
            if keep:
                self._child = child
        if not keep:
            child.close()

    def close(self) -> None:
        with self._lock:
            self.wanted, child, self._child = False, self._child, None
        if child is not None:
            child.close()


_spare = _Spare()


def stand_by() -> Stage:
    """STAGE: from now on a reading process stays ready in this process for the next file; ends when one is there."""
    _spare.wanted = True
    reader = FencedReader()
    try:
        reader.prepare()
        while not reader.is_ready(READY_TICK):
            yield Progress(0, 1, "Getting the document reader ready", "processes")
    finally:
        reader.close()
    yield Result(None)


def stand_down() -> None:
    """End what stands by, and let the next reading end its process again."""
    _spare.close()


def _memory(pid: int) -> int:
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return MOST_KEPT


class FencedReader:
    """Reads one file at a time in its own process; while one is read, the caller may do something else."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._child = _spare.take()
        self._waiter = ThreadPoolExecutor(1, thread_name_prefix="document reader")
        self._future: Future[Reading] | None = None
        self._found: FoundFile | None = None
        self._known: frozenset[str] = frozenset()
        self._again = False  # the file is read for the second time
        self._waiting = False  # the process was asked to start ahead of the first file
        self._clock = _Clock(0.0)

    def prepare(self) -> None:
        """Start the process ahead of the first file: it takes some tenths of a second, and may start meanwhile."""
        if self._child.pid is None and not self._waiting:
            self._waiting = True
            self._waiter.submit(self._get_ready)

    def is_ready(self, timeout: float) -> bool:
        """Whether what `prepare` asked for is done within `timeout` seconds."""
        try:
            self._waiter.submit(lambda: None).result(timeout)
        except NotYet:
            return False
        self._waiting = False
        return True

    def _get_ready(self) -> None:
        with contextlib.suppress(ChildCrashed):  # the first file starts it anew, and says so where that fails too
            for _ in self._child.run(get_ready):
                pass

    def start(self, found: FoundFile, known: frozenset[str] = frozenset()) -> None:
        """Begin to read a file; take its Reading with `take` before starting the next."""
        assert self._future is None, "one file at a time"
        self._found, self._known, self._again = found, known, False
        self._begin(found)

    def _begin(self, found: FoundFile) -> None:
        starting = STARTING if self._child.pid is None or self._waiting else 0.0
        self._waiting = False
        self._clock = _Clock(starting + self._limits.seconds + self._limits.seconds_per_mb * found.size / 1e6)
        self._future = self._waiter.submit(self._read, found, self._known)

    @property
    def busy(self) -> bool:
        """Whether a file was started and not taken."""
        return self._future is not None

    def take(self, timeout: float) -> Reading | None:
        """The Reading once it is there; None when it is not there within `timeout` seconds."""
        assert self._future is not None and self._found is not None, "nothing was started"
        try:
            reading = self._future.result(timeout)
        except NotYet:
            if not self._clock.is_over(self._child.pid):
                return None
            self._child.close()  # it does not answer any more, so this kills it
            self._future.exception()  # the waiting thread has seen the end of it
            reading = self._failed("reading it took too long")
        except ChildCrashed:
            if not self._again:  # somebody may have killed it, which is not the file's fault
                self._again = True
                self._begin(self._found)
                return None
            reading = self._failed("the reader broke down on it")
        self._future = None
        return reading

    def _failed(self, reason: str) -> Reading:
        """The process is gone. The file is not touched here, where what blocked that process would block this one too:
        its size and time tell that it is the same, and is not tried again."""
        found = self._found
        assert found is not None
        return Reading(found, "", found.size, found.mtime_ns, reason=reason)

    def _read(self, found: FoundFile, known: frozenset[str]) -> Reading:
        stage: Generator[object, None, None] = self._child.run(read_file, found, known, self._limits)
        for event in stage:
            if isinstance(event, Result):
                reading: Reading = event.value
                return reading
        raise ChildCrashed("The document reader ended without an answer.")

    def close(self) -> None:
        """Let go of the process, or end it with the file that is being read, which is given up."""
        if self._future is None and not self._waiting:
            self._waiter.shutdown(wait=True, cancel_futures=True)
            _spare.give(self._child)
            return
        self._child.close()
        self._waiter.shutdown(wait=True, cancel_futures=True)
        self._child.close()  # it may have been started ahead just now


def read_fenced(path: Path, limits: Limits | None = None) -> Document:
    """Read one file in a fenced process of its own. Raises BadDocument, also when the reader was killed."""
    reader = FencedReader(limits)
    try:
        status = os.stat(path)
        reader.start(FoundFile(str(path.parent), path.name, path, status.st_size, status.st_mtime_ns))
        reading = None
        while reading is None:
            reading = reader.take(0.5)
    except OSError as error:
        raise BadDocument(_unopened(error)) from error
    finally:
        reader.close()
    if reading.document is None:
        raise BadDocument(reading.reason)
    return reading.document
