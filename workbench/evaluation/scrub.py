"""STAGE scrub(project, name, question): one question through the states of a fine-tune, from the bare model to its end.

Each state is asked greedily and exactly, so that two answers differ by what was learnt between them and nothing else.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from workbench.children import Worker
from workbench.errors import InputError, WorkbenchError
from workbench.events import Event, Progress, Result, Stage
from workbench.lanes.lane import Answer, Lane, Sampling
from workbench.lanes.material import collect
from workbench.lanes.presets import chat_model
from workbench.project import Project
from workbench.retrieval.prompt import GROUNDED_SYSTEM
from workbench.tuning.export import find_run
from workbench.tuning.recipe import RunInfo
from workbench.tuning.states import kept_states

MARK = "\nQuestion: "  # what stands in a row that brings its passages; see retrieval.prompt.grounded_text


@dataclass(frozen=True, slots=True)
class ScrubPoint:
    """What one state answers."""

    step: int  # 0: the model before training
    text: str
    loss: float | None  # on the held-out rows at that step, nats per token; None where it was not measured
    kept: bool  # whether it is the state the run's adapter is made of
    adapter: str = ""  # SHA-256 of the state that answered, from the engine's stamp; "" for the bare model


@dataclass(frozen=True, slots=True)
class Scrub:
    """One question through a run."""

    name: str
    question: str
    points: tuple[ScrubPoint, ...]  # by step


def scrub(project: Path, name: str, question: str, engine: Worker, most_tokens: int = 256) -> Stage:
    """Yields Progress and a Result(ScrubPoint) each as they are answered, last a Result(Scrub).

    Closing it ends the answer that is being written. Raises InputError without a question, for a run that is not
    finished or that kept no states, and WorkbenchError with what the engine said of a state it could not ask.
    """
    if not question.strip():
        raise InputError("The question is empty: write one.")
    home = Project.open(project)
    run = find_run(home.folder, name)
    states = points_of(run)
    losses, kept = dict(run.eval_loss), kept_step(run)
    told: list[ScrubPoint] = []
    for step, adapter in states.items():
        note = f"asking step {step}" if step else "asking the model before training"
        yield Progress(len(told), len(states), note, "states")
        lane = state_lane(run, home, step, adapter, question, most_tokens)
        found = yield from _ask(question, lane, engine)
        used = found.stamp.adapter if found.stamp else ""
        told.append(ScrubPoint(step, found.text, losses.get(step), step == kept, used))
        yield Result(told[-1])
    yield Result(Scrub(name, question, tuple(told)))


def points_of(run: RunInfo) -> dict[int, Path | None]:
    """The states that can be asked, by step: the bare model (None), those kept on the way, the adapter itself.

    Raises InputError where none was kept on the way.
    """
    states = kept_states(run.folder)
    if not states or run.adapter is None:
        raise InputError(
            f"The fine-tune {run.name} kept no states on its way, as runs of an earlier version and imported adapters: "
            "fine-tune again to see what each step changed."
        )
    return dict(sorted({0: None, **states, kept_step(run): run.adapter}.items()))


def kept_step(run: RunInfo) -> int:
    """The step whose state a run's adapter is made of."""
    return int(run.effects.get("held_out", {}).get("step") or run.total)


def state_lane(run: RunInfo, home: Project, step: int, adapter: Path | None, question: str, most_tokens: int) -> Lane:
    """The lane of one state: the model and the system prompt its rows were trained with, greedy."""
    model = run.model if run.model is not None and run.model.is_file() else chat_model(home)
    reads = run.reads_passages and MARK in question
    return Lane(
        f"{run.name}, step {step}",
        model,
        adapter=adapter,
        system=GROUNDED_SYSTEM if reads else run.system,
        sampling=Sampling(max_tokens=most_tokens),
    )


def _ask(question: str, lane: Lane, engine: Worker) -> Generator[Event, None, Answer]:
    from workbench.evaluation.answering import GivenPassages, answer_case  # numpy with it, which the page does without

    results = yield from collect(answer_case(question, lane, GivenPassages({}), engine))
    found: Answer = results[-1]  # answer_case always ends with one
    if found.stopped == "failed":
        raise WorkbenchError(f"{lane.name} could not be asked. {found.error}")
    return found
