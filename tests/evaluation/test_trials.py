"""Tests beside a suite as they are kept: written whole, read tolerantly, and matched to a suite and its lanes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from made_index import ScriptedStages, put_script_in_place, write_index
from made_up import make_lanes

from workbench import records
from workbench.advice.trial_words import drill_sentence, sources_sentence
from workbench.evaluation.drill import Drill, DrillLane
from workbench.evaluation.knowledge import SAYS, SourceTest, tell_sources
from workbench.evaluation.records import Case, Suite
from workbench.evaluation.trials import FOLDER, FORMAT, Kept, changed_since, keep_test, kept_beside, made_otherwise
from workbench.events import Progress, Result, Stage, last_result
from workbench.project import Project

LANES = make_lanes(("base", "rag"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = Project.open(tmp_path / "project").folder
    write_index(folder, {"boats.md": ["The ferry leaves at 6:40."]})
    return folder


def make_suite(version: str = "a") -> Suite:
    case = Case("ferry", "When does the ferry leave?", "fact", ({"contains": ["6:40"]},), "boats.md")
    return Suite(Path("boats.yaml"), "Boats", (case,), version * 64)


def telling(found: SourceTest | Drill) -> Stage:
    yield Progress(0, 1, "rag", "lanes")
    yield Result(found)


def a_drill(*lanes: DrillLane) -> Drill:
    return Drill("When?", ("7:15",), ("boats.md",), 1.5, lanes)


def kept_files(project: Path) -> list[Path]:
    return sorted((project / FOLDER).glob("*.json"))


def test_a_source_test_is_kept_and_read_back_as_it_was_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = put_script_in_place(
        monkeypatch, ScriptedStages(lambda request: request.passages[0].text if request.passages else "At 6:40.")
    )
    suite = make_suite()
    stage = keep_test(tell_sources(suite, LANES, project, worker), project, LANES, suite)
    found: SourceTest = last_result(stage)
    kept = kept_beside(project, "Boats", suite.hash).sources
    assert kept is not None and kept.found == found and kept.reads("rag") and not kept.reads("base")
    assert kept.made("rag")["model"] == "m" * 64 and kept.suite_hash == suite.hash
    assert found.lanes == {
        "base": {"document": 0, "weights": 1, "neither": 0},
        "rag": {"document": 1, "weights": 0, "neither": 0},
    }
    assert changed_since(kept, LANES) == ()
    other = dataclasses.replace(LANES[1], passages=9)
    assert changed_since(kept, (LANES[0], other)) == ("rag",)
    longer = dataclasses.replace(LANES[1], sampling=dataclasses.replace(LANES[1].sampling, max_tokens=999))
    assert changed_since(kept, (LANES[0], longer)) == ()  # which cuts an answer, and makes no other one
    assert changed_since(kept, LANES[:1]) == ("rag",)  # it is gone


def test_a_stage_that_is_stopped_keeps_nothing(project: Path) -> None:
    stage = keep_test(telling(a_drill(DrillLane("rag", True, 2.0, "7:15"))), project, LANES)
    next(stage)
    stage.close()
    assert kept_files(project) == []


def test_the_newest_test_over_the_same_version_goes_before_a_later_one_over_another(project: Path) -> None:
    for version, says in (("a", "first"), ("a", "second"), ("b", "other")):
        whole = SourceTest((), {"rag": {"document": 0, "weights": 0, "neither": 0}}, (says,))
        last_result(keep_test(telling(whole), project, LANES, make_suite(version)))
    assert len(kept_files(project)) == 3
    beside = kept_beside(project, "Boats", "a" * 64).sources
    assert beside is not None and beside.found.skipped == ("second",)
    beside = kept_beside(project, "Boats", "c" * 64).sources  # no test of this version: the newest of any
    assert beside is not None and beside.found.skipped == ("other",)
    assert kept_beside(project, "Another suite", "a" * 64).sources is None


def test_a_drill_is_found_by_the_lanes_it_asked(project: Path) -> None:
    last_result(keep_test(telling(a_drill(DrillLane("rag", True, 2.0, "7:15"))), project, LANES))
    assert kept_beside(project, "", "", ("rag", "base")).drill is not None
    assert kept_beside(project, "", "").drill is not None
    assert kept_beside(project, "", "", ("full",)).drill is None


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[: len(text) // 2], "is damaged"),
        (lambda text: "[]", "is damaged"),
        (lambda text: text.replace('"text": "7:15"', '"text": 715'), "is damaged"),
        (lambda text: text.replace('"definition"', '"described"'), "is damaged"),
        (lambda text: text.replace(f'"format": {FORMAT}', f'"format": {FORMAT + 1}'), "newer version"),
    ],
)
def test_a_file_that_cannot_be_read_is_left_out_with_a_word(project: Path, damage: Any, said: str) -> None:
    for text in ("7:15", "7:15"):
        last_result(keep_test(telling(a_drill(DrillLane("rag", True, 2.0, text))), project, LANES))
    path = max(kept_files(project), key=lambda each: each.stem)
    path.write_text(damage(path.read_text()))
    found = kept_beside(project, "", "")
    assert found.drill is not None  # the one before it
    assert len(found.left_out) == 1 and said in found.left_out[0] and path.name in found.left_out[0]


def test_a_lane_made_otherwise_is_told_by_settings_and_hashes_and_not_by_where_its_files_lie() -> None:
    definition = records.to_plain(dataclasses.asdict(LANES[1]))
    made = {"definition": definition, "model": "m", "adapter": "a"}
    kept = Kept("drill", "2026", dataclasses.replace(a_drill(DrillLane("rag", True, 1.0, "")), made={}), {"rag": made})
    same = json.loads(json.dumps(made))
    same["definition"] |= {"model": "/elsewhere/model.gguf", "title": "Another title"}
    assert made_otherwise(kept, {"lanes": {"rag": same}}) == ()
    for change in ({"adapter": "b"}, {"definition": {**definition, "passages": 9}}):
        assert made_otherwise(kept, {"lanes": {"rag": {**same, **change}}}) == ("rag",)
    assert made_otherwise(kept, {}) == ()  # nothing is known of it


def counted(**lanes: tuple[int, int, int]) -> SourceTest:
    """Counts of SAYS by lane; an underscore stands for the colon of a lane's name."""
    told = {lane.replace("_", ":"): dict(zip(SAYS, counts, strict=True)) for lane, counts in lanes.items()}
    return SourceTest((), told, ())


