from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

import numpy as np
import pytest
from made_up import LANES, make_evaluation, make_result, make_suite, telling

from workbench.advice.choice import FEWEST, choose, choose_among
from workbench.advice.records import Verdict
from workbench.advice.verdict import decide
from workbench.evaluation.records import Case
from workbench.evaluation.statistics import noise_of
from workbench.evaluation.summary import effects_of, regroup, summarise

Right = Callable[[str, Case, int], bool]


def shares(**percent: int) -> Right:
    """Each lane right on its own share of the cases, the better lane on all that the worse one is right on."""
    return lambda lane, case, place: (place * 37) % 100 < percent[lane.partition(":")[0].replace("+", "_")]


def verdict(right: Right, facts: int = 60, behaviour: int = 40, unanswerable: int = 20) -> Verdict:
    suite = make_suite(facts, behaviour, unanswerable)
    return decide(make_evaluation(suite, right), suite)


@pytest.mark.parametrize(
    ("right", "recommendation", "lane"),
    [
        (shares(base=10, prompted=80, rag=70, tuned=82, rag_tuned=80), "prompt", "prompted"),
        (shares(base=10, prompted=15, rag=85, tuned=12, rag_tuned=86), "retrieval", "rag"),
        (shares(base=10, prompted=15, rag=12, tuned=85, rag_tuned=85), "fine-tuning", "tuned:tickets"),
        (shares(base=10, prompted=30, rag=52, tuned=43, rag_tuned=88), "both", "rag+tuned:tickets"),
        (shares(base=90, prompted=90, rag=90, tuned=90, rag_tuned=90), "neither", "base"),
        (shares(base=90, prompted=60, rag=60, tuned=60, rag_tuned=60), "neither", "base"),
    ],
)
def test_the_cheapest_lane_that_is_not_clearly_worse_is_recommended(
    right: Right, recommendation: str, lane: str
) -> None:
    found = verdict(right)
    assert (found.recommendation, found.lane, found.questions_needed) == (recommendation, lane, 0)
    assert found.headline.endswith(".") and found.firmness.startswith(("Firm", "Leaning"))


def test_each_kind_of_case_has_its_own_recommendation() -> None:
    found = verdict(telling)
    assert found.recommendation == "both"
    assert found.by_kind == {"fact": "retrieval", "behaviour": "fine-tuning", "unanswerable": "cannot-tell"}
    assert any("about 130 more" in reason for reason in found.reasons)


def test_a_kind_that_needs_something_else_stands_in_the_headline() -> None:
    """Tickets outnumber facts, so the fine-tune is best overall; whoever asks for a fact needs the documents."""
    found = verdict(lambda lane, case, place: lane == "rag" if case.kind == "fact" else "tuned:" in lane, 40, 80, 0)
    assert found.by_kind == {"fact": "retrieval", "behaviour": "fine-tuning"}
    assert found.headline == "Use the fine-tune, but for questions of fact the documents."
    both = verdict(lambda lane, case, place: ("rag" if case.kind == "fact" else "tuned") in lane, 40, 80, 0)
    assert both.headline == "Use your documents and the fine-tune together."  # which holds what each kind needs


def test_a_tag_with_enough_cases_is_told_where_it_parts_from_its_kind() -> None:
    """Notes that a prompt does as well as anything, among tickets that a fine-tune is needed for."""
    suite = make_suite(20, 60, 0)
    tags = {"ticket": range(20, 60), "tone": range(60, 80), "few": range(60, 60 + FEWEST - 1), "all": range(80)}
    cases = [
        dataclasses.replace(case, tags=tuple(tag for tag, places in tags.items() if place in places))
        for place, case in enumerate(suite.cases)
    ]
    suite = dataclasses.replace(suite, cases=tuple(cases))

    def right(lane: str, case: Case, place: int) -> bool:
        return lane == "prompted" if place >= 60 else "tuned" in lane and place >= 20

    found = decide(make_evaluation(suite, right), suite)
    assert found.by_kind["behaviour"] == "fine-tuning"
    assert found.by_tag == {"ticket": "fine-tuning", "tone": "prompt"}  # few are too few, all are of two kinds
    assert "For the 20 questions tagged “tone”: the better prompt." in found.reasons
    assert not any("tagged “ticket”" in reason for reason in found.reasons)  # its kind says the same


