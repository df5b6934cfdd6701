"""Walk a folder and say what is new, changed or gone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.documents.left_out import LeftOut
from workbench.priority import unhurried

SIZE_LIMIT = 100 * 2**20  # bytes; a text this long is some 200,000 passages, hours of embedding nobody asked for
IGNORED_FOLDERS = frozenset({"__pycache__", "node_modules", "$RECYCLE.BIN", "System Volume Information"})
IGNORED_FILES = frozenset({"Thumbs.db", "desktop.ini", "Icon\r"})  # what systems leave in folders


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file in a folder, as its directory entry describes it."""

    folder: str  # the indexed folder, absolute
    file: str  # path relative to it, forward slashes; bytes that are no UTF-8 are written as \\xNN
    path: Path  # to open it
    size: int  # bytes
    mtime_ns: int  # with the size, decides whether the content is looked at again
    trouble: str = ""  # why it cannot be read, known from the entry alone
    closed: bool = False  # it is a folder that cannot be looked into: what is known of its files still holds

    @property
    def key(self) -> tuple[str, str]:
        """What tells one file from another: two folders may each hold a notes.md."""
        return self.folder, self.file


@dataclass(frozen=True, slots=True)
class KnownFile:
    """The same for a file the index holds."""

    folder: str
    file: str
    size: int
    mtime_ns: int
    current: bool = True  # False: made with other settings or an older reader, so it must be read again

    @property
    def key(self) -> tuple[str, str]:
        return self.folder, self.file


@dataclass(frozen=True, slots=True)
class Difference:
    """What separates a folder from what is known of it."""

    new: tuple[FoundFile, ...]
    changed: tuple[FoundFile, ...]  # by size or time: the content decides later
    unchanged: tuple[FoundFile, ...]
    gone: tuple[KnownFile, ...]


def scan(folder: Path, left_out: LeftOut = LeftOut()) -> Iterator[FoundFile]:  # noqa: B008 (it is frozen)
    """Every regular file under a folder, subfolders included, in a stable order.

    Links are followed, each folder once, so loops end. What is `left_out` is passed over, a folder with all it holds.
    A folder or file that cannot be looked at comes out with its `trouble` named. Pipes, sockets and devices too.
    """
    skipped, passed_over = {os.path.realpath(each) for each in left_out.folders}, left_out.matcher()
    seen: set[tuple[int, int]] = set()
    waiting = [str(folder)]
    while waiting:
        directory = waiting.pop()
        try:
            status = os.stat(directory)
            if (status.st_dev, status.st_ino) in seen or os.path.realpath(directory) in skipped:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(directory) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield replace(_troubled(folder, directory, f"the folder cannot be opened: {_reason(error)}"), closed=True)
            continue
        deeper = []
        for entry in unhurried(listed):
            hidden = left_out.hidden and entry.name.startswith(".")
            if hidden or entry.name.startswith("~$") or entry.name in IGNORED_FILES:
                continue
            is_folder = _is_folder(entry)
            if left_out.patterns and passed_over(relative_name(folder, entry.path), is_folder):
                continue
            if is_folder:
                if entry.name not in IGNORED_FOLDERS:
                    deeper.append(entry.path)
            else:
                yield _examine(folder, entry)
        waiting += reversed(deeper)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _examine(folder: Path, entry: os.DirEntry[str]) -> FoundFile:
    try:
        status = entry.stat()
    except OSError as error:
        broken = entry.is_symlink()
        return _troubled(folder, entry.path, "the link leads nowhere" if broken else _reason(error))
    trouble = ""
    if not stat.S_ISREG(status.st_mode):
        trouble = "it is no ordinary file (a pipe, socket or device)"
    elif status.st_size == 0:
        trouble = "the file is empty"
    elif status.st_size > SIZE_LIMIT:
        trouble = f"the file has {status.st_size / 2**20:.0f} MB; files over {SIZE_LIMIT / 2**20:.0f} MB are left out"
    return FoundFile(
        str(folder), relative_name(folder, entry.path), Path(entry.path), status.st_size, status.st_mtime_ns, trouble
    )


def _troubled(folder: Path, path: str, trouble: str) -> FoundFile:
    return FoundFile(str(folder), relative_name(folder, path), Path(path), 0, 0, trouble)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def relative_name(folder: Path, path: str) -> str:
    """A path relative to its folder, printable: forward slashes, and undecodable bytes as \\xNN."""
    inside = os.path.join(folder, "")
    relative = path[len(inside) :] if path.startswith(inside) else os.path.relpath(path, folder)
    relative = relative.replace(os.sep, "/")
    return relative.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def compare(found: Iterable[FoundFile], known: Mapping[tuple[str, str], KnownFile]) -> Difference:
    """Sort what was found into new, changed and unchanged, and name what is gone."""
    new, changed, unchanged = [], [], []
    seen = set()
    for each in unhurried(found):
        seen.add(each.key)
        before = known.get(each.key)
        if before is None:
            new.append(each)
        elif before.current and (before.size, before.mtime_ns) == (each.size, each.mtime_ns):
            unchanged.append(each)
        else:
            changed.append(each)
    gone = [each for key, each in known.items() if key not in seen]
    return Difference(tuple(new), tuple(changed), tuple(unchanged), tuple(gone))
