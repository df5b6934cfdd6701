"""The projects to go back to: those opened last, the newest first, and those that lie beside the one that is open"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu

from workbench import records
from workbench.errors import WorkbenchError
from workbench.settings import MOST_RECENT
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.plain import tooltip

LONGEST = 48  # characters of an entry: a menu as wide as a long name would hide the page


@dataclass(frozen=True, slots=True)
class Known:
    """A project that can be opened, or that is not where it was."""

    folder: Path
    name: str  # as its person named it; of one that is gone its folder's
    there: bool = True


def known_projects(bench: Bench) -> list[Known]:
    """The other projects: first those opened last, then those beside the open one that were never opened here."""
    here = bench.project.folder
    opened = [Path(each) for each in bench.settings.recent_projects]
    folders = [*opened, *(each for each in _beside(here) if each not in opened)]
    return [_look(folder) for folder in folders if folder != here][:MOST_RECENT]


def fill_menu(menu: QMenu, bench: Bench, after: Callable[[], object] = lambda: None) -> None:
    """An entry for each, grey where the folder is gone, and one that takes these off the list; nothing for none.

    `after` is called once another project is open.
    """
    translate, known = QCoreApplication.translate, known_projects(bench)
    names = [each.name for each in known]
    menu.setToolTipsVisible(True)
    for each in known:
        title = each.name if names.count(each.name) == 1 else f"{each.name} – {each.folder.parent.name}"
        title = title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…"
        words = title if each.there else translate("RecentProjects", "{0}, not found").format(title)
        act = partial(_open, bench, each.folder, after)
        action = widgets.add_action(menu, words, act, "clock-counter-clockwise", enabled=each.there)
        action.setToolTip(tooltip(str(each.folder)))
    gone = [each.folder for each in known if not each.there]
    if gone:
        said = translate("RecentProjects", "Take those not found off this list")
        widgets.add_action(menu, said, partial(bench.forget_projects, gone), "x")


def open_or_tell(bench: Bench, folder: Path) -> bool:
    """Open a project, making it where it is new; whether it could be, and else why not is told."""
    try:
        bench.open_project(folder)
    except WorkbenchError as error:
        bench.notices.error(error)
        return False
    return True


def _open(bench: Bench, folder: Path, after: Callable[[], object]) -> None:
    if not _is_project(folder):  # gone since the menu was filled: Project.open would make it anew
        said = QCoreApplication.translate("RecentProjects", "{0} is not there: connect the disk that holds it.")
        bench.notices.tell(said.format(folder), "warning")
    elif open_or_tell(bench, folder):
        after()


def _look(folder: Path) -> Known:
    there = _is_project(folder)
    try:
        name = str(records.read_json(folder / "project.json")["name"]) if there else ""
    except (OSError, ValueError, TypeError, KeyError):  # opening it says what is wrong
        name = ""
    return Known(folder, name.strip() or folder.name, there)


def _is_project(folder: Path) -> bool:
    try:
        return (folder / "project.json").is_file()
    except OSError:  # a disk that does not answer, a folder nobody may read
        return False


def _beside(here: Path) -> list[Path]:
    """The projects in the folder that holds the open one, the one changed last first."""
    found = [(path.stat().st_mtime, path.parent) for path in here.parent.glob("*/project.json")]
    return [folder for _, folder in sorted(found, reverse=True)]
