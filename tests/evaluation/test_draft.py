from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from made_index import ScriptedStages, write_index
from made_up import make_lanes

from workbench.children import Here
from workbench.errors import InputError
from workbench.evaluation.draft import (
    Draft,
    decide_drafts,
    draft,
    draft_fault,
    read_drafts,
    worth_asking,
    write_drafts,
)
from workbench.evaluation.suite import read_suite
from workbench.events import last_result
from workbench.lanes.engine import Request
from workbench.project import Project

FERRY = "The ferry Marisca leaves Port Elin at 6:40 on weekdays, and the return ticket costs 14 crowns altogether."
MILL = "The old mill of Harrowend was rebuilt long ago by Tilda Brask, who also kept 72 hives of bees behind it."


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = Project.open(tmp_path / "project").folder
    write_index(folder, {"boats.md": [FERRY], "mill.txt": [MILL, "Short."]})
    return folder


def word(request: Request) -> str:
    """A model that asks about the first words of the passage, and reads the passage when it is asked back."""
    if request.passages:
        return request.passages[0].text
    text, wanted = request.question.removeprefix("Text: ").split("\nAnswer: ")
    return f"What is said of {' '.join(text.split()[:4])} here?\nQuestion: and so on {wanted}"


def drafted(project: Path, monkeypatch: pytest.MonkeyPatch, **more: object) -> tuple[Draft, ...]:
    monkeypatch.setattr("workbench.evaluation.draft.answer", ScriptedStages(word).answer)
    found: tuple[Draft, ...] = last_result(draft(project, make_lanes(("base",))[0], Here(), 5, **more))  # type: ignore[arg-type]
    return found


def test_a_draft_asks_for_something_that_stands_in_the_passage(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = drafted(project, monkeypatch)
    assert {each.file for each in found} == {"boats.md", "mill.txt"}
    assert all(each.answer in each.passage and each.question.endswith("here?") for each in found)
    assert drafted(project, monkeypatch) == found  # the same seed, the same drafts


def test_what_is_asked_already_is_not_drafted_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = drafted(project, monkeypatch)
    assert drafted(project, monkeypatch, known=(first,)) == (second,)
    elsewhere = dataclasses.replace(first, question=first.question.upper(), passage="")
    assert drafted(project, monkeypatch, known=(elsewhere,)) == (second,)


def test_a_question_that_does_not_lead_back_to_its_answer_is_thrown_away(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(request: Request) -> str:
        return "I could not say." if "Marisca" in request.question and request.passages else word(request)

    monkeypatch.setattr("workbench.evaluation.draft.answer", ScriptedStages(forget).answer)
    found: tuple[Draft, ...] = last_result(draft(project, make_lanes(("base",))[0], Here(), 5))
    assert found and not [each for each in found if "Marisca" in each.question]


def test_numbers_and_names_are_worth_asking_for() -> None:
    assert {"14 crowns", "Port Elin"} <= set(worth_asking(FERRY))
    assert {"72 hives", "Tilda Brask"} <= set(worth_asking(MILL))
    assert worth_asking("It costs 5 crowns, not 5 crowns.") == []


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        ("When does the ferry Marisca leave?", ""),
        ("The ferry leaves.", "not a question"),
        ("Why?", "not a question"),
        ("Does the ferry Marisca leave at 6:40?", "gives its answer away"),
        ("What colour was the dragon of Ys?", "is not about the passage"),
    ],
)
def test_what_a_model_words_badly_is_thrown_away(question: str, fault: str) -> None:
    assert draft_fault(question, "6:40", FERRY).startswith(fault) and bool(fault) == bool(
        draft_fault(question, "6:40", FERRY)
    )


def test_a_person_accepts_and_rejects(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first, second = drafted(project, monkeypatch)
    write_drafts(project, "mine", (first, second))
    suite, decided = decide_drafts(project, "mine", [first.id], [second.id], tmp_path / "suite.yaml")
    assert [each.state for each in decided] == ["accepted", "rejected"] and suite is not None
    [case] = read_suite(tmp_path / "suite.yaml").cases
    assert (case.question, case.source, case.checks) == (first.question, first.file, ({"contains": [first.answer]},))
    write_drafts(project, "mine", (first, second))  # drafting again forgets no decision
    assert [each.state for each in read_drafts(project, "mine")] == ["accepted", "rejected"]
    again, _ = decide_drafts(project, "mine", [first.id], [], tmp_path / "suite.yaml")
    assert again is None and len(read_suite(tmp_path / "suite.yaml").cases) == 1
    with pytest.raises(InputError, match="hold no nonsense"):
        decide_drafts(project, "mine", ["nonsense"], [], tmp_path / "suite.yaml")


def test_without_documents_nothing_can_be_drafted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Nothing is indexed"):
        last_result(draft(Project.open(tmp_path / "empty").folder, make_lanes(("base",))[0], Here(), 5))
