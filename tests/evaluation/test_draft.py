from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from made_index import ScriptedStages, write_index
from made_up import make_lanes

from workbench.bases import make_base
from workbench.children import Here
from workbench.errors import InputError
from workbench.evaluation.draft import (
    Draft,
    decide_drafts,
    draft,
    read_drafts,
    write_drafts,
)
from workbench.evaluation.draft_rules import Subject, draft_fault, sentences_of, subjects_of
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
    """A model that asks with the words before the answer, and reads the passage when it is asked back."""
    if request.passages:
        return request.passages[0].text
    text, wanted, begins = (line.partition(": ")[2] for line in request.question.split("\n"))
    return f"{begins} of all {' '.join(text.partition(wanted)[0].split()[-4:])}?\nQuestion: and so on"


def drafted(project: Path, monkeypatch: pytest.MonkeyPatch, **more: object) -> tuple[Draft, ...]:
    monkeypatch.setattr("workbench.evaluation.draft.answer", ScriptedStages(word).answer)
    found: tuple[Draft, ...] = last_result(draft(project, make_lanes(("base",))[0], Here(), 5, **more))  # type: ignore[arg-type]
    return found


def test_a_draft_asks_for_something_that_stands_in_the_passage(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = drafted(project, monkeypatch)
    assert {each.file for each in found} == {"boats.md", "mill.txt"}
    assert all(each.answer in each.passage and each.question.endswith("?") for each in found)
    assert not [each for each in found if " of all " in each.question], "a rule words what it can"
    assert drafted(project, monkeypatch) == found  # the same seed, the same drafts


def test_a_knowledge_base_beside_the_projects_own_is_drafted_from(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make_base(Project.open(project), "Shop")
    write_index(
        shop.folder, {"shop.md": ["The shop of Ostrin opens at 8:15 on weekdays and is run by Ewa Lind alone."]}
    )
    assert {each.file for each in drafted(project, monkeypatch, base="Shop")} == {"shop.md"}


def test_what_no_rule_words_is_worded_by_the_model(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.evaluation.draft.word_by_rule", lambda subject, passage: "")
    found = drafted(project, monkeypatch)
    assert {each.file for each in found} == {"boats.md", "mill.txt"}
    assert all(each.answer in each.passage and " of all " in each.question for each in found)


def test_what_is_asked_already_is_not_drafted_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = drafted(project, monkeypatch)
    assert drafted(project, monkeypatch, known=(first,)) == (second,)
    elsewhere = dataclasses.replace(first, question=first.question.upper(), passage="")
    again = drafted(project, monkeypatch, known=(elsewhere,))
    assert second in again and first.answer not in {each.answer for each in again}


def test_a_question_that_does_not_lead_back_to_its_answer_is_thrown_away(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(request: Request) -> str:
        return "I could not say." if "Marisca" in request.question and request.passages else word(request)

    monkeypatch.setattr("workbench.evaluation.draft.answer", ScriptedStages(forget).answer)
    found: tuple[Draft, ...] = last_result(draft(project, make_lanes(("base",))[0], Here(), 5))
    assert found and not [each for each in found if "Marisca" in each.question]


def test_figures_dates_and_names_of_whole_sentences_are_worth_asking_for() -> None:
    assert [(each.answer, each.begins) for each in subjects_of(FERRY)] == [
        ("6:40", "At what time"),
        ("14 crowns", "How much"),
    ]
    assert [each.answer for each in subjects_of(MILL)] == ["Tilda Brask", "72 hives"]
    assert subjects_of("It costs 5 crowns, not 5 crowns, on all of the days.") == []  # which of the two?
    assert subjects_of("Present at the meeting were these: | Ada Holt | 12 votes |.") == []  # a table
    assert subjects_of("Owner: the returns desk of Port Elin, on the first floor.") == []  # a label
    assert subjects_of("It was opened by the mayor in 1911 and closed again.") == []  # what was?


@pytest.mark.parametrize(
    ("sentence", "answer", "begins"),
    [
        ("The lamp of the harbour was first lit in 1911 by a child.", "1911", "In which year"),
        ("The lamp of the harbour was first lit on 4 May 1911 by a child.", "4 May 1911", "When"),
        ("The whole of the new harbour cost the town £2.4 million in all.", "£2.4 million", "How much"),
        ("The share of boats that come from abroad was 12.5 % last summer.", "12.5 %", "What percentage"),
        ("The northern gate is kept by Ada Holt-Marsh of the old town.", "Ada Holt-Marsh", "Who"),
        ("The key of the northern gate is kept at Penn Hollow by the old baker.", "Penn Hollow", "Where"),
        ("The newer of the two boats carries up to 240 passengers at a time.", "240 passengers", "How many passengers"),
    ],
)
def test_how_an_answer_looks_tells_how_its_question_begins(sentence: str, answer: str, begins: str) -> None:
    assert subjects_of(sentence) == [Subject(answer, sentence, begins)]


def test_a_long_rule_of_signs_is_passed_over_at_once() -> None:
    assert sentences_of(f"{'=' * 400}\nThe ferry leaves at noon.")[-1] == "The ferry leaves at noon."


def test_headings_are_no_part_of_the_sentence_under_them() -> None:
    assert sentences_of("Opening hours\nThe ferry leaves at 6:40 and\nreturns at noon. It is small.") == [
        "Opening hours",
        "The ferry leaves at 6:40 and returns at noon.",
        "It is small.",
    ]


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        ("At what time does the ferry Marisca leave?", ""),
        ("At what time on weekdays does the ferry leave?", ""),
        ("At what time the ferry leaves.", "not a question"),
        ("At what time?", "not a question"),
        ("What is the ferry Marisca of Port Elin?", "does not ask for"),
        ("At what time, 6:40, does the ferry Marisca leave?", "gives its answer away"),
        ("At what time does it leave on weekdays?", "does not stand by itself"),
        ("At what time does the first of the boats leave?", "is not about the passage"),
        ("At what time does the last in the port leave?", "does not stand by itself"),
        ("At what time does the ferry leave in the text?", "does not stand by itself"),
        ("At what time does the ferry Gerda leave?", "names what the passage does not"),
        ("At what time was the dragon of Ys found dead?", "names what the passage does not"),
        ("At what time was the dragon found dead?", "is not about the passage"),
        ("At what time is the lamp of the pier lit?", "is not about the passage"),
        ("At what time on weekdays did the ferry leave?", "asked before"),
    ],
)
def test_what_a_model_words_badly_is_thrown_away(question: str, fault: str) -> None:
    subject = subjects_of(FERRY)[0]
    asked = ["On weekdays, at what time did the ferry leave?"] if fault == "asked before" else []
    found = draft_fault(question, subject, f"{FERRY} The lamp of the pier is lit at dusk.", "boats.md", asked)
    assert found.startswith(fault) and bool(found) == bool(fault)


def test_a_question_that_fits_another_sentence_better_is_thrown_away() -> None:
    passage = f"{FERRY} The ferry Marisca leaves the small pier of Port Elin at noon on Sundays."
    subject = subjects_of(FERRY)[1]
    assert draft_fault("How much is the ferry ticket from the small pier?", subject, passage).startswith("is not about")
    found = draft_fault("How much does the ferry Marisca cost from the pier on Sundays?", subject, passage)
    assert found == "is not about the passage"
    assert draft_fault("How much is the return ticket on weekdays?", subject, passage) == ""
    assert draft_fault("How much does the ferry Marisca leave Port Elin?", subject, passage) == ""


def test_a_question_whose_words_find_another_file_is_thrown_away(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.evaluation.draft.word_by_rule", lambda subject, passage: "")
    write_index(project, {f"other-{n}.md": [f"All leaves of Port Elin, return ticket costs {n}."] for n in range(9)})
    assert {each.file for each in drafted(project, monkeypatch)} == {"mill.txt"}


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


def test_a_question_without_the_word_its_answer_hangs_on_is_thrown_away() -> None:
    sentence = "The records of the heads are kept for 12 years in the cellar of Penn Hollow."
    subject = subjects_of(sentence)[0]
    assert (subject.answer, subject.begins) == ("12 years", "How many years")
    assert draft_fault("How many years are the records of the heads?", subject, sentence).startswith("leaves out")
    assert draft_fault("How many years are the records of the heads kept?", subject, sentence) == ""
