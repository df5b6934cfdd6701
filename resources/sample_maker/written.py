"""The piles of the reading rows that were written by hand: four passages of one organisation, five questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sample_maker.origins import Origin
from sample_maker.reading import REFUSAL, Pile
from sample_maker.sheets import Sheet

TOGETHER = 2  # passages of a row: see reading.py


def written_piles(path: Path) -> list[Pile]:
    """The piles of `path`, each cut into piles of two passages that stood beside each other.

    A line of the file is an object: `passages` of file, location and text; `rows` of question, answer and the number of
    the passage that holds it, 0 where none does.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    return [pile for line in lines for pile in _parts(json.loads(line))]


def _parts(told: dict[str, Any]) -> list[Pile]:
    sheets = [Sheet(Origin(each["file"], each["location"]), each["text"]) for each in told["passages"]]
    found = []
    for start in range(0, len(sheets), TOGETHER):
        # a question without an answer is asked of the first passages, which a search took to be the best
        ranks = {start + place + 1: place + 1 for place in range(TOGETHER)} | ({0: 0} if start == 0 else {})
        rows = [(each["question"], _answer(each, ranks)) for each in told["rows"] if each["passage"] in ranks]
        if rows:
            found.append(Pile(tuple(sheets[start : start + TOGETHER]), tuple(rows)))
    return found


def _answer(row: dict[str, Any], ranks: dict[int, int]) -> str:
    return f"{row['answer']} [{ranks[row['passage']]}]." if row["passage"] else REFUSAL
