from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import quick_embedder
from index_checks import check_agreement

from workbench.children import Here
from workbench.cli import run
from workbench.commands.console import Workers
from workbench.commands.index import forget_folder, run_index
from workbench.errors import MissingFile
from workbench.events import last_result
from workbench.index.audit import AuditReport, audit
from workbench.index.build import build
from workbench.index.files import document_text, list_files
from workbench.index.keywords import Keywords
from workbench.index.store import open_store
from workbench.project import Project


@pytest.fixture(autouse=True)
def without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_embedder.install(monkeypatch)


def audited(project: Path, folder: Path) -> AuditReport:
    report = last_result(audit(project, (folder,)))
    assert isinstance(report, AuditReport)
    assert report.left == ()
    assert report.chunks == report.vectors == check_agreement(project)
    return report


def problems_of(report: AuditReport) -> list[tuple[str, str]]:
    return [(each.file, each.problem) for each in report.found]


def change_index(project: Path, sql: str) -> None:
    database = sqlite3.connect(project / "index" / "keywords.sqlite")
    with database:
        database.execute(sql)
    database.close()


def test_an_index_that_is_level_is_proved_so(project: Path, folder: Path) -> None:
    last_result(build(project, (folder,)))
    report = audited(project, folder)
    assert (report.found, report.files, report.build.embedded) == ((), 4, 0)


def test_what_changed_is_named_and_mended(project: Path, folder: Path) -> None:
    last_result(build(project, (folder,)))
    (folder / "returns.txt").unlink()
    (folder / "new.md").write_text("New words.\n")
    report = audited(project, folder)
    assert sorted(problems_of(report)) == [
        ("new.md", "it is in the folder and not in the index"),
        ("returns.txt", "it is in the index and no longer in the folder"),
    ]
    assert (report.build.added, report.build.removed) == (("new.md",), ("returns.txt",))


def test_content_that_changed_behind_an_old_time_is_found(project: Path, folder: Path) -> None:
    last_result(build(project, (folder,)))
    path = folder / "returns.txt"
    before = path.stat()
    path.write_text(path.read_text().replace("24 days", "42 days"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert last_result(build(project, (folder,))).changed == ()
    assert problems_of(audited(project, folder)) == [("returns.txt", "its content is not what was read")]
    assert "42 days" in document_text(project, "returns.txt")


def test_vectors_that_are_lost_or_left_over_are_put_right(project: Path, folder: Path) -> None:
    last_result(build(project, (folder,)))
    store = open_store(project / "index" / "chroma")
    (fingerprint,) = store.fingerprints()
    with Keywords(project / "index") as keywords:
        row = keywords.file("pumps.md")
        assert row is not None
        lost = keywords.chunk_ids(row)[:1]
    vectors = store.vectors(fingerprint, lost)
    store.remove(fingerprint, lost)
    store.add(fingerprint, ["nobody"], [vectors[lost[0]]], ["gone.md"])
    report = audited(project, folder)
    assert problems_of(report) == [("pumps.md", "vectors of it are missing"), ("", "1 vectors belong to no file")]
    assert report.build.embedded == 1


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE chunks SET text = 'other words' WHERE number = 0", "its passages are not those of its text"),
        ("DELETE FROM documents", "its passages are not those of its text"),
        ("INSERT INTO words (words) VALUES ('delete-all')", "the word index does not fit"),
        ("INSERT INTO words (rowid, heading, text) VALUES (9999, 'ghost', 'ghost')", "the word index does not fit"),
        ("UPDATE facts SET value = '1' WHERE name = 'dirty'", "the last build was cut short"),
        ("UPDATE files SET hash = 'x' WHERE file = 'pumps.md'", "its content is not what was read"),
    ],
)
def test_a_database_that_was_tampered_with_is_put_right(project: Path, folder: Path, sql: str, problem: str) -> None:
    last_result(build(project, (folder,)))
    change_index(project, sql)
    report = audited(project, folder)
    assert any(problem in each.problem for each in report.found)
    assert report.build.embedded == 0  # the vectors were there all the time
    assert audited(project, folder).found == ()


def test_a_database_that_is_destroyed_is_made_again_from_the_vectors(project: Path, folder: Path) -> None:
    first = last_result(build(project, (folder,)))
    for path in (project / "index").glob("keywords.sqlite-*"):
        path.unlink()
    (project / "index" / "keywords.sqlite").write_bytes(b"no database at all, " * 500)
    report = audited(project, folder)
    assert "cannot be used" in report.found[0].problem
    assert (report.build.chunks, report.build.embedded) == (first.chunks, 0)


def test_files_of_a_folder_that_was_taken_away_are_named(project: Path, folder: Path) -> None:
    last_result(build(project, (folder,)))
    Project.open(project).change(folders=())
    other = folder.parent / "other"
    other.mkdir()
    (other / "ferry.md").write_text("The ferry leaves at seven.")
    report = last_result(audit(project, (other,)))
    assert any("none of these any more" in each.problem and each.folder == str(folder) for each in report.found)
    assert report.left == () and Project.open(project).info.folders == (other,)


def test_an_audit_of_nothing_indexes(project: Path, folder: Path) -> None:
    report = audited(project, folder)
    assert problems_of(report) == [("", "nothing is indexed yet")]
    assert report.build.files == 4


def test_a_file_that_cannot_be_read_is_no_difference(project: Path, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    (folder / "empty.txt").write_text("")
    last_result(build(project, (folder,)))
    assert audited(project, folder).found == ()


def test_the_command_adds_a_folder_and_forgets_one(project: Path, folder: Path, tmp_path: Path) -> None:
    base, inside, other = Project.open(project), folder / "sub", tmp_path / "other"
    other.mkdir()
    (other / "ferry.md").write_text("The ferry leaves at seven.")
    here = cast(Workers, SimpleNamespace(knowledge=Here()))
    assert run_index(base, inside, here).files == 2
    assert (run_index(base, folder, here).files, base.info.folders) == (4, (folder,))  # which holds the other
    assert run_index(base, inside, here).files == 4  # a part of a folder is none of its own
    assert (run_index(base, other, here).files, base.info.folders) == (5, (folder, other))
    shutil.rmtree(other)
    assert run(["index", str(other), "--forget", "--project", str(project)]) == 0
    assert (len(list_files(project)), Project.open(project).info.folders) == (4, (folder,))
    with pytest.raises(MissingFile, match=str(folder)):
        forget_folder(Project.open(project), other, here)


@pytest.mark.slow
def test_the_command_says_what_it_found_and_proved(
    project: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["index", str(folder), "--audit", "--project", str(project), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["audit"]["left"] == [] and told["audit"]["files"] == 4
    assert told["audit"]["vectors"] == told["chunks"] and len(told["added"]) == 4
    (folder / "photo.png").write_bytes(b"\x89PNG")
    assert run(["index", str(folder), "--audit", "--project", str(project)]) == 0
    said = capsys.readouterr().err
    assert "found: photo.png: it is in the folder and not in the index" in said
    assert "skipped photo.png" in said and "the index holds just what the folder holds" in said
