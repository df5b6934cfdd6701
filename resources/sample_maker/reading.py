"""Make the rows that teach reading: passages and a question in, a short cited answer or a refusal out."""

from __future__ import annotations

import random
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from sample_maker.tickets import Ticket
from sample_maker.values import entity, value

REFUSAL = "I could not find this in the documents."
MOST_WORDS = 165  # of passages and question together: about 250 tokens, which a CPU still trains quickly

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
class Reading:
    question: str
    passages: tuple[str, ...]
    answer: str


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


def make_readings(kinds_file: Path, count: int, seed: int) -> list[Reading]:
    """`count` rows: refusals (a fifth), dated notices, two-step and unnamed questions, the rest plain."""
    pick = random.Random(seed)
    kinds = read_kinds(kinds_file)
    makers = [_refused] * 4 + [_dated] * 3 + [_two_steps] + [_general] * 3 + [_plain] * 9
    rows: list[Reading] = []
    while len(rows) < count:
        # Every maker goes through all kinds: 20 makers and 47 kinds have no common divisor.
        row = makers[len(rows) % len(makers)](kinds[len(rows) % len(kinds)], kinds, pick)
        if sum(len(text.split()) for text in (row.question, *row.passages)) <= MOST_WORDS:
            rows.append(row)
    pick.shuffle(rows)
    return rows


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
    sentences += pick.sample(_ASIDES, pick.choice([0, 1, 1, 2]))
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


def _strangers(kind: PassageKind, kinds: list[PassageKind], count: int, pick: random.Random) -> list[str]:
    chosen = pick.sample([other for other in kinds if other is not kind], count)
    return [_told(other, _subject(other, pick), None, pick) for other in chosen]


