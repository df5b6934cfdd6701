"""The overlap guard: cases that a fine-tune of the run met in training are named, and left out of what is concluded.

Two ways of having met a case: a training row asks what it asks, or a row shows, as text to be read, the very passage
that answers it. A row that only teaches a fact is no overlap: whether that works is what the suite is there to tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import records
from workbench.errors import WorkbenchError
from workbench.evaluation.expected import answer_share, holds_answer
from workbench.evaluation.oracle import Sources
from workbench.evaluation.records import Case
from workbench.evaluation.text import words
from workbench.lanes.lane import Lane
from workbench.tuning.adapter import recorded_hash
from workbench.tuning.columns import Columns, for_files, read_mapped
from workbench.tuning.remarks import same_questions
from workbench.tuning.shapes import Conversation, RowFault, read_shape, recognise

RUN = 13  # words in a row: what the GPT-3 paper (arXiv 2005.14165, appendix C) takes for the same text


@dataclass(frozen=True, slots=True)
class TrainedRow:
    """A training row as far as a case can be met in it; a `remarks.Row`."""

    file: str
    row: int
    messages: tuple[tuple[str, str], ...]
    shown: str  # what the row gives to be read before its last answer
    grounded: bool = False  # the messages hold the question alone

    @property
    def answer(self) -> str:
        return self.messages[-1][1]


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guard found."""

    left_out: Mapping[str, str]  # case -> where training met it, a clause: "row 12 of tickets.jsonl asks the same"
    unread: Mapping[str, str]  # lane -> why it is not known what it was trained on, a clause


def guard_cases(lanes: Iterable[Lane], cases: Sequence[Case], sources: Sequence[Sources]) -> Guarded:
    """Hold every case against the training rows of the run's fine-tunes; `sources` are the passages that answer, of
    each knowledge base."""
    left_out: dict[str, str] = {}
    unread: dict[str, str] = {}
    read: dict[Path, tuple[list[TrainedRow], str]] = {}
    for lane in lanes:
        if lane.adapter is None:
            continue
        folder = lane.adapter.parent
        if folder not in read:
            read[folder] = read_rows(folder)
            left_out = {**_met_passages(read[folder][0], cases, sources), **left_out}
            left_out = {**left_out, **_met_questions(read[folder][0], cases)}
        if read[folder][1]:
            unread[lane.name] = read[folder][1]
    return Guarded({case.id: left_out[case.id] for case in cases if case.id in left_out}, unread)


def read_rows(folder: Path) -> tuple[list[TrainedRow], str]:
    """The rows a run was trained on as they are now, and why they are not known to be all and the same, "" if they are.

    Rows that cannot be trained are passed over, as training did; rows held out are taken as seen, for they chose the
    state that was kept.
    """
    recipe, manifest = _plain(folder / "recipe.json"), _plain(folder / "manifest.json")
    files = [Path(each) for each in recipe.get("datasets") or ()]
    hashes: dict[str, str] = manifest.get("datasets") or {}
    rows: list[TrainedRow] = []
    mapping = records.from_plain(tuple[Columns | None, ...], recipe.get("columns") or ())
    for path, columns in for_files(files, mapping):
        try:
            rows += _rows(path, columns)
            recorded = recorded_hash(hashes, path, folder)
            changed = recorded is not None and records.hash_file(path) != recorded
        except (WorkbenchError, OSError):
            return rows, f"{path.name}, which it was trained on, cannot be read"
        if changed:
            return rows, f"{path.name} was changed since it was trained on"
    return rows, "" if files else "nothing tells what it was trained on"


def _plain(path: Path) -> dict[str, Any]:
    try:
        found = records.read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _rows(path: Path, columns: Columns | None) -> list[TrainedRow]:
    found = []
    for raw in read_mapped(path, columns).rows:
        shape = "" if raw.fault else recognise(raw.value)
        if raw.fault or (columns is None and not shape):
            continue
        try:
            said = read_shape(shape, raw.value) if columns is None else columns.read(raw.value)
        except RowFault:
            continue
        found.append(_row(path.name, raw.number, said))
    return found


def _row(file: str, number: int, said: Conversation) -> TrainedRow:
    shown = [*(each.text for each in said.passages), *(content for _, content in said.messages[:-1])]
    return TrainedRow(file, number, said.messages, "\n".join(shown))


def _met_questions(rows: Sequence[TrainedRow], cases: Sequence[Case]) -> dict[str, str]:
    """Cases that a row asks word for word, or nearly so."""
    found: dict[str, str] = {}
    for row, alike in same_questions(rows, [(case.id, case.question) for case in cases]):
        for case in alike:
            found.setdefault(case, f"row {row.row} of {row.file} asks the same")
    return found


def _met_passages(rows: Sequence[TrainedRow], cases: Sequence[Case], sources: Sequence[Sources]) -> dict[str, str]:
    """Cases of fact whose answering passage a row gives to be read: it shares a long run of words and the answer."""
    known = {case.id: case for case in cases if case.kind == "fact"}
    holders = defaultdict[int, set[str]](set)
    for each in known.values():
        for passage in (first for held in sources for first in held.passages.get(each.id, ())[:1]):  # the best one
            if answer_share(each, passage.text) == 1:
                for mark in _runs(passage.text):
                    holders[mark].add(each.id)
    found: dict[str, str] = {}
    read: dict[str, frozenset[str]] = {}  # several rows read the same passages
    for row in rows if holders else ():
        if row.shown not in read:
            read[row.shown] = frozenset(case for run in _runs(row.shown) for case in holders.get(run, ()))
        for case in read[row.shown]:
            if case not in found and holds_answer(known[case], row.shown):
                found[case] = f"row {row.row} of {row.file} reads the passage that answers it"
    return found


def _runs(text: str) -> set[int]:
    each = words(text)
    return {hash(tuple(each[place : place + RUN])) for place in range(len(each) - RUN + 1)}
