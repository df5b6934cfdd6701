"""Print how many questions of `resources/search` each setting of the fusion answers.

On the half that is there for choosing; with `--report` on the other one, which no setting was chosen on.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

from workbench.bench.search import CHOOSING, REPORTING, Asked, K, read_questions, write_documents
from workbench.documents.document import Chunk
from workbench.events import last_result
from workbench.index import embed
from workbench.index.build import build
from workbench.index.embed import Read
from workbench.index.files import read_index
from workbench.index.kept import look_up
from workbench.index.tokens import closeness
from workbench.retrieval.fusion import fuse
from workbench.retrieval.legs import nearest_chunks

CONSTANTS, DEPTHS, WEIGHTS = (60, 20, 5), (10, 20, 50, 200), (0.5, 0.75, 1.0, 1.25, 1.5)
TOKEN_WEIGHTS = (0.0, 1.0, 2.0, 3.0)
Legs = tuple[list[tuple[str, float]], list[str], dict[str, float]]  # nearest, worded, and how close all of them come
Ranking = Callable[[Legs], list[str]]


def main() -> None:
    half = REPORTING if "--report" in sys.argv else CHOOSING
    asked = [each for each in read_questions() if each.half == half and each.kind in ("reworded", "exact")]
    with tempfile.TemporaryDirectory() as name:
        write_documents(Path(name) / "documents")
        last_result(build(Path(name) / "project", (Path(name) / "documents",)))
        legs, chunks = _search(Path(name) / "project", asked)
    print("percent of questions whose answer is among the first five, mean reciprocal rank of the answer")
    print(f"{'':34}{'all':>14}{'reworded':>14}{'exact':>14}")
    _show("vectors alone", lambda each: [key for key, _ in each[0]], asked, legs, chunks)
    _show("BM25 alone", lambda each: each[1], asked, legs, chunks)
    for constant in CONSTANTS:
        for depth in DEPTHS:
            for weight in WEIGHTS:
                for tokens in TOKEN_WEIGHTS:
                    name = f"constant {constant}, {depth} deep, {weight}, {tokens}"
                    _show(name, _fused(constant, depth, weight, tokens), asked, legs, chunks)


def _search(project: Path, asked: list[Asked]) -> tuple[list[Legs], dict[str, Chunk]]:
    embedder = embed.open_embedder()
    read = _whole(embedder.read_stepwise([each.question for each in asked]))
    legs: list[Legs] = []
    with read_index(project) as keywords:
        for place, each in enumerate(asked):
            near = nearest_chunks(project, keywords, embedder.hash, read.vectors[place : place + 1], max(DEPTHS))
            word = [key for key, _ in keywords.search(each.question, max(DEPTHS))]
            ids = list({*dict(near), *word})
            signs = look_up(project, embedder.hash, ids).result().signs
            close = closeness(read.tokens[place], signs, embedder.multiplies_in)
            legs.append((near, word, close))
        named = {key for near, word, _ in legs for key in [*dict(near), *word]}
        return legs, {key: piece for key, (piece, _) in keywords.chunks_by_id(sorted(named)).items()}


def _whole(steps: Generator[int, None, Read]) -> Read:
    """What a stepwise reading gives in the end."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            read: Read = done.value
            return read


def _fused(constant: float, depth: int, weight: float, tokens: float) -> Ranking:
    def ranking(each: Legs) -> list[str]:
        near, word = each[0][:depth], each[1][:depth]
        closest = sorted({*dict(near), *word}, key=lambda key: -each[2][key])
        return [found.id for found in fuse(near, word, constant, weight, closest, tokens)]

    return ranking


def _show(name: str, ranking: Ranking, asked: list[Asked], legs: list[Legs], chunks: dict[str, Chunk]) -> None:
    places = {}
    for each, both in zip(asked, legs, strict=True):
        ranked = ranking(both)[:20]
        places[each] = next((place for place, key in enumerate(ranked, 1) if each.answered(chunks[key])), 0)
    columns = []
    for kinds in (("reworded", "exact"), ("reworded",), ("exact",)):
        of_kind = [place for each, place in places.items() if each.kind in kinds]
        within = 100 * sum(0 < place <= K for place in of_kind) / len(of_kind)
        columns.append(f"{within:7.1f} {sum(1 / place for place in of_kind if place) / len(of_kind):6.3f}")
    print(f"{name:34}" + "".join(columns))


if __name__ == "__main__":
    main()
