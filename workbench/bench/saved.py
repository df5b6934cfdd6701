"""Benchmark: how soon is a file that was just saved found in the window, with no click between?

A window of its own, offscreen, with the sample's documents read and everything loaded, as some seconds after it was
opened. A file is saved in turn as most programs write one and as an editor does that puts a new file in the old one's
place. Found is when a search, asked of the document reader, came back with the new words.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

from workbench import paths, program
from workbench.bench import Figure, _windows
from workbench.events import Progress, Result, Stage
from workbench.project import Project

ALLOWED = 1.0  # seconds
PATIENCE = 240.0
WORK = "Saving a file before the window's eyes"
NOTHING = "The window did not find what was saved, so nothing was measured."
STEPS = (
    ("a saved file is found in the window", "found"),
    ("of it, until the change is told", "told"),
    ("of it, until the reading begins", "started"),
    ("of it, until the text is in the index", "indexed"),
    ("its row in the window's list is new", "shown"),
)


def run(project: Path) -> Stage:
    """Yields Progress, last a Result with a tuple of Figures. Raises ChildCrashed when the window found nothing."""
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        folder = Path(name) / "documents"
        shutil.copytree(paths.resources() / "sample" / "documents", folder)
        file = folder / "saved.md"
        file.write_text("# Saved\n\nNothing yet.\n", encoding="utf-8")
        made = Project.open(Path(name) / "project")
        made.change(folders=(folder,))
        command = program.command("workbench.ui.bench_saved", str(made.folder), str(file))
        within, told = _windows.environment(Path(name) / "bytecode"), Progress(0, 0, WORK, "files")
        saved = yield from _windows.said(command, within, told, PATIENCE, NOTHING)
        count = sum(path.is_file() for path in folder.rglob("*"))
        yield Result(tuple(_figure(title, [each[key] for each in saved], count) for title, key in STEPS))


def _figure(title: str, seconds: list[float], files: int) -> Figure:
    middle = statistics.median(seconds)
    note = f"what is allowed; median of {len(seconds)}, {min(seconds):.2f} to {max(seconds):.2f} s, {files} files"
    return Figure(title, middle, ALLOWED, middle / ALLOWED, "s", note)
