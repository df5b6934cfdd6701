"""What the program itself takes of a run, beside the model: measured with a model that answers at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from made_up import LANES, FakeStages, make_lanes, make_suite, put_in_place

from workbench.evaluation.evaluate import evaluate
from workbench.evaluation.records import Evaluation
from workbench.events import Result
from workbench.project import Project

# Assumed, not measured: seconds of a quick answer of the starter, some twenty tokens at eighty a second.
QUICKEST = 0.25
SHARE = 0.03


@pytest.mark.slow
def test_200_cases_over_5_lanes_cost_the_program_3_percent_of_the_time_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processor time, so that what else runs here counts for nothing; reading and writing results included."""
    suite, lanes = make_suite(100, 60, 40), make_lanes()
    worker = put_in_place(monkeypatch, fake := FakeStages(suite))
    project = Project.open(tmp_path / "project").folder
    began = time.process_time()
    stage = evaluate(suite, lanes, project, worker, worker)
    for event in stage:  # stopped half-way and gone on with, as a long run is
        if isinstance(event, Result) and len(fake.asked) >= 500:
            break
    stage.close()
    events = list(evaluate(suite, lanes, project, worker, worker))
    spent = time.process_time() - began
    [last] = [event.value for event in events if isinstance(event, Result) and isinstance(event.value, Evaluation)]
    assert sum(lane.overall.total for lane in last.lanes.values()) == 200 * len(LANES)
    assert len(fake.asked) <= 1000 + 12 + 1  # nothing twice, but for the second base lane's sample and the one cut off
    assert spent <= SHARE * QUICKEST * 1000, f"{1000 * spent / 1000:.1f} ms an answer"
