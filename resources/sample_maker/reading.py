"""Make the rows that teach reading: passages and a question in, a short cited answer or a refusal out.

Rows come in piles: a few passages, as a search would hand them over, and several questions about them. Only the
question tells the rows of a pile apart, so it has to be read; and training reads the passages of a pile once.
"""

from __future__ import annotations

import random
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from sample_maker.tickets import Ticket
from sample_maker.values import entity, value

REFUSAL = "I could not find this in the documents."
WORDS = range(90, 261)  # of a pile's passages together: about 150 to 450 tokens, as four found chunks have
LIKELY = (0.5, 0.25, 0.15, 0.1)  # how often the answer stands in the first, second, ... passage: a search ranks them
ASKED = 4  # questions with an answer in a pile; one more has none

# Sentences that say nothing to the point: real passages hold more of those than of answers.
_ASIDES = (
    "The rest of this page is of interest to members only.",
    "Please tell us if anything here is out of date.",
    "A longer version hangs on the board beside the entrance.",
    "Some details may differ in leap years.",
    "This was noted at the last inspection and has been confirmed since.",
    "Earlier drafts of this text should be thrown away.",
    "Questions are answered on the spot, if somebody is there.",
    "The entry was checked by two people and signed in green ink.",
    "For large groups, other arrangements can be made.",
    "Nothing else has been decided so far.",
    "Many people find this surprising at first.",
    "The photograph on the left shows an earlier state.",
    "Translations are available for those who ask politely.",
    "In an emergency, ask at the nearest bakery, which knows everything.",
    "Letters are opened by nobody but the person they are meant for.",
    "There have been complaints about this, most of them anonymous.",
    "A map can be had for nothing at the counter.",
    "It has been done in this way for as long as anyone remembers.",
    "Bad weather changes nothing in these rules.",
    "What is said here holds for children as well.",
    "Details that change often are written in pencil.",
    "The committee thanks all those who helped to gather these facts.",
    "Whoever borrows the key brings it back before dark.",
    "An index is found on the last page.",
)

# Where a passage may come from: a file, and how a place in such a file is called.
_ORIGINS = (
    ("notes.md", "section {n}"),
    ("guide.pdf", "page {n}"),
    ("rules.docx", "section {n}"),
    ("list.xlsx", "sheet {n}"),
    ("minutes.txt", "line {n}"),
    ("handbook.html", "section {n}"),
    ("leaflet.pdf", "page {n}"),
    ("register.csv", "line {n}"),
    ("slides.pptx", "slide {n}"),
)


@dataclass(frozen=True, slots=True)
class Ask:
    slot: str  # the letter of the value that is asked for
    question: str
    short: str
    whole: str | None


