from __future__ import annotations

from pathlib import Path

import pytest
from made_index import ScriptedStages, put_script_in_place, write_index
from made_up import make_lanes

from workbench.errors import InputError
from workbench.evaluation.knowledge import SourceTest, counterfeit, tell_sources, who_is_followed
from workbench.evaluation.records import Case, Suite
from workbench.events import last_result
from workbench.lanes.engine import Request
from workbench.project import Project

FACTS = {"lamp": "36 months", "kettle": "24 months", "owner": "Ada Brask", "maker": "Tove Lind"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = Project.open(tmp_path / "project").folder
    write_index(folder, {"all.md": [f"For the {thing} it is {fact}, they say." for thing, fact in FACTS.items()]})
    return folder


def make_facts(project: Path) -> Suite:
    cases = [
        Case(thing, f"What is it for the {thing}?", "fact", ({"contains": [fact]},), "all.md")
        for thing, fact in FACTS.items()
    ]
    cases.append(Case("lost", "What is it for the vase?", "fact", ({"contains": ["9 days"]},), "all.md"))
    return Suite(project / "s.yaml", "Facts", tuple(cases), "s" * 64)


def speak(request: Request) -> str:
    """The documents lane reads; the tuned one knows two facts by heart and reads nothing; the third mumbles."""
    thing = request.question.removeprefix("What is it for the ").removesuffix("?")
    if request.lane.name == "rag":
        return next(passage.text for passage in request.passages if f"the {thing}" in passage.text)
    if request.lane.name == "rag+tuned:x" or thing in ("lamp", "owner"):
        return f"It is {FACTS[thing]}."
    return "Hm."


def test_it_is_told_who_follows_the_document_and_who_the_weights(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = put_script_in_place(monkeypatch, stages := ScriptedStages(speak))
    lanes = make_lanes(("base", "rag", "rag+tuned:x"))
    found: SourceTest = last_result(tell_sources(make_facts(project), lanes, project, worker))
    assert found.lanes["rag"] == {"document": 4, "weights": 0, "neither": 0}
    assert found.lanes["rag+tuned:x"] == {"document": 0, "weights": 4, "neither": 0}
    assert found.lanes["base"] == {"document": 0, "weights": 2, "neither": 2}
    assert found.skipped == ("lost",)
    asked = [request for request in stages.requests if "lamp" in request.question and request.passages]
    shown = [passage.text for request in asked for passage in request.passages if "lamp" in passage.text]
    assert len(shown) == 2 and all("69 months" in text and "36 months" not in text for text in shown)


def test_a_counterfeit_is_of_the_same_kind_and_never_the_same() -> None:
    assert counterfeit("33.20", [], "x") == "66.53" and counterfeit("7 days", [], "x") == "4 days"
    assert counterfeit("Ada Brask", ["Ada Brask", "Tove Lind"], "x") == "Tove Lind"
    assert counterfeit("Ada Brask", ["Ada Lovelace"], "x") == ""


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("It is 69 months.", "document"),
        ("69", "document"),
        ("36 months", "weights"),
        ("36, now 69", "neither"),
        ("", "neither"),
    ],
)
def test_an_answer_that_says_both_or_none_follows_neither(answer: str, says: str) -> None:
    assert who_is_followed(answer, ["36 months"], "69 months") == says


def test_a_suite_without_facts_that_can_be_changed_is_refused(project: Path) -> None:
    suite = Suite(project / "s.yaml", "None", (Case("a", "Hm?", "behaviour", ({"json": True},)),), "s" * 64)
    with pytest.raises(InputError, match="No fact of this suite"):
        last_result(tell_sources(suite, make_lanes(("rag",)), project, None))  # type: ignore[arg-type]
