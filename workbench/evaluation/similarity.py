"""Likeness of two texts through the knowledge worker, where the embedder lives."""

from __future__ import annotations

from functools import lru_cache

from workbench.children import Worker
from workbench.evaluation.checks import Similarity
from workbench.events import Progress, Result, Stage, last_result
from workbench.index import embed


def measure_cosine(first: str, second: str) -> Stage:
    """STAGE: the cosine of two texts' embeddings, -1 to 1, as the last Result; runs where the embedder is loaded."""
    embedder = embed.open_embedder()
    yield Progress(0, 1, "Comparing meanings", "texts")
    one, other = embedder.encode([first, second])  # of length 1, so that their product is the cosine
    yield Result(float(one @ other))


def similarity_with(knowledge: Worker) -> Similarity:
    """A function that gives the cosine of two texts, asking the worker once per pair; raises as the stage does."""

    @lru_cache(maxsize=4096)
    def similarity(first: str, second: str) -> float:
        return float(last_result(knowledge.run(measure_cosine, first, second)))

    return similarity
