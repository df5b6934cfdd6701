"""Benchmark: does the fused search find more than either of its legs, and what does a question cost?

The questions are those of `resources/search`, whose documents have nothing to do with any project; only the half that
no setting was chosen on is counted, and of the plain questions, on none of which any was, both halves by themselves.
The documents are written in several formats first, as a person's folder is mixed.
"""

from __future__ import annotations

import html
import re
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench import paths
from workbench.bench import Figure
from workbench.documents.document import Chunk
from workbench.events import Progress, Result, Stage
from workbench.index import embed
from workbench.index.build import build
from workbench.index.files import read_index
from workbench.index.keywords import Keywords
from workbench.retrieval.legs import nearest_chunks
from workbench.retrieval.search import search

K = 5
TIMED = 20  # questions asked one by one for the time of one
CHOOSING, REPORTING = 0, 1  # the halves of the set
# What is counted: the kind of question, the half, and what a figure is called.
COUNTED = (
    ("reworded", REPORTING, "reworded"),
    ("exact", REPORTING, "exact"),
    ("plain", REPORTING, "plain"),
    ("plain", CHOOSING, "plain, other half"),
)
FORMATS = (".md", ".html", ".docx")  # a Markdown text is written as one of these, by its place in the folder


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the set and how to tell that it was answered."""

    kind: str  # "reworded", "exact", "plain" or "nothing"
    document: str  # name without its ending, "" where no document answers
    question: str
    answer: str  # words of the passage that answers
    half: int  # CHOOSING or REPORTING

    def found(self, piece: Chunk) -> bool:
        """Whether a chunk is of the right document."""
        return Path(piece.file).stem == self.document

    def answered(self, piece: Chunk) -> bool:
        """Whether a chunk is of the right document and holds the answer."""
        return self.found(piece) and _even(self.answer) in _even(f"{piece.heading} {piece.text}")


def _even(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def set_folder() -> Path:
    """Where the questions and their documents lie."""
    return paths.resources() / "search"


def read_questions() -> tuple[Asked, ...]:
    """The whole set, in its order."""
    names = sorted(path.stem for path in (set_folder() / "documents").iterdir())
    kind = ""
    found: list[Asked] = []
    for line in (set_folder() / "questions.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            kind = line[2:]
        elif kind == "nothing":
            found.append(Asked(kind, "", line, "", len(found) % 2))
        else:
            file, question, answer = line.split(" | ")
            found.append(Asked(kind, Path(file).stem, question, answer, names.index(Path(file).stem) % 2))
    return tuple(found)


def write_documents(target: Path) -> None:
    """The set's documents in mixed formats."""
    target.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(sorted((set_folder() / "documents").iterdir())):
        text, ending = path.read_text(encoding="utf-8"), path.suffix
        ending = FORMATS[number % len(FORMATS)] if ending == ".md" else ending
        place = target / f"{path.stem}{ending}"
        if ending == ".html":
            place.write_text(_as_html(path.stem, text), encoding="utf-8")
        elif ending == ".docx":
            _write_docx(place, text)
        else:
            place.write_text(text, encoding="utf-8")


def _blocks(text: str) -> Iterable[tuple[int, str]]:
    """(heading level or 0, text) of each block of a Markdown text; code keeps its lines."""
    for block in re.findall(r"(?ms)^```.*?^```$|^.+?(?=\n\s*\n|\n*\Z)", text):
        mark = re.match(r"(#{1,6})\s+(.*)", block)
        yield (len(mark.group(1)), mark.group(2)) if mark else (0, block.strip("`\n"))


def _as_html(title: str, text: str) -> str:
    body = [
        f"<h{level}>{html.escape(block)}</h{level}>" if level else f"<p>{html.escape(block)}</p>"
        for level, block in _blocks(text)
    ]
    return f"<html><head><title>{title}</title></head><body>{''.join(body)}</body></html>"


def _write_docx(place: Path, text: str) -> None:
    import docx

    document = docx.Document()
    for level, block in _blocks(text):
        if level:
            document.add_heading(block, level)
        else:
            document.add_paragraph(block)
    document.save(str(place))


