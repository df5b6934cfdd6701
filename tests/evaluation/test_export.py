from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from xml.etree import ElementTree

from made_up import make_evaluation, make_suite, telling

from workbench.evaluation.export import compare, write_csv, write_junit
from workbench.evaluation.records import Evaluation


def with_text(evaluation: Evaluation, text: str) -> Evaluation:
    first = evaluation.results[0]
    changed = dataclasses.replace(first, answer=dataclasses.replace(first.answer, text=text))
    return dataclasses.replace(evaluation, results=(changed, *evaluation.results[1:]))


def test_junit_counts_tests_and_failures_per_lane(tmp_path: Path) -> None:
    evaluation = make_evaluation(make_suite(6, 3, 2), telling)
    root = ElementTree.parse(write_junit(tmp_path / "deep" / "junit.xml", evaluation)).getroot()
    suites = {suite.attrib["name"]: suite for suite in root}
    base = suites["Made-up questions.base"]
    failed = 11 - evaluation.lanes["base"].overall.passed
    assert (base.attrib["tests"], base.attrib["failures"], base.attrib["errors"]) == ("11", str(failed), "0")
    assert len(base.findall("testcase")) == 11 and len(base.findall("testcase/failure")) == failed


def test_junit_is_whole_whatever_a_model_says(tmp_path: Path) -> None:
    evaluation = with_text(
        make_evaluation(make_suite(2, 0, 0), lambda *_: False), "\x00\x1b[31m</failure> ]]> & \ufffe"
    )
    root = ElementTree.parse(write_junit(tmp_path / "junit.xml", evaluation)).getroot()
    assert "</failure> ]]> &" in (root.find("testsuite/testcase/failure").text or "")  # type: ignore[union-attr]


def test_csv_has_a_row_per_case_and_lane_and_no_formula(tmp_path: Path) -> None:
    evaluation = with_text(make_evaluation(make_suite(3, 1, 1), telling), '=HYPERLINK("x")\nline')
    path = write_csv(tmp_path / "out.csv", evaluation)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 25
    assert rows[0]["answer"] == '\'=HYPERLINK("x")\nline'
    assert {row["lane"] for row in rows} == set(evaluation.lanes)


def test_comparing_names_the_cases_that_flipped() -> None:
    suite = make_suite(4, 0, 0)
    before = make_evaluation(suite, lambda lane, case, place: place < 2, ("base", "rag"))
    after = make_evaluation(suite, lambda lane, case, place: place < (3 if lane == "rag" else 1), ("base", "rag"))
    comparison = compare(before, after)
    assert comparison.compared == 8 and comparison.same_suite
    assert [(flip.lane, flip.case, flip.passed) for flip in comparison.flips] == [
        ("base", "fact-1", False),
        ("rag", "fact-2", True),
    ]
