"""Which lanes there are, and what threads they are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench import paths, records
from workbench.errors import InputError, MissingFile
from workbench.lanes.cores import CoreWatch, advise
from workbench.lanes.presets import find_lane, standard_lanes
from workbench.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.open(tmp_path / "project")


def add_adapter(project: Project, name: str, created: str, **fields: object) -> None:
    folder = project.adapters_folder / name
    folder.mkdir(parents=True)
    (folder / "adapter.gguf").write_bytes(b"GGUF")
    records.write_json(
        folder / "manifest.json", {"name": name, "created": created, "adapter": "adapter.gguf", **fields}
    )


def test_the_contracts_lanes_are_there_and_differ_by_what_their_names_say(project: Project) -> None:
    add_adapter(project, "old", "2026-01-01", system="Answer as JSON.")
    add_adapter(project, "new", "2026-02-01", reads_passages=True, passages=2)
    lanes = standard_lanes(project)
    tuned = ["tuned:new", "rag+tuned:new", "tuned:old", "rag+tuned:old"]
    assert list(lanes) == ["base", "prompted", "rag", *tuned, "full"]
    assert {lane.model for lane in lanes.values()} == {paths.starter_model()}
    assert lanes["prompted"].system == project.info.system_prompt
    assert lanes["rag+tuned:old"].grounded_examples
    assert lanes["rag+tuned:old"].system == lanes["tuned:old"].system == "Answer as JSON."
    assert not lanes["rag+tuned:new"].grounded_examples
    assert (lanes["rag"].passages, lanes["rag+tuned:old"].passages, lanes["rag+tuned:new"].passages) == (4, 4, 2)
    assert find_lane(project, "tuned").name == "tuned:new"
    assert find_lane(project, "rag+tuned").adapter == project.adapters_folder / "new" / "adapter.gguf"


@pytest.mark.parametrize(("shown", "read"), [(0, 4), (1, 2), (2, 2), (3, 3), (9, 4)])
def test_an_adapter_reads_as_many_passages_as_its_rows_showed(project: Project, shown: int, read: int) -> None:
    """Two at least, for no search is sure of its first one; and no more than the lane without it reads."""
    add_adapter(project, "reader", "2026-02-01", reads_passages=True, passages=shown)
    assert find_lane(project, "rag+tuned").passages == read


def test_a_persons_own_lane_is_found_beside_them(project: Project) -> None:
    project.change(lanes=({"name": "mine", "system": "Be brief.", "sampling": {"temperature": 0.5}},))
    lane = find_lane(project, "mine")
    assert (lane.system, lane.sampling.temperature, lane.model) == ("Be brief.", 0.5, paths.starter_model())


def test_an_unknown_lane_is_answered_with_the_known_ones(project: Project) -> None:
    with pytest.raises(InputError, match="base, prompted, rag, full"):
        find_lane(project, "rga")
    with pytest.raises(InputError, match="no fine-tuned adapter yet"):
        find_lane(project, "tuned")


def test_a_chat_model_that_is_not_here_is_said(project: Project) -> None:
    project.change(chat_model="no-such-model")
    with pytest.raises((InputError, MissingFile), match="no-such-model"):
        standard_lanes(project)


@pytest.mark.parametrize(
    ("cores", "others", "threads"), [(2, 0.0, 2), (2, 0.2, 2), (2, 1.0, 1), (2, 5.0, 1), (8, 0.3, 8), (8, 3.0, 5)]
)
def test_threads_are_the_cores_that_others_leave(cores: int, others: float, threads: int) -> None:
    assert advise(cores, others) == threads


def test_advice_is_never_more_than_asked_for() -> None:
    assert CoreWatch().threads(1) == 1
