from __future__ import annotations

import dataclasses

import pytest
from made_up import make_evaluation, make_suite, telling

from workbench.advice.cost import MONTHS, Assumptions
from workbench.advice.facts import Facts
from workbench.advice.projection import (
    PLACES,
    Projection,
    all_prices,
    break_evens,
    pays_after,
    pays_sentence,
    project_costs,
    set_prices,
)
from workbench.advice.questionnaire import SOURCES
from workbench.errors import InputError

FACTS = Facts(60.0, 1, {"tickets": 360.0}, {}, {"tickets": 2_000_000})


def projected(given: Assumptions, **prices: float) -> dict[tuple[str, str], Projection]:
    evaluation = make_evaluation(make_suite(), telling)
    return {(each.lane, each.place): each for each in project_costs(evaluation, FACTS, given, set_prices(prices))}


def test_every_lane_is_projected_in_every_place() -> None:
    found = projected(Assumptions())
    assert {place for _, place in found} == set(PLACES) and len(found) == 15
    assert found["base", "local"].year == 0.0  # nothing was priced here


def test_a_year_is_set_up_and_twelve_months() -> None:
    given = Assumptions(questions_a_month=1000, machine_hour=3.6, retrainings_a_year=12)
    local = projected(given)["tuned:tickets", "local"]
    assert local.setup == pytest.approx(0.36) and local.per_question == pytest.approx(0.001)
    assert local.fixed_month == pytest.approx(0.36)
    assert (
        local.year == pytest.approx(0.36 + MONTHS * (0.36 + 1.0)) == pytest.approx(sum(part for _, part in local.parts))
    )


def test_hosted_prices_follow_tokens_and_what_is_kept_there() -> None:
    found = projected(Assumptions(questions_a_month=1000), rag_query=0.002, vector_store=50, tuning_tokens=25)
    rag, tuned = found["rag", "hosted"], found["tuned:tickets", "hosted"]
    assert (rag.per_question, rag.fixed_month, rag.month) == (0.002, 50, 52)
    assert tuned.setup == 50.0 and tuned.fixed_month == 0.0  # two million tokens


def test_mistakes_cost_what_a_person_says_they_do() -> None:
    free, dear = (
        projected(dataclasses.replace(Assumptions(person_hour=60), minutes_per_mistake=each))["base", "rented"]
        for each in (0.0, 1.0)
    )
    rate = make_evaluation(make_suite(), telling).lanes["base"].overall.rate
    assert dear.per_question - free.per_question == pytest.approx(1 - rate)


def test_training_pays_for_itself_after_so_many_questions_or_never() -> None:
    def lane(setup: float, question: float, fixed: float = 0.0) -> Projection:
        return Projection("x", "local", setup, question, fixed, 1000)

    assert pays_after(lane(0, 0.02), lane(100, 0.01)) == pytest.approx(10_000)
    assert pays_after(lane(0, 0.01), lane(100, 0.02)) is None
    assert pays_after(lane(100, 0.02), lane(50, 0.01)) == 0.0
    assert pays_after(lane(0, 0.02, 15), lane(100, 0.01)) == pytest.approx(4_000)
    assert "after 10,000 questions" in pays_sentence("the documents", "the fine-tune", 10_000)
    assert "never pays" in pays_sentence("the documents", "the fine-tune", None)


def test_the_lane_that_is_advised_is_weighed_against_the_documents() -> None:
    projections = tuple(projected(Assumptions(person_hour=60, minutes_per_mistake=1)).values())
    said = break_evens(projections, "rag+tuned:tickets")
    assert [line.split(":")[0] for line in said] == ["This computer", "Rented GPU", "Hosted API"]
    assert break_evens(projections, "rag") == break_evens(projections, "") == ()


def test_prices_have_a_source_and_a_wrong_one_is_refused() -> None:
    assert all(price.source in SOURCES and price.low <= price.start <= price.high for price in all_prices().values())
    for own, said in (({"gold": 1.0}, "no price “gold”"), ({"gpu_host": -1.0}, "from 0 on")):
        with pytest.raises(InputError, match=said):
            set_prices(own)
