"""Connections that stay open from search to search see what is written, and files that take the place of others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from workbench.documents.document import Chunk, Document
from workbench.errors import BadProject
from workbench.index import kept
from workbench.index.keywords import FILE_NAME, FileRow, Keywords
from workbench.index.tokens import TokenSigns


def write(home: Path, file: str, text: str) -> None:
    """Put one file of one chunk into an index, as a build would."""
    with Keywords(home / "index", write=True) as keywords, TokenSigns(home / "index", write=True) as tokens:
        piece = Chunk(f"{file} {text}", file, "", text, 0, len(text), 0, 9)
        keywords.commit_file(FileRow("/f", file, "indexed", 1, 1), Document(file, "text", file, text, ()), [piece])
        import numpy as np

        tokens.add("e", [piece.id], [np.ones((1, 8), np.float32)])


def found(home: Path, question: str) -> list[str]:
    looked = kept.look_for_words(home, "e", question, 5).result()
    assert set(looked.chunks) == set(looked.ids) == {key for key, _ in looked.signs}
    return [looked.chunks[key][0].text for key in looked.ids]


def test_what_is_written_after_a_search_is_found_by_the_next(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "The pump leaks.")
    assert found(tmp_path, "pump") == ["The pump leaks."] and found(tmp_path, "valve") == []
    write(tmp_path, "b.txt", "The valve sticks.")
    assert found(tmp_path, "valve") == ["The valve sticks."]
    known = kept.look_up(tmp_path, "e", ["a.txt The pump leaks.", "nobody"]).result()
    assert list(known.chunks) == ["a.txt The pump leaks."] and known.ids[1] == "nobody"


def test_an_index_that_was_made_anew_is_opened_anew(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "The pump leaks.")
    assert found(tmp_path, "pump")
    shutil.move(tmp_path / "index", tmp_path / "old")
    write(tmp_path, "a.txt", "The pump is mended.")
    assert found(tmp_path, "pump") == ["The pump is mended."]


def test_what_is_let_go_of_is_closed_and_a_damaged_index_is_named(tmp_path: Path) -> None:
    homes = [tmp_path / str(number) for number in range(kept.MOST_OPEN + 2)]
    for home in homes:
        write(home, "a.txt", "The pump leaks.")
        assert found(home, "pump")
    assert list(kept._open)[-1] == homes[-1] / "index" and len(kept._open) == kept.MOST_OPEN
    kept.let_go(homes[-1])
    kept.let_go(tmp_path / "never opened")
    assert homes[-1] / "index" not in kept._open
    for path in (homes[-1] / "index").glob(f"{FILE_NAME}*"):
        path.write_bytes(b"no database" * 500)
    with pytest.raises(BadProject, match="cannot be used"):
        kept.look_for_words(homes[-1], "e", "pump", 5).result()
