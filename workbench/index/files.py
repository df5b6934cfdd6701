"""What is in the index, without opening Chroma or a model: plain SQLite, safe in the window's process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from workbench.bases import Base, nothing_indexed, open_base
from workbench.catalog.embedders import choose_embedder, starter
from workbench.documents import readers
from workbench.documents.chunk import Cutting
from workbench.documents.document import Chunk
from workbench.documents.left_out import LeftOut
from workbench.documents.scan import Difference, FoundFile, KnownFile, compare, scan
from workbench.errors import BadProject, InputError, MissingFile
from workbench.index.keywords import FileRow, Keywords
from workbench.index.report import FileState, Preview, Skipped
from workbench.priority import unhurried

MOST_TOLD = 2  # files that a file is said to repeat


def read_index(home: Path) -> Keywords:
    """The index of a knowledge base, open for reading: `home` is its folder, a project's for the project's own.

    Raises InputError when nothing was ever indexed in it.
    """
    try:
        return Keywords(home.expanduser().absolute() / "index")
    except FileNotFoundError as error:
        raise InputError(nothing_indexed(home)) from error


def list_files(home: Path) -> tuple[FileState, ...]:
    """Every file the index knows, by folder and name; () before the first build. Raises BadProject."""
    try:
        with read_index(home) as index:
            said: dict[tuple[str, str], list[str]] = {}
            for pair in index.alike():
                said.setdefault((pair.folder, pair.file), []).append(pair.told)
            return tuple(_state(row, said.get(row.key, ())) for row in unhurried(index.files()))
    except BadProject:
        raise
    except InputError:
        return ()


def _state(row: FileRow, said: Sequence[str]) -> FileState:
    notes = (*row.notes, *said[:MOST_TOLD])
    return FileState(row.file, row.folder, row.state, row.chunks, row.size, row.reason, notes, row.kind, row.title)


def file_chunks(home: Path, file: str, folder: str = "") -> tuple[Chunk, ...]:
    """A file's chunks in its order. Raises MissingFile when the index does not hold it."""
    with read_index(home) as index:
        return index.chunks(_find(index, file, folder))


def document_text(home: Path, file: str, folder: str = "") -> str:
    """A file's whole text as it was read. Raises MissingFile when the index does not hold it."""
    with read_index(home) as index:
        return index.text(_find(index, file, folder))


def _find(index: Keywords, file: str, folder: str) -> FileRow:
    row = index.file(file, folder)
    if row is None or row.state != "indexed":
        why = f": {row.reason}" if row is not None else ""
        raise MissingFile(f"{file} is not in the index{why}. Index its folder again, or choose another file.")
    return row


def retry_skipped(home: Path, files: Iterable[str] = ()) -> int:
    """Have the next build try skipped files again (all of them when none is named); gives how many.

    Raises ProjectBusy while a build is running.
    """
    wanted = set(files)
    with (
        open_base(home).writing("marking files to be read again"),
        Keywords(home / "index", write=True) as index,
    ):
        rows = [row for row in index.files() if row.state == "skipped" and (not wanted or row.file in wanted)]
        index.forget_time(row.key for row in rows)
    return len(rows)


def preview_changes(home: Path, folders: tuple[Path, ...]) -> Preview:
    """What a build of these folders would add, change and remove; nothing is read or written but directory entries.

    Raises MissingFile for a folder that is not there.
    """
    rows: dict[tuple[str, str], FileRow] = {}
    rate = 0.0
    fingerprint = ""
    try:
        with read_index(home) as index:
            rows = {row.key: row for row in unhurried(index.files())}
            rate = float(index.fact("bytes_per_second", "0"))
            fingerprint = index.fact("fingerprint")
    except InputError:
        pass
    base = open_base(home)
    difference = find_difference(check_folders(folders), rows, fingerprint, left_out_of(base), base.info.folders)
    readable = [each for each in (*difference.new, *difference.changed) if not why_not(each)]
    skipped = [Skipped(each.file, why_not(each), each.folder) for each in difference.new if why_not(each)]
    size = sum(each.size for each in readable)
    return Preview(
        added=tuple(each.file for each in difference.new if not why_not(each)),
        changed=tuple(each.file for each in difference.changed if not why_not(each)),
        removed=tuple(each.file for each in difference.gone if rows[each.key].state == "indexed"),
        unchanged=len(difference.unchanged),
        skipped=tuple(skipped),
        size=size,
        seconds=size / rate if rate else None,
        rebuilds=any(_outdated(rows[each.key], fingerprint) for each in difference.changed if each.key in rows),
    )


