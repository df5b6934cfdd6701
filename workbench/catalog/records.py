"""What the catalogue hands on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Model:
    """A chat model, an embedder or a reranker: one of the catalogue, imported, or part of the program."""

    name: str  # short and unique: "smollm2-135m"
    title: str
    kind: str  # "chat", "embedding" or "reranker"
    license: str
    size: int  # bytes on disk
    memory: int  # bytes it takes when loaded, an estimate
    source: str  # "included", "imported" or the hub repository
    file: str = ""  # in the repository
    sha256: str = ""
    path: Path | None = None  # where it lies, None when it is not here
    template: str = ""  # chat template family
    parameters: str = ""  # "135M"
    context: int = 0  # tokens it was trained for
    fits: bool = True  # whether this machine's memory holds it
    note: str = ""
    about: bool = False  # whether `size` is only about right, until it is fetched
    quantisation: str = ""  # "Q4_K_M"; known once the file is here


@dataclass(frozen=True, slots=True)
class Check:
    """One thing `workbench doctor` looked at."""

    name: str  # what was looked at: "Memory"
    state: str  # "ok"; "warn": works, but less well; "bad": something will not work
    finding: str  # what was found, in a sentence
    mend: str = ""  # what to do about it, "" where nothing needs doing

    def __post_init__(self) -> None:
        if self.state not in ("ok", "warn", "bad"):
            raise ValueError(f"unknown state {self.state!r}")
