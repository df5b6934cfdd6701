"""Read, append and atomically replace files; records to and from JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import hashlib
import json
import os
import tempfile
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from workbench.errors import DiskFull

Record = TypeVar("Record")


def to_plain(value: Any) -> Any:
    """A record, or anything made of records, as JSON's own types; paths become strings, NaN becomes None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_plain(each) for each in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and value != value:
        return None
    return value


def from_plain(kind: Any, value: Any) -> Any:
    """The inverse of to_plain for dataclasses, tuples, lists, dicts, optionals and paths.

    Fields a newer version added are left out; raises TypeError or ValueError where a record cannot be made.
    """
    origin = typing.get_origin(kind)
    if origin is typing.Union or origin is types.UnionType:
        options = [each for each in typing.get_args(kind) if each is not type(None)]
        return None if value is None else from_plain(options[0], value)
    if origin in (tuple, list):
        inner = typing.get_args(kind)
        if origin is tuple and len(inner) > 1 and inner[1] is not Ellipsis:
            return tuple(from_plain(each, item) for each, item in zip(inner, value, strict=True))
        return origin(from_plain(inner[0] if inner else Any, item) for item in value)
    if origin in (dict, typing.Mapping):
        inner = typing.get_args(kind)
        return {key: from_plain(inner[1] if inner else Any, item) for key, item in value.items()}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = _fields(kind)
        return kind(**{key: from_plain(hints[key], item) for key, item in value.items() if key in hints})
    if kind is Path:
        return Path(value)
    if kind is float and value is not None:
        return float(value)
    return value


@functools.cache
def _fields(kind: type) -> dict[str, Any]:
    """The fields of a dataclass with their types; looking them up takes ten times as long as making a record."""
    hints = typing.get_type_hints(kind)
    return {f.name: hints[f.name] for f in dataclasses.fields(kind)}


@contextlib.contextmanager
def naming_full_disk(path: Path) -> Iterator[None]:
    """Turn the system's "no space left" into a sentence; everything written before stays."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"The disk that holds {path.parent} is full: nothing done is lost; free some space and start again."
            ) from error
        raise


def replace_file(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file whole beside its place, then rename it there: a reader sees the old one or the new one."""
    with naming_full_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise


def write_text(path: Path, text: str) -> None:
    """Replace a text file atomically (UTF-8)."""
    replace_file(path, lambda file: void(file.write(text.encode("utf-8"))))


def void(_: object) -> None:
    """Forget a value: for lambdas that must return None."""


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file atomically; `value` may be or hold records."""
    write_text(path, json.dumps(to_plain(value), ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """The JSON in a file. Raises OSError and ValueError as the standard library does."""
    return json.loads(path.read_text(encoding="utf-8"))


def append_line(path: Path, value: Any) -> None:
    """Append one record as a line of JSON, so that a killed process breaks the last one at most."""
    line = (json.dumps(to_plain(value), ensure_ascii=False) + "\n").encode("utf-8")
    with naming_full_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a writer was killed half-way: its broken line stays a line of its own
                    line = b"\n" + line
            file.write(line)


def read_lines(path: Path) -> list[Any]:
    """The records of a JSON-lines file; a broken last line (a killed writer) is left out, and so is a missing file."""
    if not path.exists():
        return []
    found: list[Any] = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):  # JSON leaves U+2028 as it is
        with contextlib.suppress(ValueError):
            if line.strip():
                found.append(json.loads(line))
    return found


def hash_bytes(chunks: Iterable[bytes]) -> str:
    """SHA-256 as hex."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content as hex, read a mebibyte at a time."""
    with path.open("rb") as file:
        return hash_bytes(iter(lambda: file.read(1 << 20), b""))


def hash_text(text: str) -> str:
    """SHA-256 of a text's UTF-8 as hex."""
    return hash_bytes([text.encode("utf-8")])
