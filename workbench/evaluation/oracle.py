"""The oracle lane: a failed question of fact once more, given the best passages of the very file that answers it.

What it fails at, no better search would mend; what it passes, the search had missed or the lane had ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from workbench.bases import name_of
from workbench.documents.document import Chunk
from workbench.errors import InputError
from workbench.evaluation.checks import same_file
from workbench.evaluation.expected import answer_share, holds_answer
from workbench.evaluation.records import Case, CaseResult
from workbench.evaluation.text import words
from workbench.index.files import read_index
from workbench.index.keywords import FileRow, Keywords
from workbench.lanes.lane import Lane
from workbench.retrieval.passage import Passage


@dataclass(frozen=True, slots=True)
class Sources:
    """What the index holds of the files that cases name."""

    states: Mapping[str, str] = field(default_factory=dict)  # case -> "missing", "silent" (lacks the answer) or "holds"
    passages: Mapping[str, tuple[Passage, ...]] = field(default_factory=dict)  # case -> best first


def bases_read(lanes: Iterable[Lane]) -> tuple[str, ...]:
    """The knowledge bases some lanes read; the project's own where none reads any."""
    return tuple(dict.fromkeys(lane.base for lane in lanes if lane.context != "none")) or ("",)


def read_sources(home: Path, cases: Iterable[Case], most: int) -> Sources:
    """The best `most` passages of each case's source in a knowledge base; empty when nothing was ever indexed in it."""
    named, base = [case for case in cases if case.source], name_of(home)
    states, passages = {}, {}
    try:
        with read_index(home) as index:
            rows = [row for row in index.files() if row.state == "indexed"]
            for case in named:
                row = next((row for row in rows if same_file(case.source or "", row.file)), None)
                states[case.id] = _state(case, row, index)
                if row is not None:
                    best = _best(case, row, index.chunks(row), most)
                    passages[case.id] = tuple(replace(each, base=base) for each in best)
    except InputError:
        return Sources()
    return Sources(states, passages)


def _state(case: Case, row: FileRow | None, index: Keywords) -> str:
    if row is None:
        return "missing"
    return "silent" if holds_answer(case, index.text(row)) is False else "holds"


def _best(case: Case, row: FileRow, chunks: Sequence[Chunk], most: int) -> tuple[Passage, ...]:
    """Those with the answer first, then those that share most words with the question."""
    asked = set(words(case.question))

    def rank(chunk: Chunk) -> tuple[float, int, int]:
        return -answer_share(case, chunk.text), -len(asked & set(words(f"{chunk.heading} {chunk.text}"))), chunk.number

    return tuple(
        Passage(chunk.id, chunk.file, chunk.location, chunk.text, 1.0, chunk.start, chunk.end, folder=row.folder)
        for chunk in sorted(chunks, key=rank)[:most]
    )


def oracle_lane(lanes: Sequence[Lane], base: str = "") -> Lane | None:
    """The lane that is asked with the right passages of a knowledge base: the documents lane, else the first that reads
    passages of it."""
    reading = [lane for lane in lanes if lane.context in ("passages", "sections") and lane.base == base]
    return next((lane for lane in reading if lane.name == "rag"), reading[0] if reading else None)


def oracle_cases(
    cases: Iterable[Case], lanes: Sequence[Lane], results: Mapping[tuple[str, str], CaseResult], sources: Sources
) -> list[Case]:
    """The questions of fact with an indexed source that some lane failed at which reads it."""
    reading = [lane.name for lane in lanes if lane.context != "none"]
    return [
        case
        for case in cases
        if case.kind == "fact" and sources.passages.get(case.id)
        if any(not results[lane, case.id].passed for lane in reading)
    ]
