"""Write a passage of the reading rows: prose, a list or a table, with sentences that say nothing to the point."""

from __future__ import annotations

import random
import textwrap
from dataclasses import dataclass

from sample_maker.kinds import PassageKind, Subject, slots_in

# Real passages hold more of such sentences than of answers.
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
    "Letters are opened by nobody but the person they are meant for.",
    "There have been complaints about this, most of them anonymous.",
    "A map can be had for nothing at the counter.",
    "It has been done in this way for as long as anyone remembers.",
    "Bad weather changes nothing in this.",
    "What is said here holds for children as well.",
    "Details that change often are written in pencil.",
    "The committee thanks all those who helped to gather these facts.",
    "Whoever borrows the key brings it back before dark.",
    "An index is found on the last page.",
    "Exceptions are granted in writing, and seldom.",
    "The reasons were explained at length in an earlier letter.",
    "Please read this to the end before you ask a colleague.",
    "Words in italics are explained in the appendix.",
    "Whoever finds a mistake may keep it.",
    "This part was written by somebody who has since retired.",
    "Copies may be made, as long as nothing is left out.",
    "If two rules seem to clash, the stricter one is meant.",
    "The drawing that belongs to this is kept in a roll.",
    "Nobody needs to learn any of this by heart.",
    "A shorter text for visitors is being prepared.",
    "The usual care is expected of everyone.",
    "Suggestions are welcome and are read out now and then.",
    "What has been agreed by word of mouth does not count.",
    "Some of this was different in the past, which explains the odd wording.",
    "Anyone who is in doubt should ask first and act later.",
    "The list of abbreviations is at the front.",
    "These lines were copied by hand from the old folder.",
    "It is hoped that this answers most questions.",
    "Further particulars are kept under lock and key.",
    "A signed copy lies with the management.",
    "Please do not write in the margins.",
    "The matter was discussed with everybody concerned.",
)
_LENGTH = (44, 74)  # words that a passage should reach: asides are added until it does


@dataclass(frozen=True, slots=True)
class Told:
    """A passage's text and the letters of the values it tells."""

    text: str
    slots: frozenset[str]


def prose(kind: PassageKind, subject: Subject, without: str | None, named: bool, pick: random.Random) -> Told:
    """Sentences about `subject`; `without` a slot, those that would tell it are left out."""
    opening = kind.opening if named else kind.nameless
    if without and f"{{{without}}}" in opening:
        opening = "About {e}, the following is known." if named else "The following is known."
    facts = [fact for fact in kind.facts if without is None or f"{{{without}}}" not in fact]
    sentences = facts + list(kind.fillers if pick.random() < 0.6 else ())
    sentences += _asides(" ".join([opening, *sentences]), pick)
    pick.shuffle(sentences)
    text = " ".join(capital(subject.fill(sentence)) for sentence in [opening, *sentences])
    text = textwrap.fill(text, 58) if pick.random() < 0.15 else text  # broken into lines, as out of a printed page
    return Told(text, frozenset(slots_in([opening, *facts])))


def _asides(text: str, pick: random.Random) -> list[str]:
    """As many as bring `text` to a length that is drawn anew each time."""
    wanted, found = pick.randint(*_LENGTH) - len(text.split()), list[str]()
    for aside in pick.sample(_ASIDES, 6):
        if sum(len(each.split()) for each in found) < wanted:
            found.append(aside)
    return found


def padded(text: str, pick: random.Random) -> str:
    return " ".join([text, *_asides(text, pick)])


def listed(kind: PassageKind, subject: Subject, without: str | None, named: bool, pick: random.Random) -> Told:
    """The same as `key: value` lines, as price lists and forms are written."""
    labels = [(label, slot) for slot, (label, _) in kind.slots.items() if slot != without]
    pick.shuffle(labels)
    lines = [capital(subject.name)] if named else []
    lines += [f"{subject.fill(label)}: {subject.values[slot]}" for label, slot in labels]
    text = pick.choice(["\n", "; "]).join(lines)
    # a label may speak of another value ("Error for a blocked {b}")
    told = {slot for _, slot in labels} | slots_in([label for label, _ in labels])
    return Told("\n".join([text, *_notes(text, pick)]), frozenset(told))


def tabled(kind: PassageKind, subjects: list[Subject], slots: list[str], pick: random.Random) -> str:
    """Several subjects as rows of one table, in the way a spreadsheet is read aloud."""
    heads = ["Name", *(kind.slots[slot][0] for slot in slots)]
    rows = [[capital(one.name), *(one.values[slot] for slot in slots)] for one in subjects]
    if pick.random() < 0.6:  # each row with its heads, as spreadsheets and tables are often read out
        lines = ["; ".join(f"{head}: {cell}" for head, cell in zip(heads, row, strict=True)) for row in rows]
    else:
        joint = pick.choice([" | ", "; ", ", "])
        lines = [joint.join(row) for row in [heads, *rows]]
    return "\n".join([*lines, *_notes(" ".join(lines), pick)])


def _notes(text: str, pick: random.Random) -> list[str]:
    asides = _asides(text, pick)
    return [pick.choice(["", "", "Note: "]) + " ".join(asides)] if asides and pick.random() < 0.7 else []


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
