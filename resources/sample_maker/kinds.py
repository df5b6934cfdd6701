"""The kinds of passages that teach reading, as `reading_kinds.txt` describes them, and subjects to fill them with."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

from sample_maker.values import entity, value

# Kinds of things that are one thing each: a generator has no forks, so no second matter is told or asked of its name.
_SINGLE = ("device", "dish", "cheese", "street")


@dataclass(frozen=True, slots=True)
class Ask:
    slot: str  # the letter of the value that is asked for
    question: str
    answer: str  # a sentence in the question's own words, the value at its end as far as that sounds natural

    @property
    def plain(self) -> bool:
        """Whether the question names nothing but its subject."""
        return not _letters(self.question)


@dataclass(frozen=True, slots=True)
class PassageKind:
    name: str
    about: str  # the kind of entity, for values.entity
    headings: tuple[str, ...]
    opening: str
    nameless: str  # the opening of a passage whose file or heading names the subject
    facts: tuple[str, ...]
    fillers: tuple[str, ...]
    slots: dict[str, tuple[str, str]]  # letter -> label for lists and tables, recipe for values.value
    asks: tuple[Ask, ...]
    near: tuple[str, ...]  # questions that only sound near

    @property
    def plain_asks(self) -> list[Ask]:
        return [ask for ask in self.asks if ask.plain]

    @property
    def changes(self) -> bool:
        """Whether a later edition may tell other values: a year of building stays what it was."""
        return not any(recipe.split()[0] in ("date", "year") for _, recipe in self.slots.values())

    @property
    def tabular(self) -> bool:
        """Whether the labels stand for any subject: one that speaks of another value cannot head a column."""
        return not any("{" in label for label, _ in self.slots.values())


@dataclass(frozen=True, slots=True)
class Subject:
    """One entity with all its values, from which passages, questions and answers are written."""

    name: str
    values: dict[str, str]

    def fill(self, template: str) -> str:
        """The template with name and values, and "an" before a value that asks for it ("a orange badge")."""
        return re.sub(r"\b([Aa]) (?=[aei]|o(?!ne))", r"\1n ", template.format(e=self.name, **self.values))


def read_kinds(path: Path) -> list[PassageKind]:
    """The kinds of `reading_kinds.txt`, whose first comment describes the notation."""
    parts = path.read_text(encoding="utf-8").split("\n## ")[1:]
    return [_kind(part.strip().split("\n")) for part in parts]


def _kind(lines: list[str]) -> PassageKind:
    name, about = lines[0].split()
    marked = [(line[0], line[2:]) for line in lines[1:] if line.strip()]
    slots = {mark: (text.split(" | ")[0], text.split(" | ")[1]) for mark, text in marked if mark.isalpha()}
    by_mark = {mark: tuple(text for other, text in marked if other == mark) for mark in "@=-+.?!"}
    openings = (by_mark["="][0], by_mark["-"][0])
    headings = tuple(by_mark["@"][0].split(" | "))
    return PassageKind(
        name, about, headings, *openings, by_mark["+"], by_mark["."], slots, _asks(by_mark["?"]), by_mark["!"]
    )


def _asks(lines: tuple[str, ...]) -> tuple[Ask, ...]:
    return tuple(Ask(line[0], *line[2:].split(" > ")) for line in lines)


def slots_in(templates: list[str]) -> set[str]:
    """The letters of the values that the templates tell."""
    return {letter for template in templates for letter in _letters(template)}


def _letters(template: str) -> list[str]:
    return re.findall(r"{([a-d])}", template)


def some_subject(kind: PassageKind, pick: random.Random, name: str | None = None) -> Subject:
    name = name or entity(kind.about, pick)
    return Subject(name, {slot: value(recipe, pick) for slot, (_, recipe) in kind.slots.items()})


def others(kind: PassageKind, subject: Subject, count: int, pick: random.Random) -> list[Subject]:
    """Subjects of the same kind whose names and values differ from `subject`'s, to be told apart from it."""
    found: list[Subject] = []
    while len(found) < count:
        other = some_subject(kind, pick)
        names = {subject.name, *(one.name for one in found)}
        if other.name not in names and all(other.values[slot] != subject.values[slot] for slot in kind.slots):
            found.append(other)
    return found


def of_the_same(kind: PassageKind, kinds: list[PassageKind]) -> list[PassageKind]:
    """Other matters that may be told of a subject of this kind."""
    return [other for other in kinds if other.about == kind.about and other is not kind and kind.about not in _SINGLE]
