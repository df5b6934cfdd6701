"""Knowledge bases of a project: its own, and named ones beside it, each with folders, settings and an index apart.

A base is known by its folder, which stages are given: the project's own folder for the base it always has, bases/NAME
in it for a named one. In there lies `index/`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import unicodedata
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench import records
from workbench.errors import BadProject, InputError, MissingFile
from workbench.project import Project

FOLDER, FILE = "bases", "base.json"  # base.json is written last when a base is made and goes first when it is deleted
MAIN = "main"  # what the project's own base is called where it needs a name; a lane and a passage say ""
FORMAT = 1  # raised when an older version could misread what this one writes
LONGEST = 60  # characters of a name
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}


@dataclass(frozen=True, slots=True)
class BaseInfo:
    """What base.json holds: of a named base what project.json holds of the project's own."""

    format: int = FORMAT
    folders: tuple[Path, ...] = ()  # what is indexed, in the order it was added
    options: dict[str, Any] = field(default_factory=dict)  # "cutting", "left_out", "hidden_files"; others are kept


class NamedBase:
    """A knowledge base beside the project's own. It has what a Project has, as far as reading documents needs it."""

    def __init__(self, project: Project, name: str, info: BaseInfo) -> None:
        self.project, self.base_name, self.info = project, name, info
        self.folder = home_of(project.folder, name)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.project.folder

    @property
    def index_folder(self) -> Path:
        return self.folder / "index"

    def change(self, **changes: Any) -> None:
        """Change fields of the BaseInfo and keep them. Raises MissingFile, and changes nothing, where it cannot."""
        changed = replace(self.info, **changes)
        if not (self.folder / FILE).is_file():
            raise MissingFile(_gone(self.base_name))
        _write(self.folder, changed)
        self.info = changed

    def writing(self, what: str) -> AbstractContextManager[None]:
        """The project's one writer's place. Raises ProjectBusy."""
        return self.project.writing(what)


Base = Project | NamedBase  # a project is its own first knowledge base


def home_of(project: Path, name: str) -> Path:
    """The folder of a base, whether it is there or not. Raises InputError for a name no base can have."""
    return project / FOLDER / check_name(name) if name else project


def name_of(home: Path) -> str:
    """The name of the base that lies in this folder, "" for a project's own."""
    home = home.expanduser().absolute()
    inside = home.parent.name == FOLDER and (home.parent.parent / "project.json").exists()
    return home.name if inside and not (home / "project.json").exists() else ""


def open_base(home: Path) -> Base:
    """The base that lies in a folder; a project is made where there is none. Raises as Project.open and `find_base`."""
    name = name_of(home)
    return find_base(Project.open(home.expanduser().absolute().parent.parent), name) if name else Project.open(home)


def find_base(project: Project, name: str) -> Base:
    """The base of this name, whatever its case; "" and "main" are the project's own.

    Raises InputError that names those there are, BadProject for one that is damaged or of a newer version.
    """
    if name.casefold() in ("", MAIN):
        return project
    found = next((each for each in base_names(project) if each.casefold() == name.casefold()), None)
    if found is None:
        there = ", ".join((MAIN, *base_names(project)))
        raise InputError(f"There is no knowledge base “{name}” in this project: there are {there}.")
    path = home_of(project.folder, found) / FILE
    try:
        info: BaseInfo = records.from_plain(BaseInfo, records.read_json(path))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadProject(
            f"{path} is damaged: restore it from a backup, or delete the knowledge base; your documents are elsewhere."
        ) from error
    if info.format > FORMAT:
        raise BadProject(f"The knowledge base “{found}” was made by a newer version of Workbench: update Workbench.")
    return NamedBase(project, found, info)


def base_names(project: Project) -> tuple[str, ...]:
    """The named bases of a project, by name."""
    names = [path.parent.name for path in (project.folder / FOLDER).glob(f"*/{FILE}")]
    return tuple(sorted((each for each in names if _fault(each) == ""), key=str.casefold))


def all_bases(project: Project) -> tuple[Base, ...]:
    """The project's own base and the named ones that can be read."""
    found: list[Base] = [project]
    for name in base_names(project):
        with contextlib.suppress(InputError):
            found.append(find_base(project, name))
    return tuple(found)


def check_name(name: str) -> str:
    """The name as it is kept. Raises InputError, saying what a name may be."""
    kept = unicodedata.normalize("NFC", " ".join(name.split()))
    fault = _fault(kept)
    if fault:
        raise InputError(f"“{name}” cannot name a knowledge base: {fault}.")
    return kept