@dataclass(frozen=True, slots=True)
class PassageKind:
    name: str
    about: str  # the kind of entity, for values.entity
    opening: str
    facts: tuple[str, ...]
    fillers: tuple[str, ...]
    slots: dict[str, tuple[str, str]]  # letter -> label for lists and tables, recipe for values.value
    asks: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """One entity with all its values, from which passages, questions and answers are written."""

    name: str
    values: dict[str, str]

    def fill(self, template: str) -> str:
        return template.format(e=self.name, **self.values)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A passage and what can be asked about it."""

    text: str
    asked: tuple[tuple[str, str], ...]  # (question, answer) pairs
    silent: tuple[str, ...] = ()  # questions about its subject that it leaves open


@dataclass(frozen=True, slots=True)
class Pile:
    """Passages, best first, and the rows that are asked of them: (question, answer) pairs."""

    passages: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]


def read_kinds(path: Path) -> list[PassageKind]:
    """The kinds of `reading_kinds.txt`, whose first comment describes the notation."""
    parts = path.read_text(encoding="utf-8").split("\n## ")[1:]
    return [_kind(part.strip().split("\n")) for part in parts]


def _kind(lines: list[str]) -> PassageKind:
    name, about = lines[0].split()
    marked = [(line[0], line[2:]) for line in lines[1:] if line.strip()]
    slots = {mark: (text.split(" | ")[0], text.split(" | ")[1]) for mark, text in marked if mark.isalpha()}
    asks = tuple(_ask(text) for mark, text in marked if mark == "?")
    by_mark = {mark: tuple(text for other, text in marked if other == mark) for mark in "=+."}
    return PassageKind(name, about, by_mark["="][0], by_mark["+"], by_mark["."], slots, asks)


def _ask(text: str) -> Ask:
    question, short, *whole = text[2:].split(" > ")
    return Ask(text[0], question, short, whole[0] if whole else None)


def make_piles(kinds_file: Path, count: int, seed: int) -> list[Pile]:
    """`count` piles of every make in turn, each starting from another kind."""
    pick, kinds = random.Random(seed), read_kinds(kinds_file)
    makers = (_rivals, _household, _dated, _household, _tabled_pile, _rivals, _household, _two_steps, _dated)
    piles: list[Pile] = []
    tries = 0
    while len(piles) < count:
        maker, kind = makers[len(piles) % len(makers)], kinds[tries % len(kinds)]
        tries += 1
        pile = _pile(maker(kind, kinds, pick), pick)
        if pile is not None and sum(len(text.split()) for text in pile.passages) in WORDS:
            piles.append(pile)
    return piles


def _pile(sheets: list[Sheet], pick: random.Random) -> Pile | None:
    """Shuffle the sheets into ranks and ask of them; None where they do not hold enough questions."""
    pick.shuffle(sheets)
    left = {rank: list(sheet.asked) for rank, sheet in enumerate(sheets, start=1)}
    rows: list[tuple[str, str]] = []
    for _ in range(ASKED):
        ranks = [rank for rank, asked in left.items() if asked]
        if not ranks:
            return None
        rank = pick.choices(ranks, [LIKELY[rank - 1] for rank in ranks])[0]
        question, said = left[rank].pop(pick.randrange(len(left[rank])))
        rows.append((_capital(question), f"{_capital(said)} [{rank}]."))
    open_ones = [question for sheet in sheets for question in sheet.silent]
    if not open_ones:
        return None
    rows.append((_capital(pick.choice(open_ones)), REFUSAL))
    if len({question for question, _ in rows}) < len(rows):
        return None
    pick.shuffle(rows)
    return Pile(tuple(sheet.text for sheet in sheets), tuple(rows))


def _subject(kind: PassageKind, pick: random.Random) -> Subject:
    return Subject(entity(kind.about, pick), {slot: value(recipe, pick) for slot, (_, recipe) in kind.slots.items()})


def _others(kind: PassageKind, subject: Subject, count: int, pick: random.Random) -> list[Subject]:
    """Subjects of the same kind whose names and values differ from `subject`'s, to be told apart from it."""
    found: list[Subject] = []
    while len(found) < count:
        other = _subject(kind, pick)
        names = {subject.name, *(one.name for one in found)}
        if other.name not in names and all(other.values[slot] != subject.values[slot] for slot in kind.slots):
            found.append(other)
    return found


def _prose(kind: PassageKind, subject: Subject, without: str | None, pick: random.Random) -> str:
    """Sentences about `subject`; `without` a slot, those that would tell it are left out."""
    facts = [fact for fact in kind.facts if without is None or f"{{{without}}}" not in fact]
    sentences = facts + list(kind.fillers if pick.random() < 0.6 else ())
    sentences += pick.sample(_ASIDES, pick.choice([0, 1, 1, 2, 3]))
    pick.shuffle(sentences)
    opening = kind.opening
    if without and f"{{{without}}}" in opening:
        opening = "About {e}, the following is known."
    text = " ".join(_capital(subject.fill(sentence)) for sentence in [opening, *sentences])
    return textwrap.fill(text, 58) if pick.random() < 0.15 else text  # broken into lines, as out of a printed page


