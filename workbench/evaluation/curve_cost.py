"""What a data learning curve will take, said before it is measured: from the run's own training, answers as planned."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from workbench import records
from workbench.evaluation.curve_records import FOLDER, SHARES, steps_share
from workbench.tuning.adapter import read_run
from workbench.tuning.recipe import RunInfo

LINES = 4 + 1 + len(SHARES)  # bare, prompt, examples, documents; the run; its smaller trainings
START = 60.0  # seconds to load, convert and compare, where the run's own are not known
MOST_START = 600.0  # more than that was a pause
# Bytes of weights that decoding reads in a second, a token reading all of them: the starter has 98 MB at 40 tokens/s,
# the slowest of its kinds on two cores (an evaluation reads exactly and alone).
READ = 4e9
PROMPT_SECONDS = 0.5  # to read a question


@dataclass(frozen=True, slots=True)
class CurveCost:
    """An estimate in seconds."""

    training: float
    answering: float

    @property
    def seconds(self) -> float:
        return self.training + self.answering


def curve_cost(run: RunInfo) -> CurveCost:
    """About how long the curve of a finished run takes on this computer, the trainings that are done left out."""
    left = [share for share in SHARES if read_state_of(run, share) != "done"]
    epochs = float(run.recipe.get("epochs") or 1.0)
    training = sum(steps_share(epochs, share) * run.seconds + _start_seconds(run) for share in left)
    held_out = int(_manifest(run).get("held_out_rows", 0))
    size = run.model.stat().st_size if run.model is not None and run.model.is_file() else READ / 40
    return CurveCost(training, LINES * held_out * (PROMPT_SECONDS + _answer_tokens(run) * size / READ))


def read_state_of(run: RunInfo, share: float) -> str:
    """How the training on a share of the rows is: as RunInfo.state, "" where it was not begun."""
    try:
        return read_run(run.folder / FOLDER / str(round(100 * share))).state
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _start_seconds(run: RunInfo) -> float:
    """What the run took beside its steps: loading, looking at other text, converting and comparing."""
    times: dict[str, float] = {}
    for line in records.read_lines(run.folder / "events.jsonl"):
        if isinstance(line, dict) and line.get("kind") in ("start", "end"):
            times[line["kind"]] = float(line.get("at", 0.0))
    beside = times.get("end", 0.0) - times.get("start", 0.0) - run.seconds
    return beside if 0 < beside < MOST_START else START


def _answer_tokens(run: RunInfo) -> float:
    """About how many tokens an answer has: half more than the expected ones, at four characters a token."""
    lines = records.read_lines(run.folder / "events.jsonl")
    samples = [each for line in lines for each in (line.get("value") or {}).get("samples") or ()]
    expected = [len(str(each.get("expected", ""))) for each in samples]
    return 1.5 * statistics.fmean(expected) / 4 if expected else 48.0


def _manifest(run: RunInfo) -> dict[str, Any]:
    try:
        found = records.read_json(run.folder / "manifest.json")
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
