from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from index_checks import built, check_agreement

from workbench.documents import readers
from workbench.documents.chunk import Cutting
from workbench.errors import DiskFull, MissingFile, ProjectBusy
from workbench.events import Progress, Result, last_result
from workbench.index import build as build_module
from workbench.index.audit import audit
from workbench.index.build import Builder, build, forget
from workbench.index.files import document_text, file_chunks, list_files, preview_changes, retry_skipped
from workbench.index.keywords import Keywords
from workbench.index.store import Store, open_store
from workbench.project import Project

ALL = ("pumps.md", "returns.txt", "sub/people.md", "sub/prices.csv")


def reads_of(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files handed to the reader from now on."""
    seen: list[str] = []
    start = build_module.FencedReader.start

    def noted(self: build_module.FencedReader, found: object, known: frozenset[str] = frozenset()) -> None:
        seen.append(found.file)  # type: ignore[attr-defined]
        start(self, found, known)  # type: ignore[arg-type]

    monkeypatch.setattr(build_module.FencedReader, "start", noted)
    return seen


def test_a_folder_is_indexed_and_the_second_time_nothing_is_done(
    project: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = built(project, folder)
    assert (first.files, first.added, first.unchanged) == (4, ALL, 0)
    assert first.chunks == first.embedded == check_agreement(project)
    assert Project.open(project).info.folders == (folder,)
    seen = reads_of(monkeypatch)
    second = built(project, folder)
    assert (second.added, second.changed, second.removed, second.unchanged) == ((), (), (), 4)
    assert (second.chunks, second.embedded, seen) == (first.chunks, 0, [])


def test_what_a_person_leaves_out_goes_from_the_index_and_comes_back(project: Path, folder: Path) -> None:
    built(project, folder)
    opened = Project.open(project)
    opened.change(options={"left_out": ["*.csv", "people.*"]})
    assert set(preview_changes(project, (folder,)).removed) == {"sub/people.md", "sub/prices.csv"}
    assert set(built(project, folder).removed) == {"sub/people.md", "sub/prices.csv"}
    check_agreement(project)
    report = last_result(audit(project, (folder,)))
    assert report.found == () and report.files == 2
    opened.change(options={})
    assert set(built(project, folder).added) == {"sub/people.md", "sub/prices.csv"}


def test_an_edit_reads_that_file_only_and_embeds_its_new_chunks_only(
    project: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(project, folder)
    path = folder / "pumps.md"
    path.write_text(path.read_text() + "\n## Storage\n\nDrain the pump before the frost.\n")
    seen = reads_of(monkeypatch)
    report = built(project, folder)
    assert (report.changed, report.added, report.unchanged, report.embedded) == (("pumps.md",), (), 3, 1)
    assert seen == ["pumps.md"]
    assert "frost" in document_text(project, "pumps.md")


def test_one_file_alone_is_read_or_taken_out_and_the_others_wait(project: Path, folder: Path) -> None:
    built(project, folder)
    (folder / "returns.txt").unlink()
    (folder / "sub" / "people.md").unlink()
    for name in ("pumps.md", "new.md", "newer.md"):
        (folder / name).write_text("# Valves\n\nA valve is opened by hand, and closed with a key.\n")
    for file, told in (
        ("returns.txt", ((), (), ("returns.txt",))),
        ("new.md", (("new.md",), (), ())),
        ("pumps.md", ((), ("pumps.md",), ())),
    ):
        report = last_result(build(project, (folder,), ((str(folder), file),)))
        assert (report.added, report.changed, report.removed) == told
        check_agreement(project)
    assert preview_changes(project, (folder,)).removed == ("sub/people.md",)
    assert preview_changes(project, (folder,)).added == ("newer.md",)


def test_removed_renamed_and_touched_files_are_followed_without_embedding_anew(project: Path, folder: Path) -> None:
    built(project, folder)
    (folder / "returns.txt").unlink()
    (folder / "sub" / "people.md").rename(folder / "team.md")
    os.utime(folder / "pumps.md", ns=(1, 1))
    report = built(project, folder)
    assert report.removed == ("returns.txt", "sub/people.md")
    assert (report.added, report.renamed) == (("team.md",), (("sub/people.md", "team.md"),))
    assert (report.changed, report.unchanged, report.embedded) == ((), 2, 0)
    assert "Ada leads" in file_chunks(project, "team.md")[0].text
    assert built(project, folder).unchanged == 3


def test_what_cannot_be_read_is_skipped_with_the_reason_and_does_not_stop_the_rest(project: Path, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (folder / "empty.txt").write_text("")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    report = built(project, folder)
    reasons = {each.file: each.reason for each in report.skipped}
    assert list(reasons) == ["broken.pdf", "empty.txt", "photo.png"]
    assert reasons["empty.txt"] == "the file is empty"
    assert "damaged" in reasons["broken.pdf"]
    assert report.files == 4
    again = built(project, folder)
    assert again.skipped == report.skipped
    states = {each.file: each.state for each in list_files(project)}
    assert states["broken.pdf"] == "skipped" and states["pumps.md"] == "indexed"
    (folder / "broken.pdf").write_text("x")  # a damaged file that was mended under another type
    (folder / "broken.pdf").rename(folder / "mended.txt")
    mended = built(project, folder)
    assert mended.added == ("mended.txt",) and mended.removed == ()


def test_a_skipped_file_is_tried_again_when_asked_for(
    project: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    built(project, folder)
    seen = reads_of(monkeypatch)
    built(project, folder)
    assert seen == []
    assert retry_skipped(project) == 1
    built(project, folder)
    assert seen == ["broken.pdf"]


def test_a_file_that_got_worse_loses_its_place(project: Path, folder: Path) -> None:
    built(project, folder)
    (folder / "pumps.md").write_bytes(b"\x00\x01\x02" * 500)
    report = built(project, folder)
    assert [each.file for each in report.skipped] == ["pumps.md"]
    assert report.files == 3


def test_two_folders_may_hold_files_of_the_same_name(project: Path, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "returns.txt").write_text("Goods may never be returned here.\n")
    report = last_result(build(project, (folder, other)))
    check_agreement(project)
    assert report.files == 5
    assert "never" in document_text(project, "returns.txt", str(other))
    assert "24 days" in document_text(project, "returns.txt", str(folder))
    only = built(project, other)
    assert (only.files, only.unchanged) == (5, 1)
    last_result(forget(project, (other,)))
    assert check_agreement(project) and len(list_files(project)) == 4
    assert Project.open(project).info.folders == (folder,)


def test_other_chunk_settings_rebuild_everything_and_old_vectors_go(project: Path, folder: Path) -> None:
    built(project, folder)
    before = len(file_chunks(project, "pumps.md"))
    opened = Project.open(project)
    with opened.writing("indexing"):
        work = Builder(opened, (folder,), Cutting(size=12, overlap=0))
        try:
            report = last_result(work.run())
        finally:
            work.close()
    assert len(report.changed) == 4
    assert len(file_chunks(project, "pumps.md")) > before
    check_agreement(project)
    assert len(open_store(project / "index" / "chroma").fingerprints()) == 1
    assert preview_changes(project, (folder,)).unchanged == 4


def test_a_preview_says_what_a_build_would_do_and_does_nothing(project: Path, folder: Path) -> None:
    assert preview_changes(project, (folder,)).added == ("pumps.md", "returns.txt", "sub/people.md", "sub/prices.csv")
    assert not (project / "index").exists()
    built(project, folder)
    (folder / "returns.txt").unlink()
    (folder / "new.md").write_text("New words.")
    (folder / "pumps.md").write_text("Other words.")
    preview = preview_changes(project, (folder,))
    assert (preview.added, preview.changed, preview.removed, preview.unchanged) == (
        *(("new.md",), ("pumps.md",), ("returns.txt",), 2),
    )
    assert not preview.rebuilds and preview.size == 22


def test_a_missing_folder_and_a_file_are_refused(project: Path, folder: Path) -> None:
    with pytest.raises(MissingFile, match="is not there"):
        last_result(build(project, (folder / "nowhere",)))
    with pytest.raises(MissingFile, match="is a file"):
        last_result(build(project, (folder / "pumps.md",)))


def test_a_second_writer_is_told_so(project: Path, folder: Path) -> None:
    with Project.open(project).writing("training"), pytest.raises(ProjectBusy):
        last_result(build(project, (folder,)))


def test_a_build_that_is_stopped_keeps_what_is_whole_and_the_next_one_finishes(project: Path, folder: Path) -> None:
    for number in range(30):
        (folder / f"note{number:02}.md").write_text(f"# Note {number}\n\n" + f"Paragraph of note {number}.\n\n" * 40)
    stage = build(project, (folder,))
    for event in stage:
        if isinstance(event, Progress) and event.done > 2:
            break
    started = time.monotonic()
    stage.close()
    assert time.monotonic() - started < 3
    with Keywords(project / "index") as keywords:
        done = keywords.count()[0]
    assert 0 < done < 34
    report = built(project, folder)
    assert (report.files, report.unchanged) == (34, done)


KILLED = """
import sys
from pathlib import Path
from workbench.events import Progress
from workbench.index.build import build
if __name__ == "__main__":
    for event in build(Path(sys.argv[1]), (Path(sys.argv[2]),)):
        if isinstance(event, Progress):
            print(event.done, flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL there")
def test_a_build_that_is_killed_half_way_is_put_right_by_the_next(project: Path, folder: Path, tmp_path: Path) -> None:
    for number in range(60):
        (folder / f"note{number:03}.md").write_text(f"# Note {number}\n\n" + f"Line of note {number}.\n\n" * 60)
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    root = str(Path(build_module.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, str(script), str(project), str(folder)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) >= 20:
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with Keywords(project / "index") as keywords:
        done, dirty = keywords.count()[0], keywords.fact("dirty")
    assert 0 < done < 64 and dirty == "1"
    report = built(project, folder)
    assert (report.files, report.unchanged, len(report.added)) == (64, done, 64 - done)


@pytest.mark.parametrize("broken", ["before the file counts", "before the old vectors leave"])
def test_a_death_between_the_steps_of_a_commit_leaves_nothing_twice(
    project: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    built(project, folder)
    (folder / "pumps.md").write_text("# Pumps\n\nQuite other words about pumps.\n")
    target = (Keywords, "commit_file") if broken == "before the file counts" else (Store, "remove")
    with monkeypatch.context() as patched:
        patched.setattr(*target, die)
        with pytest.raises(Killed):
            last_result(build(project, (folder,)))
    report = built(project, folder)
    assert report.files == 4
    assert "Quite other words" in document_text(project, "pumps.md")


def test_lost_vectors_are_made_again(project: Path, folder: Path) -> None:
    first = built(project, folder)
    open_store(project / "index" / "chroma").close()
    shutil.rmtree(project / "index" / "chroma")
    report = built(project, folder)
    assert (report.chunks, report.embedded) == (first.chunks, first.chunks)


def test_a_lost_word_index_is_made_again_from_the_vectors_there_are(project: Path, folder: Path) -> None:
    first = built(project, folder)
    for path in (project / "index").glob("keywords.sqlite*"):
        path.unlink()
    report = built(project, folder)
    assert (report.chunks, report.embedded) == (first.chunks, 0)


def test_a_full_disk_is_named_and_nothing_done_is_lost(
    project: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(project, folder)
    (folder / "new.md").write_text("# New\n\nWords that find no room.\n")
    commit = Keywords.commit_file

    def full(self: Keywords, *arguments: object) -> None:
        self._db.execute("PRAGMA max_page_count = 1")  # SQLite's own way to a full disk
        commit(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Keywords, "commit_file", full)
        with pytest.raises(DiskFull, match="nothing already indexed is lost"):
            (folder / "new.md").write_text("# New\n\n" + "Words that find no room at all. " * 200)
            last_result(build(project, (folder,)))
    assert built(project, folder).files == 5


def test_chromas_full_disk_is_named(project: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built(project, folder)
    store = open_store(project / "index" / "chroma")
    with pytest.raises(DiskFull), store._naming_trouble():
        raise RuntimeError("error returned from database: (code: 13) database or disk is full")


def test_a_new_reader_version_reads_the_files_again(
    project: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(project, folder)
    monkeypatch.setattr(readers, "VERSION", readers.VERSION + 1)
    assert preview_changes(project, (folder,)).rebuilds
    report = built(project, folder)
    assert (len(report.changed), report.embedded) == (4, 0)


def test_progress_names_files_and_comes_often(project: Path, folder: Path) -> None:
    events = list(build(project, (folder,)))
    assert isinstance(events[-1], Result)
    files = [event for event in events if isinstance(event, Progress) and event.total == 4]
    assert files and files[-1].unit == "files"


def test_the_word_index_holds_no_words_of_removed_files(project: Path, folder: Path) -> None:
    built(project, folder)
    (folder / "pumps.md").unlink()
    built(project, folder)
    with Keywords(project / "index") as keywords:
        assert keywords.search("shaft seal", 5) == []
    check = sqlite3.connect(project / "index" / "keywords.sqlite")
    check.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    check.close()


def test_a_folder_that_is_none_of_the_projects_any_more_leaves_the_index(
    project: Path, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "ferry.md").write_text("The ferry leaves at seven.")
    last_result(build(project, (folder, other)))
    Project.open(project).change(folders=(folder,))  # as a removal that was cut short leaves it
    assert preview_changes(project, (folder,)).removed == ("ferry.md",)
    assert last_result(build(project, (folder,))).removed == ("ferry.md",)
    check_agreement(project)
    last_result(build(project, (folder, other)))
    stage = forget(project, (other,))
    next(stage)
    stage.close()
    assert Project.open(project).info.folders == (folder,)
    last_result(build(project, (folder,)))
    assert {each.folder for each in list_files(project)} == {str(folder)}
