"""What the Documents page reads of a project: files, chunks and changes, by the plain functions of `index.files`.

Lists are long and these run in threads of the window's process: they pause every few rows (`priority.unhurried`), so
that the window never waits for them.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication

from workbench.bases import Base, all_bases
from workbench.catalog.embedders import embedders
from workbench.children import Worker
from workbench.documents.document import Chunk
from workbench.errors import BadProject, MissingFile
from workbench.events import Progress, Result, Stage
from workbench.index import files as index_files
from workbench.index.report import FileState, IndexReport
from workbench.priority import unhurried
from workbench.project import Project
from workbench.retrieval.narrow import EVERYTHING, Only
from workbench.ui.documents_rows import FileRow, by_name

KINDS = {
    "pdf": "PDF",
    "html": "HTML",
    "csv": "CSV",
    "json": "JSON",
    "docx": "Word",
    "doc": "Word",
    "xlsx": "Excel",
    "xlsb": "Excel",
    "xls": "Excel",
    "pptx": "PowerPoint",
    "ppt": "PowerPoint",
    "odt": "OpenDocument",
    "odp": "OpenDocument",
    "ods": "OpenDocument",
    "rtf": "RTF",
    "epub": "EPUB",
    "xml": "XML",
}
FEW = 8  # files that are read without a click: what a person saves, not a folder that is copied


@dataclass(frozen=True, slots=True)
class Listing:
    """The files as they are shown, sorted by name, and those among them that a running build has not come to yet."""

    rows: list[FileRow]
    waiting: tuple[FileRow, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new, changed and gone in the folders, and which folders are not there."""

    rows: tuple[FileRow, ...]
    missing: tuple[Path, ...] = ()
    small: bool = False  # a few files, of folders that were read before: what a person is at work on


def list_stage(base: Base, waiting: tuple[FileRow, ...], busy: bool) -> Stage:
    """The list of files, as a stage; the last Result is a Listing. `busy`: a build works through those that wait."""
    yield Progress(0, 0, QCoreApplication.translate("Documents", "listing the files"))
    known = list_rows(base)
    left = {row.key: replace(row, state="waiting") if busy else row for row in unhurried(waiting)}
    for row in unhurried(known if busy else ()):
        before = left.get(row.key)
        if before is not None and (before.chunks != row.chunks or row.state != "indexed" or not before.chunks):
            del left[row.key]  # the build has come to it
    rows = [row for row in unhurried(known) if row.key not in left]
    rows = sorted(rows + list(left.values()), key=by_name)
    yield Result(Listing(rows, tuple(left.values())))


def with_reading(rows: list[FileRow], file: str) -> list[FileRow]:
    """The rows with the file that is read just now marked; of two of that name, the one that still waits."""
    places = [place for place, row in enumerate(rows) if row.file == file] if file else []
    place = next((place for place in places if rows[place].state == "waiting"), places[0] if places else None)
    if place is not None:
        rows[place] = replace(rows[place], state="reading")
    return rows


def list_rows(base: Base) -> list[FileRow]:
    """Every file the index knows. Raises BadProject for an index that cannot be opened."""
    return [_row(state) for state in unhurried(index_files.list_files(base.folder))]


def _row(state: FileState) -> FileRow:
    if state.state == "indexed":
        kind = KINDS.get(state.kind, state.kind.capitalize())
        title = state.title if state.title and state.title != Path(state.file).name else ""
        found = "; ".join(state.notes) or (f"{kind}, {title}" if title else kind)
    else:
        found = state.reason[:1].upper() + state.reason[1:]
    return FileRow(state.file, state.folder, state.state, state.chunks, found, _edited(state.folder, state.file))


def _edited(folder: str, file: str) -> float:
    with contextlib.suppress(OSError, ValueError):
        return (Path(folder) / file).stat().st_mtime
    return 0.0


def chunks_stage(base: Base, row: FileRow) -> Stage:
    """The chunks of a file, as a stage; the last Result is a tuple of them, empty when the index does not hold it."""
    yield Progress(0, 0, QCoreApplication.translate("Documents", "opening the index"))
    yield Result(chunks_of(base, row))


def chunks_of(base: Base, row: FileRow) -> tuple[Chunk, ...]:
    """The chunks of a file; none when the index does not hold it."""
    with contextlib.suppress(MissingFile):
        return index_files.file_chunks(base.folder, row.file, row.folder)
    return ()


def forget(base: Base, row: FileRow) -> None:
    """Have the next reading try a skipped file again. Raises ProjectBusy."""
    index_files.retry_skipped(base.folder, (row.file,))


def find_changes(base: Base) -> Stage:
    """What is new, changed and gone in the folders, as a stage; the last Result is Changes."""
    yield Progress(0, 0, QCoreApplication.translate("Documents", "looking through the folders"))
    with contextlib.suppress(BadProject):  # the index is being made just now: everything is new
        known = {row.key: row for row in list_rows(base)}
        found, missing = list[FileRow](), list[Path]()
        for folder in base.info.folders:
            try:
                found += _changes(base, folder, known)
            except MissingFile:
                missing.append(folder)
            yield Progress(len(found), 0, str(folder))
        read = {folder for folder, _ in known}
        small = 0 < len(found) <= FEW and all(row.folder in read and not row.anew for row in found)
        yield Result(Changes(tuple(found), tuple(missing), small))


def keeps_itself(base: Base) -> bool:
    """Whether a few changes in a base's folders are read without a click; a person may turn it off."""
    return base.info.options.get("by_itself") is not False


def keep_itself(base: Base, wanted: bool) -> None:
    """Read a few changes without a click, or not. Raises as `Base.change`."""
    base.change(options={**base.info.options, "by_itself": wanted})


