"""What the Documents page reads of a project: files, chunks and changes, by the plain functions of `index.files`."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from workbench.documents.document import Chunk
from workbench.errors import MissingFile, WorkbenchError
from workbench.events import Progress, Result, Stage
from workbench.index import files as index_files
from workbench.index.report import FileState, IndexReport
from workbench.project import Project
from workbench.ui.documents_rows import FileRow

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


def list_rows(project: Project) -> list[FileRow]:
    """Every file the index knows."""
    with contextlib.suppress(sqlite3.OperationalError):  # the reader is writing just now: ask again a little later
        return [_row(state) for state in index_files.list_files(project.folder)]
    return []


def _row(state: FileState) -> FileRow:
    if state.state == "indexed":
        kind = KINDS.get(state.kind, state.kind.capitalize())
        title = state.title if state.title and state.title != Path(state.file).name else ""
        found = "; ".join(state.notes) or (f"{kind}, {title}" if title else kind)
    else:
        found = state.reason[:1].upper() + state.reason[1:]
    return FileRow(state.file, state.folder, state.state, state.chunks, found, _edited(state.folder, state.file))


def _edited(folder: str, file: str) -> float:
    with contextlib.suppress(OSError):
        return (Path(folder) / file).stat().st_mtime
    return 0.0


def chunks_of(project: Project, row: FileRow) -> tuple[Chunk, ...]:
    """The chunks of a file; none when the index does not hold it."""
    with contextlib.suppress(MissingFile, sqlite3.OperationalError):
        return index_files.file_chunks(project.folder, row.file, row.folder)
    return ()


def forget(project: Project, row: FileRow) -> None:
    """Have the next reading try a skipped file again. Raises ProjectBusy."""
    index_files.retry_skipped(project.folder, (row.file,))


def find_changes(project: Project) -> Stage:
    """What is new, changed and gone in the folders, as rows; a stage, so that a job can run it."""
    yield Progress(0, 0, "looking through the folders")
    known = {(row.folder, row.file): row for row in list_rows(project)}
    found: list[FileRow] = []
    for folder in project.info.folders:
        with contextlib.suppress(WorkbenchError):
            found += _changes(project, folder, known)
        yield Progress(len(found), 0, str(folder))
    yield Result(found)


def _changes(project: Project, folder: Path, known: dict[tuple[str, str], FileRow]) -> list[FileRow]:
    preview = index_files.preview_changes(project.folder, (folder,))
    place = str(index_files.check_folders((folder,))[0])

    def row(file: str, state: str, found: str) -> FileRow:
        before = known.get((place, file))
        return FileRow(file, place, state, before.chunks if before else 0, found, _edited(place, file))

    rows = [row(file, "new", "Not read yet") for file in preview.added]
    why = "Cut with other settings" if preview.rebuilds else "Edited since it was read"
    rows += [row(file, "changed", why) for file in preview.changed if _is_shown(known.get((place, file)))]
    return rows + [row(file, "gone", "No longer in the folder") for file in preview.removed]


def _is_shown(before: FileRow | None) -> bool:
    """A skipped file is tried again by every reading, which is no change a person needs to hear of."""
    return before is None or before.state != "skipped"


def file_of(progress: Progress) -> str:
    """The file a build is at, "" while it is at none."""
    for begin in ("Reading ", "Indexing "):
        if progress.note.startswith(begin):
            return progress.note.removeprefix(begin)
    return ""


def report_line(report: Any) -> str:
    """How a build ended, in a sentence."""
    if not isinstance(report, IndexReport):
        return "The documents are up to date."
    said = [f"{len(report.added)} added"] if report.added else []
    said += [f"{len(report.changed)} changed"] if report.changed else []
    said += [f"{len(report.removed)} removed"] if report.removed else []
    said += [f"{len(report.skipped)} skipped"] if report.skipped else []
    what = ", ".join(said) if said else "nothing had changed"
    return f"{report.files:,} files in {report.chunks:,} chunks are ready: {what}."


def settings_line(project: Project) -> str:
    """The foot of the page."""
    cutting = index_files.cutting_of(project)
    return f"Chunks of {cutting.size} tokens, {cutting.overlap} shared; found by meaning (all-MiniLM) and exact words"