def _fault(name: str) -> str:
    """Why a name is none, "" for a good one. It is a folder's name, on every system, and stands in lists of lanes."""
    if len(name) > LONGEST:
        return f"use at most {LONGEST} characters"
    if not re.fullmatch(r"[^\W_]([\w .-]*[^\W_])?", name):
        return "use letters, digits, spaces, dots and dashes, with a letter or digit at both ends"
    if name.casefold() == MAIN:
        return "that is what the project's own one is called"
    return "some systems keep that name for a device" if name.casefold().partition(".")[0] in DEVICES else ""


def make_base(project: Project, name: str) -> NamedBase:
    """Make an empty base. Raises InputError for a bad name or one that is taken, MissingFile where it cannot write."""
    name = _free_name(project, name)
    folder = home_of(project.folder, name)
    try:
        _drop_index(folder)  # what a deletion that was cut short has left is no base's
    except OSError as error:
        raise _unwritable(folder, error) from error
    _write(folder, BaseInfo())
    return NamedBase(project, name, BaseInfo())


def rename_base(project: Project, old: str, new: str) -> NamedBase:
    """Give a named base another name, in the project's own lanes too. Raises InputError, ProjectBusy, MissingFile."""
    base = _named(project, old)
    new = _free_name(project, new, besides=base.base_name)
    with project.writing("renaming a knowledge base"):
        target = home_of(project.folder, new)
        try:
            os.rename(base.folder, target)
        except OSError as error:
            raise _unwritable(target, error) from error
        if any(lane.get("base") == base.base_name for lane in project.info.lanes):
            lanes = (
                {**lane, "base": new} if lane.get("base") == base.base_name else lane for lane in project.info.lanes
            )
            project.change(lanes=tuple(lanes))
    return NamedBase(project, new, base.info)


def delete_base(project: Project, name: str) -> None:
    """Delete a named base: its index and settings. A document is never touched, nor anything else that lies there.

    Raises InputError for one that is not there and for the project's own, ProjectBusy, MissingFile.
    """
    folder = home_of(project.folder, _known_name(project, name))
    with project.writing("deleting a knowledge base"):
        try:
            (folder / FILE).unlink()  # from here on it is none, also where the rest is cut short
            _drop_index(folder)
        except OSError as error:
            raise _unwritable(folder, error) from error
        with contextlib.suppress(OSError):  # what a person put there keeps the folder
            folder.rmdir()


def index_size(base: Base) -> int:
    """Bytes that a base's index takes on disk."""
    size = 0
    for path in base.index_folder.rglob("*"):
        with contextlib.suppress(OSError):  # databases make and drop files beside themselves
            size += path.stat().st_size if path.is_file() else 0
    return size


def nothing_indexed(home: Path) -> str:
    """Why a search in a base finds no index, as a sentence with the way out."""
    name = name_of(home)
    if not name:
        return "Nothing is indexed yet: run `workbench index FOLDER`, or choose a folder on the Documents page."
    if not (home / FILE).is_file():
        return _gone(name)
    return (
        f'Nothing is indexed yet in the knowledge base “{name}”: run `workbench index FOLDER --base "{name}"`, or '
        "choose a folder on the Documents page."
    )


def _gone(name: str) -> str:
    return f"There is no knowledge base “{name}” in this project any more: choose another one for the lane."


def _known_name(project: Project, name: str) -> str:
    """The name as it is kept. Raises InputError for the project's own base, and for none."""
    if name.casefold() in ("", MAIN):
        raise InputError("The project's own knowledge base has no name of its own and stays with the project.")
    found = next((each for each in base_names(project) if each.casefold() == name.casefold()), None)
    return found if found is not None else find_base(project, name).base_name


def _named(project: Project, name: str) -> NamedBase:
    found = find_base(project, _known_name(project, name))
    assert isinstance(found, NamedBase)
    return found


def _free_name(project: Project, name: str, besides: str = "") -> str:
    name = check_name(name)
    taken = {each.casefold() for each in base_names(project) if each != besides}
    if name.casefold() in taken:
        raise InputError(f"There is a knowledge base “{name}” already: choose another name.")
    return name


def _drop_index(folder: Path) -> None:
    index = folder / "index"
    if index.is_symlink():
        index.unlink()
    elif index.exists():
        shutil.rmtree(index)


def _write(folder: Path, info: BaseInfo) -> None:
    try:
        records.write_json(folder / FILE, info)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> MissingFile:
    return MissingFile(
        f"The knowledge base in {folder} cannot be changed ({(error.strerror or str(error)).lower()}): close what uses "
        "it, or make its folder writable."
    )
