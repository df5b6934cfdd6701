from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from workbench.errors import MissingFile
from workbench.evaluation.records import Case
from workbench.evaluation.suite import write_suite
from workbench.evaluation.versions import changes_between, keep_version, list_versions, read_version, suite_of_hash

CASES = tuple(Case(f"c{n}", f"Question {n}?", "fact", ({"contains": [str(n)]},)) for n in range(3))


def test_each_version_of_a_suite_is_kept_once_and_read_back(tmp_path: Path) -> None:
    first = write_suite(tmp_path / "s.yaml", "Mine", CASES)
    keep_version(tmp_path, first)
    keep_version(tmp_path, first)
    second = write_suite(tmp_path / "s.yaml", "Mine", CASES[:2])
    keep_version(tmp_path, second)
    assert [version.cases for version in list_versions(tmp_path, "Mine")] == [3, 2]
    assert read_version(tmp_path, first.hash[:8]).cases == first.cases
    assert suite_of_hash(tmp_path, second.hash) is not None and suite_of_hash(tmp_path, "0" * 64) is None
    with pytest.raises(MissingFile, match="No version"):
        read_version(tmp_path, "zz")


def test_a_file_that_was_edited_since_is_not_kept_under_the_old_hash(tmp_path: Path) -> None:
    read = write_suite(tmp_path / "s.yaml", "Mine", CASES)
    write_suite(tmp_path / "s.yaml", "Mine", CASES[:1])
    keep_version(tmp_path, read)
    assert list_versions(tmp_path) == ()


def test_what_changed_between_two_versions_is_named(tmp_path: Path) -> None:
    before = write_suite(tmp_path / "a.yaml", "Mine", CASES)
    other = dataclasses.replace(CASES[1], question="Another question?")
    tagged = dataclasses.replace(CASES[2], tags=("core",))
    after = write_suite(tmp_path / "b.yaml", "Mine", (other, tagged, Case("new", "New?", "fact", ({"equals": "x"},))))
    found = changes_between(before, after)
    assert (found.added, found.removed, found.changed) == (("new",), ("c0",), ("c1",))
