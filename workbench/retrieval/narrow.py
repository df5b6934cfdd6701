"""Only: the part of the documents that a search is kept to, by place, type and date"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from workbench.errors import InputError
from workbench.index.keywords import FileRow


@dataclass(frozen=True, slots=True)
class Only:
    """What a file must be to be searched; what is left empty asks for nothing."""

    places: tuple[str, ...] = ()  # folders or patterns over the path in its indexed folder: "policies", "*/2026/*.md"
    types: tuple[str, ...] = ()  # endings of names: "pdf", ".md"
    since: float = 0.0  # seconds since 1970; what was last changed before is left out

    def lets_through(self, row: FileRow) -> bool:
        """Whether a file is searched. Case does not matter."""
        name = row.file.casefold()
        place = not self.places or any(_lies_in(name, each.casefold()) for each in self.places)
        kind = not self.types or any(name.endswith(f".{each.casefold().lstrip('.')}") for each in self.types)
        return place and kind and row.mtime_ns >= self.since * 1e9


EVERYTHING = Only()


def _lies_in(name: str, place: str) -> bool:
    folder = place.strip("/").removeprefix("./")
    return name == folder or name.startswith(f"{folder}/") or fnmatchcase(name, place)


def narrowed(only: Only, rows: Iterable[FileRow]) -> tuple[tuple[str, str], ...] | None:
    """Folder and file of what is searched, None for all there is. Raises InputError where that is nothing."""
    if only == EVERYTHING:
        return None
    keys = tuple(row.key for row in rows if row.state == "indexed" and only.lets_through(row))
    if not keys:
        raise InputError("No indexed file is of that place, type and date: ask for less, or leave the filter out.")
    return keys
