"""The questions of a search as each embedder of the index reads them: one, or two while another takes its place"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

from workbench.errors import BadModel, MissingFile
from workbench.events import Note, Progress
from workbench.index import embed
from workbench.index.embed import Embedder
from workbench.index.keywords import Keywords
from workbench.index.made import embedders_of


@dataclass(frozen=True, slots=True)
class Reader:
    """An embedder, and what it makes of all questions of a search."""

    embedder: Embedder
    read: embed.Read


def open_embedders(keywords: Keywords) -> tuple[list[Embedder], list[Note]]:
    """The embedders whose vectors the index holds, and what is to be said of those that are not here.

    Raises MissingFile or BadModel where there is none of them: a search by words alone is not what was asked for.
    """
    found: list[Embedder] = []
    notes: list[Note] = []
    troubles: list[MissingFile | BadModel] = []
    for each in embedders_of(keywords):
        try:
            found.append(each.open())
        except (MissingFile, BadModel) as error:
            troubles.append(error)
            notes.append(Note(f"Of some files only the words were searched, not the meaning: {error}", "warning"))
    if not found:
        raise troubles[0]
    return found, notes


def read_questions(
    embedders: Sequence[Embedder], questions: Sequence[str]
) -> Generator[Progress, None, tuple[Reader, ...]]:
    """What each makes of the questions. Raises BadModel."""
    readers = []
    for embedder in embedders:
        embedder.load(wait=len(questions) > 1)  # a suite's questions are all read in one way
        steps = embedder.read_stepwise(questions, questions=True)
        while True:
            try:
                yield Progress(0, len(questions), f"Reading question {next(steps)}", "questions")
            except StopIteration as done:
                readers.append(Reader(embedder, done.value))
                break
    return tuple(readers)


def in_turn(rankings: Iterable[Sequence[tuple[str, float]]]) -> list[tuple[str, float]]:
    """Several rankings as one, a place of each in turn: values that two embedders gave cannot be compared."""
    lists = [list(each) for each in rankings]
    if len(lists) == 1:
        return lists[0]
    longest = max((len(each) for each in lists), default=0)
    merged = [each[place] for place in range(longest) for each in lists if place < len(each)]
    seen: dict[str, float] = {}
    for key, value in merged:
        seen.setdefault(key, value)
    return list(seen.items())
