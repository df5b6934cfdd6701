"""A reading process stays for the next file where one was asked for, and only there."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.documents import fence
from workbench.documents.fence import FencedReader, Reading, stand_by, stand_down
from workbench.documents.scan import scan
from workbench.events import last_result


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    stand_down()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("The kettle boils.")
    return tmp_path


def read(folder: Path) -> tuple[int | None, Reading]:
    """The process a file was read in, and what it gave."""
    reader = FencedReader()
    try:
        reader.start(next(iter(scan(folder))))
        while (reading := reader.take(0.5)) is None:
            pass
        return reader._child.pid, reading
    finally:
        reader.close()


def is_there(pid: int | None) -> bool:
    return pid is not None and Path(f"/proc/{pid}").exists() if Path("/proc").is_dir() else pid is not None


def test_a_process_that_stands_by_reads_the_next_file_and_the_one_after(folder: Path) -> None:
    last_result(stand_by())
    first, reading = read(folder)
    second, again = read(folder)
    assert first is not None and first == second and is_there(first)
    assert reading.document is not None and again.document == reading.document
    stand_down()
    assert not is_there(first)


def test_without_it_a_process_ends_with_its_reading(folder: Path) -> None:
    first, _ = read(folder)
    assert not is_there(first)
    assert read(folder)[0] != first


def test_one_that_was_killed_meanwhile_is_replaced(folder: Path) -> None:
    last_result(stand_by())
    first, _ = read(folder)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    second, reading = read(folder)
    assert second != first and reading.document is not None


def test_one_that_grew_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last_result(stand_by())
    monkeypatch.setattr(fence, "MOST_KEPT", 1 << 20)
    first, _ = read(folder)
    assert not is_there(first)


def test_a_reading_that_is_given_up_ends_its_process(folder: Path) -> None:
    last_result(stand_by())
    reader = FencedReader()
    pid = reader._child.pid
    assert is_there(pid)
    reader.start(next(iter(scan(folder))))
    reader.close()
    assert not is_there(pid)
    assert read(folder)[1].document is not None
