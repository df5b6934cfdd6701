"""Read the one dialect the sample's documents are written in, whatever format they end up as."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["title", "heading", "paragraph", "bullets", "numbers", "table", "page"]


@dataclass(frozen=True, slots=True)
class Block:
    kind: Kind
    lines: tuple[str, ...]  # one entry per bullet or paragraph; empty for a table or page break
    rows: tuple[tuple[str, ...], ...] = ()  # cells of a table, its header first


@dataclass(frozen=True, slots=True)
class Page:
    """One document as written, before it becomes a file."""

    path: str  # relative to the documents folder; its suffix chooses the format
    raw: str  # the source text, which is what .md and .txt files hold
    blocks: tuple[Block, ...]


def read_pages(folder: Path) -> list[Page]:
    """All documents of `folder`'s text files; each begins with a line `=== relative/path.suffix`."""
    pages = []
    for file in sorted(folder.glob("*.txt")):
        for part in file.read_text(encoding="utf-8").split("=== ")[1:]:
            path, raw = part.split("\n", 1)
            pages.append(Page(path.strip(), raw.strip() + "\n", tuple(_blocks(raw))))
    return pages


def _blocks(raw: str) -> list[Block]:
    blocks = []
    for part in raw.strip().split("\n\n"):
        lines = [line for line in part.split("\n") if line.strip()]
        if lines:
            blocks.append(_block(lines))
    return blocks


def _block(lines: list[str]) -> Block:
    first = lines[0]
    if first == "---":
        return Block("page", ())
    if first.startswith("# "):
        return Block("title", (first[2:],))
    if first.startswith("## "):
        return Block("heading", (first[3:],))
    if first.startswith("|"):
        rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
        return Block("table", (), tuple(row for row in rows if set("".join(row)) != {"-"}))
    if first.startswith("- "):
        return Block("bullets", tuple(line[2:] for line in lines))
    if first.startswith("1. "):
        return Block("numbers", tuple(line.split(". ", 1)[1] for line in lines))
    return Block("paragraph", (" ".join(lines),))
