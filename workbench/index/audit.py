"""STAGE audit: prove that the index holds just what its folders hold, mend what differs, and look again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from workbench import records
from workbench.bases import open_base
from workbench.documents.scan import FoundFile, scan
from workbench.errors import BadProject
from workbench.events import Progress, Result, Stage
from workbench.index.build import Steps, build
from workbench.index.files import check_folders, folder_names, left_out_of, why_not
from workbench.index.keywords import FILE_NAME, FileRow, Keywords
from workbench.index.made import made_with, signs_hash
from workbench.index.report import IndexReport
from workbench.index.store import Store, open_store
from workbench.index.tokens import TokenSigns

TICK = 0.3  # seconds between signs of life
WHOLE = ""  # in place of a file's name: it concerns the index as a whole


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in which the index and the folders differ."""

    file: str  # relative to its folder, "" when it is none file's own
    problem: str  # for people, the middle of a sentence
    folder: str = ""  # absolute


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What differed, what the mending did, and what differs still."""

    found: tuple[Problem, ...]
    left: tuple[Problem, ...]  # () means: the index holds just what the folders hold
    files: int  # compared by content, at the last look
    chunks: int
    vectors: int
    build: IndexReport  # what brought the index level


def audit(home: Path, folders: tuple[Path, ...]) -> Stage:
    """STAGE: compare folders and index to the last byte and vector; the last Result is an AuditReport.

    What differs is mended by marking it and building. Raises as `build` does.
    """
    checked = check_folders(folders)
    found = yield from _Look(home, checked).run()
    _mark(home, found)
    report: IndexReport | None = None
    for event in build(home, folders):
        if isinstance(event, Result):
            report = event.value
        else:
            yield event
    assert report is not None
    again = yield from _Look(home, checked).run()
    yield Result(
        AuditReport(tuple(found.problems), tuple(again.problems), again.files, again.chunks, again.vectors, report)
    )


class _Look:
    """One look at folders and index, nothing changed."""

    def __init__(self, home: Path, folders: tuple[Path, ...]) -> None:
        self._folders = folders
        self._opened = open_base(home)
        self._index = self._opened.index_folder
        self.broken = False  # the database is of no use any more
        self.problems: list[Problem] = []
        self.files = self.chunks = self.vectors = 0

    def run(self) -> Steps[_Look]:
        if not (self._index / FILE_NAME).exists():
            self._tell(WHOLE, "nothing is indexed yet")
            return self
        try:
            with self._opened.writing("auditing the index"), Keywords(self._index, write=True) as keywords:
                keywords.check()
                rows = {row.key: row for row in keywords.files()}
                yield from self._compare_files(rows)
                yield from self._compare_chunks(keywords, rows)
                yield Progress(self.files, self.files, "Comparing vectors", "files")
                self._compare_vectors(keywords, rows)
        except BadProject as error:
            self.broken = True
            self._tell(WHOLE, str(error))
        return self

    def _tell(self, file: str, problem: str, folder: str = "") -> None:
        self.problems.append(Problem(file, problem, folder))

    def _compare_files(self, rows: dict[tuple[str, str], FileRow]) -> Steps[None]:
        """Every file's content beside what was read of it; its time and size prove nothing here."""
        seen, told = set(), monotonic()
        for found in self._found():
            seen.add(found.key)
            self._compare_file(found, rows.get(found.key))
            self.files += 1
            if monotonic() - told > TICK:
                told = monotonic()
                yield Progress(self.files, len(rows), f"Comparing {found.file}", "files")
        names, kept = folder_names(self._folders), folder_names((*self._opened.info.folders, *self._folders))
        for key in rows.keys() - seen:
            if key[0] not in kept:
                self._tell(key[1], "it is in the index and its folder is none of these any more", key[0])
            elif key[0] in names:
                self._tell(key[1], "it is in the index and no longer in the folder", key[0])

    def _found(self) -> Iterator[FoundFile]:
        for folder in self._folders:
            yield from scan(folder, left_out_of(self._opened))

    def _compare_file(self, found: FoundFile, row: FileRow | None) -> None:
        if row is None:
            self._tell(found.file, "it is in the folder and not in the index", found.folder)
        elif row.hash and row.lasting and not why_not(found):
            try:
                if records.hash_file(found.path) != row.hash:
                    self._tell(found.file, "its content is not what was read", found.folder)
            except OSError as error:
                self._tell(found.file, f"it cannot be opened: {(error.strerror or str(error)).lower()}", found.folder)

    def _compare_chunks(self, keywords: Keywords, rows: dict[tuple[str, str], FileRow]) -> Steps[None]:
        """Every chunk beside its document's text, and the numbers in all tables."""
        told = monotonic()
        for row in rows.values():
            text, chunks = keywords.text(row), keywords.chunks(row)
            self.chunks += len(chunks)
            if len(chunks) != row.chunks or any(each.text != text[each.start : each.end] for each in chunks):
                self._tell(row.file, "its passages are not those of its text", row.folder)
            if monotonic() - told > TICK:
                told = monotonic()
                yield Progress(self.files, self.files, f"Comparing the passages of {row.file}", "files")
        in_table, in_words = keywords.row_counts()
        if not self.chunks == in_table == in_words or not keywords.words_fit():
            self._tell(WHOLE, f"the word index does not fit the passages ({self.chunks}, {in_table}, {in_words})")

    def _compare_vectors(self, keywords: Keywords, rows: dict[tuple[str, str], FileRow]) -> None:
        """The ids in Chroma beside those in SQLite."""
        if keywords.fact("dirty") == "1":
            self._tell(WHOLE, "the last build was cut short")
        store = open_store(self._index / "chroma", fresh=True)
        wanted = {row.made_with for row in rows.values() if row.chunks}
        for fingerprint in store.fingerprints() | wanted:
            self._compare_collection(keywords, store, fingerprint)
        told = {each: str(store.describe(each).get("embedder", "")) for each in wanted}
        hashes = {each: signs_hash(each, made_with(keywords), told[each]) for each in wanted}
        with TokenSigns(self._index, write=True) as tokens:
            for digest in sorted(set(hashes.values())):
                of_it = [each for each in wanted if hashes[each] == digest]
                named = {key for fingerprint in of_it for key in keywords.ids_made_with(fingerprint)}
                self._compare_signs(keywords, named, tokens.ids(digest))

    def _compare_signs(self, keywords: Keywords, named: set[str], there: set[str]) -> None:
        for folder, file in sorted(keywords.owners(named - there)):
            self._tell(file, "vectors of its words are missing", folder)
        if there - named:
            self._tell(WHOLE, f"the words of {len(there - named)} passages belong to no file")

    def _compare_collection(self, keywords: Keywords, store: Store, fingerprint: str) -> None:
        named, there = keywords.ids_made_with(fingerprint), store.ids(fingerprint)
        self.vectors += len(there)
        for folder, file in sorted(keywords.owners(named - there)):
            self._tell(file, "vectors of it are missing", folder)
        if there - named:
            self._tell(WHOLE, f"{len(there - named)} vectors belong to no file")


def _mark(home: Path, look: _Look) -> None:
    """Have the next build look at all that differs, whatever its time and size."""
    opened = open_base(home)
    if not look.problems or not (opened.index_folder / FILE_NAME).exists():
        return
    with opened.writing("mending the index"):
        if look.broken:  # all of it can be made again from the documents and the vectors
            for path in opened.index_folder.glob(f"{FILE_NAME}*"):
                path.unlink()
            return
        with Keywords(opened.index_folder, write=True) as keywords:
            keywords.set_fact("dirty", "1")
            keywords.rebuild_words()
            keywords.forget_time((each.folder, each.file) for each in look.problems if each.file != WHOLE)
