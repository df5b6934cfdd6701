"""Make the rows that teach reading: two passages and a question in, a short cited sentence or a refusal out.

Rows come in piles: two passages, as a search would hand them over, and several questions about them. Only the
question tells the rows of a pile apart, so it has to be read; and training reads the passages of a pile once.

Two passages, because the starter reads two better than four once it was taught to; and sentences that begin with the
question's own words, because a small model finds a value best behind words it can look for in the passage
(docs/benchmarks.md, "What a small reader is taught"). The lane of an adapter shows it as many passages as its rows did
(workbench/lanes/presets.py).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sample_maker.editions import editions
from sample_maker.kinds import PassageKind, of_the_same, others, read_kinds, some_subject
from sample_maker.origins import origin
from sample_maker.sheets import Sheet, answered, matter, some_sheet, strangers, with_silence
from sample_maker.telling import capital, tabled
from sample_maker.tickets import Ticket
from sample_maker.two_steps import two_steps

REFUSAL = "I could not find this in the documents."
WORDS = range(60, 201)  # of a pile's passages together: about 90 to 300 tokens
LIKELY = (0.65, 0.35)  # how often the answer stands in the first or second passage: a search ranks them
ASKED = 3  # questions with an answer in a pile, and one more
# In every so many piles that one has no answer. Tried with piles of four passages: with one in each pile the starter
# learnt to refuse, but not when: over the texts of `search/` it refused 31 of 83 questions that have an answer and 6 of
# 16 that have none, and answered 17 rightly; with one in three piles it refused 1 and 1, and answered 21.
REFUSALS = 3


@dataclass(frozen=True, slots=True)
class Pile:
    """Passages, best first, and the rows that are asked of them: (question, answer) pairs."""

    passages: tuple[Sheet, ...]
    rows: tuple[tuple[str, str], ...]


Maker = Callable[[PassageKind, list[PassageKind], random.Random], list[Sheet]]


def make_piles(kinds_file: Path, count: int, seed: int) -> list[Pile]:
    """`count` piles of every make in turn, each starting from another kind."""
    pick, kinds = random.Random(seed), read_kinds(kinds_file)
    pick.shuffle(kinds)
    makers: tuple[Maker, ...] = (_rivals, _household, editions, _tabled, _rivals, _household, two_steps, editions)
    piles: list[Pile] = []
    tries = 0
    while len(piles) < count:
        maker, kind = makers[len(piles) % len(makers)], kinds[tries % len(kinds)]
        tries += 1
        pile = _pile(maker(kind, kinds, pick), pick, len(piles) % REFUSALS == 0)
        if pile is not None and sum(len(sheet.text.split()) for sheet in pile.passages) in WORDS:
            piles.append(pile)
    return piles


def _pile(sheets: list[Sheet], pick: random.Random, refuses: bool) -> Pile | None:
    """Shuffle the sheets into ranks and ask of them; None where they do not hold enough questions."""
    pick.shuffle(sheets)
    left = {rank: list(sheet.asked) for rank, sheet in enumerate(sheets, start=1)}
    rows: list[tuple[str, str]] = []
    for number in range(ASKED if refuses else ASKED + 1):
        ranks = [rank for rank, asked in left.items() if asked]
        if not ranks and number < ASKED:
            return None
        if not ranks:
            break
        rank = pick.choices(ranks, [LIKELY[rank - 1] for rank in ranks])[0]
        question, said = left[rank].pop(pick.randrange(len(left[rank])))
        rows.append((capital(question), f"{capital(said)} [{rank}]."))
    if refuses:
        open_ones = [question for sheet in sheets for question in sheet.silent]
        rows.append((capital(pick.choice(open_ones)), REFUSAL))
    places = {sheet.origin for sheet in sheets}
    if len({question for question, _ in rows}) < len(rows) or len(places) < len(sheets):
        return None
    pick.shuffle(rows)
    return Pile(tuple(sheets), tuple(rows))


def _rivals(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> list[Sheet]:
    """The same kind of thing told of two subjects, one of them perhaps with a gap, or of one beside a stranger."""
    first = some_subject(kind, pick)
    gap = pick.choice(kind.plain_asks).slot if pick.random() < 0.6 else None
    sheets = [
        some_sheet(kind, first, pick, gap),
        *(some_sheet(kind, each, pick) for each in others(kind, first, pick.choice([0, 1, 1]), pick)),
    ]
    sheets += strangers(kind, kinds, 2 - len(sheets), pick)
    return with_silence(sheets, kind, first, of_the_same(kind, kinds), pick)


def _household(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> list[Sheet]:
    """Two matters of one subject, as a folder about one's own firm or town has them; often it is not named."""
    same = of_the_same(kind, kinds)
    if not same:
        return _rivals(kind, kinds, pick)
    chosen = [kind, pick.choice(same)]
    subject = some_subject(kind, pick)
    gap = pick.choice(kind.plain_asks).slot if pick.random() < 0.6 else None
    sheets = [some_sheet(kind, subject, pick, gap)]
    sheets += [some_sheet(each, some_subject(each, pick, subject.name), pick) for each in chosen[1:]]
    untold = [other for other in same if other not in chosen]
    sheets = with_silence(sheets, kind, subject, untold, pick)
    if kind.about in _NOUNS and pick.random() < 0.6:
        sheets = [_nameless(sheet, subject.name, _NOUNS[kind.about]) for sheet in sheets]
    return sheets


