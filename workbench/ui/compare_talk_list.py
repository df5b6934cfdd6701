"""Which conversations there are: what the history shows of each and finds it by, without making its records. No Qt.

The file is only ever appended to, so it is read once and afterwards only from where it ended; of each conversation the
places of its lines are kept, and opening one reads no others.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.ui.compare_talk import Talk, talk_of


@dataclass(frozen=True, slots=True)
class TurnEntry:
    """A turn as far as the history needs it."""

    question: str
    created: str
    words: str  # the question and its answers, case folded


@dataclass
class TalkEntry:
    """One conversation."""

    id: str
    title: str = ""
    turns: dict[str, TurnEntry] = field(default_factory=dict)  # by id, oldest first
    places: list[tuple[int, int]] = field(default_factory=list)  # of its lines: offset and length in bytes

    @property
    def name(self) -> str:
        """What it is called: its title, or its first question."""
        return self.title or next((" ".join(each.question.split()) for each in self.turns.values()), "")

    @property
    def created(self) -> str:
        return min((each.created for each in self.turns.values()), default="")

    @property
    def last(self) -> str:
        return max((each.created for each in self.turns.values()), default="")

    def matches(self, words: str) -> bool:
        """Whether every word is somewhere in its name, questions or answers."""
        wanted = words.casefold().split()
        found = [self.title.casefold(), *(each.words for each in self.turns.values())]
        return all(any(word in each for each in found) for word in wanted)


class TalkList:
    """The conversations of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: dict[str, TalkEntry] = {}
        self._end = 0  # bytes that were read

    def update(self) -> None:
        """Read what was appended since the last time; an unfinished last line waits for its end."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < self._end:  # another file in its place
            self._entries, self._end = {}, 0
        if size == self._end:
            return
        with self.path.open("rb") as file:
            file.seek(self._end)
            for text in file:
                if not text.endswith(b"\n"):
                    break
                with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
                    self._take(json.loads(text), (self._end, len(text)))
                self._end += len(text)

    def entries(self) -> list[TalkEntry]:
        """Those with turns, newest first."""
        found = [each for each in self._entries.values() if each.turns]
        return sorted(found, key=lambda each: (each.last, each.places[-1]), reverse=True)

    def read(self, talk: str) -> Talk | None:
        """A whole conversation; None where it is gone."""
        entry = self._entries.get(talk)
        if entry is None or not self.path.exists():
            return None
        with self.path.open("rb") as file:
            return talk_of(talk, (_line(file, place) for place in entry.places))

    def _take(self, line: dict[str, Any], place: tuple[int, int]) -> None:
        talk = str(line["conversation"])
        entry = self._entries.setdefault(talk, TalkEntry(talk))
        entry.places.append(place)
        kind = line["type"]
        if kind == "turn":
            said = (str(each.get("text", "")) for each in line["answers"])
            words = "\n".join([line["question"], *said]).casefold()
            entry.turns[line["id"]] = TurnEntry(line["question"], line["created"], words)
        elif kind == "title":
            entry.title = str(line["title"])
        elif kind == "removed":
            gone = set(line.get("turns") or entry.turns)
            entry.turns = {key: each for key, each in entry.turns.items() if key not in gone}


def read_list(path: Path) -> TalkList:
    """The conversations of a file."""
    made = TalkList(path)
    made.update()
    return made


def _line(file: Any, place: tuple[int, int]) -> bytes:
    file.seek(place[0])
    found: bytes = file.read(place[1])
    return found
