"""Columns of a person's own names: which of them hold question and answer, as a person said or as it looks."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import fmean
from typing import Any

from workbench.errors import BadDataset, InputError
from workbench.events import Progress, Result, Stage
from workbench.tuning.files import SAY_WHICH, RawFile, read_file
from workbench.tuning.shapes import Conversation, read_columns, recognise

# How the columns of questions and answers are often called. A guess for a person to look at and never used unseen.
NAMES = {
    "question": "question prompt instruction query input request message user ask text frage anfrage eingabe pregunta "
    "entrada demande domanda richiesta pergunta vraag".split(),
    "answer": "answer response completion output reply result label target assistant expected antwort ausgabe lösung "
    "respuesta salida réponse sortie risposta resposta antwoord".split(),
}
ALIKE = 0.8  # of difflib's ratio: "questions", "frage_de" and "Fragen" are near enough, "category" is not
SHOWN = 3  # rows of a preview
LONGEST = 400  # characters of a cell that are looked at
COMPARED = 200  # rows whose lengths are looked at for a guess


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a file are called, capitals and outer blanks aside."""

    question: str
    answer: str
    system: str = ""  # "": the file has no such column
    context: str = ""  # a text to read, set before the question

    def __post_init__(self) -> None:
        if not self.question or not self.answer:
            raise InputError("Name at least the columns of question and answer: --columns question=…,answer=….")
        if len(set(self.wanted)) < len(self.wanted):
            raise InputError(f"Of {self} one column is named twice: each can be one thing only.")

    def __str__(self) -> str:
        given = ((each.name, getattr(self, each.name)) for each in fields(self))
        return ",".join(f"{role}={name}" for role, name in given if name)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names as `plain_name` has them."""
        return tuple(plain_name(name) for name in (self.question, self.answer, self.system, self.context) if name)

    def read(self, row: dict[str, Any]) -> Conversation:
        """The conversation a row holds. Raises RowFault."""
        return read_columns(row, self.question, self.answer, self.system, self.context)


@dataclass(frozen=True, slots=True)
class Preview:
    """The columns of a file whose names say nothing, for a person to choose from."""

    file: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]  # the first few, a text a column
    guess: tuple[str, str] = ("", "")  # names of question and answer as it looks; "": no guess


Mapping = Sequence[Columns | None]  # one a file, None where its names are known; empty: all are


def plain_name(name: str) -> str:
    """A column's name as it is compared."""
    return str(name).strip().lower()


def parse_columns(text: str) -> Columns:
    """`question=Frage,answer=Antwort` as Columns. Raises InputError."""
    roles = [each.name for each in fields(Columns)]
    found: dict[str, str] = {}
    for part in re.split(rf",(?=\s*(?:{'|'.join(roles)})\s*=)", text):  # a name may have a comma of its own
        role, equals, name = (each.strip() for each in part.partition("="))
        if role not in roles or not equals or not name:
            raise InputError(
                f"{part.strip()!r} names no column: write question=NAME,answer=NAME, and system=NAME or context=NAME."
            )
        if role in found:
            raise InputError(f"The column of the {role} is named twice.")
        found[role] = name
    return Columns(**{"question": "", "answer": "", **found})


def read_mapped(path: Path, columns: Columns | None) -> RawFile:
    """A training file whose columns a person named. Raises what `read_file` raises, BadDataset where one lacks."""
    if columns is None:
        return read_file(path)
    raw = read_file(path, frozenset(columns.wanted))
    have = {plain_name(name) for name in names_of(raw)}
    for name in (columns.question, columns.answer, columns.system, columns.context):
        if name and plain_name(name) not in have:
            listed = ", ".join(names_of(raw)) or "none"
            raise BadDataset(f"{path.name} has no column {name!r}. Its columns are: {listed}.")
    return raw


def for_files(files: Sequence[Path], mapping: Mapping) -> Iterator[tuple[Path, Columns | None]]:
    """Each file with what its columns are called."""
    return zip(files, mapping or [None] * len(files), strict=True)


def names_of(raw: RawFile) -> tuple[str, ...]:
    """The names of all columns, as the file writes them and in its order."""
    if raw.columns:
        return raw.columns
    return tuple(dict.fromkeys(name for row in raw.rows for name in row.value))


def look(files: tuple[Path, ...]) -> Stage:
    """The first of the files whose columns have names that are not known; the last Result is a Preview or None."""
    for done, path in enumerate(files):
        yield Progress(done, len(files), f"looking at the columns of {path.name}", "files")
        try:
            raw = read_file(path, frozenset())
        except BadDataset:  # it was said already what is wrong with the file
            continue
        found = preview(raw, path.name)
        if found is not None:
            yield Result(found)
            return
    yield Result(None)


def preview(raw: RawFile, name: str) -> Preview | None:
    """What there is to choose from; None where the names are known, or there are no two columns of text."""
    names = names_of(raw)
    rows = [[_cell(row.value, each) for each in names] for row in raw.rows if not row.fault]
    if len(names) < 2 or not rows or any(recognise(row.value) for row in raw.rows):
        return None
    return Preview(name, names, tuple(map(tuple, rows[:SHOWN])), guess(names, rows[:COMPARED]))


def refuse_unnamed(raw: RawFile, name: str) -> None:
    """Raise BadDataset where the names of all columns are unknown, with what they are and the way out."""
    found = preview(raw, name)
    if found is not None:
        raise BadDataset(
            f"{name} has no row that can be trained: its columns are {', '.join(found.names)}, which are none of the "
            f"known ones. {SAY_WHICH}"
        )


def _cell(row: dict[str, Any], name: str) -> str:
    value = row.get(name, row.get(plain_name(name)))
    return "" if value is None else str(value)[:LONGEST]


def guess(names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, str]:
    """Which columns look like question and answer: by their names, then by the length of their texts.

    Of columns whose names say nothing, the two of the longest texts are taken in the file's order: a question usually
    stands before its answer.
    """
    said = {role: _named(names, role) for role in NAMES}
    if said["question"] == said["answer"]:
        said["answer"] = ""
    lengths = {name: fmean(len(row[place]) for row in rows) for place, name in enumerate(names)}
    left = sorted((name for name in names if name not in said.values()), key=lambda name: -lengths[name])
    lacking = [role for role, name in said.items() if not name]
    chosen = sorted(left[: len(lacking)], key=list(names).index)
    said.update(zip(lacking, chosen, strict=False))
    return said["question"], said["answer"]


def _named(names: Sequence[str], role: str) -> str:
    """The column whose name is most like what such columns are called, "" where none is."""
    best, found = ALIKE, ""
    for name in names:
        words = [plain_name(name), *plain_name(name).replace("_", " ").replace("-", " ").split()]
        for word in words:
            alike = max(difflib.SequenceMatcher(None, word, known).ratio() for known in NAMES[role])
            if alike > best:
                best, found = alike, name
    return found
