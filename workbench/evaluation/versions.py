"""Versions of a suite: the very file each run was asked from, kept in the project, and what changed between two."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from pathlib import Path

from workbench import records
from workbench.errors import BadSuite, MissingFile, WorkbenchError
from workbench.evaluation.records import Case, Suite
from workbench.evaluation.suite import read_suite

FOLDER, LIST = "versions", "versions.jsonl"


@dataclass(frozen=True, slots=True)
class Version:
    """A suite as it once was."""

    suite: str  # its name
    hash: str
    path: Path  # a copy of the file
    kept: str  # ISO time
    cases: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Ids of cases that differ between two versions."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]  # question, kind, source or checks; tags do not count


def keep_version(project: Path, suite: Suite) -> None:
    """Keep a copy of a suite's file, once per content; a suite that lies in no file has none."""
    copy = _folder(project) / f"{suite.hash[:16]}{suite.path.suffix}"
    if copy.exists() or not suite.path.is_file():
        return
    content = suite.path.read_bytes()
    if records.hash_bytes([content]) != suite.hash:  # edited since it was read: what is asked is not in the file
        return
    records.replace_file(copy, lambda file: records.void(file.write(content)))
    version = Version(suite.name, suite.hash, Path(copy.name), time.strftime("%Y-%m-%dT%H:%M:%S"), len(suite.cases))
    records.append_line(_folder(project) / LIST, version)


def list_versions(project: Path, suite: str = "") -> tuple[Version, ...]:
    """The kept versions, of one suite or of all, oldest first."""
    found = []
    for line in records.read_lines(_folder(project) / LIST):
        with contextlib.suppress(TypeError, KeyError, AttributeError):
            version: Version = records.from_plain(Version, line)
            if not suite or version.suite == suite:
                found.append(replace(version, path=_folder(project) / version.path))
    return tuple(version for version in found if version.path.is_file())


def read_version(project: Path, beginning: str) -> Suite:
    """The suite whose hash begins so. Raises MissingFile for none, BadSuite for several."""
    found = {each.hash: each for each in list_versions(project) if each.hash.startswith(beginning)}
    if not beginning or not found:
        raise MissingFile(
            f"No version {beginning or 'of that name'} is kept: see them with `workbench suite versions`."
        )
    if len(found) > 1:
        raise BadSuite(f"Several versions begin with {beginning}: give more of the hash.")
    return read_suite(next(iter(found.values())).path)


def suite_of_hash(project: Path, suite_hash: str) -> Suite | None:
    """The very suite a run was asked from, None when it was not kept."""
    with contextlib.suppress(WorkbenchError):
        return read_version(project, suite_hash)
    return None


def changes_between(before: Suite, after: Suite) -> Changes:
    """What a later version of a suite added, removed and changed."""
    old = {case.id: _essence(case) for case in before.cases}
    new = {case.id: _essence(case) for case in after.cases}
    return Changes(
        added=tuple(each for each in new if each not in old),
        removed=tuple(each for each in old if each not in new),
        changed=tuple(each for each in new if each in old and new[each] != old[each]),
    )


def _essence(case: Case) -> tuple[object, ...]:
    return case.question, case.kind, case.source, case.checks


def case_hash(case: Case) -> str:
    """A short hash of what a case asks and checks, so that results of two versions can be told comparable."""
    return records.hash_text(repr(_essence(case)))[:16]


def _folder(project: Path) -> Path:
    return project / "suites" / FOLDER
