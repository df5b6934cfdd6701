from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import made_files as made
import psutil
import pytest

from workbench import children
from workbench.documents import fence
from workbench.documents.fence import FencedReader, Limits, Reading, read_fenced
from workbench.documents.scan import FoundFile, scan
from workbench.errors import BadDocument
from workbench.events import Result, Stage


def found_in(folder: Path, name: str) -> FoundFile:
    return next(each for each in scan(folder) if each.file == name)


def take(reader: FencedReader, found: FoundFile, known: frozenset[str] = frozenset()) -> Reading:
    reader.start(found, known)
    reading = None
    while reading is None:
        reading = reader.take(0.2)
    return reading


def test_a_document_comes_back_from_the_reading_process(tmp_path: Path) -> None:
    made.make_pdf(tmp_path / "a.pdf", ["Hello one"])
    assert read_fenced(tmp_path / "a.pdf").text == "Hello one"
    with pytest.raises(BadDocument, match="zip bomb"):
        read_fenced(made.make_zip_bomb(tmp_path / "b.docx"))
    with pytest.raises(BadDocument, match="no such file"):
        read_fenced(tmp_path / "missing.txt")


def test_known_content_is_not_read_again_and_a_vanished_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    reader = FencedReader()
    try:
        found = found_in(tmp_path, "a.txt")
        first = take(reader, found)
        assert first.document is not None and first.document.text == "words"
        again = take(reader, found, frozenset({first.hash}))
        assert again.known and again.document is None
        (tmp_path / "a.txt").unlink()
        gone = take(reader, found)
        assert gone.reason == "the file vanished while it was being read" and not gone.lasting
    finally:
        reader.close()


def test_a_reader_that_was_started_ahead_reads_with_that_very_process(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    reader = FencedReader()
    try:
        reader.prepare()
        reader.prepare()  # once is enough
        reader._waiter.submit(int).result()  # the process is there
        ahead = reader._child.pid
        assert take(reader, found_in(tmp_path, "a.txt")).document is not None
        assert ahead is not None and reader._child.pid == ahead
    finally:
        reader.close()


def test_a_reader_is_closed_however_far_its_start_has_come() -> None:
    for _ in range(2):
        reader = FencedReader()
        reader.prepare()
        reader.close()
        assert reader._child.pid is None


def hang_on_bad(found: FoundFile, known: frozenset[str], limits: Limits) -> Stage:
    """Stands in for a reader whose library hangs or dies on one file; runs in the child."""
    if found.file == "hangs.txt":
        time.sleep(600)
    if found.file == "dies.txt":
        os.kill(os.getpid(), signal.SIGSEGV if hasattr(signal, "SIGSEGV") else signal.SIGTERM)
    yield Result(fence._read(found, known))


@pytest.mark.slow
def test_a_reader_that_hangs_or_dies_costs_that_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first.txt", "dies.txt", "hangs.txt", "good.txt"):
        (tmp_path / name).write_text(f"words of {name}")
    monkeypatch.setattr(fence, "read_file", hang_on_bad)
    reader = FencedReader(Limits(seconds=2.0, seconds_per_mb=0.0))
    try:
        assert take(reader, found_in(tmp_path, "first.txt")).document is not None
        assert take(reader, found_in(tmp_path, "hangs.txt")).reason == "reading it took too long"
        assert take(reader, found_in(tmp_path, "dies.txt")).reason == "the reader broke down on it"
        good = take(reader, found_in(tmp_path, "good.txt"))
        assert good.document is not None and good.document.text == "words of good.txt"
    finally:
        reader.close()


def swallow_memory(found: FoundFile, known: frozenset[str], limits: Limits) -> Stage:
    fence._set_memory_limit(limits.memory)
    try:
        bytearray(2**40)
    except MemoryError:
        yield Result("refused")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux keeps an address space limit")
def test_the_reading_process_cannot_take_more_memory_than_it_may(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    child = children.Child("The document reader")
    try:
        events = list(child.run(swallow_memory, found_in(tmp_path, "a.txt"), frozenset(), Limits(memory=2**31)))
    finally:
        child.close()
    assert [event.value for event in events if isinstance(event, Result)] == ["refused"]


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes in folders there")
def test_a_file_that_blocks_its_reader_blocks_nobody_else(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")  # as a drive that does not answer: opening it never ends
    (tmp_path / "good.txt").write_text("words")
    reader = FencedReader(Limits(seconds=0.5, seconds_per_mb=0.0))
    try:
        assert take(reader, found_in(tmp_path, "good.txt")).document is not None  # its process is there
        reading = take(reader, FoundFile(str(tmp_path), "pipe.txt", tmp_path / "pipe.txt", 5, 7))
    finally:
        reader.close()
    assert (reading.reason, reading.size, reading.mtime_ns, reading.lasting) == ("reading it took too long", 5, 7, True)


SPINS = "while True: pass"
SLEEPS = "import time; time.sleep(600)"


@pytest.mark.parametrize("script", [SPINS, SLEEPS])
def test_the_time_limit_counts_computing_and_sleeping(script: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", script])
    try:
        clock, started = fence._Clock(0.5), time.monotonic()
        while not clock.is_over(child.pid):
            assert time.monotonic() - started < 60
            time.sleep(0.02)
        assert time.monotonic() - started >= 0.5
    finally:
        child.kill()
        child.wait()


def test_the_time_limit_stands_while_a_file_waits_for_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    class Starved:
        def __init__(self, _: int) -> None: ...

        def cpu_times(self) -> SimpleNamespace:
            return SimpleNamespace(user=1.0, system=0.5)

        def status(self) -> str:
            return psutil.STATUS_RUNNING

    monkeypatch.setattr(psutil, "Process", Starved)
    now = [0.0]
    monkeypatch.setattr(fence, "monotonic", lambda: now[0])
    clock = fence._Clock(5.0)
    for _ in range(100):
        now[0] += 10.0
        assert not clock.is_over(1)


def die_once(found: FoundFile, known: frozenset[str], limits: Limits) -> Stage:
    """Stands in for a reader that somebody kills while it reads a good file; runs in the child."""
    mark = found.path.with_suffix(".mark")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    yield Result(fence._read(found, known))


def test_a_good_file_whose_reader_was_killed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "good.txt").write_text("words")
    monkeypatch.setattr(fence, "read_file", die_once)
    reader = FencedReader()
    try:
        reading = take(reader, found_in(tmp_path, "good.txt"))
        assert reading.document is not None and reading.document.text == "words"
    finally:
        reader.close()