def test_where_only_an_addition_is_open_the_part_that_is_sure_is_told() -> None:
    """19 against 13 of 52 tell nothing of the fine-tune, and neither doubts the documents."""
    rag = [place % 4 == 0 for place in range(52)]
    both = [place % 4 == 0 and place > 8 or place % 6 == 1 for place in range(52)]
    nothing = [False] * 52
    lanes = {"base": nothing, "prompted": nothing, "rag": rag, "tuned:t": nothing, "rag+tuned:t": both}
    choice = choose_among({lane: dict(enumerate(passed)) for lane, passed in lanes.items()})
    assert (sum(rag), sum(both)) == (13, 19)
    assert (choice.lane, choice.best, choice.firm) == ("rag", "rag+tuned:t", False) and choice.needed > 10
    weak = {**lanes, "rag": [place < 3 for place in range(52)]}  # then the documents alone are not shown to help
    assert choose_among({lane: dict(enumerate(passed)) for lane, passed in weak.items()}).lane != "rag"


def test_a_handful_of_questions_cannot_tell_and_says_how_many_would() -> None:
    found = verdict(telling, 3, 2, 1)
    assert (found.recommendation, found.lane) == ("cannot-tell", "")
    assert found.questions_needed >= 10
    assert f"About {found.questions_needed} more" in found.firmness
    assert set(found.by_kind.values()) == {"cannot-tell"}


def test_equal_lanes_over_few_questions_cannot_be_told_apart() -> None:
    found = verdict(shares(base=50, prompted=50, rag=50, tuned=50, rag_tuned=50), 8, 0, 0)
    assert found.recommendation == "cannot-tell" and found.questions_needed > 0


def test_one_case_lost_among_four_is_no_firm_finding() -> None:
    suite = make_suite(4, 0, 0)
    found = decide(make_evaluation(suite, lambda lane, case, n: lane == "base" and n == 2, ("base", "rag")), suite)
    assert found.recommendation == "cannot-tell" and found.questions_needed > 0


def test_where_nothing_helps_the_bare_model_is_not_praised() -> None:
    found = verdict(shares(base=3, prompted=3, rag=3, tuned=3, rag_tuned=3))
    assert found.recommendation == "neither"
    assert found.headline == "Nothing tried here helped enough to be worth it."
    assert not any("the bare model." in reason for reason in found.reasons if reason.startswith("For the"))


def test_a_kind_that_nothing_helped_with_is_no_reason_for_the_bare_model() -> None:
    def tuning_alone(lane: str, case: Case, number: int) -> bool:
        return case.kind == "behaviour" and "tuned" in lane

    found = verdict(tuning_alone, 40, 40, 40)
    assert found.by_kind["unanswerable"] == "neither" and found.unhelped == ("fact", "unanswerable")
    assert not any("the bare model" in change for change in found.would_change), found.would_change


def test_a_difference_within_the_noise_is_no_difference() -> None:
    suite = make_suite(120, 0, 0)
    evaluation = make_evaluation(suite, shares(base=60, prompted=72, rag=72, tuned=72, rag_tuned=72))
    assert decide(evaluation, suite).recommendation == "prompt"
    shaky = noise_of("base", [True] * 12, [False] * 2 + [True] * 10, 2, 120)
    assert decide(dataclasses.replace(evaluation, noise=shaky), suite).recommendation == "cannot-tell"


def test_one_lane_alone_compares_with_nothing() -> None:
    suite = make_suite(20, 0, 0)
    found = decide(make_evaluation(suite, telling, ("rag",)), suite)
    assert found.recommendation == "cannot-tell" and found.headline == "One lane alone compares with nothing."
    assert any(change.startswith("Not measured here") for change in found.would_change)


def test_of_several_fine_tunes_the_best_stands_for_tuning() -> None:
    suite = make_suite(0, 100, 0)
    shares_of = {"base": 5, "tuned:old": 40, "tuned:new": 95}
    lanes = tuple(shares_of)
    found = decide(make_evaluation(suite, lambda lane, case, n: (n * 37) % 100 < shares_of[lane], lanes), suite)
    assert (found.recommendation, found.lane) == ("fine-tuning", "tuned:new")


def test_a_lane_of_ones_own_does_not_enter_the_recommendation() -> None:
    suite = make_suite(60, 0, 0)
    evaluation = make_evaluation(suite, lambda lane, case, n: lane in ("rag", "mine"), ("base", "rag", "mine"))
    assert decide(evaluation, suite).lane == "rag"


