"""A data learning curve as it is kept in a run's folder."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from workbench import records
from workbench.evaluation.records import Effect, Rate
from workbench.lanes.lane import Lane

FOLDER, CURVE, ANSWERS = "curve", "curve.json", "answers.jsonl"  # in a run's folder; a share's run lies beside them
SHARES = (0.1, 0.3)  # of the rows that are trained anew; all of them the run itself has learnt

MOST_PASSES = 8.0  # over a smaller share's rows, unless the run made more; the most that a preset makes


def passes_of(epochs: float, share: float) -> float:
    """How many passes a training on a share of the rows makes where the run made `epochs`: as many steps as the run.

    With the run's own passes a tenth of the rows would get a tenth of the steps, and a curve would show what steps add.
    More than MOST_PASSES it does not make; it ends early and keeps its best state as the run did.
    """
    return round(min(epochs / share, max(epochs, MOST_PASSES)), 2)


def steps_share(epochs: float, share: float) -> float:
    """The share of the run's steps that such a training makes."""
    return passes_of(epochs, share) * share / epochs


@dataclass(frozen=True, slots=True)
class CurveLine:
    """What one lane got right of the held-out rows."""

    name: str  # as curve_lines.Line
    share: float  # of the training rows it learnt from, 0 for none
    rows: int  # that many; for few-shot those in the prompt
    right: Rate
    against_run: Effect | None  # what the run adds over this line on the same rows; None for the run itself
    loss: float | None = None  # of a tuned one on the held-out rows, nats per token
    seconds: float = 0.0  # of its training


@dataclass(frozen=True, slots=True)
class Curve:
    """A data learning curve."""

    name: str  # the run's
    held_out: int  # rows that were asked
    lines: tuple[CurveLine, ...]
    complete: bool
    created: str  # ISO time of the last line
    left_out: tuple[str, ...] = ()  # sentences on what could not be held beside it
    model: str = ""  # the GGUF that was asked
    system: str = ""  # the system prompt the rows share, or the project's
    examples: tuple[tuple[str, str], ...] = ()  # the rows that stood in the prompt: message, answer


def read_curve(folder: Path) -> Curve | None:
    """The curve of a run's folder, as far as it was measured; None where it was not begun."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        found: Curve = records.from_plain(Curve, records.read_json(folder / FOLDER / CURVE))
        return found
    return None


def example_lane(found: Curve, name: str) -> Lane:
    """The rows in the prompt as a lane of a person's own, to be asked beside the run on anything."""
    title = f"{len(found.examples)} rows of {found.name}"
    return Lane(name, Path(found.model), title, title, system=found.system, examples=found.examples)
