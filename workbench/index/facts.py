"""What was found of an embedder on this machine, kept as long as its weights' size and time stay the same."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench import paths, records
from workbench.catalog.embedder_folder import weights_of


def remembered(folder: Path, key: str, find: Callable[[], Any]) -> Any:
    """A fact about the embedder that is costly to find, kept as long as its weights' size and time stay the same."""
    before = known(folder)
    if key in before:
        return before[key]
    fact = find()
    remember(folder, key, fact)
    return fact


def known(folder: Path) -> dict[str, Any]:
    """What was found of an embedder before."""
    found = _all_known().get(_place(folder), {})
    return found if isinstance(found, dict) else {}


def remember(folder: Path, key: str, found: Any) -> None:
    """Keep a fact."""
    place = _place(folder)
    with contextlib.suppress(OSError):  # a cache that cannot be written is only slower
        records.write_json(_facts(), {**_all_known(), place: {**known(folder), key: found}})


def _all_known() -> dict[str, Any]:
    try:
        kept = records.read_json(_facts())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _facts() -> Path:
    return paths.cache_folder() / "embedders.json"


def _place(folder: Path) -> str:
    status = os.stat(weights_of(folder))
    return f"{folder} {status.st_size} {status.st_mtime_ns}"
