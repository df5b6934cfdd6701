"""An evaluation as the matrix shows it: cases grouped by kind, filtered, each cell in two words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from PySide6.QtCore import QCoreApplication

from workbench.evaluation.records import Case, CaseResult, Evaluation, Suite
from workbench.retrieval.refusal import is_refusal

SHORT = 24  # characters of an answer that is shown in its cell
ABOUT_TEXT = ("contains", "contains_all", "equals", "one_of")  # checks of what the answer says
MET = "met in training"  # a tag of cases that are left out of every figure, so that they can be found by it
KINDS = ("fact", "behaviour", "unanswerable")  # in the order they are shown


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case with what each lane answered."""

    case: str  # its id
    question: str
    kind: str
    tags: tuple[str, ...]
    cells: dict[str, CaseResult]  # by lane; a lane that has not answered yet is missing
    earlier: dict[str, bool]  # by lane: whether it passed in the earlier run; only where both runs know the case

    @property
    def fails(self) -> bool:
        return any(not each.passed for each in self.cells.values())

    @property
    def disagrees(self) -> bool:
        return len({each.passed for each in self.cells.values()}) > 1

    @property
    def changed(self) -> bool:
        return any(self.cells[lane].passed != before for lane, before in self.earlier.items() if lane in self.cells)


@dataclass(frozen=True, slots=True)
class Group:
    """The cases of one kind that passed the filter, with the kind's counts over all its cases."""

    kind: str
    rows: tuple[CaseRow, ...]
    size: int  # cases of the kind, shown or not
    passed: dict[str, tuple[int, int]]  # by lane: passed, answered


@dataclass(frozen=True, slots=True)
class MatrixFilter:
    """Which rows are shown."""

    show: str = "all"  # "all", "failures", "disagreements" or "changed"
    kind: str = ""  # "" any
    tag: str = ""
    text: str = ""  # in the question, the id or an answer


@dataclass(frozen=True, slots=True)
class Matrix:
    """Everything the page shows of a run."""

    lanes: tuple[str, ...]
    groups: tuple[Group, ...]
    counts: dict[str, int] = field(default_factory=dict)  # by filter name, over all rows
    tags: tuple[str, ...] = ()


def build_rows(
    cases: Sequence[Case], results: Iterable[CaseResult], earlier: Iterable[CaseResult] = ()
) -> tuple[CaseRow, ...]:
    """One row per case, in the suite's order; a result whose case has left the suite still gets its row, at the end."""
    cells: dict[str, dict[str, CaseResult]] = {}
    for result in results:
        cells.setdefault(result.case, {})[result.lane] = result
    before: dict[str, dict[str, bool]] = {}
    for result in earlier:
        before.setdefault(result.case, {})[result.lane] = result.passed
    rows = [
        CaseRow(case.id, case.question, case.kind, case.tags, cells.pop(case.id, {}), before.get(case.id, {}))
        for case in cases
    ]
    for name, left in cells.items():
        one = next(iter(left.values()))
        rows.append(CaseRow(name, one.answer.question, one.kind, (), left, before.get(name, {})))
    return tuple(rows)


def build_matrix(rows: Sequence[CaseRow], lanes: Sequence[str], wanted: MatrixFilter) -> Matrix:
    """The rows a filter lets through, grouped by kind, with counts for the filter chips."""
    kinds = [*KINDS, *sorted({row.kind for row in rows} - set(KINDS))]
    groups = []
    for kind in kinds:
        of_kind = [row for row in rows if row.kind == kind]
        shown = tuple(row for row in of_kind if _passes(row, wanted))
        if shown:
            groups.append(Group(kind, shown, len(of_kind), {lane: _count(of_kind, lane) for lane in lanes}))
    counts = {
        "all": len(rows),
        "failures": sum(row.fails for row in rows),
        "disagreements": sum(row.disagrees for row in rows),
        "changed": sum(row.changed for row in rows),
    }
    return Matrix(tuple(lanes), tuple(groups), counts, tuple(sorted({tag for row in rows for tag in row.tags})))


def _count(rows: Sequence[CaseRow], lane: str) -> tuple[int, int]:
    answered = [row.cells[lane] for row in rows if lane in row.cells and MET not in row.tags]
    return sum(each.passed for each in answered), len(answered)


def _passes(row: CaseRow, wanted: MatrixFilter) -> bool:
    if wanted.kind and row.kind != wanted.kind or wanted.tag and wanted.tag not in row.tags:
        return False
    kept = {"failures": row.fails, "disagreements": row.disagrees, "changed": row.changed}
    if not kept.get(wanted.show, True):
        return False
    text = wanted.text.casefold().strip()
    said = (row.question, row.case, *(cell.answer.text for cell in row.cells.values()))
    return not text or any(text in each.casefold() for each in said)


def short_reason(result: CaseResult) -> str:
    """Why a result failed, in a few words; "" for a pass."""
    if result.passed:
        return ""
    if result.answer.stopped == "failed":
        return QCoreApplication.translate("Matrix", "lane failed")
    failed = next((check for check in result.checks if not check.passed), None)
    if failed is None:
        return QCoreApplication.translate("Matrix", "no answer")
    return _said_instead(result.answer.text, failed.reason) if failed.check in ABOUT_TEXT else failed.reason


@lru_cache(maxsize=8192)
def _said_instead(text: str, reason: str) -> str:
    """What a lane said in place of what was expected, which is the same for every lane: where that fits a cell."""
    said = re.sub(r"\s*\[\d+\]", "", " ".join(text.split())).rstrip(".")  # without its citations
    if not said or is_refusal(text):
        return QCoreApplication.translate("Matrix", "no answer")
    return QCoreApplication.translate("Matrix", "says {0}").format(said) if len(said) <= SHORT else reason


def lanes_of(evaluation: Evaluation) -> tuple[str, ...]:
    """The lanes of a run, in the order they were asked."""
    found = dict.fromkeys(evaluation.lanes)
    found.update(dict.fromkeys(result.lane for result in evaluation.results))
    return tuple(found)


def cases_of(evaluation: Evaluation, suite: Suite | None) -> tuple[Case, ...]:
    """The cases of a run: the suite's where it is the same version, else what the results know of them.

    Those that training met carry a tag that says so.
    """
    cases = _known_cases(evaluation, suite)
    return tuple(replace(case, tags=(*case.tags, MET)) if case.id in evaluation.left_out else case for case in cases)


def _known_cases(evaluation: Evaluation, suite: Suite | None) -> tuple[Case, ...]:
    if suite is not None and suite.hash == evaluation.suite_hash:
        return suite.cases
    known = {case.id: case for case in suite.cases} if suite is not None else {}
    found = {each.case: Case(each.case, each.answer.question, each.kind, ()) for each in evaluation.results}
    return tuple(known.get(name, case) for name, case in found.items())
