"""What keeps a machine busy in a benchmark: the sample's documents many times over, and a fine-tune of its tickets."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from workbench import paths
from workbench.events import Note
from workbench.project import Project
from workbench.sample import sample_files
from workbench.tuning import tune
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


def end_runs(project: Path) -> None:
    """Nothing that was started here outlives the measurement."""
    for run in (project / "adapters").glob("*"):
        tune.stop(run)