def run(project: Path) -> Stage:
    """Index the set's documents beside the project and search them; the last Result is a tuple of Figures."""
    questions = read_questions()
    asked = [each for kind, half, _ in COUNTED for each in questions if (each.kind, each.half) == (kind, half)]
    nothing = [each for each in questions if (each.kind, each.half) == ("nothing", REPORTING)]
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        made = Path(name) / "project"
        write_documents(Path(name) / "documents")
        yield from (event for event in build(made, (Path(name) / "documents",)) if isinstance(event, Progress))
        yield Progress(0, 2, f"Searching {len(asked) + len(nothing)} questions", "figures")
        ours, answered_for = _searched(made, asked)
        _, nothing_for = _searched(made, nothing)
        near, word = _legs(made, asked)
        yield Progress(1, 2, "Timing single questions", "figures")
        seconds, bare = _time_both(made, [each.question for each in asked[:TIMED]])
        figures = [
            figure
            for kind, half, name in COUNTED
            for figure in _hits(name, _places(asked, kind, half), asked, {"vectors": near, "BM25": word}, ours)
        ]
        timed = Figure(
            "one question", seconds, bare, seconds / bare, "ms", "yardstick: bare encode and one Chroma query"
        )
        answered = [fits for each, fits in zip(asked, answered_for, strict=True) if each.kind != "plain"]
        yield Result((*figures, _nothing(nothing_for, answered), timed))


def _searched(project: Path, asked: Sequence[Asked]) -> tuple[list[list[Chunk]], list[bool]]:
    """The passages of each question, and whether they seemed to be about it."""
    events = list(search(project, tuple(each.question for each in asked), K))
    with read_index(project) as keywords:
        results = [event.value for event in events if isinstance(event, Result)]
        chunks = keywords.chunks_by_id([each.id for result in results for each in result.passages])
        found = [[replace(chunks[each.id][0], text=each.text) for each in result.passages] for result in results]
        return found, [result.fits for result in results]


def _legs(project: Path, asked: Sequence[Asked]) -> tuple[list[list[Chunk]], list[list[Chunk]]]:
    """The first K of the vectors and of BM25 for each question."""
    embedder = embed.open_embedder()
    vectors = embedder.encode([each.question for each in asked], questions=True)
    near, word = [], []
    with read_index(project) as keywords:
        for place, each in enumerate(asked):
            ids = [key for key, _ in nearest_chunks(project, keywords, embedder.hash, vectors[place : place + 1], K)]
            near.append(_in_order(keywords, ids))
            word.append(_in_order(keywords, [key for key, _ in keywords.search(each.question, K)]))
    return near, word


def _in_order(keywords: Keywords, ids: list[str]) -> list[Chunk]:
    chunks = keywords.chunks_by_id(ids)
    return [chunks[key][0] for key in ids if key in chunks]


def _places(asked: Sequence[Asked], kind: str, half: int) -> list[int]:
    return [place for place, each in enumerate(asked) if (each.kind, each.half) == (kind, half)]


def _hits(
    name: str,
    places: Sequence[int],
    asked: Sequence[Asked],
    legs: dict[str, list[list[Chunk]]],
    ours: list[list[Chunk]],
) -> Iterable[Figure]:
    """Right file and answer among the first K for the questions at some places, ours beside each leg alone."""

    def rate(found: list[list[Chunk]], hit: Any) -> float:
        return 100 * sum(any(hit(asked[place], piece) for piece in found[place]) for place in places) / len(places)

    for what, hit in (("right file", Asked.found), ("answer", Asked.answered)):
        for leg, found in legs.items():
            mine, theirs = rate(ours, hit), rate(found, hit)
            note = f"{len(places)} questions, among the first {K} passages; yardstick: {leg} alone"
            yield Figure(f"{what}, {name}, over {leg}", mine, theirs, mine / max(theirs, 1e-9), "%", note)


def _nothing(unanswered: list[bool], answered: list[bool]) -> Figure:
    """How often "nothing in your documents" is said where that is so, beside how often where it is not."""
    rightly = 100 * unanswered.count(False) / len(unanswered)
    wrongly = 100 * answered.count(False) / len(answered)
    note = f"{len(unanswered)} questions nothing answers; yardstick: the same said of the {len(answered)} answered ones"
    return Figure("nothing is said to fit", rightly, wrongly, rightly / max(wrongly, 1e-9), "%", note)


def _time_both(project: Path, questions: list[str]) -> tuple[float, float]:
    """Milliseconds a question, ours and the bare two calls, in turn."""
    embedder = embed.open_embedder()
    ours = bare = 0.0
    with read_index(project) as keywords:
        for question in questions:
            started = time.perf_counter()
            list(search(project, (question,), K))
            middle = time.perf_counter()
            nearest_chunks(project, keywords, embedder.hash, embedder.encode([question], questions=True), K)
            ours, bare = ours + middle - started, bare + time.perf_counter() - middle
    return 1000 * ours / len(questions), 1000 * bare / len(questions)
