"""Which number type an embedder is read in: float32, or bfloat16 where this machine is faster in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

from workbench.index.varied import TEXTS

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Vectors = NDArray[numpy.float32]

ROUNDS = 8  # of timing either type, of a tenth of a second each
# Least cosine between a text's vectors in fp32 and in a faster type for the type to be used, over texts of many kinds.
KEPT_COSINE = 0.995


def probing(load: Callable[[str], Any]) -> Generator[None, None, str]:
    """The faster of fp32 and bf16 on this machine, bf16 only when it keeps the vectors' directions. `load` gives the
    embedder in one of them.

    Takes about three seconds, once per machine: bf16 is several times faster on CPUs with AMX, slower on others. They
    are timed in turn, and the least counts, for whatever else runs here only ever makes a call longer.
    """
    texts = [f"Sentence {n} of a passage that is read to measure how fast this machine is. " * 5 for n in range(4)]
    models, least = dict[str, Any](), dict[str, float]()
    for precision in ("float32", "bfloat16"):
        yield
        models[precision] = load(precision)
        yield
        took = _timed(models[precision], texts[:1])  # the first call prepares kernels
        if least and took > 4 * least["float32"]:
            return "float32"  # one text takes longer than all of them in fp32: this machine only emulates bf16
        least[precision] = _timed(models[precision], texts)
    for done in range(ROUNDS):
        for precision, model in models.items():
            yield
            least[precision] = min(least[precision], _timed(model, texts))
        if done and least["bfloat16"] > 2 * least["float32"]:
            return "float32"
    faster = least["bfloat16"] < 0.9 * least["float32"]
    kept = faster and least_cosine(*(_vectors(model, TEXTS) for model in models.values())) >= KEPT_COSINE
    return "bfloat16" if kept else "float32"


def _timed(model: Any, texts: list[str]) -> float:
    began = time.perf_counter()
    model.encode(texts, normalize_embeddings=True)
    return time.perf_counter() - began


def _vectors(model: Any, texts: Sequence[str]) -> Vectors:
    found: Vectors = model.encode(list(texts), normalize_embeddings=True, convert_to_tensor=True).float().cpu().numpy()
    return found


def least_cosine(one: Vectors, other: Vectors) -> float:
    """The least cosine between the rows of two arrays, whatever their lengths: bf16 leaves them a little off 1."""
    import numpy as np

    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(np.min(np.sum(one * other, axis=1) / lengths))