def test_what_a_source_test_means_is_said_no_more_firmly_than_its_counts_allow() -> None:
    firm = sources_sentence(counted(rag=(18, 0, 2), tuned_x=(0, 5, 15)), ["rag"])
    assert "18 of 20 changed facts" in firm and "belongs in documents" in firm
    assert "the fine-tune (x) said 5 of 20 facts as they were: training again alone" in firm
    assert "so few facts cannot tell" in sources_sentence(counted(rag=(4, 0, 2)), ["rag"])
    assert "would stay as they are" in sources_sentence(counted(rag=(1, 12, 7)), ["rag"])
    assert "no lane knew one of the 20 facts" in sources_sentence(counted(base=(0, 0, 20)), [])
    assert sources_sentence(counted(), []) == ""


def test_what_a_drill_means_names_who_was_right_and_what_would_be_trained_again() -> None:
    def words(*lanes: DrillLane) -> str:
        return drill_sentence(a_drill(*lanes), ["rag", "full"], lambda seconds: f"{seconds:.0f} s")

    slow, quick = DrillLane("full", True, 9.0, "7:15"), DrillLane("rag", True, 3.0, "7:15")
    tuned = DrillLane("tuned:x", False, 1.0, "6:40", 130.0)
    assert words(slow, quick, tuned) == (
        "The documents gave the new answer 3 s after the change. Training the fine-tune (x) again would take about "
        "130 s. What changes like this belongs in documents."
    )
    assert words(quick, DrillLane("base", False, 1.0, "")).endswith("without any training.")
    assert words(DrillLane("rag", False, 3.0, "6:40")) == (
        "The change did not arrive: the documents still answered wrong."
    )
    assert words(DrillLane("base", True, 1.0, "7:15")) == ""  # it knew: nothing arrived
