"""Piles of the reading rows with two editions of one paper: the newer counts, unless the older is asked for."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from sample_maker.kinds import PassageKind, Subject, of_the_same, others, some_subject
from sample_maker.origins import origin
from sample_maker.sheets import Sheet, matter, spoken_of, worded
from sample_maker.telling import Told, listed, prose, tabled

_HEADS_OLD = ("Notice of {y}.", "As of May {y}:", "Edition {y}.", "Valid from 1 March {y}.", "Minutes, autumn {y}.")
_HEADS_NEW = (
    "Notice of {y}, replacing all earlier ones.",
    "As of June {y}, corrected:",
    "Edition {y}, revised.",
    "Valid from 1 October {y}.",
    "Changed in {y}.",
)


def editions(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> list[Sheet]:
    """Two editions about the same subjects: the newer counts, unless the question asks for the older."""
    kind = kind if kind.changes else pick.choice([other for other in kinds if other.changes and other.tabular])
    form = pick.choice(["prose", "prose", "list", "table"]) if kind.tabular else "prose"
    first = some_subject(kind, pick)
    now = [first, *(others(kind, first, 2, pick) if form == "table" else [])]
    then = [replace(other, name=one.name) for one in now for other in others(kind, one, 1, pick)]
    year = pick.randint(2001, 2022)
    later = year + pick.randint(1, 4)
    old, new = _both(kind, form, (then, now), (year, later), pick)
    absent = next(each for each in others(kind, first, 6, pick) if not spoken_of(each.name, [old, new]))
    untold = of_the_same(kind, kinds)
    ways = [absent.fill(pick.choice(kind.plain_asks).question), first.fill(pick.choice(kind.near))]
    ways += [first.fill(pick.choice(pick.choice(untold).plain_asks).question)] if untold else []
    new = replace(new, silent=(_today(pick.choice(ways), pick),))
    return [old, new]


def _both(
    kind: PassageKind,
    form: str,
    subjects: tuple[list[Subject], list[Subject]],
    years: tuple[int, int],
    pick: random.Random,
) -> tuple[Sheet, Sheet]:
    """The older and the newer edition; their years stand in the names of the files, or else in the texts."""
    in_file, named = pick.random() < 0.5, form == "table" or pick.random() < 0.6
    slots = pick.sample(sorted(kind.slots), min(3, len(kind.slots)))
    name = subjects[0][0].name
    place = origin(matter(kind), name, not named, form, pick, years[0] if in_file else None)
    files = [replace(place, file=place.file.replace(str(years[0]), str(year))) for year in years]
    if not in_file:  # two papers of one name lie in two folders
        files = [
            replace(each, file=f"{part}/{each.file}") for part, each in zip(("archive", "valid"), files, strict=True)
        ]
    made: list[Sheet] = []
    for told, year, file, heads in zip(subjects, years, files, (_HEADS_OLD, _HEADS_NEW), strict=True):
        page = _edition(kind, form, told, slots, named, pick)
        head = "" if in_file else pick.choice(heads).format(y=year) + (" " if form == "prose" else "\n")
        reword = _today if year == max(years) else _back(year)
        asked = _dated_questions(kind, told, page.slots, reword, pick)
        made.append(Sheet(file, head + page.text, asked if year == max(years) else asked[:2]))
    return made[0], made[1]


def _edition(
    kind: PassageKind, form: str, told: list[Subject], slots: list[str], named: bool, pick: random.Random
) -> Told:
    if form == "table":
        return Told(tabled(kind, told, slots, pick), frozenset(slots))
    return (prose if form == "prose" else listed)(kind, told[0], None, named, pick)


def _dated_questions(
    kind: PassageKind,
    told: list[Subject],
    slots: frozenset[str],
    reword: Callable[[str, random.Random], str],
    pick: random.Random,
) -> tuple[tuple[str, str], ...]:
    """In random order; none speaks of another value, which would give away the edition that is meant."""
    asks = [ask for ask in kind.plain_asks if ask.slot in slots]
    asked = [
        (reword(subject.fill(ask.question), pick), subject.fill(ask.answer))
        for subject in told
        for ask in worded(asks, pick)
    ]
    pick.shuffle(asked)
    return tuple(asked)


# With these a question goes on in small letters after "At present, ".
_OPENERS = (
    "What Which Who Whom Whose When Where How Why At In On Under Up From By To For With After Below Above Until".split()
)


def _today(question: str, pick: random.Random) -> str:
    """The question as it is, or asking for what holds now."""
    ways = ["{q}", "{q}", "{q}", "{q} I mean today.", "{q} I need the latest word."]
    if question.split()[0] in _OPENERS:
        ways += ["At present, {low}", "As things stand now, {low}", "By the latest edition, {low}"]
        ways += ["Under the rules in force, {low}", "{cut} at the moment?", "{cut} this year?", "{cut} these days?"]
    return _reworded(pick.choice(ways), question)


def _back(year: int) -> Callable[[str, random.Random], str]:
    def back(question: str, pick: random.Random) -> str:
        """The question asking for what the older edition says."""
        ways = [f"{{q}} I mean by the paper of {year}.", "{q} I want the older answer, not the current one."]
        if question.split()[0] in _OPENERS:
            ways += [f"{{cut}}, according to the paper of {year}?", f"By the edition of {year}, {{low}}"]
            ways += ["According to the earlier of the two papers, {low}", "In the superseded edition, {low}"]
        return _reworded(pick.choice(ways), question)

    return back


def _reworded(way: str, question: str) -> str:
    return way.format(q=question, low=question[:1].lower() + question[1:], cut=question[:-1])
