"""An evaluation for other programs: JUnit XML, CSV, and what changed since an earlier one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from workbench import records
from workbench.evaluation.records import CaseResult, Evaluation
from workbench.evaluation.summary import regroup

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # https://www.w3.org/TR/xml/#charsets

COLUMNS = ("case", "kind", "lane", "passed", "failed_checks", "question", "answer", "sources", "seconds", "first_token")


def write_junit(path: Path, evaluation: Evaluation, regressions: Collection[tuple[str, str]] = ()) -> Path:
    """Write a JUnit XML report: a test suite per lane, a test per case, failures with the checks' reasons; cases that
    training met are skipped.

    `regressions` are lane and case of what passed in the dossier that the run is held against.
    """
    root = ElementTree.Element("testsuites", name=evaluation.suite)
    for lane, results in regroup(evaluation.results, lambda result: result.lane).items():
        counted = [result for result in results if result.case not in evaluation.left_out]
        errors = sum(result.answer.stopped == "failed" for result in counted)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_xml(f"{evaluation.suite}.{lane}"),
            tests=str(len(results)),
            failures=str(sum(not result.passed for result in counted) - errors),
            errors=str(errors),
            skipped=str(len(results) - len(counted)),
            time=f"{sum(result.answer.seconds for result in results):.3f}",
            timestamp=evaluation.created,
        )
        for result in results:
            regression = (result.lane, result.case) in regressions
            _add_case(suite, result, regression, evaluation.left_out.get(result.case, ""))
    ElementTree.indent(root)
    records.write_text(path, ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n")
    return path


def _add_case(suite: ElementTree.Element, result: CaseResult, regression: bool, met: str) -> None:
    name, group = _xml(result.case), _xml(f"{result.lane}.{result.kind}")
    case = ElementTree.SubElement(suite, "testcase", name=name, classname=group, time=f"{result.answer.seconds:.3f}")
    if met:  # a fine-tune learnt it: neither right nor wrong says anything
        ElementTree.SubElement(case, "skipped", message=_xml(f"met in training: {met}"))
    elif not result.passed:
        tag = "error" if result.answer.stopped == "failed" else "failure"
        message = ("passed before; " if regression else "") + "; ".join(failed_checks(result))
        failed = ElementTree.SubElement(case, tag, message=_xml(message), type="regression" if regression else "check")
        failed.text = _xml(f"Question: {result.answer.question}\nAnswer: {result.answer.text}")


def _xml(text: str) -> str:
    """Text as XML can hold it: control characters, which a model may well say, become a replacement mark."""
    return _NOT_XML.sub("\ufffd", text)


def failed_checks(result: CaseResult) -> list[str]:
    """The failed checks of a result with their reasons, for people."""
    return [f"{check.check}: {check.reason}" for check in result.checks if not check.passed]


def write_csv(path: Path, evaluation: Evaluation) -> Path:
    """Write one row per case and lane, for a spreadsheet; a text it would run as a formula gets a quote before it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        [
            "case",
            "kind",
            "lane",
            "passed",
            "failed_checks",
            "question",
            "answer",
            "sources",
            "seconds",
            "first_token_seconds",
        ]
    )
    for result in evaluation.results:
        answer = result.answer
        sources = "; ".join(dict.fromkeys(passage.file for passage in answer.passages))
        row = [
            result.case,
            result.kind,
            result.lane,
            "yes" if result.passed else "no",
            "; ".join(failed_checks(result)),
        ]
        row += [answer.question, answer.text, sources, f"{answer.seconds:.3f}", f"{answer.first_token_seconds:.3f}"]
        writer.writerow([_harmless(cell) for cell in row])
    # the byte-order mark makes spreadsheets read UTF-8; the csv module ends lines as RFC 4180 asks
    records.replace_file(path, lambda file: records.void(file.write(("\ufeff" + text.getvalue()).encode("utf-8"))))
    return path


def _harmless(cell: str) -> str:
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


@dataclass(frozen=True, slots=True)
class Flip:
    """A case whose verdict changed between two evaluations."""

    case: str
    lane: str
    passed: bool  # now; it was the other way before
    before: str  # the earlier answer's text
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed since an earlier evaluation, over the cases and lanes both have."""

    flips: tuple[Flip, ...]
    compared: int  # pairs of answers
    same_suite: bool  # whether both ran the very same version of the suite


def compare(before: Evaluation, after: Evaluation) -> Comparison:
    """Which cases flipped between two evaluations, in the order of the later one."""
    earlier = {(result.lane, result.case): result for result in before.results}
    shared = [(earlier[key], each) for each in after.results if (key := (each.lane, each.case)) in earlier]
    flips = tuple(
        Flip(now.case, now.lane, now.passed, then.answer.text, now.answer.text)
        for then, now in shared
        if then.passed != now.passed
    )
    return Comparison(flips, len(shared), before.suite_hash == after.suite_hash)
