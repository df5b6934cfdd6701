"""Where a passage of the reading rows comes from: a file and a place that belong to what it tells.

Many passages of real folders do not name what they are about, because their file or heading does; so the file and
the place are part of what has to be read.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

# Folders that things of a kind are filed under.
_FOLDERS = {
    "place": ("towns", "region/places", "council"),
    "firm": ("office", "staff", "business/partners"),
    "machine": ("machines", "workshop", "manuals"),
    "device": ("technical", "manuals", "building"),
    "product": ("products", "shop", "range"),
    "material": ("store", "data-sheets", "materials"),
    "museum": ("culture", "outings", "houses"),
    "school": ("schools", "education", "for-parents"),
    "club": ("clubs", "members", "leisure"),
    "app": ("software", "it", "manuals"),
    "ship": ("fleet", "log", "transport"),
    "person": ("people", "contacts", "portraits"),
    "street": ("housing", "streets", "district"),
    "site": ("outdoors", "sites", "region/outings"),
    "clinic": ("health", "clinics", "patients"),
    "animal": ("animals", "stables", "zoo"),
}
_SUFFIXES = {
    "prose": (".md", ".docx", ".html", ".pdf", ".pdf", ".txt", ".pptx"),
    "list": (".md", ".html", ".docx", ".txt", ".pdf", ".xlsx"),
    "table": (".xlsx", ".csv", ".md", ".html", ".pdf"),
}
_HEADED = (".md", ".docx", ".html")  # what a reader calls places in by their headings


@dataclass(frozen=True, slots=True)
class Origin:
    file: str
    location: str


@dataclass(frozen=True, slots=True)
class Matter:
    """What a file is about: how it may be called, and how its parts are headed."""

    stem: str
    about: str
    headings: tuple[str, ...]


def origin(matter: Matter, name: str, tells: bool, form: str, pick: random.Random, year: int | None = None) -> Origin:
    """A file and a place for a passage about `name`; where it `tells`, one of the two holds the name."""
    suffix = pick.choice(_SUFFIXES[form])
    heading = pick.choice(matter.headings)
    stem = pick.choice([matter.stem, matter.stem, slug(heading)])
    if tells and suffix in _HEADED and pick.random() < 0.5:
        heading = pick.choice([_capital(name), f"{heading} › {_capital(name)}", f"{_capital(name)} › {heading}"])
    elif tells or (form != "table" and pick.random() < 0.3):
        stem = pick.choice(["{0}-{1}", "{1}-{0}", "{1}/{0}", "{0}/{1}"]).format(stem, slug(name))
    if year is not None:
        stem = pick.choice(["{0}-{1}", "{0}-{1}", "{0}_{1}", "{1}/{0}"]).format(stem, year)
    folder = pick.choice(["", *(f"{each}/" for each in _FOLDERS.get(matter.about, ("notes",)))])
    return Origin(f"{folder}{stem}{suffix}", _location(suffix, heading, pick))


def _location(suffix: str, heading: str, pick: random.Random) -> str:
    if suffix in _HEADED:
        return heading
    number = pick.randint(1, 24)
    places = {
        ".pdf": f"p. {number}",
        ".pptx": f"slide {number}",
        ".xlsx": f"sheet {heading}, row {number}",
        ".csv": f"row {number}",
    }
    return places.get(suffix, "")


def slug(name: str) -> str:
    """A name as it stands in file names."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
