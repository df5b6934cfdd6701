"""What indexing reports, as plain records."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.index.likeness import Alike


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that could not be indexed."""

    file: str  # relative to its folder
    reason: str  # for people, the middle of a sentence: "the PDF is locked with a password"
    folder: str = ""  # absolute


@dataclass(frozen=True, slots=True)
class IndexReport:
    """How the index stands after a build, and what the build did."""

    files: int  # indexed now, of all folders of the project
    chunks: int  # the same
    added: tuple[str, ...]  # relative paths; a renamed file is removed under its old name and added under the new one
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int  # files that were indexed before and needed nothing
    skipped: tuple[Skipped, ...]  # of these folders, those skipped by earlier builds and unchanged since included
    seconds: float
    embedded: int = 0  # chunks whose vectors were computed by this build
    renamed: tuple[tuple[str, str], ...] = ()  # old and new path of files recognised by their content
    alike: tuple[Alike, ...] = ()  # files with passages that say nearly the same as earlier ones, most of them first
    embedder: str = ""  # its name in the list of models
    embedder_hash: str = ""  # SHA-256 of what decides its vectors


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as the index holds it."""

    file: str
    folder: str
    state: str  # "indexed" or "skipped"
    chunks: int
    size: int  # bytes
    reason: str  # why it was skipped, "" when it was not
    notes: tuple[str, ...]  # what a person should know of it: "page 3 holds no text (scans or pictures)"
    kind: str  # "pdf", "markdown", ...
    title: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a build would do, judged by names, sizes and times alone."""

    added: tuple[str, ...]
    changed: tuple[str, ...]  # a file that was only touched is among them; the build will see that
    removed: tuple[str, ...]
    unchanged: int
    skipped: tuple[Skipped, ...]  # new ones among what cannot be read by its name or entry alone
    size: int  # bytes of the files that would be read
    seconds: float | None  # an estimate from this project's earlier builds, None before the first
    rebuilds: bool = False  # True: settings or readers changed, so files are read again that did not change
