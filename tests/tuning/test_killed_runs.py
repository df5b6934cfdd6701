"""A fine-tune of the starter killed at random moments: it ends on the loss curve of one that was left alone."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workbench import paths, records
from workbench.errors import ChildCrashed
from workbench.events import Progress, last_result
from workbench.project import Project
from workbench.tuning import adapter, tune
from workbench.tuning.recipe import Recipe, RunInfo
from workbench.tuning.train import EVENTS

# By hand: WORKBENCH_KILLS=20 make test ARGS=tests/tuning/test_killed_runs.py. Each kill costs a start and its loading,
# so there is none by default; test_fine_tune.py kills one run.
KILLS = int(os.environ.get("WORKBENCH_KILLS", "0"))
AT_THE_END = max(1, KILLS // 4)  # of them come after the last step, while the adapter is written and compared
LINES = 10  # of its events, after which a run is killed at the latest; the first four are told while it loads
SEED = 11


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.skipif(os.name == "nt" or not KILLS, reason="takes minutes: set WORKBENCH_KILLS; no SIGKILL on Windows")
def test_whatever_moment_a_run_is_killed_at_it_ends_on_the_same_curve(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    Project.open(tmp_path)
    colours = ["red", "blue", "green", "black", "white", "brown", "pink", "grey"]
    rows = [{"prompt": f"The {c} door", "completion": json.dumps({"colour": c})} for c in colours]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    straight = Recipe(
        name="straight",
        model=paths.starter_model(),
        datasets=(tmp_path / "rows.jsonl",),
        folder=tmp_path / "adapters" / "straight",
        rank=4,
        layers=(28, 29),
        epochs=6.0 + KILLS,  # of two steps: enough for all kills
        batch_size=3,
        eval_share=0.25,
        eval_every=4,
        checkpoint_every=3,
        patience=0,
        sample_rows=1,
        threads=1,  # the same sums in the same order, whatever else the machine does
    )
    wanted: RunInfo = last_result(tune.tune(straight))
    other = replace(straight, name="killed", folder=tmp_path / "adapters" / "killed")
    seen = []
    for number in range(KILLS):
        late = number >= KILLS - AT_THE_END
        pause = rng.uniform(0.0, 3.0 if late else 1.0)
        seen.append(kill_one(other, 0 if late else rng.randint(1, LINES), pause))
    ended: RunInfo = last_result(tune.tune(other))
    print(f"killed {len(seen)} times, after the steps {seen} of {wanted.total}")
    assert len(seen) == KILLS and seen[-1] == wanted.total and len(set(seen)) > 1
    assert ended.state == wanted.state == "done"
    assert ended.train_loss == wanted.train_loss and len(ended.train_loss) == wanted.total
    assert ended.eval_loss == wanted.eval_loss
    assert ended.adapter is not None and wanted.adapter is not None
    assert records.hash_file(ended.adapter) == records.hash_file(wanted.adapter)
    assert ended.effects["held_out"] == wanted.effects["held_out"] and ended.parity["ok"]


def kill_one(recipe: Recipe, lines: int, pause: float) -> int:
    """Start or go on with a run and kill it some seconds after so many new lines of its events; after 0 lines: of those
    that are told after the last step. Gives the step it had come to."""
    before, killed = len(read_events(recipe)), False
    with pytest.raises(ChildCrashed, match="same name"):
        for event in tune.tune(recipe):
            told = len(read_events(recipe)) - before
            due = told >= lines if lines else isinstance(event, Progress) and event.unit == "%"
            if due and not killed:
                time.sleep(pause)  # a moment at random, not something that is waited for
                os.kill(json.loads((recipe.folder / "run.json").read_text())["pid"], signal.SIGKILL)
                killed = True
    run = adapter.read_run(recipe.folder)
    assert run.state == "failed"
    return run.step


def read_events(recipe: Recipe) -> list[Any]:
    path = recipe.folder / EVENTS
    return records.read_lines(path) if path.exists() else []