def _listed(kind: PassageKind, subject: Subject, without: str | None, pick: random.Random) -> str:
    """The same as `key: value` lines, as price lists and forms are written."""
    labels = [(label, slot) for slot, (label, _) in kind.slots.items() if slot != without]
    pick.shuffle(labels)
    joint = pick.choice(["\n", "; "])
    return joint.join(
        [_capital(subject.name), *(f"{subject.fill(label)}: {subject.values[slot]}" for label, slot in labels)]
    )


def _tabled(kind: PassageKind, subjects: list[Subject], slots: list[str], pick: random.Random) -> str:
    """Several subjects as rows of one table, in the way a spreadsheet is read aloud."""
    heads = ["Name", *(kind.slots[slot][0] for slot in slots)]
    rows = [[_capital(one.name), *(one.values[slot] for slot in slots)] for one in subjects]
    if pick.random() < 0.6:  # each row with its heads, as spreadsheets and tables are often read out
        return "\n".join("; ".join(f"{head}: {cell}" for head, cell in zip(heads, row, strict=True)) for row in rows)
    joint = pick.choice([" | ", "; ", ", "])
    return "\n".join(joint.join(row) for row in [heads, *rows])


def _told(kind: PassageKind, subject: Subject, without: str | None, pick: random.Random) -> str:
    # A label that speaks of another value ("Error for a blocked {b}") would give the wrong one away in a list.
    return (_listed if pick.random() < 0.25 else _prose)(kind, subject, without, pick)


def _tells(text: str, value: str) -> bool:
    return value in " ".join(text.split())  # a printed line may break inside a value


def _sheet(kind: PassageKind, subject: Subject, pick: random.Random, without: str | None = None) -> Sheet:
    """A passage about `subject` with every question it answers; `without` a slot, that one is left open."""
    text = _told(kind, subject, without, pick)
    return Sheet(text, _answered(kind, subject, text, pick), _left_open(kind, subject, text))


def _answered(kind: PassageKind, subject: Subject, text: str, pick: random.Random) -> tuple[tuple[str, str], ...]:
    return tuple(
        (subject.fill(ask.question), _said(ask, subject, pick))
        for ask in kind.asks
        if all(_tells(text, subject.values[slot]) for slot in (ask.slot, *re.findall(r"{([a-d])}", ask.question)))
    )


def _left_open(kind: PassageKind, subject: Subject, text: str) -> tuple[str, ...]:
    """Questions whose value the text does not tell, and that do not speak of a value themselves."""
    return tuple(
        subject.fill(ask.question)
        for ask in kind.asks
        if not _tells(text, subject.values[ask.slot]) and not re.search(r"{[a-d]}", ask.question)
    )


