"""The exact-word leg, and what the index knows of every file: one SQLite database with FTS5.

A file is committed by one transaction here, after its vectors are in Chroma; what this database does not name does not
count. Reading needs neither Chroma nor the embedder, so lists of files and passages open at once, in any process.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.documents.document import Chunk, Document
from workbench.errors import BadProject, DiskFull
from workbench.index import likeness
from workbench.index.wording import any_of, question_words, telling
from workbench.priority import unhurried

FILE_NAME = "keywords.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY, folder TEXT NOT NULL, file TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    kind TEXT NOT NULL, title TEXT NOT NULL, notes TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    hash TEXT NOT NULL, chunks INTEGER NOT NULL, made_with TEXT NOT NULL, read_with INTEGER NOT NULL,
    lasting INTEGER NOT NULL, indexed_at REAL NOT NULL, UNIQUE (folder, file));
CREATE TABLE IF NOT EXISTS documents (
    file_id INTEGER PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS chunks (
    number_in_all INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    file_id INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    location TEXT NOT NULL, heading TEXT NOT NULL, text TEXT NOT NULL,
    start INTEGER NOT NULL, stop INTEGER NOT NULL, tokens INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS chunks_of_file ON chunks (file_id, number);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (
    heading, text, content = 'chunks', content_rowid = 'number_in_all',
    tokenize = 'porter unicode61 remove_diacritics 2');
CREATE TRIGGER IF NOT EXISTS chunk_added AFTER INSERT ON chunks BEGIN
    INSERT INTO words (rowid, heading, text) VALUES (new.number_in_all, new.heading, new.text); END;
CREATE TRIGGER IF NOT EXISTS chunk_removed AFTER DELETE ON chunks BEGIN
    INSERT INTO words (words, rowid, heading, text) VALUES ('delete', old.number_in_all, old.heading, old.text); END;
"""
SCHEMA_VERSION = 1
HEADING_WEIGHT = 0.5  # of a word in the heading beside one in the text: every chunk of a section repeats its heading
# Chunks that the words leg scores at most. Scoring costs a microsecond or two each, and a word that is in thousands of
# chunks moves the order little: with all words of a question in an index of 100,000 chunks it would be most of them.
SCORED = 6000


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as the index holds it."""

    folder: str
    file: str
    state: str  # "indexed" or "skipped"
    size: int  # bytes and time of the content that was read
    mtime_ns: int
    hash: str = ""  # SHA-256 of the content, "" when it was never opened
    reason: str = ""  # why it was skipped
    kind: str = ""
    title: str = ""
    notes: tuple[str, ...] = ()
    chunks: int = 0
    made_with: str = ""  # fingerprint of embedder and chunk settings, "" when skipped
    read_with: int = 0  # readers.VERSION
    lasting: bool = True  # False: skipped for a reason that may have passed

    @property
    def key(self) -> tuple[str, str]:
        return self.folder, self.file


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk stands in its file, without its text."""

    start: int  # offsets in the document's text, in characters
    end: int
    tokens: int  # in the embedder's tokens, heading included
    heading: str
    location: str


