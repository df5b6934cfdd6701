"""Print what passages and the sections around them hold of `resources/search`, and how many tokens that takes.

On the half that is there for choosing; with `--report` on the other one, which no setting was chosen on.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from workbench.bench.search import CHOOSING, REPORTING, Asked, read_questions, write_documents
from workbench.documents.document import Chunk
from workbench.events import Result, last_result
from workbench.index import embed
from workbench.index.build import build
from workbench.index.files import read_index
from workbench.retrieval.passage import Passage
from workbench.retrieval.search import search
from workbench.retrieval.sections import sought, widen

COUNTS, MOST = (1, 2, 3, 4, 5, 8), (150, 250, 400, 600, 1000)
KINDS = ("reworded", "exact", "plain")


def main() -> None:
    half = REPORTING if "--report" in sys.argv else CHOOSING
    asked = [each for each in read_questions() if each.half == half and each.kind in KINDS]
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "project"
        write_documents(Path(name) / "documents")
        last_result(build(home, (Path(name) / "documents",)))
        questions = tuple(each.question for each in asked)
        print("percent of questions whose answer is in what is given, and the tokens of that as the embedder counts")
        print(f"{'':24}{'all':>8}{'reworded':>10}{'exact':>8}{'plain':>8}{'tokens':>9}")
        for count in COUNTS:
            found = [
                event.value.passages for event in search(home, questions, sought(count)) if isinstance(event, Result)
            ]
            _show(f"{count} passages", asked, [each[:count] for each in found])
            with read_index(home) as keywords:
                for tokens in MOST:
                    _show(
                        f"{count} sections of {tokens}", asked, [widen(keywords, each, count, tokens) for each in found]
                    )


def _show(name: str, asked: Sequence[Asked], given: Sequence[Sequence[Passage]]) -> None:
    held = [any(_answers(each, passage) for passage in some) for each, some in zip(asked, given, strict=True)]
    shares = []
    for kinds in (KINDS, *((kind,) for kind in KINDS)):
        of_kind = [right for each, right in zip(asked, held, strict=True) if each.kind in kinds]
        shares.append(100 * sum(of_kind) / len(of_kind))
    lengths = embed.open_embedder().count([" ".join(passage.text for passage in some) for some in given])
    print(
        f"{name:24}{shares[0]:8.1f}{shares[1]:10.1f}{shares[2]:8.1f}{shares[3]:8.1f}{sum(lengths) / len(lengths):9.0f}"
    )


def _answers(asked: Asked, given: Passage) -> bool:
    return asked.answered(Chunk(given.id, given.file, given.location, given.text, given.start, given.end, 0, 0))


if __name__ == "__main__":
    main()
