"""Project: the folder that holds a person's index, datasets, adapters, suites and results."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench import paths, records
from workbench.errors import BadProject, MissingFile, ProjectBusy

FORMAT = 1  # raised when an older version could misread what this one writes

GENERAL_PROMPT = (
    "You are a careful assistant. Answer briefly and plainly. If you do not know the answer, say that you do not know."
)

ANYWAY = "adapters_anyway"  # in ProjectInfo.options: marks of adapters that a person uses though they are not sound


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """What project.json holds."""

    name: str
    format: int = FORMAT
    folders: tuple[Path, ...] = ()  # what is indexed, in the order it was added
    system_prompt: str = GENERAL_PROMPT  # of the prompted lane
    examples: tuple[tuple[str, str], ...] = ()  # few-shot examples of the prompted lane: message, answer
    chat_model: str = ""  # a model's name in the catalogue or a path; empty: the starter
    lanes: tuple[dict[str, Any], ...] = ()  # a person's own lanes, as lanes.lane.Lane in plain form
    options: dict[str, Any] = field(default_factory=dict)  # what pages remember; unknown keys are kept


@dataclass(frozen=True, slots=True)
class AdapterRef:
    """A finished fine-tune as lanes see it: read from adapters/NAME/manifest.json, which tuning writes last."""

    name: str
    path: Path  # the GGUF adapter
    created: str  # ISO time
    model_hash: str = ""  # SHA-256 of the GGUF it was tuned on
    system: str = ""  # the system prompt its rows shared: a lane must show the adapter what it was trained with
    reads_passages: bool = False  # whether it was taught to read passages, so that no worked examples are needed
    passages: int = 0  # how many its rows showed, in the middle; 0: none, or not known
    answers_bare: bool = True  # whether it was taught rows without passages
    parity_ok: bool = True  # whether llama.cpp with the GGUF agreed with the trained model

    @property
    def mark(self) -> str:
        """What tells it from a later one of the same name."""
        return f"{self.name} {self.created}"


class Project:
    """A project folder. Everything in it is files a person can read, copy and back up.

    project.json     ProjectInfo
    index/           chroma/, keywords.sqlite, tokens.sqlite: of the project's own knowledge base
    bases/NAME/      base.json and index/ of each further one
    datasets/        training files that were added
    adapters/NAME/   one folder per fine-tune: recipe, events, PEFT adapter, GGUF adapter, manifest last
    suites/          YAML suites
    results/         one folder per evaluation
    tests/           one file per source-of-knowledge test and update drill
    transcript.jsonl every question and answer
    """

    def __init__(self, folder: Path, info: ProjectInfo) -> None:
        self.folder = folder
        self.info = info
        self.base_name = ""  # as a knowledge base: see bases.py

    @classmethod
    def open(cls, folder: Path) -> Project:
        """Open a project, making it when the folder is new or empty.

        Raises BadProject for a folder a newer version wrote or whose project.json is damaged, MissingFile where no
        folder can be made.
        """
        folder = folder.expanduser().absolute()
        path = folder / "project.json"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                records.write_json(path, ProjectInfo(name=folder.name))
            info: ProjectInfo = records.from_plain(ProjectInfo, records.read_json(path))
        except OSError as error:
            raise MissingFile(f"The project folder {folder} cannot be used: {error.strerror or error}.") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadProject(
                f"{path} is damaged: restore it from a backup, or delete that one file to start with defaults."
            ) from error
        if info.format > FORMAT:
            raise BadProject(
                f"The project {folder} was made by a newer version of Workbench: update Workbench to open it."
            )
        return cls(folder, info)

    def change(self, **changes: Any) -> None:
        """Change fields of the ProjectInfo and keep them. Raises MissingFile, and changes nothing, where it cannot."""
        changed = replace(self.info, **changes)
        if not self.folder.is_dir():
            raise MissingFile(
                f"The project folder {self.folder} is not there any more, so nothing was kept: connect the disk that "
                "holds it, or open another project."
            )
        try:
            records.write_json(self.folder / "project.json", changed)
        except OSError as error:
            raise MissingFile(
                f"The project {self.folder} cannot be written ({(error.strerror or str(error)).lower()}): nothing was "
                "kept. Make its folder writable, or open a copy of it."
            ) from error
        self.info = changed

    @property
    def root(self) -> Path:
        return self.folder

    @property
    def index_folder(self) -> Path:
        return self.folder / "index"

    @property
    def datasets_folder(self) -> Path:
        return self.folder / "datasets"

    @property
    def adapters_folder(self) -> Path:
        return self.folder / "adapters"

    @property
    def suites_folder(self) -> Path:
        return self.folder / "suites"

    @property
    def results_folder(self) -> Path:
        return self.folder / "results"

    @property
    def transcript_file(self) -> Path:
        return self.folder / "transcript.jsonl"

    def adapters(self) -> tuple[AdapterRef, ...]:
        """The finished fine-tunes, oldest first; folders without a readable manifest are not finished."""
        found = []
        for path in sorted(self.adapters_folder.glob("*/manifest.json")):
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
                plain = records.read_json(path)
                adapter: AdapterRef = records.from_plain(AdapterRef, {**plain, "path": path.parent / plain["adapter"]})
                if adapter.path.exists():
                    found.append(adapter)
        return tuple(sorted(found, key=lambda adapter: adapter.created))

    def sound_adapters(self) -> tuple[AdapterRef, ...]:
        """Those that answer in llama.cpp as they did in training: "the newest" means the last of these."""
        return tuple(each for each in self.adapters() if each.parity_ok)

    def offered_adapters(self) -> tuple[AdapterRef, ...]:
        """The sound ones, and those a person chose although they are not."""
        anyway = self.info.options.get(ANYWAY) or ()
        return tuple(each for each in self.adapters() if each.parity_ok or each.mark in anyway)

    @contextlib.contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """Hold the project's one writer's place while index, adapters or results change.

        The system drops the lock when its holder dies, so a killed writer never blocks the next one.
        Raises ProjectBusy, naming what the other writer is doing, when the place is taken.
        """
        from filelock import FileLock, Timeout

        lock, note = FileLock(self.folder / ".writer.lock"), self.folder / ".writer.txt"
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            other = note.read_text(encoding="utf-8") if note.exists() else "working"
            raise ProjectBusy(
                f"Another Workbench is {other} in {self.folder}: wait until it is done, or stop it there."
            ) from error
        try:
            note.write_text(f"{what} (process {os.getpid()}, since {time.strftime('%H:%M')})", encoding="utf-8")
            yield
        finally:
            lock.release()


def is_sound(adapter: Path) -> bool:
    """Whether an adapter answers in llama.cpp as it did in training, as the manifest beside it says; else unknown."""
    try:
        return bool(records.read_json(adapter.parent / "manifest.json").get("parity_ok", True))
    except (OSError, ValueError, AttributeError):
        return True


def open_project(folder: str | Path | None) -> Project:
    """The project a person named, or the default one."""
    return Project.open(Path(folder) if folder else paths.default_project())
