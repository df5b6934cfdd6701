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

SUITES = ("suite", "tone")  # the parts that are suites


@dataclass(frozen=True, slots=True)
class SampleFiles:
    """Where the parts of the sample lie in a project that was made from it."""

    documents: Path  # the folder to index
    suite: Path
    tone: Path  # a second suite: notes in the house's tone, which the prompt is enough for
    datasets: tuple[Path, ...]
    questions: tuple[str, ...]  # to try first; the first one shows the difference best


def make_sample_project(folder: Path) -> Project:
    """Set a project up with a copy of the sample: documents, suite, datasets, system prompt and examples.

    What is in the folder already is kept, so that a second call changes nothing a person changed.
    Raises MissingFile when the sample is not installed, and as Project.open does.
    """
    source, told = _source(), _told()
    project = Project.open(folder)
    for part, name in told["files"].items():
        _copy_missing(source / name, _place(project, part, name))
    if project.info.folders:
        return project
    project.change(
        name=told["company"],
        folders=(_place(project, "documents", told["files"]["documents"]),),
        system_prompt=told["system_prompt"].strip(),
        examples=tuple((each["question"], each["answer"]) for each in told["examples"]),
        options={  # what the Compare page offers, and what the Fine-tune page begins with
            **project.info.options,
            "questions": list(sample_questions()),
            "training_files": [path.name for path in sample_files(project).datasets],
        },
    )
    return project


def sample_files(project: Project) -> SampleFiles:
    """The parts of the sample in a project made by `make_sample_project`."""
    places = {part: _place(project, part, name) for part, name in _told()["files"].items()}
    datasets = tuple(place for part, place in places.items() if part not in ("documents", *SUITES))
    return SampleFiles(places["documents"], places["suite"], places["tone"], datasets, sample_questions())


def _place(project: Project, part: str, name: str) -> Path:
    """Where a part of the sample lies in a project."""
    if part == "documents":
        return project.folder / name
    return (project.suites_folder if part in SUITES else project.datasets_folder) / name


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
    """Copy a file, or every file of a folder, that is not there yet."""
    for path in [source] if source.is_file() else sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_file() and not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
