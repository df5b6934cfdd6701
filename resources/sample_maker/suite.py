"""Put the suite together from its hand-written parts: facts, support messages and questions nobody answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sample_maker.tickets import Ticket, read_suite_tickets, schema

# The house's tone: how a note begins, how it closes, and that it never raises its voice.
TONE = (r"^\s*Dear grower,", r"Kind regards, Orrinfell\.?\s*$", r"\A[^!]*\Z")
LONGEST_NOTE = 40  # words


@dataclass(frozen=True, slots=True)
class Fact:
    question: str
    answers: tuple[str, ...]  # any of these makes the answer right
    source: str  # the document that answers it
    tags: tuple[str, ...]
    old_answer: str | None  # for a superseded fact: what the older document says
    old_source: str | None  # and which document that is


def read_facts(path: Path) -> list[Fact]:
    """`question | answers | source | tags | old answer @ old document` a line, the last part for superseded facts."""
    facts = []
    for line in _lines(path):
        question, answers, source, tags, *old = (part.strip() for part in line.split(" | "))
        before = [part.strip() for part in old[0].split(" @ ")] if old else [None, None]
        facts.append(Fact(question, _parted(answers, ";"), source, _parted(tags, ","), before[0], before[1]))
    return facts


def read_unanswerable(path: Path) -> list[tuple[str, list[list[str]]]]:
    """Each question with groups of words, of which no group may stand together in a sentence of the documents."""
    found = []
    for line in _lines(path):
        question, groups = line.split(" | ")
        found.append((question, [list(_parted(group, ",")) for group in _parted(groups, ";")]))
    return found


def _parted(text: str, mark: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(mark))


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def make_suite(source: Path) -> list[dict[str, Any]]:
    """All cases as plain records, in the order facts, behaviour, unanswerable."""
    facts = read_facts(source / "suite_facts.txt")
    tickets = read_suite_tickets(source / "suite_tickets.txt")
    unknown = [question for question, _ in read_unanswerable(source / "suite_unanswerable.txt")]
    cases = [_case(f"fact-{n:02d}", "fact", fact.question, _fact(fact), fact) for n, fact in enumerate(facts, 1)]
    cases += [_case(f"ticket-{n:02d}", "behaviour", one.message, _ticket(one)) for n, one in enumerate(tickets, 1)]
    cases += [_case(f"unknown-{n:02d}", "unanswerable", text, {"refuses": True}) for n, text in enumerate(unknown, 1)]
    return cases


def make_tone(source: Path) -> list[dict[str, Any]]:
    """The cases of the second suite: a note is said in the house's tone, which a prompt alone can teach."""
    cases = []
    for number, (message, kept) in enumerate(read_notes(source / "suite_tone.txt"), 1):
        checks = [*({"regex": rule} for rule in TONE), {"max_words": LONGEST_NOTE}, {"contains": list(kept)}]
        question = f"Write to the customer: {message}"
        cases.append(
            {"id": f"tone-{number:02d}", "kind": "behaviour", "question": question, "checks": checks, "tags": ["tone"]}
        )
    return cases


def read_notes(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    """`what to say | words of which one must be kept` a line."""
    return [(message.strip(), _parted(kept, ";")) for message, kept in (line.split(" | ") for line in _lines(path))]


def _case(name: str, kind: str, question: str, check: dict[str, Any], fact: Fact | None = None) -> dict[str, Any]:
    tags = list(fact.tags) if fact else [{"behaviour": "ticket", "unanswerable": "refusal"}[kind]]
    source = fact.source if fact else None
    return {"id": name, "kind": kind, "question": question, "source": source, "checks": [check], "tags": tags}


def _fact(fact: Fact) -> dict[str, Any]:
    return {"contains": list(fact.answers)}


def _ticket(ticket: Ticket) -> dict[str, Any]:
    return {"json_schema": schema(ticket.product)}
