"""A passage of the reading rows with its file, its place and the questions it answers or leaves open."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from sample_maker.kinds import Ask, PassageKind, Subject, others, slots_in, some_subject
from sample_maker.origins import Matter, Origin, origin, slug
from sample_maker.telling import listed, prose

NAMED = 0.55  # of the passages name their subject; of the others the file or the heading tells it


@dataclass(frozen=True, slots=True)
class Sheet:
    """A passage with its file and place, and what can be asked about it."""

    origin: Origin
    text: str
    asked: tuple[tuple[str, str], ...] = ()  # (question, answer) pairs
    silent: tuple[str, ...] = ()  # questions about its subject that it leaves open


def some_sheet(kind: PassageKind, subject: Subject, pick: random.Random, without: str | None = None) -> Sheet:
    """A passage about `subject` with every question it answers; `without` a slot, that one is left open."""
    form, named = pick.choice(["prose", "prose", "prose", "list"]), pick.random() < NAMED
    told = (prose if form == "prose" else listed)(kind, subject, without, named, pick)
    place = origin(matter(kind), subject.name, not named, form, pick)
    gaps = [ask for ask in kind.plain_asks if ask.slot == without and ask.slot not in told.slots]
    return Sheet(
        place, told.text, answered(kind, subject, told.slots, pick), tuple(subject.fill(ask.question) for ask in gaps)
    )


def matter(kind: PassageKind) -> Matter:
    return Matter(kind.name, kind.about, kind.headings)


def answered(
    kind: PassageKind, subject: Subject, slots: frozenset[str], pick: random.Random
) -> tuple[tuple[str, str], ...]:
    """One question, in one of its wordings, for every value that is told."""
    asks = worded([ask for ask in kind.asks if {ask.slot, *slots_in([ask.question])} <= slots], pick)
    return tuple((subject.fill(ask.question), subject.fill(ask.answer)) for ask in asks)


def worded(asks: list[Ask], pick: random.Random) -> list[Ask]:
    return [pick.choice([ask for ask in asks if ask.slot == slot]) for slot in sorted({ask.slot for ask in asks})]


def with_silence(
    sheets: list[Sheet], kind: PassageKind, subject: Subject, untold: list[PassageKind], pick: random.Random
) -> list[Sheet]:
    """The sheets with one question that none of them answers: a gap, a stranger, another matter or a near miss."""
    gaps = [question for sheet in sheets for question in sheet.silent]
    absent = next(each for each in others(kind, subject, 6, pick) if not spoken_of(each.name, sheets))
    ways = [pick.choice(gaps)] if gaps else []
    ways += [absent.fill(pick.choice(kind.plain_asks).question), subject.fill(pick.choice(kind.near))]
    ways += [subject.fill(pick.choice(pick.choice(untold).plain_asks).question)] if untold else []
    first, *rest = (replace(sheet, silent=()) for sheet in sheets)
    return [replace(first, silent=(pick.choice(ways),)), *rest]


def spoken_of(name: str, sheets: list[Sheet]) -> bool:
    """Whether a subject is spoken of in a passage or its file."""
    return any(name.lower() in sheet.text.lower() or slug(name) in slug(str(sheet.origin)) for sheet in sheets)


def strangers(kind: PassageKind, kinds: list[PassageKind], count: int, pick: random.Random) -> list[Sheet]:
    """Passages about things of another kind, so that none of them tells more of the subject."""
    chosen = pick.sample([other for other in kinds if other.about != kind.about], count)
    return [replace(some_sheet(other, some_subject(other, pick), pick), silent=()) for other in chosen]
