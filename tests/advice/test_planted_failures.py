"""Failures planted by construction, run through the real stage, a real word index and a scripted model."""

from __future__ import annotations

from collections import Counter

import pytest
from made_index import ScriptedStages, put_script_in_place, write_index
from made_up import make_lanes

from workbench.advice.attribution import explain_failures
from workbench.evaluation.evaluate import evaluate
from workbench.evaluation.records import Case, Evaluation, Suite
from workbench.events import last_result
from workbench.lanes.engine import Request
from workbench.project import Project

EACH = 20
THINGS = [
    f"{part}{number}" for number in range(10) for part in ("bolt", "hinge")
]  # twenty things with names of their own
COLOURS = "teal amber ochre mauve cyan beige coral ivory lilac olive".split()


def answer_to(group: str, number: int) -> str:
    return f"{COLOURS[number % 10]} {group} {number}"


def make_documents() -> dict[str, list[str]]:
    """What is written about each thing; the not-indexed things are written about nowhere."""
    files: dict[str, list[str]] = {}
    for group in ("ignored", "known", "form", "silent"):
        files[f"{group}.md"] = [
            f"The {group} {thing} is painted {answer_to(group, number)}." for number, thing in enumerate(THINGS)
        ]
    # said in words no question uses, beside pages that are full of the question's words
    files["hidden.md"] = [f"Apparatus no. {n}: hue {answer_to('hidden', n)}, as ever." for n in range(EACH)]
    files["chatter.md"] = [
        f"In which colour is the hidden {thing} painted? Ask Nan. Colour {n}." for thing in THINGS for n in range(5)
    ]
    return files


def make_cases() -> list[Case]:
    cases = []
    for number, thing in enumerate(THINGS):

        def fact(
            group: str, *checks: dict[str, object], source: str = "", number: int = number, thing: str = thing
        ) -> Case:
            question = f"In which colour is the {group} {thing} painted?"
            wanted = checks or ({"contains": [answer_to(group, number)]},)
            return Case(f"{group}-{number}", question, "fact", tuple(wanted), source or f"{group}.md")

        cases += [
            fact("lost", source="never-indexed.md"),
            fact("hidden"),
            fact("ignored"),
            fact("known"),
            fact("form", {"contains": [answer_to("form", number)]}, {"max_words": 6}),
            Case(f"refuse-{number}", f"Who made the {thing}?", "unanswerable", ({"refuses": True},)),
        ]
        if number % 2:  # the file says one thing and the check wants another; or the checks want two things at once
            cases.append(fact("silent", {"contains": [f"purple {number}"]}))
        else:
            cases.append(Case(f"silent-{number}", f"Sort {thing}.", "behaviour", ({"equals": "A"}, {"equals": "B"})))
    return cases


EXPECTED = {
    "lost": "not-indexed",
    "hidden": "not-retrieved",
    "ignored": "ignored",
    "known": "known-without",
    "form": "wrong-format",
    "refuse": "should-have-refused",
    "silent": "wrong-question",
}


def speak(request: Request) -> str:
    """A model that reads what it is shown and says it, but for what was planted."""
    group = next((each for each in EXPECTED if f"the {each} " in request.question), "")
    thing = request.question.removesuffix(" painted?").rpartition(" ")[2]
    if not request.passages:
        return answer_to("known", THINGS.index(thing)) if group == "known" else "It is plain."
    if group in ("ignored", "known", "lost") or "Sort" in request.question:
        return "It is plain."
    if "Who made" in request.question:
        return "Ada made it."
    said = [passage.text for passage in request.passages if passage.file == f"{group}.md"]
    right = [text for text in said if thing in text or group == "hidden"]
    if group == "form" and right:
        return f"Thank you for asking! In the documents I read that {right[0]} Is there more I can do for you?"
    return right[0] if right else "It is plain."


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Evaluation, Suite, ScriptedStages]:
    folder = Project.open(tmp_path_factory.mktemp("planted") / "project").folder
    write_index(folder, make_documents())
    suite = Suite(folder / "suite.yaml", "Planted", tuple(make_cases()), "p" * 64)
    stages = ScriptedStages(speak)
    with pytest.MonkeyPatch.context() as patch:
        worker = put_script_in_place(patch, stages)
        evaluation = last_result(evaluate(suite, make_lanes(("base", "rag")), folder, worker, worker))
    return evaluation, suite, stages


def test_twenty_planted_failures_of_each_kind_get_their_own_label(
    planted: tuple[Evaluation, Suite, ScriptedStages],
) -> None:
    evaluation, suite, _ = planted
    found = {each.case: each.reason for each in explain_failures(evaluation, suite) if each.lane == "rag"}
    planted_cases = Counter(case.id.partition("-")[0] for case in suite.cases)
    assert set(planted_cases.values()) == {EACH} and len(found) == len(suite.cases) == EACH * len(EXPECTED)
    right = Counter(
        case.partition("-")[0] for case, reason in found.items() if reason == EXPECTED[case.partition("-")[0]]
    )
    assert all(right[group] >= 0.95 * EACH for group in EXPECTED), (right, Counter(found.values()))


def test_the_oracle_is_given_the_passage_that_answers(planted: tuple[Evaluation, Suite, ScriptedStages]) -> None:
    evaluation, suite, _ = planted
    hidden = [each for each in evaluation.oracle if each.case.startswith("hidden")]
    assert len(hidden) == EACH and all(each.passed for each in hidden)
    assert all(
        f"hue {answer_to('hidden', int(each.case.partition('-')[2]))}" in each.answer.passages[0].text
        for each in hidden
    )
    assert not any(each.passed for each in evaluation.oracle if each.case.startswith(("ignored", "silent")))
    assert {each.case for each in evaluation.oracle}.isdisjoint(case.id for case in suite.cases if case.kind != "fact")


def test_failures_tell_whether_the_right_passage_would_have_helped(
    planted: tuple[Evaluation, Suite, ScriptedStages],
) -> None:
    evaluation, suite, _ = planted
    helped = {
        each.case.partition("-")[0]: each.oracle for each in explain_failures(evaluation, suite) if each.lane == "rag"
    }
    assert (helped["hidden"], helped["ignored"], helped["lost"]) == (True, False, None)


def test_the_index_says_of_each_source_what_it_holds(planted: tuple[Evaluation, Suite, ScriptedStages]) -> None:
    states = planted[0].in_source
    assert (states["lost-0"], states["silent-1"], states["hidden-3"]) == ("missing", "silent", "holds")
    assert planted[0].missing_sources == ("never-indexed.md",)