def find_difference(
    folders: tuple[Path, ...],
    rows: dict[tuple[str, str], FileRow],
    fingerprint: str,
    left_out: LeftOut,
    kept: tuple[Path, ...],
) -> Difference:
    """Compare folders with the index's rows; for previews. A build does the same step by step."""
    found = [each for folder in folders for each in scan(folder, left_out)]
    return compare(found, known_files(rows, folders, fingerprint, kept))


def known_files(
    rows: dict[tuple[str, str], FileRow], folders: tuple[Path, ...], fingerprint: str, kept: tuple[Path, ...]
) -> dict[tuple[str, str], KnownFile]:
    """The index's files of these folders, as the scan compares them, and those of none that the base keeps: a removal
    that was cut short left them."""
    names, others = {str(folder) for folder in folders}, folder_names(kept)
    return {
        key: KnownFile(
            row.folder, row.file, row.size, row.mtime_ns, current=not _outdated(row, fingerprint) and row.lasting
        )
        for key, row in unhurried(rows.items())
        if row.folder in names or row.folder not in others
    }


def folder_names(folders: Iterable[Path]) -> set[str]:
    """The folders as rows name them, and as they were written."""
    paths = [folder.expanduser().absolute() for folder in folders]
    return {str(each) for path in paths for each in (path, path.resolve())}


def _outdated(row: FileRow, fingerprint: str) -> bool:
    """Whether a file must be read again although it did not change."""
    return row.read_with != readers.VERSION or (row.state == "indexed" and row.made_with != fingerprint)


def why_not(found: FoundFile) -> str:
    """Why a file is not even opened, "" when it is."""
    return found.trouble or readers.unreadable_type(found.file)


def check_folders(folders: Iterable[Path]) -> tuple[Path, ...]:
    """The folders, absolute, one inside another left out. Raises MissingFile for what is no folder."""
    found: list[Path] = []
    for folder in folders:
        path = folder.expanduser().absolute()
        if path.is_file():
            raise MissingFile(f"{folder} is a file: name the folder it lies in.")
        if not path.is_dir():
            raise MissingFile(f"The folder {folder} is not there: check the name, or connect the disk that holds it.")
        found.append(Path(*path.resolve().parts))
    return tuple(
        each
        for each in dict.fromkeys(found)
        if not any(other != each and each.is_relative_to(other) for other in found)
    )


def cutting_of(base: Base) -> Cutting:
    """How a base's documents are cut: what a person chose on the Documents page, or the default."""
    kept, usual = base.info.options.get("cutting"), Cutting()
    try:
        return Cutting(int(kept["size"]), int(kept["overlap"])) if kept else usual
    except (TypeError, ValueError, KeyError):
        return usual


def left_out_of(base: Base) -> LeftOut:
    """What is passed over in a base's folders: what a person chose, and the project's own folder.

    A file with patterns that mean nothing is read as one with none.
    """
    kept = base.info.options
    try:
        patterns = tuple(str(each) for each in kept.get("left_out", ()))
        return LeftOut(patterns, not kept.get("hidden_files", False), (base.root,))
    except (InputError, TypeError):
        return LeftOut(folders=(base.root,))


def current_fingerprint(cutting: Cutting, embedder_hash: str) -> str:
    """What vectors are made with, in twelve hex digits: embedder and chunk settings."""
    from workbench import records

    return records.hash_text(f"{embedder_hash} {cutting.fingerprint()}")[:12]


def embedder_of(base: Base) -> str:
    """The name of the embedder that a base's documents are read with: what a person chose, or the program's own."""
    kept = base.info.options.get("embedder")
    return kept if isinstance(kept, str) and kept else starter().name


def choose_embedder_of(base: Base, name: str) -> None:
    """Have the next build read a base's documents with another embedder. Raises as `choose_embedder`, `Base.change`."""
    chosen = choose_embedder(name).name
    if chosen != embedder_of(base):
        base.change(options={**base.info.options, "embedder": chosen})
