"""What each lane would cost here, on a rented GPU and through a hosted API: per question, per month and in a year.

Seconds, tokens and wrong answers are measured; every price is a person's own and starts from the middle of a published
range whose article is named. What no article prices is left out rather than made up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.advice.cost import MONTHS, PRICES, Assumptions, Price
from workbench.advice.facts import Facts
from workbench.advice.wording import lane_words
from workbench.errors import InputError
from workbench.evaluation.records import Evaluation, LaneSummary

PLACES = ("local", "rented", "hosted")
TITLES = {"local": "This computer", "rented": "Rented GPU", "hosted": "Hosted API"}

# Prices the articles give beside those of `cost.PRICES`.
MORE_PRICES = (
    Price("tuning_tokens", "Hosted fine-tuning, per million training tokens", 25.0, 25.0, "$ a million", "S0"),
)


@dataclass(frozen=True, slots=True)
class Projection:
    """One lane in one place. Money is in the unit of the prices given."""

    lane: str
    place: str  # of PLACES
    setup: float  # once: machine, people, a hosted run
    per_question: float  # machine or API, and mistakes put right
    fixed_month: float  # hosts, stores, retraining and re-indexing, whatever the number of questions
    questions: float  # a month
    parts: tuple[tuple[str, float], ...] = field(default=())  # what a year is made of, largest first

    @property
    def month(self) -> float:
        return self.fixed_month + self.per_question * self.questions

    @property
    def year(self) -> float:
        return self.setup + MONTHS * self.month


def all_prices() -> dict[str, Price]:
    """Every price with its published range."""
    return {price.key: price for price in (*PRICES, *MORE_PRICES)}


def set_prices(own: Mapping[str, float]) -> dict[str, float]:
    """The starting values with a person's own in their place. Raises InputError for a price there is not."""
    prices = {key: price.start for key, price in all_prices().items()}
    for key, value in own.items():
        if key not in prices:
            raise InputError(f"There is no price “{key}”: there are {', '.join(prices)}.")
        if not 0 <= value < float("inf"):
            raise InputError(f"The price “{key}” must be a number from 0 on.")
        prices[key] = value
    return prices


def known_prices(own: Mapping[Any, Any]) -> dict[str, float]:
    """Those of some kept prices that there are and that can be prices: another version may have known others."""
    numbers = {str(key): float(value) for key, value in own.items() if isinstance(value, (int, float))}
    return {key: value for key, value in numbers.items() if key in all_prices() and 0 <= value < float("inf")}


def project_costs(
    evaluation: Evaluation, facts: Facts, assumptions: Assumptions, prices: Mapping[str, float]
) -> tuple[Projection, ...]:
    """Every lane in every place, in the evaluation's order."""
    reading = [each.prompt_tokens + each.answer_tokens for lane, each in evaluation.lanes.items() if _reads(lane)]
    usual = max(reading, default=0.0)  # the published price of a question is of one with retrieval
    return tuple(
        _project(summary, place, facts, assumptions, prices, usual)
        for summary in evaluation.lanes.values()
        for place in PLACES
    )


def _project(
    lane: LaneSummary, place: str, facts: Facts, given: Assumptions, prices: Mapping[str, float], usual: float
) -> Projection:
    name = lane.lane.partition(":")[2]
    hours = given.hours_of_examples if name else given.hours_of_prompting if lane.lane == "prompted" else 0.0
    mistakes = (1 - lane.overall.rate) * given.minutes_per_mistake / 60 * given.person_hour
    setup, running, fixed = {"local": _local, "rented": _rented, "hosted": _hosted}[place](
        lane, facts, given, prices, usual
    )
    people = hours * given.person_hour
    year = MONTHS * given.questions_a_month
    parts = {
        "set-up": setup,
        "people's time to set up": people,
        "hosts and upkeep": MONTHS * fixed,
        "answering": year * running,
        "mistakes put right": year * mistakes,
    }
    ordered = sorted(((what, amount) for what, amount in parts.items() if amount), key=lambda part: -part[1])
    return Projection(
        lane.lane, place, setup + people, running + mistakes, fixed, given.questions_a_month, tuple(ordered)
    )