def test_answers_the_engine_could_not_give_are_left_out_of_the_comparison() -> None:
    import dataclasses

    from made_up import make_result

    suite = make_suite(60, 0, 0)
    whole = make_evaluation(suite, lambda lane, case, n: lane == "rag", ("base", "rag"))
    results = tuple(
        make_result(each.lane, suite.cases[n % 60], each.passed, stopped="failed", text="", error="It crashed.")
        if each.lane == "rag" and n % 60 < 10
        else each
        for n, each in enumerate(whole.results)
    )
    groups = regroup(results, lambda result: result.lane)
    lanes = {lane: summarise(lane, each, suite.cases) for lane, each in groups.items()}
    found = decide(dataclasses.replace(whole, results=results, lanes=lanes, effects=effects_of(results)), suite)
    assert found.recommendation == "retrieval"
    assert any("The engine failed at 10 questions" in reason for reason in found.reasons)
    assert found.failures["rag"] == {"engine-failure": 10}


def test_figures_are_rounded_once_and_signed() -> None:
    found = verdict(telling)
    assert any("107 of 120 questions, 89 %" in reason for reason in found.reasons)
    assert not any("-" in word and word[1:].isdigit() for reason in found.reasons for word in reason.split())


def test_no_finding_is_made_of_chance_alone() -> None:
    """Lanes that are all the same coin: a dearer one may be recommended about once in twenty at most."""
    suite, wrong = make_suite(60, 0, 0), 0
    for seed in range(40):
        rng = random.Random(seed)
        results = [make_result(lane, case, rng.random() < 0.5) for lane in LANES for case in suite.cases]
        wrong += choose(results).recommendation not in ("neither", "cannot-tell")
    assert wrong <= 5  # of 40 at 5 %, more than 5 comes once in a hundred


def test_a_dozen_questions_give_no_verdict_however_clear_they_look() -> None:
    suite = make_suite(6, 3, 3)
    found = decide(make_evaluation(suite, lambda lane, case, place: "rag" in lane), suite)
    assert (found.recommendation, found.lane) == ("cannot-tell", "")
    assert found.questions_needed >= 10 and set(found.needed_by_kind) == {"fact", "behaviour", "unanswerable"}
    assert "12 questions are too few for a verdict" in found.scope
    same = decide(make_evaluation(make_suite(12, 6, 6), lambda lane, case, place: "rag" in lane), suite)
    assert same.recommendation == "retrieval"


def test_up_to_fifty_questions_what_they_can_show_is_said() -> None:
    for total, said in ((40, "hide smaller ones"), (120, "show a difference")):
        suite = make_suite(total, 0, 0)
        assert said in decide(make_evaluation(suite, telling), suite).scope


def test_a_fine_tune_is_not_recommended_without_a_word_on_the_prompt_that_was_not_tried() -> None:
    suite = make_suite(0, 60, 0)
    found = decide(make_evaluation(suite, lambda lane, case, n: "tuned" in lane, ("base", "tuned:x")), suite)
    assert found.recommendation == "fine-tuning"
    assert any(change.startswith("Prompt first") for change in found.would_change)


def test_the_reasons_say_what_the_right_passages_would_have_brought() -> None:
    suite = make_suite(40, 0, 0)
    evaluation = make_evaluation(suite, lambda lane, case, n: lane == "rag" and n < 20, ("base", "rag"))
    oracle = tuple(make_result("rag", case, n % 2 == 0) for n, case in enumerate(suite.cases[20:]))
    found = decide(dataclasses.replace(evaluation, oracle=oracle), suite)
    assert any("the documents would get 10 of the 20 questions" in reason for reason in found.reasons)
    assert {each.oracle for each in found.failed_cases if each.lane == "rag"} == {True, False}


@pytest.mark.parametrize("lanes", [2, 5])
def test_identical_lanes_are_given_a_winner_in_one_suite_of_twenty_at_most(lanes: int) -> None:
    names, found = ("base", "prompted", "rag", "tuned", "rag+tuned")[:lanes], 0
    rng = np.random.default_rng(11)
    for _ in range(2000):
        draws = rng.random((lanes, 60)) < rng.uniform(0.1, 0.9)
        verdicts = {name: dict(enumerate(row.tolist())) for name, row in zip(names, draws, strict=True)}
        found += bool(choose_among(verdicts).worse)
    assert found / 2000 <= 0.05
