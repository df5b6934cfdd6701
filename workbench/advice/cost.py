"""What each approach costs: measured here, and projected over a year with prices a person can change.

Set-up and answers are measured; prices are the person's, and start from published ranges whose article is named.
Energy is left out: it is not measured on every machine, and a made-up figure would be worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from workbench.errors import InputError
from workbench.evaluation.records import Evaluation, LaneSummary

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Price:
    """A published range a person can replace by a figure of their own."""

    key: str
    title: str
    low: float
    high: float
    unit: str
    source: str  # the article, as in questionnaire.SOURCES

    @property
    def start(self) -> float:
        """The value the field starts with: the middle of the published range."""
        return (self.low + self.high) / 2


PRICES = (
    Price("gpu_hour", "Hosting a tuned model on a rented GPU", 0.5, 3.0, "$ an hour", "S1"),
    Price("rag_query", "One question with retrieval, small hosted model", 0.001, 0.005, "$ a question", "S1"),
    Price("tuning_run", "Fine-tuning an open model once, hosted", 50.0, 500.0, "$ a run", "S1"),
    Price("vector_store", "Hosted vector store", 50.0, 500.0, "$ a month", "S4"),
    Price("retraining", "Retraining once, hosted", 500.0, 2000.0, "$ a run", "S4"),
    Price("gpu_host", "GPU host for a tuned model", 200.0, 1000.0, "$ a month", "S4"),
    Price("build_rag", "Building retrieval, people's time", 15_000.0, 40_000.0, "$ once", "S4"),
    Price("build_tuning", "Building a fine-tune, people's time", 30_000.0, 80_000.0, "$ once", "S4"),
)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the projection rests on; all of it a person's own, shown beside the figures."""

    questions_a_month: float = 1000.0
    machine_hour: float = 0.0  # price of an hour of this computer; 0: it is there anyway
    person_hour: float = 0.0  # price of an hour of people's time
    minutes_per_mistake: float = 0.0  # people's time to put one wrong answer right
    hours_of_prompting: float = 0.0  # people's time that went into the prompt
    hours_of_examples: float = 0.0  # into the training rows
    retrainings_a_year: float = 0.0
    reindexings_a_year: float = 0.0


def set_assumptions(own: Mapping[str, float]) -> Assumptions:
    """Assumptions with a person's own figures. Raises InputError for one there is not, or a number it cannot be."""
    known = [each.name for each in fields(Assumptions)]
    for key, value in own.items():
        if key not in known:
            raise InputError(f"Nothing called “{key}” is assumed: there are {', '.join(known)}.")
        if not 0 <= value < float("inf"):
            raise InputError(f"What is assumed as “{key}” must be a number from 0 on.")
    return Assumptions(**own)


@dataclass(frozen=True, slots=True)
class Cost:
    """One lane's costs. Seconds are measured; money is in the unit of the prices given."""

    lane: str
    setup_seconds: float  # of the machine: indexing, training
    setup_hours: float  # of people
    typical_seconds: float  # median of an answer
    slow_seconds: float  # p95
    tokens: float  # of a prompt and its answer, medians
    disk: int  # bytes that this approach adds
    setup_price: float
    price_per_question: float  # machine time and mistakes put right
    year: float  # set-up and twelve months of questions, retraining and re-indexing


def cost_table(
    evaluation: Evaluation,
    assumptions: Assumptions,
    *,
    index_seconds: float = 0.0,
    train_seconds: Mapping[str, float] | None = None,
    index_bytes: int = 0,
    adapter_bytes: Mapping[str, int] | None = None,
) -> tuple[Cost, ...]:
    """One row per lane of an evaluation; `train_seconds` and `adapter_bytes` are by the adapter's name."""
    found = []
    for lane, summary in evaluation.lanes.items():
        name = lane.partition(":")[2]
        reads, tuned = "rag" in lane.partition(":")[0] or lane == "full", bool(name)
        seconds = (index_seconds if reads else 0.0, (train_seconds or {}).get(name, 0.0) if tuned else 0.0)
        disk = (index_bytes if reads else 0) + ((adapter_bytes or {}).get(name, 0) if tuned else 0)
        found.append(_cost(summary, assumptions, seconds, disk, tuned))
    return tuple(found)


def _cost(summary: LaneSummary, given: Assumptions, seconds: tuple[float, float], disk: int, tuned: bool) -> Cost:
    index_seconds, train_seconds = seconds
    second = given.machine_hour / 3600
    hours = given.hours_of_examples if tuned else given.hours_of_prompting if summary.lane == "prompted" else 0.0
    setup = (index_seconds + train_seconds) * second + hours * given.person_hour
    wrong = (1 - summary.overall.rate) * given.minutes_per_mistake / 60 * given.person_hour
    question = summary.median_seconds * second + wrong
    again = (index_seconds * given.reindexings_a_year + train_seconds * given.retrainings_a_year) * second
    return Cost(
        lane=summary.lane,
        setup_seconds=index_seconds + train_seconds,
        setup_hours=hours,
        typical_seconds=summary.median_seconds,
        slow_seconds=summary.p95_seconds,
        tokens=summary.prompt_tokens + summary.answer_tokens,
        disk=disk,
        setup_price=setup,
        price_per_question=question,
        year=setup + again + question * given.questions_a_month * MONTHS,
    )


def break_even(cheaper_setup: Cost, cheaper_running: Cost) -> float | None:
    """After how many questions the second has paid for its dearer set-up; 0 at once, None never."""
    extra = cheaper_running.setup_price - cheaper_setup.setup_price
    saved = cheaper_setup.price_per_question - cheaper_running.price_per_question
    if extra <= 0 and saved >= 0:
        return 0.0
    return extra / saved if saved > 0 else None
