from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from made_index import ScriptedStages, put_script_in_place, write_index
from made_up import make_lanes

from workbench.advice.facts import stale_adapters
from workbench.bases import base_names, find_base, make_base
from workbench.errors import InputError, MissingFile
from workbench.evaluation.drill import Drill, Edit, copy_for_drill, drill, drill_copy, edit_text
from workbench.events import Progress, Result, Stage, last_result
from workbench.index.report import IndexReport
from workbench.project import Project

QUESTION = "When does the ferry leave?"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "boats.md").write_text("The ferry leaves at 6:40.")
    opened = Project.open(tmp_path / "project")
    opened.change(folders=(tmp_path / "docs",))
    write_index(opened.folder, {"boats.md": ["The ferry leaves at 6:40."]})
    return opened


def index_words(project: Path, folders: tuple[Path, ...]) -> Stage:
    """The real stage's part: bring the word index level with the folder."""
    yield Progress(0, 1, "boats.md", "files")
    write_index(project, {path.name: [path.read_text()] for folder in folders for path in folder.glob("*.md")})
    yield Result(dataclasses.replace(EMPTY, changed=("boats.md",)))


EMPTY = IndexReport(files=1, chunks=1, added=(), changed=(), removed=(), unchanged=0, skipped=(), seconds=0.1)


def test_after_an_edit_lanes_that_read_are_right_at_once_and_a_fine_tune_is_not(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = ScriptedStages(lambda request: request.passages[0].text if request.passages else "At 6:40, I learnt.")
    worker = put_script_in_place(monkeypatch, stages)
    monkeypatch.setattr("workbench.evaluation.drill.build", index_words)
    tuned = dataclasses.replace(make_lanes(("tuned:x",))[0], adapter=Path("x.gguf"))
    lanes = (*make_lanes(("base", "rag")), tuned)
    edit_text(project.info.folders[0] / "boats.md", "6:40", "7:15")
    found: Drill = last_result(drill(QUESTION, ["7:15"], lanes, project.folder, worker, worker, {"x": 300.0}))
    assert {each.lane: each.right for each in found.lanes} == {"base": False, "rag": True, "tuned:x": False}
    assert found.changed == ("boats.md",) and found.lanes[1].seconds >= found.index_seconds > 0
    assert [each.retrain_seconds for each in found.lanes] == [None, None, 300.0]


def test_a_drill_on_a_copy_leaves_the_persons_document_alone(project: Project, tmp_path: Path) -> None:
    copy, [file] = copy_for_drill(project, "boats.md", tmp_path / "copy")
    assert edit_text(file, "6:40", "7:15") == 1
    assert (project.info.folders[0] / "boats.md").read_text() == "The ferry leaves at 6:40."
    assert "7:15" in file.read_text() and copy.info.folders == (file.parent,)
    with pytest.raises(MissingFile, match="holds none.md"):
        copy_for_drill(project, "none.md", tmp_path / "other")


def test_a_copy_holds_the_knowledge_bases_that_the_lanes_read_and_no_other(project: Project, tmp_path: Path) -> None:
    for name, folders in (("Harbour", ("port", "docs")), ("Unread", ("docs",))):
        for folder in folders:
            (tmp_path / folder).mkdir(exist_ok=True)
        make_base(project, name).change(folders=tuple(tmp_path / folder for folder in folders))
    (tmp_path / "port" / "tides.md").write_text("High water is at noon.")
    copy, [file] = copy_for_drill(project, "tides.md", tmp_path / "copy", ("", "Harbour"))
    assert copy.info.folders == project.info.folders  # it holds nothing that is edited, so it is only read
    [harbour] = [find_base(copy, name) for name in base_names(copy)]
    assert harbour.base_name == "Harbour" and harbour.info.folders == (file.parent, tmp_path / "docs")


def test_a_drill_edits_the_document_of_a_named_base(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "port").mkdir()
    (tmp_path / "port" / "tides.md").write_text("The ferry leaves the port at 8:10.")
    make_base(project, "Harbour").change(folders=(tmp_path / "port",))
    worker = put_script_in_place(monkeypatch, ScriptedStages(lambda request: request.passages[0].text))
    monkeypatch.setattr("workbench.evaluation.drill.build", index_words)
    lanes = (*make_lanes(("rag",)), dataclasses.replace(make_lanes(("rag@Harbour",))[0], base="Harbour"))
    edit = Edit("tides.md", "8:10", "9:05")
    found: Drill = last_result(drill_copy(QUESTION, ["9:05"], lanes, project, edit, worker, worker, {}))
    assert {each.lane: each.right for each in found.lanes} == {"rag": False, "rag@Harbour": True}
    assert found.edit == edit and "8:10" in (tmp_path / "port" / "tides.md").read_text()


def test_words_that_are_not_there_cannot_be_replaced(project: Project, tmp_path: Path) -> None:
    file = project.info.folders[0] / "boats.md"
    for old, new in (("8:00", "9:00"), ("", "x"), ("6:40", "6:40")):
        with pytest.raises(InputError, match="does not hold"):
            edit_text(file, old, new)
    (tmp_path / "a.docx").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no text file"):
        edit_text(tmp_path / "a.docx", "a", "b")


def test_a_drill_needs_a_question_and_folders(project: Project, tmp_path: Path) -> None:
    lanes = make_lanes(("rag",))
    with pytest.raises(InputError, match="needs a question"):
        next(drill(QUESTION, [], lanes, project.folder, None, None, {}))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no folder of documents"):
        next(drill(QUESTION, ["x"], lanes, Project.open(tmp_path / "empty").folder, None, None, {}))  # type: ignore[arg-type]


def test_an_adapter_older_than_a_document_is_stale(project: Project) -> None:
    from workbench import records
    from workbench.index.keywords import Keywords

    for name, created in (("old", "2020-01-01T00:00:00"), ("new", "2036-01-01T00:00:00")):
        folder = project.adapters_folder / name
        records.write_json(folder / "manifest.json", {"name": name, "adapter": "a.gguf", "created": created})
        (folder / "a.gguf").write_bytes(b"x")
    assert stale_adapters(project) == {}  # the index knows no time of its file yet
    with Keywords(project.index_folder, write=True) as index:
        index.touch_file(index.files()[0], 1, 1_700_000_000 * 10**9)
    assert stale_adapters(project) == {"old": ("boats.md",)}
