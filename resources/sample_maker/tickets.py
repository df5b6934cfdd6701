"""Make support messages with the house ticket each of them should become."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PRODUCTS = ("Skerry", "Puddock", "Quillon", "Bramble", "Wicket", "Almanac")
CATEGORIES = ("fault", "how-to", "delivery", "billing", "return")
PRIORITIES = ("low", "normal", "high")
REPLIES = ("email", "phone")

_ASKING = ("How ", "What ", "Which ", "Where ", "Can ", "Could ", "When ", "Is ", "Has ", "May ", "Why ", "Would ")

# A message is as long as a customer's note: shorter says too little, longer costs training time.
WORDS = range(20, 61)


@dataclass(frozen=True, slots=True)
class Ticket:
    message: str
    product: str  # the one the message is about
    category: str  # what the writer wants dealt with
    priority: str  # high: harm now or a date of today or tomorrow; low: the writer says it can wait
    reply: str  # phone only when the message asks for a call
    order: str | None  # the four-digit number, when the message gives one

    def answer(self) -> str:
        """The ticket as one line, keys always in this order, without spaces: 25 tokens of the starter instead of 33."""
        fields = {name: getattr(self, name) for name in ("product", "category", "priority", "reply", "order")}
        return json.dumps(fields, separators=(",", ":"))


def schema(product: str | None = None) -> dict[str, Any]:
    """The JSON schema of a ticket; with `product`, of a ticket about that product only."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["product", "category", "priority", "reply", "order"],
        "properties": {
            "product": {"const": product} if product else {"enum": list(PRODUCTS)},
            "category": {"enum": list(CATEGORIES)},
            "priority": {"enum": list(PRIORITIES)},
            "reply": {"enum": list(REPLIES)},
            "order": {"type": ["string", "null"], "pattern": "^[0-9]{4}$"},
        },
    }


def read_suite_tickets(path: Path) -> list[Ticket]:
    """The suite's messages, written by hand: `product | category | priority | reply | order | message` a line."""
    tickets = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            product, category, priority, reply, order, message = (part.strip() for part in line.split(" | ", 5))
            tickets.append(Ticket(message, product, category, priority, reply, None if order == "-" else order))
    return tickets


def make_tickets(parts_file: Path, count: int, seed: int) -> list[Ticket]:
    """`count` different messages, products and categories in equal shares."""
    parts = yaml.safe_load(parts_file.read_text(encoding="utf-8"))
    pick = random.Random(seed)
    tickets: list[Ticket] = []
    messages: set[str] = set()
    while len(tickets) < count:
        number = len(tickets)
        product = PRODUCTS[number % len(PRODUCTS)]
        category = CATEGORIES[number // len(PRODUCTS) % len(CATEGORIES)]
        ticket = _ticket(parts, product, category, pick)
        if ticket.message not in messages and len(ticket.message.split()) in WORDS:
            messages.add(ticket.message)
            tickets.append(ticket)
    pick.shuffle(tickets)
    return tickets


def _ticket(parts: dict[str, Any], product: str, category: str, pick: random.Random) -> Ticket:
    priority = pick.choices(PRIORITIES, (3, 4, 3))[0]
    reply = pick.choices(REPLIES, (6, 4))[0]
    order = f"{pick.randrange(1000, 10000)}" if pick.random() < 0.5 else None
    pieces = _pieces(parts, product, category, pick)
    at_work = category in ("fault", "how-to", "delivery")  # frost and floods do not hang on an invoice
    if priority != "normal":
        growing = parts["high-growing"] if priority == "high" and at_work else []
        pieces.append(pick.choice(parts[priority] + growing))
    if reply == "phone" or pick.random() < 0.25:
        pieces.append(pick.choice(parts[reply]))
    if order:
        pieces.append(pick.choice(parts["order"]).format(o=order))
    message = _worn(_framed(pieces, parts, pick), product, pick)
    return Ticket(message, product, category, priority, reply, order)


def _pieces(parts: dict[str, Any], product: str, category: str, pick: random.Random) -> list[str]:
    """What is the matter, and something about the writer, the matter not always first."""
    options = parts.get(f"{category}-almanac") if product == "Almanac" else None
    options = options or parts[category]
    matter = pick.choice(options[product] if isinstance(options, dict) else options).format(p=product)
    asks = matter.startswith(_ASKING)
    matter += "?" if asks else pick.choice([".", ".", ".", "!", "..."])
    working = parts["context-working"] if category in ("fault", "how-to") else []
    pieces = [matter, *pick.sample(parts["context"] + working, pick.choice([0, 1, 1, 2]))]
    pick.shuffle(pieces)
    return pieces


def _framed(pieces: list[str], parts: dict[str, Any], pick: random.Random) -> str:
    """Greeting before and name after, each left out as often as people do; the rest in any order."""
    if pick.random() < 0.45:
        pick.shuffle(pieces)
    opening = [pick.choice(parts["opening"])] if pick.random() < 0.65 else []
    closing = [pick.choice(parts["closing"])] if pick.random() < 0.6 else []
    name = [pick.choice(parts["name"])] if pick.random() < 0.55 else []
    return pick.choice([" ", " ", "\n"]).join(opening + pieces + closing + name)


def _worn(message: str, product: str, pick: random.Random) -> str:
    """Typed in a hurry: small letters, lost apostrophes, swapped letters, but never in the product or the order."""
    habit = pick.random()
    if habit < 0.12:
        return message.lower().replace(product.lower(), product)
    if habit < 0.22:
        return message.replace("'", "").replace("Please", "Pls").replace(" you ", " u ")
    if habit < 0.42:
        words = message.split(" ")
        long = [n for n, word in enumerate(words) if len(word) > 5 and word.isalpha() and word != product]
        for place in pick.sample(long, min(2, len(long))):
            at = pick.randrange(1, len(words[place]) - 2)
            words[place] = words[place][:at] + words[place][at + 1] + words[place][at] + words[place][at + 2 :]
        return " ".join(words)
    return message
