"""Lanes over two knowledge bases in one run: each is searched once, held against its own documents, and kept apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_index import ScriptedStages, put_script_in_place, write_index

from workbench.advice.attribution import explain_failures
from workbench.bases import make_base, rename_base
from workbench.children import Here
from workbench.errors import InputError
from workbench.evaluation.evaluate import evaluate, index_mark
from workbench.evaluation.knowledge import tell_sources
from workbench.evaluation.records import Case, Evaluation, Suite
from workbench.evaluation.results import lane_hash
from workbench.events import Result, Stage, last_result
from workbench.lanes.engine import Request
from workbench.lanes.lane import Lane
from workbench.project import Project

RAG = Lane("rag", Path("model.gguf"), context="passages")
OLD = replace(RAG, name="rag@Old terms", base="Old terms")


class CountingStages(ScriptedStages):
    """Notes where and for how many questions it searched."""

    def __init__(self) -> None:
        super().__init__(lambda request: request.passages[0].text if request.passages else "I do not know.")
        self.searched: list[tuple[str, int]] = []

    def search(self, project: Path, questions: tuple[str, ...], k: int) -> Stage:
        self.searched.append((project.name, len(questions)))
        yield from super().search(project, questions, k)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    opened = Project.open(tmp_path / "project")
    write_index(opened.folder, {"returns.txt": ["Goods may be returned within 24 days."], "seat.txt": ["Ghent."]})
    home = make_base(opened, "Old terms").folder
    write_index(home, {"returns.txt": ["Goods may be returned within 60 days."], "ship.txt": ["It ships from Riga."]})
    return opened


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> CountingStages:
    made = CountingStages()
    put_script_in_place(monkeypatch, made)
    return made


def make_suite(project: Project) -> Suite:
    def fact(name: str, question: str, text: str, source: str) -> Case:
        return Case(name, question, "fact", ({"contains": [text]},), source)

    cases = (
        fact("new", "Within how many days are goods returned?", "24 days", "returns.txt"),
        fact("old", "How many days had goods before?", "60 days", "returns.txt"),
        fact("ship", "Where does it ship from?", "Riga", "ship.txt"),
    )
    return Suite(project.folder / "s.yaml", "Terms", cases, "s" * 64)


def run_over(project: Project, name: str, *lanes: Lane) -> Evaluation:
    found: Any = last_result(evaluate(make_suite(project), lanes, project.folder, Here(), Here(), name))
    assert isinstance(found, Evaluation)
    return found


def test_each_lane_is_answered_from_and_held_against_its_own_base(project: Project, stages: CountingStages) -> None:
    found = run_over(project, "both", RAG, OLD)
    assert stages.searched == [("project", 3), ("Old terms", 3)]
    assert {(each.lane, each.case) for each in found.results if each.passed} == {
        ("rag", "new"),
        ("rag@Old terms", "old"),
        ("rag@Old terms", "ship"),
    }
    assert found.in_source == {"new": "holds", "old": "silent", "ship": "missing"}
    assert found.in_bases == {"Old terms": {"new": "silent", "old": "holds", "ship": "holds"}}
    assert found.missing_sources == ()  # one of the bases has each
    assert [found.base_of(lane) for lane in ("rag", "rag@Old terms", "unheard-of")] == ["", "Old terms", ""]
    assert [(each.lane, each.case) for each in found.oracle] == [("rag", "old"), ("rag@Old terms", "new")]
    given = {each.lane: each.answer.passages[0] for each in found.oracle}
    assert given["rag"].base == "" and "24 days" in given["rag"].text
    assert given["rag@Old terms"].base == "Old terms" and "60 days" in given["rag@Old terms"].text
    reasons = {(each.lane, each.case): each.reason for each in explain_failures(found, make_suite(project))}
    assert reasons == dict.fromkeys([("rag", "old"), ("rag", "ship"), ("rag@Old terms", "new")], "not-indexed")


def test_a_run_over_a_named_base_alone_says_what_that_one_lacks(project: Project, stages: CountingStages) -> None:
    found = run_over(project, "alone", OLD)
    assert stages.searched == [("Old terms", 3)]
    assert found.missing_sources == () and found.in_bases["Old terms"]["ship"] == "holds"
    assert run_over(project, "own", RAG).missing_sources == ("ship.txt",)


def test_answers_are_kept_while_their_own_base_stays_as_it_is(project: Project, stages: CountingStages) -> None:
    run_over(project, "kept", RAG, OLD)
    asked = len(stages.requests)
    made = rename_base(project, "Old terms", "Terms of 2019")
    renamed = replace(OLD, base="Terms of 2019")
    run_over(project, "kept", RAG, renamed)
    assert len(stages.requests) == asked  # the same documents under another name
    write_index(made.folder, {"more.txt": ["More."]})
    run_over(project, "kept", RAG, renamed)
    assert {each.lane.name for each in stages.requests[asked:]} == {"rag@Old terms"}


def test_the_hash_of_a_lane_over_the_projects_own_base_is_what_it_was(project: Project) -> None:
    mark = index_mark(project.folder)
    assert lane_hash(RAG, mark) == lane_hash(replace(RAG, base=""), mark) != lane_hash(RAG, "")
    before = (
        "178fb91fcc9648eaaafbf98f47ee4072706239094b22954f648351376501a9ca"  # by the version before there were bases
    )
    assert lane_hash(Lane("rag", Path("none.gguf"), context="passages"), "mark") == before


def test_a_lane_over_a_base_that_is_gone_says_so(project: Project, stages: CountingStages) -> None:
    gone = replace(RAG, name="x", base="Gone")
    with pytest.raises(InputError, match="no knowledge base “Gone” in this project any more"):
        run_over(project, "gone", gone)


def test_facts_are_changed_in_the_base_that_the_lane_reads(project: Project, stages: CountingStages) -> None:
    lanes = (Lane("base", Path("model.gguf")), RAG, OLD)

    def speak(request: Request) -> str:
        return request.passages[0].text if request.passages else "I do not know."

    stages.speaks = speak
    values = [
        each.value
        for each in tell_sources(make_suite(project), lanes, project.folder, Here())
        if isinstance(each, Result)
    ]
    asked = {(each.lane, each.case): each.says for each in values[:-1]}
    assert asked == {
        ("base", "new"): "neither",
        ("rag", "new"): "document",
        ("rag@Old terms", "old"): "document",
    }
    assert values[-1].skipped == ("ship",)  # no other name is there to put in its place, in neither base
