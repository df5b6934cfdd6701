"""Passages that say nearly the same are known as such, and the report and the list of files name them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import quick_embedder

from workbench.events import last_result
from workbench.index import likeness
from workbench.index.build import build
from workbench.index.files import list_files
from workbench.index.keywords import Keywords
from workbench.index.likeness import Alike

TERMS = "The warranty lasts {} months from the day of purchase. It covers the pump, the seals and the motor, no hose."


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_embedder.install(monkeypatch)


def built(project: Path, folder: Path) -> Any:
    return last_result(build(project, (folder,)))


def test_a_passage_that_repeats_another_is_named_and_forgotten_with_it(project: Path, folder: Path) -> None:
    (folder / "first.md").write_text(TERMS.format(24), encoding="utf-8")
    assert built(project, folder).alike == ()
    (folder / "second.md").write_text(TERMS.format(36), encoding="utf-8")
    (folder / "third.md").write_text(TERMS.format(48), encoding="utf-8")
    where = str(folder)
    report = built(project, folder)
    assert report.alike == (
        Alike(where, "second.md", where, "first.md", 1),
        Alike(where, "third.md", where, "first.md", 1),
    )
    notes = {each.file: each.notes for each in list_files(project)}
    assert notes["second.md"] == ("1 passage says nearly the same as first.md",) and notes["first.md"] == ()
    (folder / "first.md").unlink()
    assert built(project, folder).alike == (Alike(where, "third.md", where, "second.md", 1),)


def test_an_index_of_an_earlier_version_is_compared_by_the_next_build(project: Path, folder: Path) -> None:
    for name in ("first.md", "second.md"):
        (folder / name).write_text(TERMS.format(24), encoding="utf-8")
    expected = built(project, folder).alike
    assert expected
    with Keywords(project / "index", write=True) as index:
        index._db.executescript(
            "DROP TRIGGER twin_left; DROP TRIGGER chunk_waits; DROP TABLE twins; DROP TABLE likeness;"
            "DROP TABLE uncompared;"
        )
    with Keywords(project / "index") as index:
        assert index.alike() == ()
    assert built(project, folder).alike == expected


def test_what_shares_85_percent_of_its_words_is_nearly_always_found_and_nothing_else_is() -> None:
    draw = random.Random(1)
    found = {0.85: 0, 0.3: 0}
    for shared in found:
        for _ in range(200):
            words = [f"w{number}" for number in draw.sample(range(10**6), 100)]
            same = round(2 * 50 * shared / (1 + shared))  # so that two of 50 words have this share of all in common
            one, other = frozenset(words[:50]), frozenset(words[50 - same : 100 - same])
            assert likeness.is_same(one, other) == (shared == 0.85)
            found[shared] += bool(set(likeness._bands(one)) & set(likeness._bands(other)))
    assert found[0.85] >= 190 and found[0.3] <= 40
