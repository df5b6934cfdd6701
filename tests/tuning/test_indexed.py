"""Rows that say what the indexed documents say are told before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tuning.tiny import byte_tokenizer, write_lines
from workbench.documents.document import Chunk, Draft, Part, assemble
from workbench.events import last_result
from workbench.index.keywords import FileRow, Keywords
from workbench.tuning.dataset import DatasetReport, inspect

TEXT = (
    "Whoever moors a boat at the northern quay for longer than a single tide pays a hundred and twenty crowns to the "
    "keeper of the gate before nightfall, or leaves the boat as a pledge until the morning."
)


def write_index(home: Path) -> None:
    with Keywords(home / "index", write=True) as index:
        document = assemble(Draft((Part(TEXT),)), "quay.md", "text", "quay.md")
        chunk = Chunk("a" * 24, "quay.md", "", TEXT, 0, len(TEXT), 0, 40)
        row = FileRow("/documents", "quay.md", "indexed", 1, 1, hash="h", made_with="words")
        index.commit_file(row, document, [chunk])


def test_answers_in_the_words_of_an_indexed_document_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.tuning.dataset.load_tokenizer", lambda model: byte_tokenizer())
    said = " ".join(TEXT.split()[3:20]).upper()
    passage = {"file": "quay.md", "location": "", "text": TEXT}
    rows = write_lines(
        tmp_path / "rows.jsonl",
        {"prompt": "What does mooring cost?", "completion": f"Well: {said}."},
        {"prompt": "And by night?", "completion": "Whoever moors a boat at the northern quay pays."},  # too few words
        {"question": "Where?", "passages": [passage], "answer": f"{said} [1]."},  # it quotes what it is given to read
    )

    def remarks(home: Path | None) -> list[tuple[str, tuple[int, ...]]]:
        found: DatasetReport = last_result(inspect((rows,), tmp_path / "model.gguf", home=home))
        return [(each.message, each.rows) for each in found.remarks if each.about == "documents"]

    assert remarks(None) == remarks(tmp_path / "empty") == []
    write_index(tmp_path)
    ((message, numbers),) = remarks(tmp_path)
    assert numbers == (1,) and "the very words of an indexed document, such as quay.md: row 1." in message