Money = tuple[float, float, float]  # once, per question, per month


def _local(lane: LaneSummary, facts: Facts, given: Assumptions, prices: Mapping[str, float], usual: float) -> Money:
    second = given.machine_hour / 3600
    index, train = _seconds(lane.lane, facts)
    again = (index * given.reindexings_a_year + train * given.retrainings_a_year) / MONTHS
    return (index + train) * second, lane.median_seconds * second, again * second


def _rented(lane: LaneSummary, facts: Facts, given: Assumptions, prices: Mapping[str, float], usual: float) -> Money:
    """A GPU host by the month; a tuned lane is trained in a rented run."""
    tuned = ":" in lane.lane
    setup = prices["tuning_run"] if tuned else 0.0
    again = prices["retraining"] * given.retrainings_a_year / MONTHS if tuned else 0.0
    return setup, 0.0, prices["gpu_host"] + again


def _hosted(lane: LaneSummary, facts: Facts, given: Assumptions, prices: Mapping[str, float], usual: float) -> Money:
    """By the question, in proportion to its tokens; stores and hosts of tuned models by the month."""
    tokens = lane.prompt_tokens + lane.answer_tokens
    question = prices["rag_query"] * (tokens / usual if usual else 1.0)
    fixed = prices["vector_store"] if _reads(lane.lane) else 0.0
    setup = 0.0
    if ":" in lane.lane:
        trained = facts.trained_tokens.get(lane.lane.partition(":")[2], 0)
        setup = prices["tuning_tokens"] * trained / 1e6 if trained else prices["tuning_run"]
        fixed += setup * given.retrainings_a_year / MONTHS
    return setup, question, fixed


def _reads(lane: str) -> bool:
    return lane.partition(":")[0] in ("rag", "rag+tuned", "full")


def _seconds(lane: str, facts: Facts) -> tuple[float, float]:
    """Seconds of indexing and of training that a lane needs."""
    name = lane.partition(":")[2]
    return facts.index_seconds if _reads(lane) else 0.0, facts.train_seconds.get(name, 0.0) if name else 0.0


def pays_after(cheaper_setup: Projection, cheaper_running: Projection) -> float | None:
    """After how many questions the second has paid for its dearer set-up; 0 at once, None never."""
    extra = cheaper_running.setup - cheaper_setup.setup
    monthly = cheaper_running.fixed_month - cheaper_setup.fixed_month
    volume = cheaper_running.questions
    saved = cheaper_setup.per_question - cheaper_running.per_question - (monthly / volume if volume else 0.0)
    if extra <= 0 and saved >= 0:
        return 0.0
    return extra / saved if saved > 0 else None


def pays_sentence(cheaper_setup: str, dearer: str, after: float | None) -> str:
    """Break-even in words."""
    if after is None:
        return f"{dearer} never pays for itself beside {cheaper_setup}."
    if not after:
        return f"{dearer} costs no more than {cheaper_setup} from the first question on."
    return f"{dearer} has paid for itself beside {cheaper_setup} after {after:,.0f} questions."


def break_evens(projections: Sequence[Projection], lane: str) -> tuple[str, ...]:
    """What it takes for the lane that is advised to pay for itself beside the documents, a sentence for each place.

    Without a lane that is advised, or where it is the documents lane itself, there is nothing to weigh.
    """
    found = {(each.lane, each.place): each for each in projections}
    said = []
    for place in PLACES:
        ours, other = found.get((lane, place)), found.get(("rag", place))
        if ours is not None and other is not None and ours.lane != "rag" and (ours.setup or other.setup or ours.year):
            after = pays_after(other, ours)
            said.append(f"{TITLES[place]}: {pays_sentence(lane_words('rag', False), lane_words(lane, False), after)}")
    return tuple(said)
