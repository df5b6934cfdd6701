"""A conversation as the Compare page holds it, and as it lies in the project. No Qt in here.

The file is JSON lines, only ever appended to. A line has a `type`: "turn" (a question with every lane's answer; a later
line with the same id takes the place of an earlier one, as after a retry), "vote", "title" and "removed". The stage's
own transcript keeps every single answer; what belongs together, and what a person thought of it, is kept here.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import records
from workbench.lanes.lane import Answer, Lane, Turn

CONVERSATIONS = "conversations.jsonl"  # in the project folder
ENDED = ("done", "stopped", "failed")  # states of an answer that nothing is added to any more


def new_id() -> str:
    """Twelve letters that no other turn or conversation has."""
    return os.urandom(6).hex()


@dataclass
class LaneAnswer:
    """One lane's answer in the making, or done."""

    lane: Lane
    text: str = ""
    waiting: str = ""  # what it waits for, before its first token
    state: str = "waiting"  # "waiting", "streaming", "done", "stopped" or "failed"
    error: str = ""  # one sentence, when it failed
    answer: Answer | None = None  # once it is done

    @property
    def busy(self) -> bool:
        return self.state in ("waiting", "streaming")


@dataclass
class TalkTurn:
    """One question with its answers by lane name."""

    question: str
    answers: dict[str, LaneAnswer]
    id: str = field(default_factory=new_id)
    created: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%S"))
    seconds: float = 0.0  # for all lanes together
    blind: bool = False  # names stay hidden until the vote
    best: str = ""  # the lane that was voted for

    @property
    def busy(self) -> bool:
        return any(each.busy for each in self.answers.values())

    @property
    def hidden(self) -> bool:
        """Whether the names must not be shown yet."""
        return self.blind and not self.best


@dataclass
class Talk:
    """One conversation."""

    id: str = field(default_factory=new_id)
    title: str = ""
    turns: list[TalkTurn] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What it is called: its title, or its first question."""
        return self.title or (" ".join(self.turns[0].question.split()) if self.turns else "")

    def history(self, lane: str, before: TalkTurn | None = None) -> tuple[Turn, ...]:
        """What a lane said before a turn (None: all it said), for the next question."""
        turns = self.turns if before is None or before not in self.turns else self.turns[: self.turns.index(before)]
        found = [(turn.question, turn.answers[lane]) for turn in turns if lane in turn.answers]
        return tuple(Turn(question, said.text) for question, said in found if said.text and not said.busy)


def keep_turn(path: Path, talk: Talk, turn: TalkTurn) -> None:
    """Append a finished turn."""
    said = [
        {"lane": each.lane, "text": each.text, "state": each.state, "error": each.error, "answer": each.answer}
        for each in turn.answers.values()
    ]
    plain = {name: getattr(turn, name) for name in ("id", "created", "question", "seconds", "blind", "best")}
    records.append_line(path, {"type": "turn", "conversation": talk.id, **plain, "answers": said})


def keep_vote(path: Path, talk: Talk, turn: TalkTurn) -> None:
    """Append a vote; an empty lane takes it back."""
    records.append_line(path, {"type": "vote", "conversation": talk.id, "turn": turn.id, "lane": turn.best})


def keep_title(path: Path, talk: Talk) -> None:
    records.append_line(path, {"type": "title", "conversation": talk.id, "title": talk.title})


def keep_removed(path: Path, talk: Talk, turns: Iterable[TalkTurn] = ()) -> None:
    """Say that turns, or with none named the whole conversation, are gone from the history."""
    records.append_line(path, {"type": "removed", "conversation": talk.id, "turns": [turn.id for turn in turns]})


def read_talk(path: Path, talk: str) -> Talk | None:
    """A conversation by its id; None where it is not in the file, or has no turns left."""
    if not path.exists():
        return None
    wanted = talk.encode()
    with path.open("rb") as file:
        return talk_of(talk, (line for line in file if wanted in line))


def talk_of(talk: str, lines: Iterable[bytes]) -> Talk | None:
    """A conversation out of its lines, oldest first; lines that cannot be read are left out."""
    made = Talk(talk)
    for text in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            line = json.loads(text)
            if line["conversation"] == talk:
                _take(made, line)
    return made if made.turns else None


def _take(talk: Talk, line: dict[str, Any]) -> None:
    kind = line.get("type")
    if kind == "turn":
        turn = _turn(line)
        place = next((number for number, each in enumerate(talk.turns) if each.id == turn.id), None)
        if place is None:
            talk.turns.append(turn)
        else:
            talk.turns[place] = turn
    elif kind == "vote":
        for turn in talk.turns:
            if turn.id == line["turn"]:
                turn.best = str(line["lane"])
    elif kind == "title":
        talk.title = str(line["title"])
    elif kind == "removed":
        gone = set(line.get("turns") or ())
        talk.turns = [turn for turn in talk.turns if gone and turn.id not in gone]


def _turn(line: dict[str, Any]) -> TalkTurn:
    answers = {}
    for each in line["answers"]:
        lane: Lane = records.from_plain(Lane, each["lane"])
        answer = records.from_plain(Answer, each["answer"]) if each.get("answer") else None
        state = each["state"] if each["state"] in ENDED else "stopped"  # written while it was still being said
        answers[lane.name] = LaneAnswer(lane, each["text"], "", state, each.get("error", ""), answer)
    kept = {name: line[name] for name in ("id", "created", "question", "seconds", "blind", "best")}
    return TalkTurn(answers=answers, **kept)
