"""Three tasks made from the sentences in `resources/sets`: rows to train on, and rows whose wording was never seen.

What is kept apart: a sentence is in the training rows or in the unseen ones, never in both; so is every value that is
put into one (names, places, amounts, dates). Both come at random from the same list of one writer's sentences, as the
rows of a public intent set come from the same crowd. What they share is the answers' vocabulary: the intents, the
kinds of room, the counts of nights, and the sentences of the house style.
"""

from __future__ import annotations

import calendar
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from workbench import paths
from workbench.errors import MissingFile

UNSEEN = 0.25  # of the sentences and of the values
EACH = (30, 12)  # sentences of an intent: trained, unseen
BRACES = re.compile(r"\{(\w+)\}")
CLOSING = "Kind regards,\nHarbour House"
MOST_SENTENCES, MOST_WORDS = 3, 45  # of a letter in house style; the longest right one has 3 and about 35


@dataclass(frozen=True, slots=True)
class Row:
    """A question with the answer to be learnt and the checks, as the contract has them, that an answer must pass."""

    question: str
    answer: str
    checks: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class TaskSet:
    """One task."""

    name: str
    train: tuple[Row, ...]
    unseen: tuple[Row, ...]
    answer_tokens: int  # no answer may be longer; the longest right one is clearly shorter


@dataclass(frozen=True, slots=True)
class Material:
    """One side of a task, training or unseen: its sentences by heading and its values by name."""

    sentences: Mapping[str, Sequence[str]]
    values: Mapping[str, Sequence[str]]
    shared: Mapping[str, Mapping[str, Sequence[str]]]  # what both sides have: wording by its meaning
    unseen: bool


def make_sets(seed: int) -> tuple[TaskSet, ...]:
    """All three, the same for the same seed. Raises MissingFile where the sentences are not installed."""
    return intents(seed), bookings(seed), letters(seed)


def intents(seed: int) -> TaskSet:
    """What a customer of a phone company wants, as one of 15 words: 30 sentences of each are trained, 12 are not."""

    def rows(side: Material, pick: random.Random) -> list[Row]:
        return [
            Row(fill(sentence, side, pick), intent, ({"equals": intent},))
            for intent, sentences in side.sentences.items()
            for sentence in sentences[: EACH[side.unseen]]
        ]

    return _task("intents", "intents.txt", seed, rows, 16)


def bookings(seed: int, trained: int = 400, unseen: int = 120) -> TaskSet:
    """A guest's message as JSON of five keys."""

    def rows(side: Material, pick: random.Random) -> list[Row]:
        return _different(unseen if side.unseen else trained, lambda: _booking(side, pick))

    return _task("bookings", "bookings.txt", seed, rows, 64)


def letters(seed: int, trained: int = 360, unseen: int = 120) -> TaskSet:
    """A clerk's hasty note as a letter in house style."""

    def rows(side: Material, pick: random.Random) -> list[Row]:
        told = [(body, note) for body, notes in side.sentences.items() for note in notes]
        order = (told[number % len(told)] for number in range(10**6))
        return _different(unseen if side.unseen else trained, lambda: _letter(*next(order), side, pick))

    return _task("letters", "notes.txt", seed, rows, 80)


def _task(
    name: str, file: str, seed: int, rows: Callable[[Material, random.Random], list[Row]], answer_tokens: int
) -> TaskSet:
    """Both sides of a task, shuffled."""
    made = []
    for side in sides(paths.resources() / "sets", file, seed):
        pick = random.Random(f"{seed} {name} {side.unseen}")
        found = rows(side, pick)
        pick.shuffle(found)
        made.append(tuple(found))
    return TaskSet(name, made[0], made[1], answer_tokens)


def sides(folder: Path, file: str, seed: int) -> tuple[Material, Material]:
    """The sentences of a file and all values, parted by the seed. Raises MissingFile."""
    try:
        plain = yaml.safe_load((folder / "values.yaml").read_text(encoding="utf-8"))
        headed = read_sentences((folder / file).read_text(encoding="utf-8"))
    except OSError as error:
        raise MissingFile(f"{folder} is not there: this benchmark runs from a checkout of the program.") from error
    shared = {name: value for name, value in plain.items() if isinstance(value, dict)}
    values = {name: value for name, value in plain.items() if isinstance(value, list)}
    values["date"] = [
        f"{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, calendar.monthrange(2027, month)[1] + 1)
    ]
    parted = {name: part(value, f"{seed} {name}") for name, value in values.items()}
    told = {heading: part(value, f"{seed} {heading}") for heading, value in headed.items()}
    trained, unseen = (Material(_side(told, side), _side(parted, side), shared, bool(side)) for side in (0, 1))
    return trained, unseen


