"""The word-by-word leg: for each chunk the signs of what the embedder makes of its words, to compare with a question's.

A chunk's vector is the mean of its tokens' vectors, which blurs a chunk that says several things. Comparing token with
token keeps them apart: each token of the question counts its best match in the chunk, and the sum of these is how close
they are (Khattab and Zaharia, "ColBERT", SIGIR 2020, section 3.3). Function words are left out on both sides; of a
chunk's tokens only the sign of each number is kept, 48 bytes for 384 numbers, some 3 kB a chunk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.index.keywords import naming_trouble

if TYPE_CHECKING:
    from workbench.index.embed import Vectors

FILE_NAME = "tokens.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS tokens (
    number INTEGER PRIMARY KEY, embedder TEXT NOT NULL, id TEXT NOT NULL, signs BLOB NOT NULL, UNIQUE (embedder, id));
"""
PART = 500  # ids in one statement; SQLite takes 999 values at least


class TokenSigns:
    """The open database. `write` makes it when missing; without it the database is only read.

    A row is of one embedder and one chunk. What no chunk names is never looked at, so nothing here has to be written in
    the same moment as the rest of the index: what is missing makes its file be read again (ledger.py).
    """

    def __init__(self, folder: Path, write: bool = False) -> None:
        """Raises BadProject for a damaged database, FileNotFoundError when there is none to read."""
        self.path = folder / FILE_NAME
        if not write and not self.path.exists():
            raise FileNotFoundError(self.path)
        with naming_trouble(self.path):
            mode = "rwc" if write else "ro"
            self._db = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, timeout=10)
            if write:
                self._db.execute("PRAGMA page_size = 16384")  # five chunks to a page; of 4 kB each fills one for itself
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")  # what a power cut loses is made again
                self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def __enter__(self) -> TokenSigns:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def count(self, embedder: str) -> int:
        """How many chunks of an embedder there are."""
        with naming_trouble(self.path):
            row = self._db.execute("SELECT count(*) FROM tokens WHERE embedder = ?", (embedder,)).fetchone()
        return int(row[0])

    def ids(self, embedder: str) -> set[str]:
        """The ids of all chunks of an embedder."""
        with naming_trouble(self.path):
            return {row[0] for row in self._db.execute("SELECT id FROM tokens WHERE embedder = ?", (embedder,))}

    def present(self, embedder: str, ids: Sequence[str]) -> set[str]:
        """Those of the ids that are there."""
        return {key for key, _ in self._find(embedder, ids, "id, 0")}

    def signs(self, embedder: str, ids: Sequence[str]) -> list[tuple[str, bytes]]:
        """The signs of the tokens of each chunk that is there, in no order."""
        return self._find(embedder, ids, "id, signs")

    def add(self, embedder: str, ids: Sequence[str], tokens: Sequence[Vectors]) -> None:
        """Keep the signs of some chunks' tokens, or replace those with the same ids."""
        rows = [(embedder, key, pack(each)) for key, each in zip(ids, tokens, strict=True)]
        with naming_trouble(self.path), self._db:
            self._db.executemany("INSERT OR REPLACE INTO tokens VALUES (NULL, ?, ?, ?)", rows)

    def rename(self, embedder: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Copy what is known under old ids to new ones; pairs are (old, new)."""
        sql = "INSERT OR REPLACE INTO tokens SELECT NULL, embedder, ?, signs FROM tokens WHERE embedder = ? AND id = ?"
        with naming_trouble(self.path), self._db:
            self._db.executemany(sql, [(new, embedder, old) for old, new in pairs])

    def remove(self, embedder: str, ids: Iterable[str]) -> None:
        """Remove chunks; ids that are not there are passed over."""
        with naming_trouble(self.path), self._db:
            self._db.executemany("DELETE FROM tokens WHERE embedder = ? AND id = ?", [(embedder, key) for key in ids])

    def remove_others(self, embedders: Sequence[str]) -> None:
        """Remove what embedders made that are none of these."""
        with naming_trouble(self.path), self._db:
            for other in self._embedders() - set(embedders):
                self._db.execute("DELETE FROM tokens WHERE embedder = ?", (other,))

    def _embedders(self) -> set[str]:
        """Who made what is there, found by the index: each time the next one after those that are known."""
        found: set[str] = set()
        sql, last = "SELECT min(embedder) FROM tokens WHERE embedder > ?", ""
        while (row := self._db.execute(sql, (last,)).fetchone()) and row[0] is not None:
            last = str(row[0])
            found.add(last)
        return found

    def _find(self, embedder: str, ids: Sequence[str], columns: str) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        with naming_trouble(self.path):
            for place in range(0, len(ids), PART):
                part = ids[place : place + PART]
                sql = f"SELECT {columns} FROM tokens WHERE embedder = ? AND id IN ({','.join('?' * len(part))})"
                found += self._db.execute(sql, (embedder, *part)).fetchall()
        return found


def pack(tokens: Vectors) -> bytes:
    """The signs of token vectors, shape (tokens, dimension), eight to a byte, token after token."""
    import numpy as np

    return np.packbits(tokens > 0, axis=1).tobytes()


def closeness(question: Vectors, packed: Sequence[tuple[str, bytes]], kind: str = "float32") -> dict[str, float]:
    """Ids with the mean, over a question's token vectors, of their best match among a chunk's signs, -1 to 1.

    `kind` is the type of number to multiply in, that of the embedder: "bfloat16" takes a third of the time where the
    processor has it. torch multiplies, by the one thread it reads a question with: numpy's OpenBLAS takes two for it,
    and the second then waits for more work at full speed, which made the next question's embedding twice as slow.
    """
    import numpy as np
    import torch

    dimension = question.shape[1]
    width = (dimension + 7) // 8  # bytes of one token
    usable = [(key, signs) for key, signs in packed if signs and len(signs) % width == 0]
    if not usable or not len(question):
        return {}
    rows = np.frombuffer(b"".join(signs for _, signs in usable), dtype=np.uint8).reshape(-1, width)
    ones = 2 * np.unpackbits(rows, axis=1, count=dimension).view(np.int8) - 1  # around 0, so that bf16 rounds less off
    either = torch.from_numpy(ones).to(getattr(torch, kind))
    asked = torch.from_numpy(np.ascontiguousarray(question.T, dtype=np.float32)).to(either.dtype)
    products = (either @ asked).float().numpy()
    lengths = np.maximum(np.linalg.norm(question, axis=1), 1e-9) * np.sqrt(dimension)  # of the question's and the signs
    cosines = products / lengths
    starts = np.cumsum([0, *(len(signs) // width for _, signs in usable[:-1])])
    best = np.maximum.reduceat(cosines, starts, axis=0).mean(axis=1)
    return {key: float(value) for (key, _), value in zip(usable, best, strict=True)}
