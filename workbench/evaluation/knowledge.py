"""STAGE tell_sources(suite, lanes): who follows the document, and who the weights?

One fact in the passages is changed. A lane that then says the changed fact read it; one that says the old fact knew it.
Lanes that read nothing are asked as they are: what they get right, their weights hold.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import regex  # type: ignore[import-untyped]

from workbench.bases import home_of
from workbench.children import Worker
from workbench.errors import InputError
from workbench.evaluation.answering import GivenPassages, answer_case, stamped
from workbench.evaluation.expected import expected_texts
from workbench.evaluation.oracle import bases_read, read_sources
from workbench.evaluation.records import Case, Suite
from workbench.evaluation.text import holds, words
from workbench.events import Event, Progress, Result, Stage
from workbench.lanes.lane import Answer, Lane
from workbench.lanes.material import collect
from workbench.retrieval.passage import Passage

SAYS = ("document", "weights", "neither")


@dataclass(frozen=True, slots=True)
class Changed:
    """A fact that was changed in the passages of a case."""

    case: Case
    was: tuple[str, ...]
    now: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """What one lane said to one changed fact."""

    case: str
    lane: str
    was: str
    now: str
    says: str  # of SAYS
    text: str


@dataclass(frozen=True, slots=True)
class SourceTest:
    """A source-of-knowledge test."""

    answers: tuple[SourceAnswer, ...]
    lanes: dict[str, dict[str, int]]  # lane -> says -> count
    skipped: tuple[str, ...]  # cases whose fact could not be changed: no text of it stands in the source
    made: dict[str, dict[str, str]] = field(default_factory=dict)  # lane -> hashes of its model and adapter


def tell_sources(suite: Suite, lanes: Sequence[Lane], project: Path, engine: Worker, most: int = 30) -> Stage:
    """Yields a Result(SourceAnswer) for each lane and changed fact, and last a Result(SourceTest).

    Raises InputError where no fact of the suite can be changed.
    """
    most_passages = max(lane.passages for lane in lanes)
    found = {base: change_facts(suite, home_of(project, base), most_passages, most) for base in bases_read(lanes)}
    if not any(chosen for chosen, _ in found.values()):
        raise InputError(
            "No fact of this suite can be changed: it needs questions of fact with a source that is indexed and holds "
            "the expected text."
        )
    first = next(iter(found))  # whose facts the lanes are asked that read nothing
    asked = {lane.name: found[first if lane.context == "none" else lane.base][0] for lane in lanes}
    skipped = tuple(case.id for case in suite.cases if all(case.id in left for _, left in found.values()))
    total = sum(map(len, asked.values()))
    answers: list[SourceAnswer] = []
    made: dict[str, dict[str, str]] = {}
    for lane in lanes:
        finder = GivenPassages({each.case.question: each.passages for each in asked[lane.name]})
        for each in asked[lane.name]:
            yield Progress(len(answers), total, lane.title or lane.name, "answers")
            answer = yield from _ask(each, lane, finder, engine)
            says = who_is_followed(answer.text, each.was, each.now)
            made[lane.name] = stamped(answer)
            answers.append(SourceAnswer(each.case.id, lane.name, each.was[0], each.now, says, answer.text))
            yield Result(answers[-1])
    counts = {lane.name: Counter(each.says for each in answers if each.lane == lane.name) for lane in lanes}
    tallied = {lane: {says: count[says] for says in SAYS} for lane, count in counts.items()}
    yield Result(SourceTest(tuple(answers), tallied, skipped, made))


def _ask(each: Changed, lane: Lane, finder: GivenPassages, engine: Worker) -> Generator[Event, None, Answer]:
    reading = lane if lane.context == "none" else replace(lane, context="passages")
    [answer] = yield from collect(answer_case(each.case.question, reading, finder, engine))
    found: Answer = answer
    return found


def change_facts(suite: Suite, home: Path, passages: int, most: int) -> tuple[list[Changed], tuple[str, ...]]:
    """Up to `most` facts changed in their source's passages in a base, and the cases where that cannot be done."""
    facts = [case for case in suite.cases if case.kind == "fact" and case.source]
    sources = read_sources(home, facts, passages)
    names = [text for case in facts for text in expected_texts(case)[:1] if not regex.search(r"\d", text)]
    chosen: list[Changed] = []
    skipped: list[str] = []
    for case in facts:
        changed = _change(case, sources.passages, names)
        if changed is None:
            skipped.append(case.id)
        elif len(chosen) < most:
            chosen.append(changed)
    return chosen, tuple(skipped)


def _change(case: Case, passages: Mapping[str, tuple[Passage, ...]], names: Sequence[str]) -> Changed | None:
    shown, was = passages.get(case.id, ()), tuple(expected_texts(case))
    standing = [text for text in was if any(_standing(text).search(each.text) for each in shown)]
    now = counterfeit(standing[0], names, case.id) if standing else ""
    if not now:
        return None
    changed = []
    for passage in shown:
        text = passage.text
        for old in sorted(standing, key=len, reverse=True):
            text = _standing(old).sub(lambda _: now, text)
        changed.append(replace(passage, text=text))
    return Changed(case, was, now, tuple(changed))


def _standing(text: str) -> regex.Pattern[str]:
    """A text where it stands on word edges, whatever its case and spaces."""
    parts = r"\s+".join(regex.escape(part) for part in text.split())
    return regex.compile(rf"(?<![\w]){parts}(?![\w])", regex.IGNORECASE)


def counterfeit(text: str, names: Sequence[str], seed: str) -> str:
    """Another fact of the same kind: other digits for a number, another case's answer for a name; "" for neither."""
    if any(each.isdecimal() for each in text):
        return "".join(str((int(each) + 3) % 10 or 4) if each.isdecimal() else each for each in text)
    mine = set(words(text))
    others = [name for name in dict.fromkeys(names) if not mine & set(words(name))]
    return random.Random(seed).choice(others) if others else ""


def who_is_followed(answer: str, was: Sequence[str], now: str) -> str:
    """ "document" when an answer holds the changed fact alone, "weights" when it holds the old one alone."""
    new, old = _says(answer, now), any(_says(answer, each) for each in was)
    return "document" if new and not old else "weights" if old and not new else "neither"


def _says(answer: str, fact: str) -> bool:
    """Whether a fact is said; of a number with a unit, the number will do."""
    number = regex.search(r"\d[\d.,:]*", fact)
    return holds(answer, fact) or (number is not None and holds(answer, number.group().rstrip(".,:")))
