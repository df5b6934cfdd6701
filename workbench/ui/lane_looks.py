"""What a project's lanes are called and which colour each has: given in their order, and kept with the project."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

from workbench.errors import WorkbenchError
from workbench.lanes.lane import Lane
from workbench.ui import compare_lanes, lane_names, theme
from workbench.ui.bench import Bench

KEPT = "lane_looks"  # the option of the project: lane name -> {"place", "title", "short"}


def follow_lanes(bench: Bench) -> None:
    """Give every lane of the project its name and its colour; those of a lane that was deleted stay for old answers."""
    lanes: dict[str, Lane] = {}
    with contextlib.suppress(WorkbenchError, OSError):  # without a model there are no lanes, which other pages say
        lanes = compare_lanes.known_lanes(bench.project)
    found = bench.recall(KEPT, {})
    kept: dict[str, dict[str, Any]] = dict(found) if isinstance(found, dict) else {}
    places = {name: int(each["place"]) for name, each in kept.items()}
    for name, lane in lanes.items():
        own = lane_names.family(name) == ""
        if name not in places and (own or ":" in name):
            places[name] = _free_place(name, places)
        title, short = lane.title or lane_names.family_title(name), lane.short or lane_names.family_short(name)
        kept[name] = {"place": places.get(name, 0), "title": title, "short": short}
    bench.remember(**{KEPT: kept})
    lane_names.show_names(_apart({name: (str(each["title"]), str(each["short"])) for name, each in kept.items()}))
    theme.place_lanes(places)


def _apart(names: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Lanes of two fine-tunes that are called the same, also where one was deleted since, each with its own name."""
    often = Counter(title for title, _ in names.values())
    apart = {}
    for name, (title, short) in names.items():
        tail = name.partition(":")[2]
        told = f" \N{MIDDLE DOT} {tail}" if tail and often[title] > 1 else ""
        apart[name] = title + told, short + told
    return apart


def _free_place(name: str, places: dict[str, int]) -> int:
    """The first colour of a lane's family that no other lane of it has."""
    family = lane_names.family(name)
    taken = {place for each, place in places.items() if lane_names.family(each) == family}
    return next(place for place in range(len(taken) + 1) if place not in taken)
