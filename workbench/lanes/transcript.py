"""Every question and answer, appended to the project's transcript.jsonl, a line each."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench import records
from workbench.lanes.lane import Answer

TRANSCRIPT = "transcript.jsonl"  # in the project folder


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer and when it was given."""

    at: float  # seconds since 1970
    answer: Answer


def append_answer(project: Path, answer: Answer) -> None:
    """Add an answer. Raises DiskFull; what was written before stays."""
    records.append_line(project / TRANSCRIPT, Entry(time.time(), answer))


def read_transcript(project: Path, newest: int = 0) -> list[Entry]:
    """The entries, oldest first, or only the `newest` of them; lines that cannot be read are left out."""
    return list(_entries(project))[-newest:]


def search_transcript(project: Path, words: str) -> list[Entry]:
    """The entries whose question or answer holds every word, without regard to case, newest first."""
    wanted = words.lower().split()
    found = [each for each in _entries(project) if all(word in _text(each) for word in wanted)]
    return found[::-1]


def _entries(project: Path) -> Iterator[Entry]:
    for line in records.read_lines(project / TRANSCRIPT):
        with contextlib.suppress(TypeError, ValueError, KeyError, AttributeError):
            entry: Entry = records.from_plain(Entry, line)
            yield entry


def _text(entry: Entry) -> str:
    return f"{entry.answer.question}\n{entry.answer.text}".lower()
