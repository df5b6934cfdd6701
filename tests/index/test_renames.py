from __future__ import annotations

from pathlib import Path

import pytest
import quick_embedder
from index_checks import built

from workbench.index.files import document_text


@pytest.fixture(autouse=True)
def without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_embedder.install(monkeypatch)


def test_a_renamed_folder_keeps_every_vector(project: Path, folder: Path) -> None:
    for number in range(12):  # of the same size, so that only their contents tell them apart
        (folder / "sub" / f"note{number:02}.md").write_text(
            f"# Note {number:02}\n\nThe lamp in room {number:02} burns.\n"
        )
    first = built(project, folder)
    (folder / "sub").rename(folder / "other")
    report = built(project, folder)
    assert (report.embedded, report.chunks, len(report.renamed)) == (0, first.chunks, 14)
    assert ("sub/note07.md", "other/note07.md") in report.renamed
    assert "room 07" in document_text(project, "other/note07.md")


def test_an_edit_after_a_rename_embeds_its_new_chunks_only(project: Path, folder: Path) -> None:
    built(project, folder)
    (folder / "pumps.md").rename(folder / "pump-handbook.md")
    assert built(project, folder).embedded == 0
    path = folder / "pump-handbook.md"
    path.write_text(path.read_text() + "\n## Storage\n\nDrain the pump before the frost.\n")
    assert built(project, folder).embedded == 1


def test_two_files_that_change_names_keep_their_texts(project: Path, folder: Path) -> None:
    built(project, folder)
    (folder / "pumps.md").rename(folder / "waiting")
    (folder / "returns.txt").rename(folder / "pumps.md")
    (folder / "waiting").rename(folder / "returns.txt")
    built(project, folder)
    assert "Goods may be returned" in document_text(project, "pumps.md")
    assert "Prime the pump" in document_text(project, "returns.txt")
