"""Benchmark: how soon is a file that was just saved found in the window, with no click between?

A window of its own, offscreen, with the sample's documents read and everything loaded, as some seconds after it was
opened. A file is saved in turn as most programs write one and as an editor does that puts a new file in the old one's
place. Found is when a search, asked of the document reader, came back with the new words.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from workbench import paths, program
from workbench.bench import Figure
from workbench.bench.ui import _environment
from workbench.errors import ChildCrashed
from workbench.events import Event, Progress, Result, Stage
from workbench.project import Project

ALLOWED = 1.0  # seconds
PATIENCE = 240.0
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
        saved = yield from _saved(command, _environment(Path(name) / "bytecode"))
        count = sum(path.is_file() for path in folder.rglob("*"))
        yield Result(tuple(_figure(title, [each[key] for each in saved], count) for title, key in STEPS))


def _saved(command: list[str], environment: dict[str, str]) -> Generator[Event, None, list[dict[str, float]]]:
    """What the window says of each save; Progress twice a second while it works."""
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + PATIENCE
        while child.poll() is None and time.monotonic() < end:
            yield Progress(0, 0, "Saving a file before the window's eyes", "files")
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.4)
        child.kill()
        said, details = child.communicate()
    finally:
        child.kill()
        child.wait()
    if not said:
        raise ChildCrashed("The window did not find what was saved, so nothing was measured.", details[-4000:])
    found: Any = json.loads(said.splitlines()[-1])
    return list(found)


def _figure(title: str, seconds: list[float], files: int) -> Figure:
    middle = statistics.median(seconds)
    note = f"what is allowed; median of {len(seconds)}, {min(seconds):.2f} to {max(seconds):.2f} s, {files} files"
    return Figure(title, middle, ALLOWED, middle / ALLOWED, "s", note)
