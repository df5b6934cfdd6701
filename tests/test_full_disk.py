"""A disk that is really full: a small file system in memory, mounted for the test. Nothing already done is lost."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOM = 12 << 20  # bytes of the small disk: an empty index with Chroma takes about 2 MB
CASES = [
    {"id": "one", "kind": "fact", "question": "What is the capital of France?", "checks": [{"contains": ["Paris"]}]},
    {"id": "two", "kind": "fact", "question": "How many legs has a horse?", "checks": [{"contains": ["four", "4"]}]},
    {"id": "three", "kind": "behaviour", "question": "Say hello.", "checks": [{"max_words": 60}]},
]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root on Linux")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def workbench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workbench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


@contextlib.contextmanager
def filled(disk: Path, left: int) -> Iterator[None]:
    """The disk with but `left` bytes to write in."""
    ballast = disk / "ballast"
    free = shutil.disk_usage(disk).free
    with ballast.open("wb") as file:
        file.write(b"\0" * max(0, free - left))
        os.fsync(file.fileno())
    yield
    ballast.unlink()


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What was said last; a traceback is no sentence."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.slow
def test_indexing_on_a_full_disk_keeps_what_was_indexed(small_disk: Path, tmp_path: Path) -> None:
    documents, project = tmp_path / "documents", small_disk / "project"
    documents.mkdir()
    for number in range(6):
        (documents / f"note{number}.md").write_text(f"# Note {number}\n\nThe pump of hall {number} is blue.\n")
    assert workbench("index", documents, "--project", project).returncode == 0
    for number in range(6, 16):
        (documents / f"note{number}.md").write_text(f"# Note {number}\n\n" + f"Word{number} of the hall. " * 3000)
    with filled(small_disk, left=200_000):
        assert "full" in one_sentence(workbench("index", documents, "--project", project))
    found = workbench("search", "Which colour is the pump of hall 3?", "-k", "3", "--project", project, "--json")
    files = [passage["file"] for passage in json.loads(found.stdout)["searches"][0]["passages"]]
    assert "note3.md" in files
    for number in range(6, 16):
        (documents / f"note{number}.md").unlink()
    told = json.loads(workbench("index", documents, "--project", project, "--json").stdout)
    assert told["files"] == 6


@pytest.mark.slow
def test_an_evaluation_on_a_full_disk_goes_on_where_it_stopped(small_disk: Path, tmp_path: Path) -> None:
    suite, project = tmp_path / "suite.jsonl", small_disk / "project"
    suite.write_text("".join(json.dumps(case) + "\n" for case in CASES))
    run = ("evaluate", suite, "--lane", "base", "--max-tokens", "8", "--name", "first", "--project", project)
    assert workbench("ask", "Hello", "--lane", "base", "--max-tokens", "4", "--project", project).returncode == 0
    before = (project / "transcript.jsonl").read_bytes()
    with filled(small_disk, left=8_000):
        assert "full" in one_sentence(workbench(*run))
    assert (project / "transcript.jsonl").read_bytes() == before
    done = workbench(*run, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["lanes"]["base"]["total"] == 3


@pytest.mark.slow
def test_a_fine_tune_on_a_full_disk_says_so_and_goes_on_later(small_disk: Path, tmp_path: Path) -> None:
    rows, project = tmp_path / "rows.jsonl", small_disk / "project"
    rows.write_text("".join(json.dumps({"prompt": f"Say {n}", "completion": f"It is {n}."}) + "\n" for n in range(12)))
    tune = ("tune", rows, "--name", "few", "--epochs", "2", "--project", project)
    with filled(small_disk, left=100_000):  # a checkpoint takes some 20 MB
        assert "full" in one_sentence(workbench(*tune))