def _side(pairs: Mapping[str, tuple[list[str], list[str]]], side: int) -> dict[str, list[str]]:
    return {name: pair[side] for name, pair in pairs.items()}


def read_sentences(text: str) -> dict[str, list[str]]:
    """The lines under each `# heading`."""
    found: dict[str, list[str]] = {}
    for line in filter(None, text.splitlines()):
        if line.startswith("# "):
            found[line[2:]] = []
        else:
            found[list(found)[-1]].append(line)
    return found


def part(values: Sequence[str], seed: str) -> tuple[list[str], list[str]]:
    """Three quarters and one quarter of some texts, at random."""
    mixed = list(values)
    random.Random(seed).shuffle(mixed)
    kept = round(len(mixed) * UNSEEN)
    return mixed[kept:], mixed[:kept]


def fill(sentence: str, side: Material, pick: random.Random, **given: str) -> str:
    """A sentence with something in each of its braces."""
    return BRACES.sub(lambda found: given.get(found[1]) or pick.choice(side.values[found[1]]), sentence)


def _different(count: int, make: Callable[[], Row]) -> list[Row]:
    """So many rows with different questions."""
    found: dict[str, Row] = {}
    while len(found) < count:
        row = make()
        found.setdefault(row.question, row)
    return list(found.values())


def _booking(side: Material, pick: random.Random) -> Row:
    room, nights = (pick.choice(list(side.shared[name])) for name in ("room", "nights"))
    date = pick.choice(side.values["date"])
    guest = f"{pick.choice(side.values['first'])} {pick.choice(side.values['surname'])}"
    eats = pick.choice([True, False, None])  # None: not a word about it, which means no
    words = {name: pick.choice(side.shared[name][key]) for name, key in (("room", room), ("nights", nights))}
    pieces = [fill(pick.choice(side.sentences["request"]), side, pick, date=_spoken(date, pick), **words)]
    if eats is not None:
        pieces.append(pick.choice(side.sentences["breakfast" if eats else "plain"]))
    pieces += pick.sample(side.sentences["aside"], pick.choice([0, 1, 1, 2]))
    pick.shuffle(pieces)
    greeting = [pick.choice(side.sentences["greeting"])] if pick.random() < 0.5 else []
    ended = [piece if piece[-1] in ".?!" else piece + "." for piece in pieces]
    message = " ".join([*greeting, *ended, fill(pick.choice(side.sentences["name"]), side, pick, guest=guest)])
    answer = {"guest": guest, "room": room, "arrival": date, "nights": nights, "breakfast": eats is True}
    return Row(message, json.dumps(answer, separators=(",", ":")), ({"json": True}, {"json_equals": answer}))


def _spoken(date: str, pick: random.Random) -> str:
    """ "05-03" as people write it."""
    month, day = calendar.month_name[int(date[:2])], int(date[3:])
    ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return pick.choice([f"{day} {month}", f"the {day}{ending} of {month}", f"{month} {day}", f"{month} {day}{ending}"])


def _letter(body: str, note: str, side: Material, pick: random.Random) -> Row:
    given = {name: pick.choice(side.values[name]) for name in ("item", "day", "time", "amount")}
    addressed = f"{pick.choice(side.values['title'])} {pick.choice(side.values['surname'])}"
    told = fill(body, side, pick, **given)
    facts = [given[name] for name in BRACES.findall(body)]
    checks = (
        {"regex": rf"\ADear {addressed},\n"},
        {"contains_all": facts},
        {"regex": re.escape(CLOSING) + r"\Z"},
        {"regex": rf"\A[^.?!]*(?:[.?][^.?!]*){{1,{MOST_SENTENCES}}}\Z"},  # no exclamation mark, few sentences
        {"max_words": MOST_WORDS},
    )
    return Row(fill(note, side, pick, name=addressed, **given), f"Dear {addressed},\n\n{told}\n\n{CLOSING}", checks)
