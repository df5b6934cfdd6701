"""Several knowledge bases in one project, over the real index: what is done to one never touches another."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
import quick_embedder
from index_checks import check_agreement

from workbench import records
from workbench.bases import (
    all_bases,
    base_names,
    check_name,
    delete_base,
    find_base,
    home_of,
    index_size,
    make_base,
    name_of,
    open_base,
    rename_base,
)
from workbench.cli import run
from workbench.documents.chunk import Cutting
from workbench.errors import BadProject, InputError, MissingFile, ProjectBusy
from workbench.events import Result, last_result
from workbench.index.audit import audit
from workbench.index.build import build, forget
from workbench.index.files import cutting_of, document_text, left_out_of, list_files, preview_changes, retry_skipped
from workbench.index.store import let_go
from workbench.project import Project, ProjectInfo
from workbench.retrieval.passage import SearchResult
from workbench.retrieval.search import search, whole


@pytest.fixture(autouse=True)
def without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_embedder.install(monkeypatch)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A folder that says the opposite under one of the same names."""
    made = tmp_path / "other"
    made.mkdir()
    (made / "returns.txt").write_text("Goods may be returned within 60 days. The seller pays the carriage.\n")
    return made


@pytest.fixture
def both(project: Path, folder: Path, other: Path) -> Project:
    """A project with its own base and one called "Old terms", both indexed."""
    opened = Project.open(project)
    home = make_base(opened, "Old terms").folder
    last_result(build(project, (folder,)))
    last_result(build(home, (other,)))
    return opened


def files_of(home: Path) -> list[str]:
    return [each.file for each in list_files(home)]


def found(home: Path, question: str) -> SearchResult:
    [result] = [each.value for each in search(home, (question,), 3) if isinstance(each, Result)]
    assert isinstance(result, SearchResult)
    return result


def snapshot(folder: Path) -> dict[str, str]:
    """Every file under a folder by its content, but for what SQLite keeps beside a database that is read."""
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))]
    return {str(path.relative_to(folder)): records.hash_file(path) for path in paths}


def test_a_project_of_before_opens_as_it_was(project: Path, folder: Path) -> None:
    project.mkdir()
    (project / "project.json").write_text(json.dumps({"name": "Old", "format": 1, "folders": [str(folder)]}))
    opened = Project.open(project)
    assert all_bases(opened) == (opened,) and open_base(project).info == opened.info
    last_result(build(project, (folder,)))
    assert (project / "index" / "keywords.sqlite").exists() and not (project / "bases").exists()
    known = set(json.loads((project / "project.json").read_text()))
    assert known == {"name", "format", "folders", "system_prompt", "examples", "chat_model", "lanes", "options"}


def test_each_base_reads_its_own_folders_and_finds_its_own_answer(both: Project, folder: Path, other: Path) -> None:
    home = home_of(both.folder, "Old terms")
    assert (files_of(home), len(files_of(both.folder))) == (["returns.txt"], 4)
    assert (check_agreement(home), check_agreement(both.folder)) == (1, 5)
    assert open_base(home).info.folders == (other,) and Project.open(both.folder).info.folders == (folder,)
    question = "Within how many days may goods be returned?"
    ours, theirs = found(both.folder, question).passages[0], found(home, question).passages[0]
    assert ("24 days" in ours.text, ours.base) == (True, "")
    assert ("60 days" in theirs.text, theirs.base) == (True, "Old terms")
    [document] = [each.value for each in whole(home, (("", "returns.txt"),)) if isinstance(each, Result)]
    assert "60 days" in document.text and document.base == "Old terms"
    assert "24 days" in document_text(both.folder, "returns.txt")


def test_an_audit_mends_its_own_base_and_leaves_the_other_as_it_is(both: Project, folder: Path, other: Path) -> None:
    home = home_of(both.folder, "Old terms")
    for place in (both.folder, home):
        database = sqlite3.connect(place / "index" / "keywords.sqlite")
        with database:
            database.execute("UPDATE chunks SET text = 'other words'")
        database.close()
    before = snapshot(both.index_folder)
    told = last_result(audit(home, (other,)))
    assert {each.file for each in told.found} == {
        "returns.txt",
        "",
    } and told.left == ()  # "": the word index as a whole
    assert check_agreement(home) == 1
    assert snapshot(both.index_folder) == before
    assert {each.file for each in last_result(audit(both.folder, (folder,))).found} == {*files_of(both.folder), ""}
    assert check_agreement(both.folder) == 5


