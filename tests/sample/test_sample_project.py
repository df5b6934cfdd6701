"""The sample project keeps its promises: what its suite measures is neither trained on nor left unanswered."""

from __future__ import annotations

import copy
import importlib.util
import random
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

RESOURCES = Path(__file__).resolve().parents[2] / "resources"


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    """`resources/check_sample.py`, which is a script and no part of the package."""
    spec = importlib.util.spec_from_file_location("check_sample", RESOURCES / "check_sample.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_sample"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def read(checker: ModuleType) -> Any:
    """The sample as it lies on disk, read once because four readers of office files take seconds."""
    return checker.read_sample()


@pytest.fixture
def sample(read: Any) -> Any:
    """A copy that a test may spoil."""
    return copy.deepcopy(read)


def test_every_check_of_the_sample_passes(checker: ModuleType) -> None:
    findings = checker.check_sample()
    assert findings.problems == []
    assert len(findings.lines) >= 25


def test_a_suite_question_in_a_training_file_is_noticed(checker: ModuleType, sample: Any) -> None:
    findings = checker.Findings()
    row = {"messages": [{"role": "user", "content": sample.cases[70]["question"]}]}
    sample.tickets.append(row)
    checker._check_overlap(sample, findings)
    assert any("asked in no training row" in problem for problem in findings.problems)
    assert any("alike" in problem for problem in findings.problems)


def test_a_fact_missing_from_its_document_is_noticed(checker: ModuleType, sample: Any) -> None:
    findings = checker.Findings()
    sample.texts["operations/suppliers.xlsx"] = "nothing here"
    checker._check_facts(sample, findings)
    assert any("Who supplies the cell" in problem for problem in findings.problems)


def test_an_answer_to_an_unanswerable_question_is_noticed(checker: ModuleType, sample: Any) -> None:
    findings = checker.Findings()
    sample.texts["handbook/extra.txt"] = "Priti Oakshott drives a small green car."
    checker._check_unanswerable(sample, findings)
    assert len(findings.problems) >= 1


def test_the_committed_sample_is_what_the_sources_make(checker: ModuleType, read: Any, tmp_path: Path) -> None:
    from sample_maker.formats import write_page
    from sample_maker.source import read_pages
    from sample_maker.suite import make_suite

    for page in read_pages(RESOURCES / "source" / "documents"):
        made = write_page(page, tmp_path)
        if made.suffix in (".md", ".txt", ".html", ".csv", ".rtf", ".epub"):  # office libraries differ between versions
            assert made.read_bytes() == (RESOURCES / "sample" / "documents" / page.path).read_bytes()
    assert read.cases == make_suite(RESOURCES / "source")


def test_the_committed_reading_rows_are_what_the_sources_make(checker: ModuleType, read: Any) -> None:
    import make_sample

    tickets = make_sample.make_tickets(
        RESOURCES / "source" / "ticket_parts.yaml", make_sample.TICKETS, make_sample.TICKET_SEED
    )
    assert read.readings == make_sample._reading_rows(tickets)


def test_every_kind_of_passage_can_do_without_its_name_and_be_asked_in_vain(checker: ModuleType) -> None:
    from sample_maker.kinds import read_kinds

    kinds = read_kinds(RESOURCES / "source" / "reading_kinds.txt")
    assert [kind.name for kind in kinds if "{e}" in kind.nameless + " ".join(kind.facts)] == []
    assert [kind.name for kind in kinds if not (kind.headings and kind.plain_asks and kind.near)] == []
    assert [kind.name for kind in kinds if len(kind.asks) <= len(kind.slots)] == []  # some are worded twice


def test_a_passage_that_does_not_name_its_subject_is_told_by_its_file_or_heading(checker: ModuleType) -> None:
    from sample_maker.kinds import read_kinds, some_subject
    from sample_maker.origins import slug
    from sample_maker.sheets import some_sheet

    pick, hidden, lost = random.Random(7), 0, []
    for kind in read_kinds(RESOURCES / "source" / "reading_kinds.txt") * 4:
        subject = some_subject(kind, pick)
        sheet = some_sheet(kind, subject, pick)
        if subject.name.lower() not in " ".join(sheet.text.lower().split()):
            hidden += 1
            lost += [] if slug(subject.name) in slug(f"{sheet.origin.file} {sheet.origin.location}") else [sheet]
    assert hidden > 100
    assert lost == []


def test_many_editions_tell_their_year_in_the_file_name_alone(read: Any) -> None:
    pairs = []
    for row in read.readings:
        dated = {re.sub(r"20\d\d", "", p["file"]): [] for p in row["passages"] if re.search(r"20\d\d", p["file"])}
        for passage in row["passages"]:
            dated.get(re.sub(r"20\d\d", "", passage["file"]), []).append(passage)
        pairs += [pair for pair in dated.values() if len(pair) == 2 and pair not in pairs]
    told = [[re.findall(r"20\d\d", each["file"])[0] in each["text"] for each in pair] for pair in pairs]
    assert sum(not any(each) for each in told) >= 8


def test_the_committed_notes_are_what_the_source_makes(checker: ModuleType, read: Any) -> None:
    from sample_maker.suite import make_tone

    assert read.tones == make_tone(RESOURCES / "source") and len(read.tones) >= 15


def test_checks_that_let_another_tone_pass_are_noticed(checker: ModuleType, sample: Any) -> None:
    findings = checker.Findings()
    sample.tones[0]["checks"] = sample.tones[0]["checks"][1:]  # any beginning will do
    checker._check_tones(sample, findings)
    assert any("tone-01" in problem for problem in findings.problems)
