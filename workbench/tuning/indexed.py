"""Rows that say word for word what the indexed documents say, told before anything is trained."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.events import Progress
from workbench.index.files import list_files, read_index
from workbench.tuning.remarks import Remark, Row

RUN = 13  # words in a row that make two texts the same, as of the overlap guard: arXiv 2005.14165, appendix C
MOST = 20_000_000  # characters of documents that are read: what is beyond them is said to be left out
_WORD = re.compile(r"\w+")


def indexed_rows(rows: Sequence[Row], home: Path) -> Iterator[Progress | Remark]:
    """What a knowledge base in `home` holds of the rows' answers, of which a row with passages may quote; last the
    Remark, if there is one. Nothing where nothing is indexed."""
    holders = defaultdict[int, list[int]](list)
    for place, row in enumerate(rows):
        if not row.grounded:
            for mark in _runs(row.answer):
                holders[mark].append(place)
    found: dict[int, str] = {}
    read, said, left = 0, time.monotonic(), False
    files = [each for each in list_files(home) if each.state == "indexed"] if holders else []
    for number, file in enumerate(files):
        if time.monotonic() - said > 0.3:
            said = time.monotonic()
            yield Progress(number, len(files), "comparing with the indexed documents", "files")
        if read > MOST:
            left = True
            break
        text = _text(home, file.file, file.folder)
        read += len(text)
        for mark in _runs(text):
            for place in holders.get(mark, ()):
                found.setdefault(place, file.file)
    if found:
        yield _remark([rows[place].row for place in sorted(found)], next(iter(found.values())), left)


def _text(home: Path, file: str, folder: str) -> str:
    try:
        with read_index(home) as index:
            row = index.file(file, folder)
            return index.text(row) if row is not None else ""
    except WorkbenchError:
        return ""


def _remark(numbers: Sequence[int], file: str, left: bool) -> Remark:
    which = f"row {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} rows (such as {numbers[0]})"
    rest = " Not all documents were compared, for there are many." if left else ""
    said = (
        f"Answered in the very words of an indexed document, such as {file}: {which}. Documents that are searched give "
        f"these words as well, and new ones once they change; what is learnt stays as it was.{rest}"
    )
    return Remark("documents", "note", said, tuple(numbers[:100]))


def _runs(text: str) -> Iterator[int]:
    words = [word.casefold() for word in _WORD.findall(text)]
    return (hash(tuple(words[place : place + RUN])) for place in range(len(words) - RUN + 1))