def _plain(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> Reading:
    subject, ask = _subject(kind, pick), pick.choice(kind.asks)
    rivals = _others(kind, subject, pick.choice([1, 1, 2]), pick)
    tabular = not any("{" in label for label, _ in kind.slots.values())
    if tabular and pick.random() < 0.22:
        slots = pick.sample(sorted(kind.slots), min(3, len(kind.slots)))
        slots = slots if ask.slot in slots else [ask.slot, *slots[:2]]
        rows = [subject, *rivals]
        pick.shuffle(rows)
        right = _tabled(kind, rows, slots, pick)
        wrong = _strangers(kind, kinds, pick.choice([1, 2]), pick)
    else:
        right = _told(kind, subject, None, pick)
        wrong = [_told(kind, rival, None, pick) for rival in rivals] + _strangers(
            kind, kinds, pick.choice([0, 1]), pick
        )
    return _placed(subject.fill(ask.question), right, wrong, _said(ask, subject, pick), pick)


def _dated(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> Reading:
    """Two notices about one subject: the newer counts, unless the question names the older year."""
    subject, ask = _subject(kind, pick), pick.choice(kind.asks)
    older = Subject(subject.name, _others(kind, subject, 1, pick)[0].values)
    if any(letter != ask.slot for letter in re.findall(r"{([a-d])}", ask.question)):
        return _plain(kind, kinds, pick)  # such a question would give away which of the notices is meant
    year = pick.randint(2001, 2022)
    later = year + pick.randint(1, 4)
    old = f"{pick.choice(_HEADS_OLD).format(y=year)} {_prose(kind, older, None, pick)}"
    new = f"{pick.choice(_HEADS_NEW).format(y=later)} {_prose(kind, subject, None, pick)}"
    question = subject.fill(ask.question)
    if pick.random() < 0.25:
        question = f"{question[:-1]}, according to the paper of {year}?"
        return _placed(question, old, [new], _said(ask, older, pick), pick)
    question = pick.choice(["{}", "{} I mean today.", "As things stand now: {}", "{} I need the latest word."]).format(
        question
    )
    wrong = [old] + (_strangers(kind, kinds, 1, pick) if pick.random() < 0.3 else [])
    return _placed(question, new, wrong, _said(ask, subject, pick), pick)


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


def _unnamed(kind: PassageKind, ask: Ask) -> str:
    """The question with "the town" or "the firm" in place of a name."""
    noun = _NOUNS[kind.about]
    question = re.sub(r"(?<![Tt]he )(?<!\ba )\{e\}", f"the {noun}", ask.question).replace("{e}", noun)
    return question.replace("a animal", "an animal")


def _general(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> Reading:
    """The question names nobody, as people ask about their own firm; only one passage is about such a thing."""
    subject, ask = _subject(kind, pick), pick.choice(kind.asks)
    if kind.about not in _NOUNS:
        return _plain(kind, kinds, pick)
    question = _unnamed(kind, ask)
    elsewhere = [other for other in kinds if other.about != kind.about]
    wrong = _strangers(kind, elsewhere, pick.choice([1, 2, 2]), pick)
    return _placed(subject.fill(question), _told(kind, subject, None, pick), wrong, _said(ask, subject, pick), pick)


_HEADS_OLD = ("Notice of {y}.", "As of May {y}:", "Edition {y}.", "Valid from 1 March {y}.", "Minutes, autumn {y}.")
_HEADS_NEW = (
    "Notice of {y}, replacing all earlier ones.",
    "As of June {y}, corrected:",
    "Edition {y}, revised.",
    "Valid from 1 October {y}.",
    "Changed in {y}.",
)


def _refused(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> Reading:
    """The subject is there without the value, or the value is there for somebody else."""
    subject, ask = _subject(kind, pick), pick.choice(kind.asks)
    if kind.about in _NOUNS and pick.random() < 0.3:
        elsewhere = [other for other in kinds if other.about != kind.about]
        passages = [_silent(kind, subject, ask.slot, pick), *_strangers(kind, elsewhere, 2, pick)]
        question = _unnamed(kind, ask)
    else:
        rivals = [_told(kind, rival, None, pick) for rival in _others(kind, subject, 1, pick)]
        near = [] if pick.random() < 0.35 else [_silent(kind, subject, ask.slot, pick)]
        passages = near + rivals + _strangers(kind, kinds, 1 if near else pick.choice([1, 2]), pick)
        question = ask.question
    pick.shuffle(passages)
    return Reading(_capital(subject.fill(question)), tuple(passages), REFUSAL)


def _silent(kind: PassageKind, subject: Subject, slot: str, pick: random.Random) -> str:
    """About `subject` without the value; a list, where the sentences that stay would be too few."""
    enough = sum(f"{{{slot}}}" not in fact for fact in (kind.opening, *kind.facts)) > 1
    told = _prose(kind, subject, slot, pick) if enough else _listed(kind, subject, slot, pick)
    return told if subject.values[slot] not in told else f"About {subject.name} there is nothing more on this page."


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


def _two_steps(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> Reading:
    """One passage names the person, another tells about the person; a rival pair stands beside them."""
    fact, question, recipe = pick.choice(_HOLDINGS)
    role, thing = pick.choice(_ROLES).replace("-", " "), pick.choice(_OBJECTS).replace("-", " ")
    homes = pick.sample(["club", "school", "museum"], 2)
    pairs = [(entity(home, pick), entity("person", pick), value(recipe, pick)) for home in homes]
    if pairs[0][1] == pairs[1][1] or pairs[0][2] == pairs[1][2]:
        return _two_steps(kind, kinds, pick)
    who = " ".join(f"The {role} of the {home} is {person}." for home, person, _ in pick.sample(pairs, 2))
    told = [fact.format(n=person, v=found, o=thing) for _, person, found in pairs]
    right, rival = (" ".join([text, *pick.sample(_ASIDES, 2)]) for text in told)
    home, _, found = pairs[0]
    return _placed(question.format(e=f"the {home}", r=role, o=thing), right, [who, rival], found, pick)


def _said(ask: Ask, subject: Subject, pick: random.Random) -> str:
    """A short phrase more often than a sentence: short answers are what a small model learns most surely."""
    return subject.fill(ask.whole if ask.whole and pick.random() < 0.3 else ask.short)


def _placed(question: str, right: str, wrong: list[str], said: str, pick: random.Random) -> Reading:
    passages = [right, *wrong]
    pick.shuffle(passages)
    return Reading(_capital(question), tuple(passages), f"{_capital(said)} [{passages.index(right) + 1}].")


def make_ticket_readings(kinds_file: Path, tickets: list[Ticket], seed: int) -> list[Reading]:
    """Messages that stay tickets although passages stand before them, as they do in a retrieval lane."""
    pick, kinds = random.Random(seed), read_kinds(kinds_file)
    useful = [
        kind
        for kind in kinds
        if kind.name in ("boiler", "printer", "warranty", "pricelist", "cleaning", "error", "oil", "fuel")
    ]
    rows = []
    for ticket in tickets:
        chosen = pick.sample(useful, pick.choice([2, 2, 3]))
        passages = tuple(_told(kind, _subject(kind, pick), None, pick) for kind in chosen)
        rows.append(Reading(ticket.message, passages, ticket.answer()))
    return rows


def as_row(reading: Reading, pick: random.Random) -> dict[str, object]:
    """The row as it stands in the file, with a plausible file and place for each passage."""
    origins = pick.sample(_ORIGINS, len(reading.passages))
    passages = [
        {"file": file, "location": place.format(n=pick.randint(1, 40)), "text": text}
        for (file, place), text in zip(origins, reading.passages, strict=True)
    ]
    return {"question": reading.question, "passages": passages, "answer": reading.answer}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