class Keywords:
    """The open database. `write` makes it when missing; without it the database is only read."""

    def __init__(self, folder: Path, write: bool = False) -> None:
        """Raises BadProject for a damaged or newer database, FileNotFoundError when there is none to read."""
        self.path = folder / FILE_NAME
        if not write and not self.path.exists():
            raise FileNotFoundError(self.path)
        with self._naming_trouble():
            folder.mkdir(parents=True, exist_ok=True)
            mode = "rwc" if write else "ro"
            self._db = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, timeout=10, isolation_level=None
            )
            self._db.execute("PRAGMA foreign_keys = ON")
            if write:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute(
                    "PRAGMA synchronous = NORMAL"
                )  # a power cut may lose the last files, which are read again
                self._prepare()

    def _prepare(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise BadProject(
                f"The index {self.path} was made by a newer version of Workbench: update Workbench to open it."
            )
        self._db.executescript(SCHEMA)
        likeness.prepare(self._db)
        self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def __enter__(self) -> Keywords:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What is known

    def fact(self, name: str, default: str = "") -> str:
        """A fact about the index as a whole."""
        with self._naming_trouble():
            row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else default

    def set_fact(self, name: str, value: str) -> None:
        with self._naming_trouble():
            self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def files(self) -> list[FileRow]:
        """Every file the index knows, skipped ones included, by folder and name."""
        return self._file_rows("SELECT * FROM files ORDER BY folder, file", ())

    def file(self, name: str, folder: str = "") -> FileRow | None:
        """One file by its relative path; of several folders that have it, the first when none is named."""
        rows = self._file_rows("SELECT * FROM files WHERE file = ? ORDER BY folder", (name,))
        return next((row for row in rows if not folder or row.folder == folder), None)

    def text(self, row: FileRow) -> str:
        """A file's whole text, "" when it was skipped."""
        sql = "SELECT text FROM documents WHERE file_id = (SELECT id FROM files WHERE folder = ? AND file = ?)"
        found = self._rows(sql, row.key)
        return str(found[0]["text"]) if found else ""

    def stretch(self, folder: str, file: str, start: int, end: int) -> str:
        """A file's text between two offsets, "" when it is not there (any more)."""
        sql = (
            "SELECT substr(text, ?, ?) AS part FROM documents"
            " WHERE file_id = (SELECT id FROM files WHERE folder = ? AND file = ?)"
        )
        found = self._rows(sql, (start + 1, end - start, folder, file))
        return str(found[0]["part"]) if found else ""

    def chunks(self, row: FileRow) -> tuple[Chunk, ...]:
        """A file's chunks in its order."""
        sql = (
            "SELECT * FROM chunks WHERE file_id = (SELECT id FROM files WHERE folder = ? AND file = ?) ORDER BY number"
        )
        return tuple(_chunk(found, row.file) for found in self._rows(sql, row.key))

    def places(self, folder: str, file: str, key: str, most: int) -> list[Place]:
        """Where a file's chunks stand, in its order: the one of this id and at most so many on either side of it."""
        sql = (
            "SELECT chunks.start AS start, chunks.stop AS stop, chunks.tokens AS tokens, chunks.heading AS heading,"
            " chunks.location AS location FROM chunks AS one JOIN files ON files.id = one.file_id"
            " JOIN chunks ON chunks.file_id = one.file_id"
            " WHERE one.id = ? AND folder = ? AND file = ? AND chunks.number BETWEEN one.number - ? AND one.number + ?"
            " ORDER BY chunks.number"
        )
        rows = self._rows(sql, (key, folder, file, most, most))
        return [Place(row["start"], row["stop"], row["tokens"], row["heading"], row["location"]) for row in rows]

    def chunk_ids(self, row: FileRow) -> list[str]:
        """The ids of a file's chunks in its order."""
        sql = (
            "SELECT id FROM chunks WHERE file_id = (SELECT id FROM files WHERE folder = ? AND file = ?) ORDER BY number"
        )
        return [str(found["id"]) for found in self._rows(sql, row.key)]

    def ids_made_with(self, fingerprint: str) -> set[str]:
        """The ids of all chunks of one fingerprint."""
        sql = "SELECT chunks.id AS id FROM chunks JOIN files ON files.id = file_id WHERE made_with = ?"
        return {str(found["id"]) for found in self._rows(sql, (fingerprint,))}

    def count_made_with(self, fingerprint: str) -> int:
        """How many chunks of one fingerprint there are."""
        found = self._rows("SELECT sum(chunks) AS n FROM files WHERE made_with = ?", (fingerprint,))
        return int(found[0]["n"] or 0)

    def owners(self, ids: Iterable[str]) -> set[tuple[str, str]]:
        """Folder and file of the files some chunks belong to."""
        return {(folder, piece.file) for piece, folder in self.chunks_by_id(list(ids)).values()}

    def count(self) -> tuple[int, int]:
        """How many files are indexed, and how many chunks they have."""
        sql = "SELECT count(*) AS files, coalesce(sum(chunks), 0) AS chunks FROM files WHERE state = 'indexed'"
        found = self._rows(sql, ())[0]
        return int(found["files"]), int(found["chunks"])

    def is_empty(self) -> bool:
        """Whether there is not one chunk."""
        return self._most_chunks() == 0

    def row_counts(self) -> tuple[int, int]:
        """Rows of the chunk table and of the word index: a check that both legs agree."""
        chunks = self._rows("SELECT count(*) AS n FROM chunks", ())[0]["n"]
        return int(chunks), int(self._rows("SELECT count(*) AS n FROM words_docsize", ())[0]["n"])

    def check(self) -> None:
        """Look at every page of the database. Raises BadProject when one is damaged."""
        with self._naming_trouble():
            found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(found)

    def words_fit(self) -> bool:
        """Whether the word index holds just the words of the chunks."""
        try:
            self._db.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError:
            return False
        return True

    def rebuild_words(self) -> None:
        """Make the word index anew from the chunks."""
        with self._transaction():
            self._db.execute("INSERT INTO words (words) VALUES ('rebuild')")

    def chunks_by_id(self, ids: Sequence[str]) -> dict[str, tuple[Chunk, str]]:
        """Chunks with the folder of their file, by id; ids that are not committed are left out."""
        found: dict[str, tuple[Chunk, str]] = {}
        for place in range(0, len(ids), 500):  # SQLite takes 999 values at least
            part = ids[place : place + 500]
            marks = ",".join("?" * len(part))
            sql = "SELECT chunks.*, folder, file FROM chunks JOIN files ON files.id = file_id WHERE chunks.id IN"
            for row in self._rows(f"{sql} ({marks})", tuple(part)):
                found[row["id"]] = (_chunk(row, row["file"]), row["folder"])
        return found

    def alike(self) -> tuple[likeness.Alike, ...]:
        """Files with passages that say nearly the same as earlier ones, those with most of them first."""
        with self._naming_trouble():
            return likeness.pairs(self._db)

    def search(
        self, question: str, most: int, keys: Sequence[tuple[str, str]] | None = None
    ) -> list[tuple[str, float]]:
        """The ids of the chunks that hold the question's words, with BM25 scores (higher is better), best first.

        `keys` (folder and file) keep it to the chunks of these files.
        """
        words = question_words(question)
        if keys is None and self._most_chunks() > SCORED:
            words = telling(words, self._holders, SCORED)
        if not words:
            return []
        query = any_of(words)
        if keys is None:
            sql = (
                "SELECT id, -score AS score FROM (SELECT rowid AS place, bm25(words, ?, 1.0) AS score FROM words"
                " WHERE words MATCH ? ORDER BY score LIMIT ?) JOIN chunks ON number_in_all = place ORDER BY 2 DESC"
            )
            found = self._rows(sql, (HEADING_WEIGHT, query, most))
        else:
            sql = (
                "SELECT chunks.id AS id, -bm25(words, ?, 1.0) AS score FROM words"
                " JOIN chunks ON number_in_all = words.rowid WHERE words MATCH ? {kept} ORDER BY score DESC LIMIT ?"
            )
            wanted = json.dumps([f"{folder}\n{file}" for folder, file in keys])
            inner = "SELECT id FROM files WHERE folder || char(10) || file IN (SELECT value FROM json_each(?))"
            found = self._rows(sql.format(kept=f"AND file_id IN ({inner})"), (HEADING_WEIGHT, query, wanted, most))
        return [(row["id"], float(row["score"])) for row in found]

    def _most_chunks(self) -> int:
        """No fewer than there are chunks, found without counting them."""
        return int(self._rows("SELECT coalesce(max(number_in_all), 0) AS n FROM chunks", ())[0]["n"])

    def _holders(self, word: str, limit: int) -> int:
        """How many chunks hold a word, counted up to a limit."""
        sql = "SELECT count(*) AS n FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
        return int(self._rows(sql, (word, limit))[0]["n"])

    # What changes it

    def commit_file(self, row: FileRow, document: Document | None, chunks: Sequence[Chunk]) -> None:
        """Put a file in the place of what was known of it, in one transaction: its row, text, chunks and words."""
        with self._transaction():
            self._delete(row.key)
            values = (
                *(row.folder, row.file, row.state, row.reason, row.kind, row.title, json.dumps(row.notes), row.size),
                *(row.mtime_ns, row.hash, len(chunks), row.made_with, row.read_with, int(row.lasting), time.time()),
            )
            marks = ",".join("?" * len(values))
            number = self._db.execute(f"INSERT INTO files VALUES (NULL,{marks})", values).lastrowid
            if document is not None:
                self._db.execute("INSERT INTO documents VALUES (?, ?)", (number, document.text))
            self._db.executemany(
                "INSERT INTO chunks VALUES (NULL,?,?,?,?,?,?,?,?,?)",
                [(c.id, number, c.number, c.location, c.heading, c.text, c.start, c.end, c.tokens) for c in chunks],
            )

    def touch_file(self, row: FileRow, size: int, mtime_ns: int) -> None:
        """Note a new time for a file whose content stayed the same."""
        with self._naming_trouble():
            self._db.execute(
                "UPDATE files SET size = ?, mtime_ns = ? WHERE folder = ? AND file = ?", (size, mtime_ns, *row.key)
            )

    def remove_file(self, key: tuple[str, str]) -> None:
        """Forget a file, its text and its words."""
        with self._transaction():
            self._delete(key)

    def forget_time(self, keys: Iterable[tuple[str, str]]) -> None:
        """Have the next build look at these files again, whatever their time and size."""
        with self._transaction():
            self._db.executemany("UPDATE files SET read_with = -1 WHERE folder = ? AND file = ?", list(keys))

    def compare_new(self) -> Iterator[int]:
        """Find which of the new passages say nearly the same as earlier ones; yields how many were looked at."""
        with self._naming_trouble():
            yield from likeness.compare_new(self._db)

    def _delete(self, key: tuple[str, str]) -> None:
        # chunks are deleted by name, not by cascade: the trigger that removes their words must run
        self._db.execute("DELETE FROM chunks WHERE file_id = (SELECT id FROM files WHERE folder = ? AND file = ?)", key)
        self._db.execute("DELETE FROM files WHERE folder = ? AND file = ?", key)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing; the generation goes up, so that other processes see that something changed."""
        with self._naming_trouble():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute(
                    "INSERT INTO facts VALUES ('generation', '1')"
                    " ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
                )
                self._db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # a full disk may have rolled back already
                    self._db.execute("ROLLBACK")
                raise

    def _rows(self, sql: str, values: tuple[Any, ...]) -> list[sqlite3.Row]:
        with self._naming_trouble():
            cursor = self._db.execute(sql, values)
            cursor.row_factory = sqlite3.Row
            return cursor.fetchall()

    def _file_rows(self, sql: str, values: tuple[Any, ...]) -> list[FileRow]:
        with self._naming_trouble():
            cursor = self._db.execute(sql, values)
            cursor.row_factory = sqlite3.Row
            return [_file_row(row) for row in unhurried(cursor)]

    def _naming_trouble(self) -> contextlib.AbstractContextManager[None]:
        return naming_trouble(self.path)


def _file_row(row: sqlite3.Row) -> FileRow:
    return FileRow(
        *(row["folder"], row["file"], row["state"], row["size"], row["mtime_ns"], row["hash"], row["reason"]),
        *(row["kind"], row["title"], _notes(row["notes"]), row["chunks"], row["made_with"]),
        *(row["read_with"], bool(row["lasting"])),
    )


@contextlib.contextmanager
def naming_trouble(path: Path) -> Iterator[None]:
    """What SQLite says of a database of the index, as a sentence with a way out."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) or 0
        if code & 0xFF == sqlite3.SQLITE_FULL:
            raise DiskFull(
                f"The disk that holds {path.parent} is full: nothing already indexed is lost; free some space"
                " and start again."
            ) from error
        raise BadProject(
            f"The index {path} cannot be used ({error}): close other programs that use it, or delete that"
            " file; the next indexing makes it anew from your documents."
        ) from error


def _notes(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text != "[]" else ()  # most files have none


def _chunk(row: sqlite3.Row, file: str) -> Chunk:
    place = (row["id"], file, row["location"], row["text"], row["start"], row["stop"])
    return Chunk(*place, row["number"], row["tokens"], row["heading"])
