"""What keeps a machine busy in a benchmark: the sample's documents many times over, and a fine-tune of its tickets."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench import paths
from workbench.events import Note
from workbench.project import Project
from workbench.sample import make_sample_project, sample_files
from workbench.tuning import tune
from workbench.tuning.adapter import read_run
from workbench.tuning.recipe import Recipe

COPIES = 60  # of the sample's documents: indexing them takes longer than a benchmark measures


def fill_folders(project: Project, copies: int = COPIES) -> None:
    """Give the project a folder that takes minutes to index."""
    documents = sample_files(project).documents
    for copy in range(copies):
        shutil.copytree(documents, project.folder / "more" / f"{copy:03d}")
    project.change(folders=(documents, project.folder / "more"))


def start_run(project: Project) -> Iterable[Note]:
    """Start a fine-tune that takes longer than a benchmark measures, as one started from the window; its notes."""
    name, files = "under-load", sample_files(project)
    recipe = Recipe(name, paths.starter_model(), files.datasets[:1], project.adapters_folder / name, epochs=50.0)
    return tune.start(recipe)


@contextmanager
def training(folder: Path, steps: int, patience: float) -> Iterator[Path]:
    """The folder of such a run in a project of its own, until the end of the block, which begins once it has made so
    many steps, or after `patience` seconds."""
    project = make_sample_project(folder)
    try:
        for _ in start_run(project):
            pass
        [run] = project.adapters_folder.iterdir()
        limit = time.monotonic() + patience
        while read_run(run).step < steps and time.monotonic() < limit:
            time.sleep(0.1)
        yield run
    finally:
        end_runs(project.folder)


def end_runs(project: Path) -> None:
    """Nothing that was started here outlives the measurement."""
    for run in (project / "adapters").glob("*"):
        tune.stop(run)
