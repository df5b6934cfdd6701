"""A person's preferences, kept in one JSON file in the data folder."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench import paths, records

MOST_RECENT = 10  # projects that are remembered as opened


@dataclass(frozen=True, slots=True)
class Settings:
    """Preferences that hold for every project."""

    threads: int = 0  # for answering; 0: as many as the machine has cores
    background_cores: int = 0  # for indexing and training at most; 0: as many as other programs leave
    gpu_layers: int = -1  # of a chat model, computed on a graphics card; -1: as many as fit, where that is faster
    gpu_split: str = "layer"  # over several cards: "layer", "row", or "none", which is all on one (lanes.split)
    gpu_main: int = 0  # which card that is, as llama.cpp counts them
    gpu_shares: tuple[float, ...] = ()  # what each card takes of a model, in any unit; (): by what is free
    memory_limit: float = 0.0  # GB that one model with its context, or one fine-tune, may take; 0: what is free
    never_fetch: bool = False  # the offline switch: also a fetch that a person asks for by name is refused
    theme: str = "system"  # "system", "light" or "dark"
    text_scale: float = 1.0  # of the window's text
    last_project: str = ""  # the folder opened at the next start
    recent_projects: tuple[str, ...] = ()  # folders of the projects opened last, the newest first
    welcomed: bool = False  # whether the welcome page was passed once

    def __post_init__(self) -> None:
        if self.theme not in ("system", "light", "dark"):
            object.__setattr__(self, "theme", "system")
        if self.gpu_split not in ("none", "layer", "row"):
            object.__setattr__(self, "gpu_split", "layer")
        if self.gpu_main < 0:
            object.__setattr__(self, "gpu_main", 0)
        if any(not 0 <= share < math.inf for share in self.gpu_shares) or not sum(self.gpu_shares):
            object.__setattr__(self, "gpu_shares", ())
        named = dict.fromkeys(each for each in self.recent_projects if isinstance(each, str) and each)
        object.__setattr__(self, "recent_projects", tuple(named)[:MOST_RECENT])

    @property
    def thread_count(self) -> int:
        """Threads for answering, resolved against this machine."""
        return self.threads or available_cores()

    @property
    def downloads_are_off(self) -> bool:
        """Whether nothing at all may be fetched, by this switch or by the environment of the process."""
        return self.never_fetch or os.environ.get("WORKBENCH_OFFLINE") == "1"

    @property
    def background_count(self) -> int:
        """Threads for indexing and training at most, resolved against this machine."""
        return self.background_cores or available_cores()


def available_cores() -> int:
    """Cores this process may use (its affinity, where the system tells)."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # macOS and Windows have no affinity call
        return os.cpu_count() or 1


def settings_file() -> Path:
    """Where the preferences are kept."""
    return paths.user_data() / "settings.json"


def load_settings() -> Settings:
    """The preferences; the defaults where there are none or the file is damaged."""
    try:
        found: Settings = records.from_plain(Settings, records.read_json(settings_file()))
        return found
    except (OSError, ValueError, TypeError, AttributeError):
        return Settings()


def change_settings(**changes: Any) -> Settings:
    """Change some preferences and keep them."""
    changed = replace(load_settings(), **changes)
    records.write_json(settings_file(), changed)
    return changed


def change_recent(opened: Path | None = None, gone: Iterable[Path] = (), **changes: Any) -> Settings:
    """Put a project that was opened before the others, or take some off the list; `changes` as in change_settings."""
    first, left_out = [str(opened)] if opened is not None else [], {str(each) for each in gone}
    # read again: another window may have opened one meanwhile
    known = [each for each in load_settings().recent_projects if each not in left_out]
    return change_settings(recent_projects=(*first, *known), **changes)