def find_changes_elsewhere(shown: Base) -> Stage:
    """The same of the project's other bases, as a stage; the last Result is a dict of their names to how many."""
    counts: dict[str, int] = {}
    for base in all_bases(Project.open(shown.root)):
        if base.folder != shown.folder and base.info.folders:
            for event in find_changes(base):
                if not isinstance(event, Result):
                    yield event
                elif event.value.rows:
                    counts[base.base_name] = len(event.value.rows)
    yield Result(counts)


def _changes(base: Base, folder: Path, known: dict[tuple[str, str], FileRow]) -> list[FileRow]:
    preview = index_files.preview_changes(base.folder, (folder,))
    place = str(index_files.check_folders((folder,))[0])

    def row(file: str, state: str, found: str) -> FileRow:
        before = known.get((place, file))
        return FileRow(
            file, place, state, before.chunks if before else 0, found, _edited(place, file), preview.rebuilds
        )

    translate = QCoreApplication.translate
    new, gone = translate("Documents", "Not read yet"), translate("Documents", "No longer in the folder")
    edited = translate("Documents", "Edited since it was read")
    why = translate("Documents", "Cut with other settings") if preview.rebuilds else edited
    rows = [row(file, "new", new) for file in unhurried(preview.added)]
    rows += [row(file, "changed", why) for file in unhurried(preview.changed) if _is_shown(known.get((place, file)))]
    return rows + [row(file, "gone", gone) for file in unhurried(preview.removed)]


def _is_shown(before: FileRow | None) -> bool:
    """A skipped file is tried again by every reading, which is no change a person needs to hear of."""
    return before is None or before.state != "skipped"


def build_stage(base: Base, worker: Worker, only: tuple[tuple[str, str], ...] = ()) -> Stage:
    """Bring the index level, or `only` some files (folder and name); what has to be imported for it is imported here,
    in the job's thread."""
    from workbench.index.build import build

    return worker.run(build, base.folder, present(base.info.folders), only)


def take_out_stage(base: Base, worker: Worker, folder: Path) -> Stage:
    """Take a folder's files out of the index."""
    from workbench.index.build import forget

    return worker.run(forget, base.folder, (folder,))


def audit_stage(base: Base, worker: Worker) -> Stage:
    """Compare index and folders to the last byte, and mend what differs; the last Result is an AuditReport."""
    from workbench.index.audit import audit

    return worker.run(audit, base.folder, present(base.info.folders))


def let_go_stage(base: Base, worker: Worker) -> Stage:
    """Have the document reader close a base's index."""
    from workbench.index.store import let_go

    return worker.run(let_go, base.folder)


def search_stage(base: Base, worker: Worker, question: str, most: int, only: Only = EVERYTHING) -> Stage:
    """Search, perhaps only in some of the files; the last Result is a SearchResult."""
    from workbench.retrieval.search import search

    return worker.run(search, base.folder, (question,), most, only)


def present(folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """The folders that are there, so that one on a disk that is away holds up no other; all when none is."""
    return tuple(folder for folder in folders if folder.is_dir()) or folders


def file_of(progress: Progress) -> str:
    """The file a build is at, "" while it is at none."""
    for begin in ("Reading ", "Indexing "):
        if progress.note.startswith(begin):
            return progress.note.removeprefix(begin)
    return ""


def report_line(report: Any) -> str:
    """How a build ended, in a sentence."""
    translate = QCoreApplication.translate
    if not isinstance(report, IndexReport):
        return translate("Documents", "The documents are up to date.")
    counts = (
        (translate("Documents", "{0:,} added"), report.added),
        (translate("Documents", "{0:,} changed"), report.changed),
        (translate("Documents", "{0:,} removed"), report.removed),
        (translate("Documents", "{0:,} skipped"), report.skipped),
    )
    said = [text.format(len(files)) for text, files in counts if files]
    what = ", ".join(said) if said else translate("Documents", "nothing had changed")
    line = translate("Documents", "{0:,} files in {1:,} chunks are ready: {2}.")
    return line.format(report.files, report.chunks, what)


def audit_line(report: Any) -> tuple[str, str, str]:
    """How an audit ended: a sentence, how it is meant ("good" or "warning"), and what differed, a line each."""
    translate = QCoreApplication.translate
    found, left = ["\n".join(f"{each.file}: {each.problem}".removeprefix(": ") for each in problems)
                   for problems in (report.found, report.left)]  # fmt: skip
    proof = translate("Documents", "{0:,} files, {1:,} chunks and {2:,} vectors were compared.")
    proof = proof.format(report.files, report.chunks, report.vectors)
    if report.left:
        line = translate("Documents", "In {0:,} things index and folders differ still, after mending.")
        return f"{line.format(len(report.left))} {proof}", "warning", left
    if report.found:
        line = translate(
            "Documents", "{0:,} things differed and were mended: the index holds just what the folders hold."
        )
        return f"{line.format(len(report.found))} {proof}", "good", found
    return translate("Documents", "The index holds just what the folders hold.") + f" {proof}", "good", ""


def settings_line(base: Base) -> str:
    """The foot of the page."""
    cutting = index_files.cutting_of(base)
    line = QCoreApplication.translate(
        "Documents", "Chunks of {0} tokens, {1} shared; found by meaning ({2}) and exact words"
    )
    return line.format(cutting.size, cutting.overlap, embedder_title(index_files.embedder_of(base)))


def embedder_title(name: str) -> str:
    """What an embedder is called, or that it is not here."""
    title = next((each.title for each in embedders() if each.name == name), "")
    return title or QCoreApplication.translate("Documents", "{0}, which is not here").format(name)


def base_title(base: Base) -> str:
    """What a base is called in the window."""
    return base.base_name or QCoreApplication.translate("Documents", "Main")
