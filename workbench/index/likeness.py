"""Which passages say nearly the same as an earlier one: found by the words they share, once a build has written them

As in a search, two passages say the same when they share 85 % of their different words. Comparing each with each would
take hours, so a passage is given five numbers, of which two passages have the more in common the more words they share
(Broder, "On the resemblance and containment of documents", SEQUENCES 1997): where 85 % are shared, 99 of 100 have one
in common, and only such passages are compared.

datasketch was tried for the numbers (2.0.0, 60 words, one core): 74 microseconds a passage in place of 43, half a
second to import for scipy, and as many found. It keeps its tables in memory or on a server, while these must be in the
index's own transaction; and what it calculates changed between versions, while numbers on disk must stay comparable.
"""

from __future__ import annotations

import re
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

SAME_TEXT = 0.85  # share of two passages' words in common from which one of them is enough
BANDS, ROWS = 5, 3  # numbers of a passage, and smallest values behind each: 1 - (1 - 0.85 ** 3) ** 5 = 0.99
LOOKED_AT = 8  # earlier passages with the same number: a footer stands in thousands
FEWEST = 8  # different words of a passage that is compared; shorter ones are alike by chance
PART = 200  # passages between two signs of life
NUMBERS = [f"band{number}" for number in range(BANDS)]
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS likeness (
    chunk INTEGER PRIMARY KEY REFERENCES chunks (number_in_all) ON DELETE CASCADE,
    {", ".join(f"{each} INTEGER" for each in NUMBERS)});
{"".join(f"CREATE INDEX IF NOT EXISTS likeness_{each} ON likeness ({each});" for each in NUMBERS)}
CREATE TABLE IF NOT EXISTS twins (
    chunk INTEGER PRIMARY KEY REFERENCES chunks (number_in_all) ON DELETE CASCADE,
    other INTEGER NOT NULL REFERENCES chunks (number_in_all) ON DELETE CASCADE);
CREATE INDEX IF NOT EXISTS twins_other ON twins (other);
CREATE TABLE IF NOT EXISTS uncompared (
    chunk INTEGER PRIMARY KEY REFERENCES chunks (number_in_all) ON DELETE CASCADE);
CREATE TRIGGER IF NOT EXISTS chunk_waits AFTER INSERT ON chunks BEGIN
    INSERT OR IGNORE INTO uncompared VALUES (new.number_in_all); END;
DROP TRIGGER IF EXISTS twin_lost; -- of earlier versions, which looked through all chunks for those to compare
CREATE TRIGGER IF NOT EXISTS twin_left BEFORE DELETE ON chunks BEGIN
    INSERT OR IGNORE INTO uncompared SELECT chunk FROM twins WHERE other = old.number_in_all; END;
"""
# By the chunks' index, for the table itself holds their texts as well.
NOT_COMPARED = """
SELECT number_in_all FROM chunks INDEXED BY chunks_of_file WHERE number_in_all NOT IN (SELECT chunk FROM likeness)
"""
PAIRS = """
SELECT own.folder AS folder, own.file AS file, first.folder AS other_folder, first.file AS other, count(*) AS n
FROM twins JOIN chunks one ON one.number_in_all = twins.chunk JOIN files own ON own.id = one.file_id
JOIN chunks two ON two.number_in_all = twins.other JOIN files first ON first.id = two.file_id
GROUP BY own.id, first.id ORDER BY n DESC, own.file, first.file
"""


@dataclass(frozen=True, slots=True)
class Alike:
    """A file with passages that say nearly the same as earlier ones of another file, or of itself."""

    folder: str  # absolute
    file: str  # relative to its folder
    other_folder: str
    other: str  # the file that says it, too
    passages: int  # of `file`

    @property
    def told(self) -> str:
        """What a person should know of it, the end of a sentence about `file`."""
        passages = "1 passage says" if self.passages == 1 else f"{self.passages:,} passages say"
        if self.folder != self.other_folder:
            return f"{passages} nearly the same as {Path(self.other_folder) / self.other}"
        return f"{passages} nearly the same as {'another of it' if self.file == self.other else self.other}"


def words_of(text: str) -> frozenset[str]:
    """The different words of a passage."""
    return frozenset(re.findall(r"\w+", text.casefold()))


def is_same(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether passages of these words say nearly the same."""
    return len(one & other) >= SAME_TEXT * len(one | other)


def prepare(db: sqlite3.Connection) -> None:
    """Make the tables where they are missing, all or nothing; what is there already then waits to be compared."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'uncompared'").fetchone():
        db.executescript(f"BEGIN; {SCHEMA} INSERT OR IGNORE INTO uncompared {NOT_COMPARED}; COMMIT;")


def compare_new(db: sqlite3.Connection) -> Iterator[int]:
    """Compare the passages that nobody compared yet with those before them; yields how many are done.

    What is done is committed at each yield. A passage whose twin was deleted is compared anew. What it costs depends
    on how many passages wait, not on how many there are.
    """
    waiting = [row[0] for row in db.execute("SELECT chunk FROM uncompared ORDER BY chunk")]
    for place in range(0, len(waiting), PART):
        db.execute("BEGIN IMMEDIATE")
        try:
            for number in waiting[place : place + PART]:
                _compare(db, number)
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
        yield min(place + PART, len(waiting))


def pairs(db: sqlite3.Connection) -> tuple[Alike, ...]:
    """Files with passages that say nearly the same, those with most of them first; () in an index of earlier times."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'twins'").fetchone():
        return ()
    return tuple(Alike(*row) for row in db.execute(PAIRS))


def _compare(db: sqlite3.Connection, number: int) -> None:
    words = _words_in(db, number)
    bands: Sequence[int | None] = _bands(words) if len(words) >= FEWEST else [None] * BANDS
    twin = next((each for each in _candidates(db, number, bands) if is_same(words, _words_in(db, each))), None)
    db.execute(f"INSERT OR REPLACE INTO likeness VALUES (?{',?' * BANDS})", (number, *bands))
    db.execute("DELETE FROM uncompared WHERE chunk = ?", (number,))
    if twin is not None:
        db.execute("INSERT OR REPLACE INTO twins VALUES (?, ?)", (number, twin))


def _candidates(db: sqlite3.Connection, number: int, bands: Sequence[int | None]) -> list[int]:
    """Earlier passages that have a number in common with this one, earliest first."""
    found: set[int] = set()
    for name, band in zip(NUMBERS, bands, strict=True):
        sql = f"SELECT chunk FROM likeness WHERE {name} = ? AND chunk < ? ORDER BY chunk LIMIT {LOOKED_AT}"
        found.update(row[0] for row in db.execute(sql, (band, number)))
    return sorted(found)


def _words_in(db: sqlite3.Connection, number: int) -> frozenset[str]:
    return words_of(db.execute("SELECT text FROM chunks WHERE number_in_all = ?", (number,)).fetchone()[0])


def _bands(words: frozenset[str]) -> list[int]:
    """The numbers of a passage: of its words in each of 15 shuffled orders the first one, three of them to a number."""
    import numpy as np

    prime = (1 << 31) - 1  # (a * x + b) mod p shuffles well enough, and stays within 63 bits
    draw = np.random.default_rng(15)  # the same for every passage there ever is
    factors, added = draw.integers(1, prime, (2, BANDS * ROWS), dtype=np.int64)
    hashed = np.array([zlib.crc32(word.encode()) % prime for word in words], dtype=np.int64)
    first = ((hashed[:, None] * factors + added) % prime).min(axis=0).reshape(BANDS, ROWS)
    return [int.from_bytes(blake2b(row.tobytes(), digest_size=7).digest()) for row in first]