def _rivals(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> list[Sheet]:
    """The same kind of thing told of three subjects, one of them with a gap, and a stranger."""
    first = _subject(kind, pick)
    gap = pick.choice(kind.asks).slot
    sheets = [_sheet(kind, first, pick, gap), *(_sheet(kind, each, pick) for each in _others(kind, first, 2, pick))]
    if pick.random() < 0.5:  # the question may also be about somebody of whom nothing is said
        absent = _others(kind, first, 1, pick)[0]
        if absent.name not in " ".join(sheet.text for sheet in sheets):
            sheets[0] = Sheet(sheets[0].text, sheets[0].asked, (absent.fill(pick.choice(_plain_asks(kind)).question),))
    return [*sheets, *_strangers(kind, kinds, 1, pick)]


def _plain_asks(kind: PassageKind) -> list[Ask]:
    """Questions that name nothing but their subject."""
    return [ask for ask in kind.asks if not re.search(r"{[a-d]}", ask.question)]


def _household(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> list[Sheet]:
    """Several matters of one subject, as a folder about one's own firm or town has them; often it is not named."""
    same = [other for other in kinds if other.about == kind.about and other is not kind]
    if not same:
        return _rivals(kind, kinds, pick)
    chosen = [kind, *pick.sample(same, min(2, len(same)))]
    name = entity(kind.about, pick)
    subjects = [Subject(name, _subject(each, pick).values) for each in chosen]
    gap = pick.choice(kind.asks).slot
    sheets = [
        _sheet(each, subject, pick, gap if each is kind else None)
        for each, subject in zip(chosen, subjects, strict=True)
    ]
    sheets += _strangers(kind, [other for other in kinds if other.about != kind.about], 4 - len(sheets), pick)
    if kind.about in _NOUNS and pick.random() < 0.6:
        sheets = [_nameless(sheet, name, _NOUNS[kind.about]) for sheet in sheets]
    return sheets


def _nameless(sheet: Sheet, name: str, noun: str) -> Sheet:
    """The same sheet, its questions speaking of "the town" or "the firm" in place of a name."""

    def plain(question: str) -> str:
        bare = re.sub(rf"(?<![Tt]he )(?<!\ba )\b{re.escape(name)}\b", f"the {noun}", question)
        return bare.replace(name, noun).replace("a animal", "an animal")

    return Sheet(
        sheet.text,
        tuple((plain(question), said) for question, said in sheet.asked),
        tuple(plain(question) for question in sheet.silent),
    )


def _strangers(kind: PassageKind, kinds: list[PassageKind], count: int, pick: random.Random) -> list[Sheet]:
    chosen = pick.sample([other for other in kinds if other is not kind], count)
    return [_sheet(other, _subject(other, pick), pick) for other in chosen]


def _tabled_pile(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> list[Sheet]:
    """A table of three subjects, a text about a fourth, and two strangers."""
    if any("{" in label for label, _ in kind.slots.values()):
        return _rivals(kind, kinds, pick)
    first = _subject(kind, pick)
    rows = [first, *_others(kind, first, 2, pick)]
    slots = pick.sample(sorted(kind.slots), min(3, len(kind.slots)))
    text = _tabled(kind, rows, slots, pick)
    asked = tuple(pair for row in rows for pair in _answered(kind, row, text, pick))
    missing = tuple(question for row in rows for question in _left_open(kind, row, text))
    absent = next(each for each in _others(kind, first, 4, pick) if each.name not in text)
    missing = missing or (absent.fill(pick.choice(_plain_asks(kind)).question),)
    return [Sheet(text, asked, missing), *_strangers(kind, kinds, pick.choice([2, 3]), pick)]


_NOUNS = {
    "place": "town",
    "firm": "firm",
    "machine": "machine",
    "school": "school",
    "club": "club",
    "app": "program",
    "product": "product",
    "animal": "animal",
}


_HEADS_OLD = ("Notice of {y}.", "As of May {y}:", "Edition {y}.", "Valid from 1 March {y}.", "Minutes, autumn {y}.")
_HEADS_NEW = (
    "Notice of {y}, replacing all earlier ones.",
    "As of June {y}, corrected:",
    "Edition {y}, revised.",
    "Valid from 1 October {y}.",
    "Changed in {y}.",
)


def _dated(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> list[Sheet]:
    """Two notices about one subject: the newer counts, unless the question names the older year."""
    subject = _subject(kind, pick)
    older = Subject(subject.name, _others(kind, subject, 1, pick)[0].values)
    year = pick.randint(2001, 2022)
    later = year + pick.randint(1, 4)
    old, new = (
        f"{pick.choice(heads).format(y=each)} {_prose(kind, told, None, pick)}"
        for heads, each, told in ((_HEADS_OLD, year, older), (_HEADS_NEW, later, subject))
    )
    # a question that speaks of another value would give away which of the notices is meant
    asks = {subject.fill(ask.question): ask for ask in _plain_asks(kind)}
    now = [(_today(question, pick), _said(ask, subject, pick)) for question, ask in asks.items()]
    then = [
        (f"{question[:-1]}, according to the paper of {year}?", _said(ask, older, pick))
        for question, ask in asks.items()
    ]
    pick.shuffle(then)
    absent = _others(kind, subject, 1, pick)[0]
    open_one = absent.fill(pick.choice(_plain_asks(kind)).question)
    return [
        Sheet(old, tuple(then[:1])),
        Sheet(new, tuple(now), (_today(open_one, pick),)),
        *_strangers(kind, kinds, pick.choice([1, 2]), pick),
    ]


def _today(question: str, pick: random.Random) -> str:
    return pick.choice(
        ["{}", "{}", "{} I mean today.", "As things stand now: {}", "{} I need the latest word."]
    ).format(question)


_ROLES = [
    "treasurer",
    "secretary",
    "harbour-master",
    "head-gardener",
    "choirmaster",
    "bursar",
    "night-porter",
    "archivist",
    "vet",
    "surveyor",
]
_HOLDINGS = (
    (
        "{n} keeps the {o} in {v}.",
        "Where is the {o} of {e} kept by its {r}?",
        "pick the cellar, the tower, a tin trunk, the vestry, the boathouse",
    ),
    ("{n} can be reached on {v}.", "Under which number does one reach the {r} of {e}?", "phone"),
    ("{n} lives in {v}.", "In which street does the {r} of {e} live?", "street"),
    ("{n} is away until {v}.", "When does the {r} of {e} come back?", "date"),
    ("{n} drives the car with the plate {v}.", "What plate is on the car of the {r} of {e}?", "code LLL dddd"),
)
_OBJECTS = ["seal", "charter", "silver-cup", "cash-box", "flag", "deed"]


def _two_steps(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> list[Sheet]:
    """One passage names two people, others tell about them; between them the question is answered."""
    fact, question, recipe = pick.choice(_HOLDINGS)
    role, thing = pick.choice(_ROLES).replace("-", " "), pick.choice(_OBJECTS).replace("-", " ")
    homes = pick.sample(["club", "school", "museum"], 2)
    pairs = [(entity(home, pick), entity("person", pick), value(recipe, pick)) for home in homes]
    if pairs[0][1] == pairs[1][1] or pairs[0][2] == pairs[1][2]:
        return _two_steps(kind, kinds, pick)
    who = " ".join(f"The {role} of the {home} is {person}." for home, person, _ in pick.sample(pairs, 2))
    asides = pick.sample(_ASIDES, 4)
    other = next(each for each in _ROLES if each != role).replace("-", " ")
    told = [
        Sheet(
            " ".join([fact.format(n=person, v=found, o=thing), *asides[2 * at : 2 * at + 2]]),
            ((question.format(e=f"the {home}", r=role, o=thing), found),),
            (question.format(e=f"the {home}", r=other, o=thing),),
        )
        for at, (home, person, found) in enumerate(pairs)
    ]
    named = tuple((f"Who is the {role} of the {home}?", person) for home, person, _ in pairs)
    return [Sheet(who, named), *told, *_strangers(kind, kinds, 1, pick)]


def _said(ask: Ask, subject: Subject, pick: random.Random) -> str:
    """A short phrase more often than a sentence: short answers are what a small model learns most surely."""
    return subject.fill(ask.whole if ask.whole and pick.random() < 0.3 else ask.short)


def with_tickets(piles: list[Pile], tickets: list[Ticket], seed: int) -> list[Pile]:
    """The piles, some with a message that stays a ticket although passages stand before it, as in a retrieval lane."""
    pick = random.Random(seed)
    chosen = dict(zip(pick.sample(range(len(piles)), len(tickets)), tickets, strict=True))
    return [
        Pile(pile.passages, (*pile.rows, (chosen[at].message, chosen[at].answer()))) if at in chosen else pile
        for at, pile in enumerate(piles)
    ]


def as_rows(pile: Pile, pick: random.Random) -> list[dict[str, object]]:
    """The rows as they stand in the file, with a plausible file and place for each passage."""
    origins = pick.sample(_ORIGINS, len(pile.passages))
    passages = [
        {"file": file, "location": place.format(n=pick.randint(1, 40)), "text": text}
        for (file, place), text in zip(origins, pile.passages, strict=True)
    ]
    return [{"question": question, "passages": passages, "answer": answer} for question, answer in pile.rows]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
