"""Of two editions of one document the newer comes first: folders keep the price list of last year beside this year's

What makes two files editions is how people name them: one name but for a date or a version ("prices/list-2024.xlsx" and
"prices/list-2025.xlsx", "v1/setup.md" and "v2/setup.md"). Minutes are named so too, so their passages must speak of the
same as well. Times of files say nothing here: copying a folder makes all of them new.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from workbench.documents.document import Chunk
from workbench.index.likeness import words_of
from workbench.retrieval.fusion import Found

Ranked = tuple[Found, Chunk, str]  # with the folder of its file
Order = tuple[tuple[int, ...], ...]  # the dates and versions of a name, greater where it is newer

# Share of the shorter passage's words that the other has too. Chosen by looking at what the sample's questions find:
# for each that finds two editions the most alike pair shares 0.49 or more; of 248 pairs of other files one in ten
# shares 0.36, one in a hundred 0.53. It was not tried on another set of editions.
SAME_MATTER = 0.4
LOOKED_AT = 20  # passages, best first, for which a newer edition is looked for among all that was found
_DATE = r"(?<![0-9a-z])(?P<date>(?:19|20)\d\d(?:[-_. ]?[0-3]\d){0,2})(?![0-9a-z])"
_VERSION = r"(?<![0-9a-z])(?:v|ver|version|rev|revision|edition)[-_. ]?(?P<version>\d+(?:[._]\d+)*)(?![0-9a-z])"
_MARK = re.compile(f"{_DATE}|{_VERSION}")
_NUMBER = re.compile(r"\d+(?:\.\d+)*")


@dataclass(frozen=True, slots=True)
class Edition:
    """What a file's name says of its edition; files of one `document` are editions of it."""

    document: str  # the path without the marks
    order: Order
    marks: frozenset[str]  # numbers by which a question may ask for this very edition: "2024", "1.2"


def edition_of(file: str) -> Edition | None:
    """The edition a file's path names, None where it names none."""
    path = PurePosixPath(file.casefold())
    name = path.as_posix().removesuffix(path.suffix)
    order: list[tuple[int, ...]] = []
    marks: set[str] = set()
    kinds = ""
    for found in _MARK.finditer(name):
        if (date := found["date"]) is not None:
            digits = re.sub(r"\D", "", date)
            order.append((int(digits[:4]), *(int(digits[at : at + 2]) for at in range(4, len(digits), 2))))
            marks.add(digits[:4])
        else:
            version = found["version"].replace("_", ".")
            order.append(tuple(int(each) for each in version.split(".")))
            marks.add(version)
        kinds += "d" if date is not None else "v"
    if not order:
        return None
    document = re.sub(r"[\W_]+", " ", _MARK.sub(" ", name)).strip()
    return Edition(f"{kinds} {document}", tuple(order), frozenset(marks)) if document else None


def newest_first(question: str, ranked: Sequence[Ranked]) -> list[Ranked]:
    """The ranking with a passage of the newest edition before what an older one says of the same matter.

    A passage that moves up is given the score of the one it goes before, and names its file (`newer_than`). Where the
    question names the older edition by its year or version, that one stays where it is.
    """
    editions = {(folder, piece.file): edition_of(piece.file) for _, piece, folder in ranked}
    documents = [(folder, each.document) for (folder, _), each in editions.items() if each is not None]
    if len(set(documents)) == len(documents):
        return list(ranked)
    asked = set(_NUMBER.findall(question))
    words = {found.id: words_of(piece.text) for found, piece, folder in ranked if editions[folder, piece.file]}
    result = list(ranked)
    for old in ranked[:LOOKED_AT]:
        edition = editions[old[2], old[1].file]
        if edition is None:
            continue
        place = next(at for at, each in enumerate(result) if each[0].id == old[0].id)
        newest, at = edition.order, place
        for number, each in enumerate(result):  # of one edition the passage that was found best
            other = editions[each[2], each[1].file]
            if other is None or (each[2], other.document) != (old[2], edition.document):
                continue
            if asked & (edition.marks - other.marks):
                continue
            if other.order > newest and _shared(words[each[0].id], words[old[0].id]) >= SAME_MATTER:
                newest, at = other.order, number
        if at > place:
            found, piece, folder = result.pop(at)
            found = replace(found, score=result[place][0].score, newer_than=old[1].file)
            result.insert(place, (found, piece, folder))
    return result


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    """Share of the shorter passage's words that the other has too."""
    return len(one & other) / max(1, min(len(one), len(other)))
