"""Which lanes there are, which are shown, and a person's own: read from and kept in the project. No widgets in here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from workbench import records
from workbench.lanes.lane import Lane
from workbench.project import Project

MOST_LANES = 6  # side by side; more cannot be read across


def standard_lanes_of(project: Project) -> dict[str, Lane]:
    """The lanes that always exist."""
    from workbench.lanes.presets import standard_lanes

    return dict(standard_lanes(project))


def model_of(project: Project) -> str:
    """The project's chat model, for own lanes that name none."""
    from workbench.lanes.presets import chat_model

    return str(chat_model(project))


def own_lanes(project: Project) -> dict[str, Lane]:
    """A person's own lanes; a line that cannot be read any more is left out."""
    found = {}
    for plain in project.info.lanes:
        try:
            lane: Lane = records.from_plain(Lane, {**plain, "model": plain.get("model") or model_of(project)})
            found[lane.name] = lane
        except (TypeError, ValueError, KeyError):
            continue
    return found


def known_lanes(project: Project) -> dict[str, Lane]:
    """All lanes by name."""
    return {**standard_lanes_of(project), **own_lanes(project)}


def shown_lanes(project: Project) -> list[Lane]:
    """The lanes of the Compare page in their order: as they were left, or a first choice."""
    known = known_lanes(project)
    kept = project.info.options.get("compare_lanes")
    if isinstance(kept, list) and (found := [known[name] for name in kept if name in known]):
        return found[:MOST_LANES]
    newest = project.sound_adapters()[-1:]
    first = ["base", "prompted", "rag", *(f"rag+tuned:{each.name}" for each in newest)]
    return [known[name] for name in first if name in known]


def keep_lane(project: Project, lane: Lane) -> None:
    """Add one of a person's own lanes, or replace the one of that name."""
    others = [each for name, each in own_lanes(project).items() if name != lane.name]
    project.change(lanes=tuple(records.to_plain(each) for each in (*others, lane)))


def drop_lane(project: Project, name: str) -> None:
    """Take one of a person's own lanes out of the project."""
    project.change(lanes=tuple(records.to_plain(each) for key, each in own_lanes(project).items() if key != name))


def is_own(project: Project, lane: Lane) -> bool:
    return lane.name in own_lanes(project)


def own_name(title: str, taken: Sequence[str]) -> str:
    """A name for the command line made from a title, unlike every other."""
    base = re.sub(r"[^\w+-]+", "-", title.strip().casefold()).strip("-") or "lane"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


def copy_of(lane: Lane, title: str, taken: Sequence[str]) -> Lane:
    """A person's own copy of a lane."""
    return replace(lane, name=own_name(title, taken), title=title, short=title)
