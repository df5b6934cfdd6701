from __future__ import annotations

import pytest
from made_up import make_evaluation, make_suite, telling

from workbench.advice.cost import PRICES, Assumptions, break_even, cost_table, set_assumptions
from workbench.advice.questionnaire import SOURCES
from workbench.errors import InputError


def test_measured_set_up_is_put_where_it_belongs() -> None:
    evaluation = make_evaluation(make_suite(), telling)
    rows = cost_table(
        evaluation,
        Assumptions(),
        index_seconds=10.0,
        train_seconds={"tickets": 180.0},
        index_bytes=1000,
        adapter_bytes={"tickets": 500},
    )
    found = {row.lane: (row.setup_seconds, row.disk) for row in rows}
    assert found == {
        "base": (0.0, 0),
        "prompted": (0.0, 0),
        "rag": (10.0, 1000),
        "tuned:tickets": (180.0, 500),
        "rag+tuned:tickets": (190.0, 1500),
    }
    assert all(row.year == 0.0 for row in rows)  # without prices nothing is made up


def test_a_year_adds_up() -> None:
    evaluation = make_evaluation(make_suite(10, 0, 0), lambda lane, case, n: n < 5, ("base",))
    given = Assumptions(questions_a_month=100, machine_hour=3.6, person_hour=60, minutes_per_mistake=2)
    [row] = cost_table(evaluation, given)
    assert row.price_per_question == pytest.approx(0.001 * 1.0 + 0.5 * 2.0)
    assert row.year == pytest.approx(1200 * row.price_per_question)


def test_dear_set_up_pays_for_itself_or_never_does() -> None:
    evaluation = make_evaluation(make_suite(), telling)
    given = Assumptions(person_hour=35, minutes_per_mistake=2, hours_of_examples=4)
    rows = {row.lane: row for row in cost_table(evaluation, given)}
    rag, both = rows["rag"], rows["rag+tuned:tickets"]
    count = break_even(rag, both)
    assert count is not None
    assert rag.setup_price + count * rag.price_per_question == pytest.approx(
        both.setup_price + count * both.price_per_question
    )
    assert break_even(both, rag) is None
    assert break_even(rag, rag) == 0.0


def test_every_starting_price_is_a_range_with_its_source() -> None:
    assert all(price.low <= price.start <= price.high and price.source in SOURCES for price in PRICES)


def test_what_is_assumed_is_a_persons_own() -> None:
    assert set_assumptions({"person_hour": 60.0}) == Assumptions(person_hour=60.0)
    with pytest.raises(InputError, match="Nothing called “coffee”"):
        set_assumptions({"coffee": 1.0})
    with pytest.raises(InputError, match="from 0 on"):
        set_assumptions({"machine_hour": -1.0})
