"""Files are whole or absent; records survive the way to JSON and back."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from workbench import records
from workbench.errors import BadProject, DiskFull, ProjectBusy
from workbench.lanes.lane import Lane, Sampling
from workbench.project import Project


@dataclass(frozen=True)
class Inner:
    number: int
    share: float = 0.5


@dataclass(frozen=True)
class Outer:
    name: str
    path: Path
    inner: tuple[Inner, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    maybe: Inner | None = None
    table: dict[str, Inner] | None = None


def test_records_survive_json() -> None:
    outer = Outer("a", Path("/x/y"), (Inner(1), Inner(2, 0.25)), (1.0, 2.0), Inner(3), {"k": Inner(4)})
    assert records.from_plain(Outer, records.to_plain(outer)) == outer


def test_a_lane_survives_json() -> None:
    lane = Lane("mine", Path("m.gguf"), examples=(("a", "b"),), sampling=Sampling(temperature=0.3))
    assert records.from_plain(Lane, records.to_plain(lane)) == lane


def test_fields_of_a_newer_version_are_left_out() -> None:
    assert records.from_plain(Inner, {"number": 1, "colour": "red"}) == Inner(1)


def test_a_broken_last_line_is_left_out_and_the_next_append_starts_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    records.append_line(path, {"a": 1})
    with path.open("ab") as file:
        file.write(b'{"a": 2, "half')
    records.append_line(path, {"a": 3})
    assert records.read_lines(path) == [{"a": 1}, {"a": 3}]


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept.json"
    records.write_json(path, {"kept": True})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="nothing done is lost"):
        records.write_json(path, {"kept": False})
    assert records.read_json(path) == {"kept": True}
    assert os.listdir(tmp_path) == ["kept.json"]


def test_a_project_is_made_where_there_is_none_and_found_again(tmp_path: Path) -> None:
    project = Project.open(tmp_path / "mine")
    project.change(system_prompt="Be brief.", folders=(tmp_path,))
    again = Project.open(tmp_path / "mine")
    assert again.info == project.info and again.info.name == "mine"


def test_a_project_of_a_newer_version_is_refused_with_a_way_out(tmp_path: Path) -> None:
    records.write_json(tmp_path / "project.json", {"name": "later", "format": 99})
    with pytest.raises(BadProject, match="newer version"):
        Project.open(tmp_path)


def test_a_damaged_project_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "project.json").write_text("{half")
    with pytest.raises(BadProject, match="damaged"):
        Project.open(tmp_path)


def test_a_second_writer_is_told_what_the_first_one_does(tmp_path: Path) -> None:
    project = Project.open(tmp_path)
    with project.writing("indexing"), pytest.raises(ProjectBusy, match="indexing"), project.writing("training"):
        pass
    with project.writing("training"):
        pass


def test_an_unfinished_adapter_is_not_offered(tmp_path: Path) -> None:
    project = Project.open(tmp_path)
    (project.adapters_folder / "half").mkdir(parents=True)
    (project.adapters_folder / "half" / "adapter.gguf").write_bytes(b"")
    assert project.adapters() == ()


def test_a_line_with_a_line_separator_in_its_text_stays_one_record(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for text in ("a\u2028b", "c\u0085d", "e\r\nf"):
        records.append_line(path, {"text": text})
    assert [each["text"] for each in records.read_lines(path)] == ["a\u2028b", "c\u0085d", "e\r\nf"]
