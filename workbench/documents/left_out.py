"""What of a folder is passed over, in the patterns that people know from .gitignore."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import InputError


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a scan passes over; raises InputError for a pattern that means nothing."""

    patterns: tuple[str, ...] = ()  # as in .gitignore: *.log, build/, /top.txt, drafts/**, !keep.log; the last one wins
    hidden: bool = True  # names that begin with a dot
    folders: tuple[Path, ...] = ()  # whole folders: a project that lies among its documents

    def __post_init__(self) -> None:
        for pattern in self.patterns:
            try:
                _compile((pattern,))
            except ValueError as error:
                raise InputError(
                    f"The pattern {pattern!r} cannot be used: write one as in .gitignore, such as *.log or build/."
                ) from error

    def matcher(self) -> Callable[[str, bool], bool]:
        """A function of a path relative to its folder, with forward slashes, and whether that is a folder."""
        if not self.patterns:
            return lambda path, folder: False
        compiled = _compile(self.patterns)
        return lambda path, folder: bool(compiled(f"{path}/" if folder else path))


def read_patterns(text: str) -> tuple[str, ...]:
    """The patterns of a text, one a line; blank lines and comments are none."""
    return tuple(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def _compile(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns).match_file
