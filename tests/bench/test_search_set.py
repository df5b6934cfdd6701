"""The questions that `workbench bench search` asks are fair: answered in the documents, in other words than theirs."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from workbench.bench.search import CHOOSING, REPORTING, Asked, read_questions, set_folder, write_documents
from workbench.documents import readers
from workbench.documents.chunk import chunk

ROW = 5  # words in a row that a reworded question may not share with its document


@cache
def words_of(name: str) -> list[str]:
    path = next(path for path in (set_folder() / "documents").iterdir() if path.stem == name)
    return re.findall(r"\w+", path.read_text(encoding="utf-8").casefold())


def rows(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[place : place + ROW]) for place in range(len(words) - ROW + 1)}


def test_both_halves_hold_questions_of_every_kind_and_share_no_document() -> None:
    asked = read_questions()
    counts = Counter((each.kind, each.half) for each in asked)
    assert all(
        counts[kind, half] > 20 for kind in ("reworded", "exact", "plain", "nothing") for half in (CHOOSING, REPORTING)
    )
    halves = [{each.document for each in asked if each.half == half} - {""} for half in (CHOOSING, REPORTING)]
    assert not halves[0] & halves[1] and len(halves[0] | halves[1]) > 40


def test_a_reworded_question_repeats_no_row_of_words_of_its_document() -> None:
    for each in read_questions():
        if each.kind == "reworded":
            assert not rows(re.findall(r"\w+", each.question.casefold())) & rows(words_of(each.document)), each.question


def test_every_document_has_its_licence_named() -> None:
    named = (set_folder() / "LICENCES.txt").read_text(encoding="utf-8")
    for path in (set_folder() / "documents").iterdir():
        assert path.stem in named or f"{path.stem.split('-')[0]}-*" in named, path.name


@pytest.mark.slow
def test_every_answer_stands_in_a_chunk_of_its_document_in_whatever_format(tmp_path: Path) -> None:
    write_documents(tmp_path)
    by_document: dict[str, list[Asked]] = {}
    for each in read_questions():
        by_document.setdefault(each.document, []).append(each)
    assert {path.suffix for path in tmp_path.iterdir()} == {".md", ".html", ".docx", ".rst", ".txt"}
    for path in tmp_path.iterdir():
        pieces = chunk(readers.read(path, path.name), lambda texts: [len(text) // 4 for text in texts], 254)
        for asked in by_document[path.stem]:
            assert any(asked.answered(piece) for piece in pieces), asked
