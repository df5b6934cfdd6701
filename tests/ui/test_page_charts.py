"""The charts say in words what they draw, keep their scale, and paint whatever they are given."""

from __future__ import annotations

import math

import pytest
from pytestqt.qtbot import QtBot

from workbench.ui.charts import nice_top, round_estimate, signed, smooth
from workbench.ui.charts_advice import CostChart, CostLine, EffectBar, EffectsChart
from workbench.ui.charts_loss import Histogram, LossChart
from workbench.ui.theme import Theme


@pytest.mark.parametrize(
    ("value", "top"), [(0.65, 0.8), (0.8, 0.8), (0.81, 1.0), (3.0, 4.0), (950, 1000), (0, 1), (math.nan, 1)]
)
def test_an_axis_ends_at_a_round_number(value: float, top: float) -> None:
    assert nice_top(value) == pytest.approx(top)


def test_estimates_and_points_are_written_for_people() -> None:
    assert [round_estimate(each) for each in (328, 7.4, 12_345)] == [330, 7, 12_000]
    assert [signed(each) for each in (20.6, -8.2, 0.3)] == ["+21", "\N{MINUS SIGN}8", "0"]
    assert smooth([(1, 1.0), (2, 0.0)]) == [(1, 1.0), (2, 0.75)]


def test_the_loss_axis_never_shrinks_during_a_run(qtbot: QtBot, theme: Theme) -> None:
    chart = LossChart()
    qtbot.addWidget(chart)
    chart.resize(600, 220)
    chart.show_run(1, 100, [(1, 3.5)], [(0, 3.9)])
    first = chart._top
    chart.show_run(60, 100, [(1, 0.5), (60, 0.1)], [(0, 0.6), (60, 0.2)], ((50, "50, pass 1"),), "about a minute to go")
    assert chart._top == first == 4.0
    assert "Held-out loss 0.20" in chart.accessibleDescription()
    assert not chart.grab().isNull()
    chart.clear()
    assert chart._top == 0.0


def test_the_loss_chart_survives_a_loss_that_is_not_a_number(qtbot: QtBot, theme: Theme) -> None:
    chart = LossChart()
    qtbot.addWidget(chart)
    chart.show_run(2, 4, [(1, math.nan), (2, math.inf)], [])
    assert not chart.grab().isNull()


def test_the_histogram_says_its_range(qtbot: QtBot, theme: Theme) -> None:
    chart = Histogram()
    qtbot.addWidget(chart)
    chart.show_bars([(40, 3), (80, 0), (1204, 1)], 40, 60, 1204, limit=1024)
    assert chart.toolTip() == "From 40 to 1204 tokens, half of them up to 60."
    assert not chart.grab().isNull()


def test_effects_are_said_with_their_intervals(qtbot: QtBot, theme: Theme) -> None:
    chart = EffectsChart()
    qtbot.addWidget(chart)
    chart.show_effects(
        [EffectBar("Documents", "rag", 42.4, (32, 52)), EffectBar("Extra from having both", "", 3, (-8, 12))], 4
    )
    assert (
        chart.accessibleDescription() == "Documents: +42, 32 to 52. Extra from having both: +3, \N{MINUS SIGN}8 to 12."
    )
    assert not chart.grab().isNull()


def test_costs_are_drawn_with_and_without_a_meeting(qtbot: QtBot, theme: Theme) -> None:
    chart = CostChart()
    qtbot.addWidget(chart)
    lines = [CostLine("Documents", "rag", 0.0, 0.5), CostLine("Both", "rag+tuned", 140.0, 0.1)]
    for meet in (350.0, None):
        chart.show_costs(lines, 1000, meet, "€")
        assert not chart.grab().isNull()
    assert "Documents: €0 at first, €500 after 1000 answers." in chart.accessibleDescription()
