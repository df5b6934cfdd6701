"""What is known of a project without asking anybody: what indexing and training took, what they hold, what is stale."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from dataclasses import dataclass, field

from workbench.errors import WorkbenchError
from workbench.index.files import list_files, read_index
from workbench.index.keywords import FileRow
from workbench.project import Project
from workbench.tuning.adapter import list_runs


@dataclass(frozen=True, slots=True)
class Facts:
    """Measured set-up of a project."""

    index_seconds: float = 0.0  # to read every document once, at the speed of this project's own builds; 0: not known
    index_bytes: int = 0
    train_seconds: dict[str, float] = field(default_factory=dict)  # adapter -> seconds
    adapter_bytes: dict[str, int] = field(default_factory=dict)
    trained_tokens: dict[str, int] = field(default_factory=dict)  # adapter -> tokens read in training
    examples: int | None = None  # training rows of the largest run


def read_facts(project: Project) -> Facts:
    """The facts of a project; what cannot be read is left at nothing."""
    seconds, sizes, tokens, rows = {}, {}, {}, []
    with contextlib.suppress(WorkbenchError, OSError):
        for run in list_runs(project.folder):
            if run.state != "done":
                continue
            seconds[run.name] = run.seconds
            sizes[run.name] = run.adapter.stat().st_size if run.adapter is not None else 0
            tokens[run.name] = round(run.tokens_per_second * run.seconds)
            rows.append(run.examples)
    return Facts(
        index_seconds=_index_seconds(project),
        index_bytes=sum(path.stat().st_size for path in project.index_folder.rglob("*") if path.is_file()),
        train_seconds=seconds,
        adapter_bytes=sizes,
        trained_tokens=tokens,
        examples=max(rows, default=None),
    )


def _index_seconds(project: Project) -> float:
    with contextlib.suppress(WorkbenchError, OSError, ValueError, sqlite3.Error):
        with read_index(project.folder) as index:
            rate = float(index.fact("bytes_per_second", "0"))
        size = sum(file.size for file in list_files(project.folder) if file.state == "indexed")
        return size / rate if rate else 0.0
    return 0.0


def stale_adapters(project: Project) -> dict[str, tuple[str, ...]]:
    """Adapter -> indexed documents that changed after it was trained; adapters that are up to date are left out."""
    try:
        with read_index(project.folder) as index:
            rows = [row for row in index.files() if row.state == "indexed"]
    except WorkbenchError:
        return {}
    found = {adapter.name: _newer(rows, adapter.created) for adapter in project.adapters()}
    return {name: files for name, files in found.items() if files}


def _newer(rows: list[FileRow], created: str) -> tuple[str, ...]:
    try:
        trained = time.mktime(time.strptime(created[:19], "%Y-%m-%dT%H:%M:%S"))
    except ValueError:  # no time is known, so nothing can be said
        return ()
    return tuple(row.file for row in rows if row.mtime_ns / 1e9 > trained + 1)
