"""Make resources/sample from resources/source: `python resources/make_sample.py`.

Maintainers run it by hand after changing a source; what it writes is committed, and a second run changes nothing.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from sample_maker.formats import write_page
from sample_maker.reading import as_rows, make_piles, with_tickets
from sample_maker.source import read_pages
from sample_maker.suite import make_suite, make_tone
from sample_maker.tickets import Ticket, make_tickets

HERE = Path(__file__).resolve().parent
SOURCE, SAMPLE = HERE / "source", HERE / "sample"

# Any numbers do; changing one gives other rows of the same kinds.
TICKET_SEED, READING_SEED, SPARE_SEED = 20250310, 20250311, 20250312

TICKETS = 360
PILES = 100  # of two passages with four questions each
TICKETS_AMONG_PASSAGES = 50  # enough that a model tuned on both files still writes tickets when passages stand first


def main() -> None:
    """Write the documents, the suites, both training files and the description."""
    shutil.rmtree(SAMPLE, ignore_errors=True)
    for page in read_pages(SOURCE / "documents"):
        write_page(page, SAMPLE / "documents")
    _write_suite(SAMPLE / "suite.yaml", make_suite(SOURCE))
    _write_suite(SAMPLE / "tone.yaml", make_tone(SOURCE))
    tickets = make_tickets(SOURCE / "ticket_parts.yaml", TICKETS, TICKET_SEED)
    _write_rows(SAMPLE / "tickets.jsonl", map(_conversation, tickets))
    _write_rows(SAMPLE / "reading.jsonl", _reading_rows(tickets))
    shutil.copyfile(SOURCE / "sample.toml", SAMPLE / "sample.toml")


def _write_suite(path: Path, cases: list[dict[str, Any]]) -> None:
    dumper = yaml.SafeDumper
    dumper.ignore_aliases = lambda self, data: True  # type: ignore[method-assign]
    text = yaml.dump(cases, Dumper=dumper, sort_keys=False, allow_unicode=True, width=110)
    path.write_text("# Made by resources/make_sample.py; change resources/source instead.\n" + text, encoding="utf-8")


def _conversation(ticket: Ticket) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": ticket.message},
            {"role": "assistant", "content": ticket.answer()},
        ]
    }


def _reading_rows(tickets: list[Ticket]) -> list[dict[str, object]]:
    """Questions and support messages mixed; no message stands in the ticket file as well."""
    used = {ticket.message for ticket in tickets}
    spare = make_tickets(SOURCE / "ticket_parts.yaml", TICKETS_AMONG_PASSAGES + 10, SPARE_SEED)
    spare = [ticket for ticket in spare if ticket.message not in used][:TICKETS_AMONG_PASSAGES]
    piles = with_tickets(make_piles(SOURCE / "reading_kinds.txt", PILES, READING_SEED), spare, SPARE_SEED)
    return [row for pile in piles for row in as_rows(pile)]


def _write_rows(path: Path, rows: Iterable[object]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