_NOUNS = {
    "place": "town",
    "firm": "firm",
    "machine": "machine",
    "school": "school",
    "club": "club",
    "app": "program",
    "product": "product",
    "animal": "animal",
    "clinic": "clinic",
    "material": "material",
}


def _nameless(sheet: Sheet, name: str, noun: str) -> Sheet:
    """The same sheet, its questions and answers speaking of "the town" or "the firm" in place of a name."""

    def plain(said: str) -> str:
        bare = re.sub(rf"(?<![Tt]he )(?<!\b[Aa] )\b{re.escape(name)}\b", f"the {noun}", said)
        return bare.replace(name, noun).replace("a animal", "an animal")

    asked = tuple((plain(question), plain(said)) for question, said in sheet.asked)
    return replace(sheet, asked=asked, silent=tuple(map(plain, sheet.silent)))


def _tabled(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> list[Sheet]:
    """A table of a few subjects, and a stranger."""
    if not kind.tabular:
        return _rivals(kind, kinds, pick)
    first = some_subject(kind, pick)
    rows = [first, *others(kind, first, pick.choice([2, 3]), pick)]
    slots = pick.sample(sorted(kind.slots), min(3, len(kind.slots)))
    asked = tuple(pair for row in rows for pair in answered(kind, row, frozenset(slots), pick))
    gaps = tuple(first.fill(ask.question) for ask in kind.plain_asks if ask.slot not in slots)
    place = origin(matter(kind), first.name, False, "table", pick)
    table = Sheet(place, tabled(kind, rows, slots, pick), asked, gaps)
    sheets = [table, *strangers(kind, kinds, 1, pick)]
    return with_silence(sheets, kind, first, of_the_same(kind, kinds), pick)


def with_tickets(piles: list[Pile], tickets: list[Ticket], seed: int) -> list[Pile]:
    """The piles, some with a message that stays a ticket although passages stand before it, as in a retrieval lane."""
    pick = random.Random(seed)
    chosen = dict(zip(pick.sample(range(len(piles)), len(tickets)), tickets, strict=True))
    return [
        Pile(pile.passages, (*pile.rows, (chosen[at].message, chosen[at].answer()))) if at in chosen else pile
        for at, pile in enumerate(piles)
    ]


def as_rows(pile: Pile) -> list[dict[str, object]]:
    """The rows as they stand in the file."""
    passages = [
        {"file": sheet.origin.file, "location": sheet.origin.location, "text": sheet.text} for sheet in pile.passages
    ]
    return [{"question": question, "passages": passages, "answer": answer} for question, answer in pile.rows]
