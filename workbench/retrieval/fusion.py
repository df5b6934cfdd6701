"""Rankings of chunks, by meaning, by words and by the meaning of each word, as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

# Reciprocal rank fusion: score = sum over legs of weight / (RRF_K + rank). Cormack, Clarke and Buettcher, "Reciprocal
# Rank Fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009, with 60 for lists of thousands.
# Chosen among 3 constants, 4 depths and 5 weights on one half of the questions in resources/search (153 of them): the
# answer is among the first five passages for 82 %. With 60 and a depth of 10 it is so too, but there a weight of 1.5
# falls to 70 %; vectors alone 71 %, BM25 alone 66 %. With 5, all depths and weights from 0.75 to 1.25 stay within four
# points, so nothing hangs on the exact values. `python resources/choose_fusion.py` prints the table.
RRF_K = 5  # so small that the best of one leg comes before what is middling in both
KEYWORD_WEIGHT = 1.0  # of the words beside the vectors
# What both legs found is ranked once more, word by word (index/tokens.py). On the same half the first five passages
# then hold the answer to 89 % of the reworded questions in place of 80; weights from 1 to 3 and depths from 20 to 100
# stay within two points of that.
TOKEN_WEIGHT = 2.0
LOOKED_AT = 50  # of each leg, at least
REREAD = 20  # of the fused ranking that a reranker reads; the hundred of both legs would take a CPU several seconds


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk and where each leg placed it."""

    id: str
    score: float  # fused
    vector_rank: int | None = None  # 1-based
    keyword_rank: int | None = None
    similarity: float | None = None  # cosine
    token_rank: int | None = None  # 1-based place among what both legs found, word by word
    reread_rank: int | None = None  # 1-based place among those a reranker read
    newer_than: str = ""  # the file of an older edition, before which this one was put


def fuse(
    nearest: Sequence[tuple[str, float]],
    worded: Sequence[str],
    constant: float = RRF_K,
    weight: float = KEYWORD_WEIGHT,
    closest: Sequence[str] = (),
    token_weight: float = TOKEN_WEIGHT,
) -> list[Found]:
    """Both legs as one ranking, best first; ties go to the one nearer in meaning. `closest` ranks what they found."""
    vector_ranks = {key: rank for rank, (key, _) in enumerate(nearest, start=1)}
    keyword_ranks = {key: rank for rank, key in enumerate(worded, start=1)}
    token_ranks = {key: rank for rank, key in enumerate(closest, start=1)}
    cosines = dict(nearest)
    found = []
    for key in dict.fromkeys([*vector_ranks, *keyword_ranks]):
        ranks = (vector_ranks.get(key), keyword_ranks.get(key), token_ranks.get(key))
        shares = zip((1.0, weight, token_weight), ranks, strict=True)
        score = sum(share / (constant + rank) for share, rank in shares if rank)
        found.append(Found(key, score, ranks[0], ranks[1], cosines.get(key), ranks[2]))
    return sorted(found, key=lambda each: (-each.score, -(each.similarity or -1.0), each.id))


def reranked(found: Sequence[Found], scores: Sequence[float]) -> list[Found]:
    """The ranking with its first ones in the order of a reranker's scores, one for each; ties stay as they were.

    Their score is then above that of all others: 1 and a share that falls with the place.
    """
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    first = [replace(found[place], score=1 + 1 / rank, reread_rank=rank) for rank, place in enumerate(order, start=1)]
    return [*first, *found[len(scores) :]]
