"""STAGE drill(question): a document was edited; how many seconds until each lane gives the new answer?"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from workbench.bases import Base, all_bases, find_base, make_base
from workbench.children import Worker
from workbench.errors import InputError, MissingFile
from workbench.evaluation.answering import SharedSearch, answer_case, stamped
from workbench.evaluation.oracle import bases_read
from workbench.evaluation.text import holds
from workbench.events import Event, Note, Progress, Result, Stage
from workbench.index.build import build
from workbench.lanes.lane import Lane
from workbench.lanes.material import collect
from workbench.project import Project


@dataclass(frozen=True, slots=True)
class DrillLane:
    """How one lane took the change."""

    lane: str
    right: bool  # gives the new answer
    seconds: float  # from "go" to its answer, indexing included for lanes that read documents
    text: str
    retrain_seconds: float | None = None  # of a fine-tune: what its training took, which is what it would take again


@dataclass(frozen=True, slots=True)
class Edit:
    """What is changed in a document for a drill."""

    file: str  # as the Documents page names it
    old: str  # words as they stand in it
    new: str


@dataclass(frozen=True, slots=True)
class Drill:
    """An update drill."""

    question: str
    expected: tuple[str, ...]
    changed: tuple[str, ...]  # files the index found changed or new
    index_seconds: float
    lanes: tuple[DrillLane, ...]
    edit: Edit | None = None  # what was changed for it in a copy; None where a person edited a document
    made: dict[str, dict[str, str]] = field(default_factory=dict)  # lane -> hashes of its model and adapter


def drill(
    question: str,
    expected: Sequence[str],
    lanes: Sequence[Lane],
    project: Path,
    knowledge: Worker,
    engine: Worker,
    train_seconds: Mapping[str, float],
) -> Stage:
    """Bring the index level, then ask each lane; yields a Result(DrillLane) each and last a Result(Drill).

    Raises InputError without a question, an answer to expect, or folders, and as indexing does.
    """
    opened = Project.open(project)
    bases = [find_base(opened, name) for name in bases_read(lanes)]
    if not question.strip() or not expected or not lanes:
        raise InputError("A drill needs a question, the new answer to expect, and at least one lane.")
    if not all(base.info.folders for base in bases):
        raise InputError("This project has no folder of documents: index one first, then edit a document in it.")
    began, changed = time.perf_counter(), list[str]()
    for base in bases:
        changed += yield from _level(base, knowledge)
    indexed = time.perf_counter() - began
    finder = SharedSearch(knowledge, project, tuple(lanes), (question,))
    told: list[DrillLane] = []
    made: dict[str, dict[str, str]] = {}
    for lane in lanes:
        yield Progress(len(told), len(lanes), f"Asking {lane.title or lane.name}", "lanes")
        started = time.perf_counter()
        [answer] = yield from collect(answer_case(question, lane, finder, engine))
        made[lane.name] = stamped(answer)
        waited = indexed if lane.context != "none" else 0.0  # the others never needed the index
        right = any(holds(answer.text, each) for each in expected)
        retrain = train_seconds.get(lane.name.partition(":")[2]) if lane.adapter is not None else None
        told.append(DrillLane(lane.name, right, waited + time.perf_counter() - started, answer.text, retrain))
        yield Result(told[-1])
    yield Result(Drill(question, tuple(expected), tuple(changed), indexed, tuple(told), made=made))


def drill_copy(
    question: str,
    expected: Sequence[str],
    lanes: Sequence[Lane],
    project: Project,
    edit: Edit,
    knowledge: Worker,
    engine: Worker,
    train_seconds: Mapping[str, float],
) -> Stage:
    """The same in a copy of the knowledge bases that the lanes read, where the document is edited; a person's own
    documents and indexes are left alone.

    Raises as `drill` does, MissingFile for a document that is not there, and InputError where the words are not in it.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-drill-") as folder:
        copied, documents = copy_for_drill(project, edit.file, Path(folder), bases_read(lanes))
        for document in documents:
            check_words(document, edit.old, edit.new)
        yield Note("A copy of your documents is indexed first; that is no part of the drill.")
        for base in all_bases(copied):
            if base.info.folders:
                yield from collect(knowledge.run(build, base.folder, base.info.folders))
        for document in documents:
            edit_text(document, edit.old, edit.new)
        with contextlib.closing(
            drill(question, expected, lanes, copied.folder, knowledge, engine, train_seconds)
        ) as stage:
            for event in stage:
                if isinstance(event, Result) and isinstance(event.value, Drill):
                    event = Result(replace(event.value, edit=edit))
                yield event


def _level(base: Base, knowledge: Worker) -> Generator[Event, None, tuple[str, ...]]:
    """Index; the files that were changed or new."""
    reports = yield from collect(knowledge.run(build, base.folder, base.info.folders))
    return (*reports[-1].changed, *reports[-1].added) if reports else ()


def copy_for_drill(
    project: Project, file: str, target: Path, names: Sequence[str] = ("",)
) -> tuple[Project, tuple[Path, ...]]:
    """A project with the knowledge bases `names` over copies of the folders that hold `file`, and over the person's own
    other folders, which are only read: a drill there leaves their documents alone.

    Gives the new project, whose indexes are still to be built, and the file's copies: one for each folder it is read
    from, as one base may index a part of what another does. Raises MissingFile.
    """
    bases = [find_base(project, name) for name in names]
    folders = dict.fromkeys(folder for base in bases for folder in base.info.folders)
    home = next((folder for folder in folders if (folder / file).is_file()), None)
    if home is None:
        raise MissingFile(f"No folder that these lanes read holds {file}: name it as the Documents page does.")
    document = home.resolve() / file  # a link stays one: its copy is edited, and not what it leads to
    copies, copied = dict[Path, Path](), list[Path]()
    for number, folder in enumerate(folders):
        if document.is_relative_to(folder.resolve()):
            copies[folder] = target / "documents" / str(number) / folder.name
            shutil.copytree(folder, copies[folder], ignore_dangling_symlinks=True)
            copied.append(copies[folder] / document.relative_to(folder.resolve()))
    opened = Project.open(target / "project")
    for base in bases:
        new = make_base(opened, base.base_name) if base.base_name else opened
        new.change(folders=tuple(copies.get(each, each) for each in base.info.folders), options=base.info.options)
    return opened, tuple(copied)


def edit_text(file: Path, old: str, new: str) -> int:
    """Replace a text in a text file; how often it stood there. Raises InputError where it cannot be done."""
    text = check_words(file, old, new)
    file.write_bytes(text.replace(old, new).encode("utf-8"))
    return text.count(old)


def check_words(file: Path, old: str, new: str) -> str:
    """The text of a file in which words can be replaced. Raises InputError where they cannot."""
    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{file.name} is no text file: edit it yourself, then drill without replacing.") from error
    if not old or old == new or old not in text:
        raise InputError(f"{file.name} does not hold “{old}” to be replaced: copy the words as they stand in it.")
    return text
