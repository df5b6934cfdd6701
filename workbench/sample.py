"""The sample that ships with Workbench, made into a project of a person's own."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import paths
from workbench.errors import MissingFile
from workbench.project import Project

SUITE_SUFFIXES = (".yaml", ".yml", ".jsonl")
DATASET_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet")


@dataclass(frozen=True, slots=True)
class SampleFiles:
    """Where the parts of the sample lie in a project that was made from it."""

    documents: Path  # the folder to index
    suite: Path
    datasets: tuple[Path, ...]
    questions: tuple[str, ...]  # to try first; the first one shows the difference best


def make_sample_project(folder: Path) -> Project:
    """Set a project up with a copy of the sample: documents, suite, datasets, system prompt and examples.

    What is in the folder already is kept, so that a second call changes nothing a person changed.
    Raises MissingFile when the sample is not installed, and as Project.open does.
    """
    source, told = _source(), _told()
    project = Project.open(folder)
    documents = project.folder / "documents"
    for part, target in (
        (source / "documents", documents),
        (source / "suites", project.suites_folder),
        (source / "datasets", project.datasets_folder),
    ):
        _copy_missing(part, target)
    if project.info.folders:
        return project
    examples = tuple((each["message"], each["answer"]) for each in told.get("examples", ()))
    project.change(
        name=told.get("name", project.info.name),
        folders=(documents,),
        system_prompt=told.get("system_prompt", project.info.system_prompt).strip(),
        examples=examples or project.info.examples,
    )
    return project


def sample_files(project: Project) -> SampleFiles:
    """The parts of the sample in a project made by `make_sample_project`."""
    suites = [path for path in sorted(project.suites_folder.glob("*")) if path.suffix in SUITE_SUFFIXES]
    if not suites:
        raise MissingFile(f"{project.folder} holds no suite: it was not made from the sample.")
    datasets = tuple(path for path in sorted(project.datasets_folder.glob("*")) if path.suffix in DATASET_SUFFIXES)
    return SampleFiles(project.folder / "documents", suites[0], datasets, sample_questions())


def sample_questions() -> tuple[str, ...]:
    """Questions worth asking the sample first."""
    return tuple(_told().get("questions", ()))


def sample_about() -> str:
    """What the sample is, in a sentence or two, for the welcome page."""
    about: str = _told().get("about", "")
    return about


def _source() -> Path:
    folder = paths.resources() / "sample"
    if not (folder / "sample.toml").is_file():
        raise MissingFile(f"The sample is not installed: {folder} is missing. Open a folder of your own instead.")
    return folder


def _told() -> dict[str, Any]:
    """What sample.toml says."""
    with (_source() / "sample.toml").open("rb") as file:
        return tomllib.load(file)


def _copy_missing(source: Path, target: Path) -> None:
    """Copy every file that is not there yet."""
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_file() and not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
