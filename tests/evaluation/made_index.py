"""A real word index without an embedder: files and passages in SQLite, searched by words; for tests of attribution."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from tests.evaluation.made_up import all_is_known
from workbench import records
from workbench.children import Here
from workbench.documents.document import Chunk, Part, assemble
from workbench.documents.document import Draft as DocumentDraft
from workbench.events import Result, Stage
from workbench.index.files import read_index
from workbench.index.keywords import FileRow, Keywords
from workbench.lanes.engine import Request
from workbench.lanes.lane import Answer, Stamp
from workbench.retrieval.passage import Passage, SearchResult

FOLDER = "/documents"
Speaks = Callable[[Request], str]  # what a scripted model says


def write_index(project: Path, files: Mapping[str, Sequence[str]]) -> None:
    """Make the index hold these files, each of the given passages."""
    with Keywords(project / "index", write=True) as index:
        for file, texts in files.items():
            document = assemble(DocumentDraft(tuple(Part(text) for text in texts)), file, "text", file)
            chunks, start = [], 0
            for number, text in enumerate(texts):
                start = document.text.index(text, start)
                name = records.hash_text(f"{file} {number}")[:24]
                chunks.append(Chunk(name, file, f"part {number}", text, start, start + len(text), number, 9))
            row = FileRow(FOLDER, file, "indexed", 1, 1, hash=records.hash_text(document.text), made_with="words")
            index.commit_file(row, document, chunks)


class ScriptedStages:
    """Searches the word index; answers what the script says to a request."""

    def __init__(self, speaks: Speaks, adapter_hash: str = "") -> None:
        self.speaks, self.adapter_hash = speaks, adapter_hash
        self.requests: list[Request] = []

    def answer(self, requests: tuple[Request, ...], stops: object = None, exact: bool = False) -> Stage:
        for request in requests:
            self.requests.append(request)
            ids = tuple(passage.id for passage in request.passages)
            prompt = "\n".join([*(passage.text for passage in request.passages), request.question])
            lane, sampling = request.lane, request.lane.sampling
            used = self.adapter_hash if lane.adapter else ""
            stamp = Stamp("m" * 64, used, 1.0, records.hash_text(prompt), ids, sampling.seed, {}, "scripted")
            yield Result(
                Answer(
                    request.question,
                    lane.name,
                    self.speaks(request),
                    request.passages,
                    prompt=prompt,
                    seconds=1.0,
                    retrieved=request.passages,
                    stamp=stamp,
                )
            )

    def search(self, project: Path, questions: tuple[str, ...], k: int) -> Stage:
        with read_index(project) as index:
            for question in questions:
                ids = [key for key, _ in index.search(question, k)]
                chunks = index.chunks_by_id(ids)
                passages = tuple(
                    Passage(key, chunks[key][0].file, chunks[key][0].location, chunks[key][0].text, 1.0) for key in ids
                )
                yield Result(SearchResult(question, passages, 0.01))


def put_script_in_place(monkeypatch: pytest.MonkeyPatch, stages: ScriptedStages) -> Here:
    """Let the program find the script where it looks for the real stages."""
    for stage in ("answer", "search"):
        monkeypatch.setattr(f"workbench.evaluation.answering.{stage}", getattr(stages, stage))
    monkeypatch.setattr("workbench.evaluation.asking.settle", all_is_known)
    return Here()
