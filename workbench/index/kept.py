"""The index as searches read it: connections that stay open, in a thread of their own beside the embedder

A connection that is opened for a question reads the pages of the word index anew: at 100,000 chunks that took longer
than the search itself. And SQLite and torch let Python go on meanwhile, so the words are looked for while the question
is embedded. All of it happens in one thread, for a connection belongs to the thread that opened it.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.documents.document import Chunk
from workbench.errors import BadProject
from workbench.index.keywords import FILE_NAME, Keywords
from workbench.index.tokens import FILE_NAME as SIGNS
from workbench.index.tokens import TokenSigns

Keys = Sequence[tuple[str, str]]  # folder and file of the files a search is kept to
MOST_OPEN = 3  # knowledge bases whose connections stay open

_thread = ThreadPoolExecutor(1)


@dataclass(frozen=True, slots=True)
class Looked:
    """Some chunks that were found, and what is known of them."""

    ids: list[str]  # best first
    chunks: dict[str, tuple[Chunk, str]]  # with the folder of their file; a build may have removed some meanwhile
    signs: list[tuple[str, bytes]]  # of their tokens; nothing where an earlier version made the index


class _Open:
    """The connections to one index."""

    def __init__(self, folder: Path) -> None:
        """Raises BadProject, FileNotFoundError."""
        self.state = _state(folder)
        self.keywords = Keywords(folder)
        self.tokens: TokenSigns | None = None
        with suppress(FileNotFoundError, BadProject):  # signs only order what was found: a search goes on without
            self.tokens = TokenSigns(folder)

    def look_up(self, embedder: str, ids: list[str]) -> Looked:
        signs: list[tuple[str, bytes]] = []
        if self.tokens is not None:
            with suppress(BadProject):
                signs = self.tokens.signs(embedder, ids)
        return Looked(ids, self.keywords.chunks_by_id(ids), signs)

    def close(self) -> None:
        self.keywords.close()
        if self.tokens is not None:
            self.tokens.close()


_open: OrderedDict[Path, _Open] = OrderedDict()  # of the thread alone; the one used last is the last


def look_for_words(home: Path, embedder: str, question: str, most: int, keys: Keys | None = None) -> Future[Looked]:
    """The chunks with a question's words. Its result raises BadProject for a damaged index."""

    def look() -> Looked:
        index = _opened(home)
        return index.look_up(embedder, [key for key, _ in index.keywords.search(question, most, keys)])

    return _thread.submit(look)


def look_up(home: Path, embedder: str, ids: list[str]) -> Future[Looked]:
    """What is known of some chunks. Its result raises BadProject for a damaged index."""
    return _thread.submit(lambda: _opened(home).look_up(embedder, ids))


def let_go(home: Path) -> None:
    """Close what is open of a knowledge base, so that its folder can be moved or deleted."""

    def close() -> None:
        index = _open.pop(_folder(home), None)
        if index is not None:
            index.close()

    _thread.submit(close).result()


def _folder(home: Path) -> Path:
    return home.expanduser().absolute() / "index"


def _opened(home: Path) -> _Open:
    """The connections to a base's index, opened anew where other files have taken their place."""
    folder = _folder(home)
    index = _open.pop(folder, None)
    if index is not None and index.state != _state(folder):
        index.close()
        index = None
    index = _open[folder] = index or _Open(folder)
    while len(_open) > MOST_OPEN:
        _open.popitem(last=False)[1].close()
    return index


def _state(folder: Path) -> list[tuple[int, int] | None]:
    """Which files the two databases are; an open one keeps its number, so no other has it."""
    found: list[tuple[int, int] | None] = []
    for name in (FILE_NAME, SIGNS):
        try:
            status = os.stat(folder / name)
            found.append((status.st_dev, status.st_ino))
        except OSError:
            found.append(None)
    return found