def test_taking_out_a_folder_of_one_base_leaves_the_other(both: Project, other: Path) -> None:
    home = home_of(both.folder, "Old terms")
    last_result(build(both.folder, (other,)))  # the same folder in both
    assert last_result(forget(home, (other,))).removed == ("returns.txt",)
    assert (files_of(home), open_base(home).info.folders) == ([], ())
    assert len(files_of(both.folder)) == 5 and other in Project.open(both.folder).info.folders


def test_deleting_takes_the_index_and_nothing_else(both: Project, other: Path) -> None:
    home = home_of(both.folder, "Old terms")
    (home / "my notes.txt").write_text("kept")
    before, documents = snapshot(both.index_folder), snapshot(other)
    last_result(let_go(home))
    delete_base(both, "old TERMS")
    assert base_names(both) == () and [path.name for path in home.iterdir()] == ["my notes.txt"]
    assert (snapshot(both.index_folder), snapshot(other)) == (before, documents)
    assert check_agreement(both.folder) == 5
    with pytest.raises(InputError, match="no knowledge base “Old terms” in this project any more"):
        found(home, "How many days?")
    with pytest.raises(InputError, match="There is no knowledge base “Old terms”.*there are main"):
        last_result(build(home, (other,)))
    assert last_result(build(make_base(both, "Old terms").folder, (other,))).added == ("returns.txt",)
    assert (check_agreement(home), (home / "my notes.txt").read_text()) == (1, "kept")


def test_what_a_deletion_cut_short_has_left_comes_into_no_later_base(both: Project) -> None:
    home = home_of(both.folder, "Old terms")
    (home / "base.json").unlink()  # killed here
    assert base_names(both) == ()
    assert list_files(make_base(both, "Old terms").folder) == ()


def test_a_renamed_base_is_found_and_own_lanes_follow(both: Project) -> None:
    lane = {"name": "mine", "model": "m.gguf", "context": "passages", "base": "Old terms"}
    both.change(lanes=(lane, {**lane, "name": "else", "base": ""}))
    old = home_of(both.folder, "Old terms")
    assert found(old, "How many days?").passages  # the store is open in this process
    last_result(let_go(old))
    made = rename_base(both, "Old terms", "Terms of 2019")
    assert base_names(both) == ("Terms of 2019",)
    assert [each["base"] for each in Project.open(both.folder).info.lanes] == ["Terms of 2019", ""]
    assert found(made.folder, "How many days?").passages[0].base == "Terms of 2019"
    assert rename_base(both, "Terms of 2019", "terms of 2019").base_name in base_names(both)
    with pytest.raises(InputError, match="no knowledge base “Old terms” in this project any more"):
        found(old, "How many days?")


def test_settings_and_previews_are_each_bases_own(both: Project, folder: Path, other: Path) -> None:
    base = find_base(both, "Old terms")
    base.change(options={"cutting": {"size": 64, "overlap": 8}, "left_out": ["*.log"]})
    again = open_base(base.folder)
    assert (cutting_of(again), cutting_of(Project.open(both.folder))) == (Cutting(64, 8), Cutting())
    assert left_out_of(again).patterns == ("*.log",) and left_out_of(both).patterns == ()
    assert left_out_of(again).folders == (both.folder,)  # the project may lie among its documents
    (other / "new.md").write_text("New.\n")
    (other / "empty.txt").write_text("")
    assert preview_changes(base.folder, (other,)).added == ("new.md",)
    assert preview_changes(both.folder, (folder,)).added == ()
    last_result(build(base.folder, (other,)))
    assert (retry_skipped(base.folder), retry_skipped(both.folder)) == (1, 0)
    assert index_size(base) > 0 < index_size(both)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../up", "use letters"),
        ("a/b", "use letters"),
        ("a,b", "use letters"),
        (".hidden", "use letters"),
        ("trailing.", "use letters"),
        ("", "use letters"),
        ("x" * 61, "at most 60"),
        ("Main", "project's own"),
        ("con", "for a device"),
        ("LPT1.notes", "for a device"),
    ],
)
def test_a_name_that_cannot_be_a_folders_is_refused_with_the_reason(project: Path, name: str, why: str) -> None:
    with pytest.raises(InputError, match=f"cannot name a knowledge base: .*{why}"):
        make_base(Project.open(project), name)
    assert not (project / "bases").exists()


