"""What must hold of an index after every build: both legs, the manifest and the documents agree to the last chunk."""

from __future__ import annotations

from pathlib import Path

from workbench.documents.chunk import embedded_text
from workbench.events import last_result
from workbench.index.build import build
from workbench.index.embed import Embedder, open_embedder
from workbench.index.keywords import Keywords
from workbench.index.report import IndexReport
from workbench.index.store import open_store
from workbench.index.tokens import TokenSigns


def built(project: Path, folder: Path) -> IndexReport:
    """Build, check that everything agrees, and give the report."""
    report = last_result(build(project, (folder,)))
    assert isinstance(report, IndexReport)
    check_agreement(project)
    return report


def check_agreement(project: Path, fresh: bool = False, embedder: Embedder | None = None) -> int:
    """Nothing lost, nothing twice, nothing left over; gives the number of chunks."""
    embedder = embedder or open_embedder()
    index = project / "index"
    with Keywords(index) as keywords:
        rows = [row for row in keywords.files() if row.state == "indexed"]
        named: list[str] = []
        for row in rows:
            text, chunks = keywords.text(row), keywords.chunks(row)
            assert len(chunks) == row.chunks > 0
            assert all(each.text == text[each.start : each.end] for each in chunks)
            lengths = embedder.count([embedded_text(each) for each in chunks])
            assert max(lengths) <= embedder.limit
            named += [each.id for each in chunks]
        assert len(named) == len(set(named))
        assert keywords.row_counts() == (len(named), len(named))
        assert keywords.fact("dirty") == "0"
        store = open_store(index / "chroma", fresh=fresh)
        with TokenSigns(index) as tokens:
            assert tokens.ids(embedder.hash) == set(named)
        stored = [key for fingerprint in store.fingerprints() for key in store.ids(fingerprint)]
    assert sorted(stored) == sorted(named)
    return len(named)