def test_names_are_for_people_and_none_is_taken_twice(project: Path) -> None:
    opened = Project.open(project)
    assert check_name("  Verträge   2024 ") == "Verträge 2024"
    made = make_base(opened, "Verträge 2024")
    assert find_base(opened, "verträge 2024").folder == made.folder == project / "bases" / "Verträge 2024"
    with pytest.raises(InputError, match="already"):
        make_base(opened, "VERTRÄGE 2024")
    for act in (lambda: delete_base(opened, "main"), lambda: rename_base(opened, "", "x")):
        with pytest.raises(InputError, match="stays with the project"):
            act()
    assert (name_of(made.folder), name_of(project)) == ("Verträge 2024", "")


def test_a_base_that_is_being_written_is_not_deleted_and_a_damaged_one_can_be(both: Project) -> None:
    home = home_of(both.folder, "Old terms")
    with both.writing("indexing"), pytest.raises(ProjectBusy):
        delete_base(Project.open(both.folder), "Old terms")
    assert base_names(both) == ("Old terms",)
    (home / "base.json").write_text("{")
    with pytest.raises(BadProject, match="is damaged"):
        find_base(both, "Old terms")
    assert all_bases(both) == (both,)
    delete_base(both, "Old terms")
    assert not home.exists()


def test_a_base_deleted_elsewhere_is_not_brought_back_by_a_change(both: Project) -> None:
    base = find_base(both, "Old terms")
    delete_base(Project.open(both.folder), "Old terms")
    with pytest.raises(MissingFile, match="any more"):
        base.change(folders=())
    assert not base.folder.exists()


def test_a_project_in_a_folder_called_bases_is_a_project(tmp_path: Path) -> None:
    Project.open(tmp_path)
    inner = Project.open(tmp_path / "bases" / "mine")
    assert isinstance(inner, Project) or name_of(inner.folder) == ""
    records.write_json(inner.folder / "project.json", ProjectInfo("mine"))
    assert name_of(inner.folder) == "" and open_base(inner.folder).info == ProjectInfo("mine")


@pytest.mark.slow
@pytest.mark.usefixtures("kept_workers")
def test_the_commands_make_list_search_audit_rename_and_delete(
    project: Path, folder: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*arguments: str) -> dict[str, object]:
        capsys.readouterr()
        assert run([*arguments, "--project", str(project), "--json"]) == 0
        said: dict[str, object] = json.loads(capsys.readouterr().out)
        return said

    told("index", str(folder))
    assert told("index", str(other), "--base", "Old terms")["files"] == 1
    assert told("index", str(other), "--base", "old terms", "--audit")["audit"]["left"] == []  # type: ignore[index]
    listed = told("bases", "list")["bases"]
    assert [(each["name"], each["files"], each["folders"]) for each in listed] == [  # type: ignore[attr-defined]
        ("", 4, [str(folder)]),
        ("Old terms", 1, [str(other)]),
    ]
    assert all(each["bytes"] > 0 and each["chunks"] > 0 for each in listed)  # type: ignore[attr-defined]
    [searched] = told("search", "How many days for returns?", "--base", "Old terms")["searches"]  # type: ignore[misc]
    assert [each["file"] for each in searched["passages"]] == ["returns.txt"]
    assert "60 days" in searched["passages"][0]["text"]
    assert run(["search", "days", "--base", "unheard-of", "--project", str(project)]) == 2
    assert "there are main, Old terms" in capsys.readouterr().err
    assert run(["index", str(folder / "nowhere"), "--base", "Third", "--project", str(project)]) == 2
    assert len(told("bases", "rename", "Old terms", "Terms")["bases"]) == 2  # type: ignore[arg-type]
    assert len(told("bases", "delete", "Terms")["bases"]) == 1  # type: ignore[arg-type]
    assert (other / "returns.txt").exists()
