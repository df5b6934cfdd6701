"""Rows are packed into one long sequence without padding and without cross-talk, and what they share is read once.

Everything in a decoder but attention treats each token alone, so rows can stand one after the other in one sequence as
long as each keeps its own positions and attends to itself only. Rows that begin alike (the same system prompt, the
same instruction) get that beginning once: a token's state depends on what stands before it, which is the same for
all of them. Both are exact, forwards and backwards; `tests/tuning/test_packing.py` compares with plain rows.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.tuning import attention
from workbench.tuning.tokens import Tokens

ATTENTION = "workbench_packed"  # the name the attention function is registered under in transformers

# Tokens. Backwards torch's fused kernel for the CPU takes five times as long in bf16 as in fp32 on rows of 20 tokens
# and three times on rows of 100; at 500 both are the same, and longer ones are faster in bf16 (AVX-512 with bf16).
SHORT = 400


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with a common beginning, as places in the packed sequence."""

    start: int  # of the common beginning
    shared: int  # its length in tokens, may be 0
    rows: tuple[tuple[int, int], ...]  # (start, length) of what each row has of its own
    members: tuple[int, ...]  # which of the packed rows they are


@dataclass(frozen=True, slots=True)
class Packed:
    """Several rows as one sequence of T tokens."""

    ids: Any  # int64 [T]
    positions: Any  # int64 [T]: each token's place in its own row
    groups: tuple[Group, ...]
    sources: Any  # int64 [N]: places whose next token is trained
    labels: Any  # int64 [N]: that next token
    tokens: int  # tokens of the rows, the shared ones counted once per row

    @property
    def length(self) -> int:
        """T."""
        return len(self.ids)


def pack(rows: Sequence[Tokens]) -> Packed:
    """Pack rows; see the module's docstring."""
    import torch

    ids: list[int] = []
    positions: list[int] = []
    sources: list[int] = []
    labels: list[int] = []
    groups = []
    for members, shared in group_rows(rows):
        start = len(ids)
        ids += rows[members[0]].ids[:shared]
        positions += range(shared)
        own = []
        for member in members:
            row = rows[member]
            offset = len(ids) - shared  # a token's place in the sequence, minus its place in the row
            own.append((len(ids), len(row.ids) - shared))
            ids += row.ids[shared:]
            positions += range(shared, len(row.ids))
            for first, last in row.spans:
                sources += range(offset + first - 1, offset + last - 1)
                labels += row.ids[first:last]
        groups.append(Group(start, shared, tuple(own), tuple(members)))
    tensors = [torch.tensor(each, dtype=torch.long) for each in (ids, positions, sources, labels)]
    return Packed(tensors[0], tensors[1], tuple(groups), tensors[2], tensors[3], sum(len(row.ids) for row in rows))


def group_rows(rows: Sequence[Tokens]) -> list[tuple[list[int], int]]:
    """(places of rows, length of their common beginning): sorted by content, joined where joining saves tokens.

    The common beginning ends before the token that predicts a row's first trained one, so no trained token is shared.
    """
    order = sorted(range(len(rows)), key=lambda place: rows[place].ids)
    groups: list[tuple[list[int], int]] = []
    for place in order:
        row, limit = rows[place], rows[place].spans[0][0] - 1
        if groups:
            members, shared = groups[-1]
            common = common_length(rows[members[0]].ids[: shared if len(members) > 1 else None], row.ids)
            common = min(common, limit, rows[members[0]].spans[0][0] - 1)
            if common * len(members) > shared * (len(members) - 1) and common >= 4:
                groups[-1] = ([*members, place], common)
                continue
        groups.append(([place], 0))
    return groups


def packed_length(rows: Sequence[Tokens]) -> int:
    """T of some rows, without packing them."""
    return sum(shared + sum(len(rows[place].ids) - shared for place in members) for members, shared in group_rows(rows))


def common_length(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens two rows share at their beginning."""
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return place
    return min(len(first), len(second))


def micro_batches(rows: Sequence[Tokens], budget: int) -> list[list[int]]:
    """Places of rows in parts of about `budget` tokens, so that a stop is noticed soon and memory stays small."""
    parts: list[list[int]] = []
    room = 0
    for members, shared in group_rows(rows):
        fresh = True
        for place in members:
            cost = len(rows[place].ids) - (0 if fresh else shared)
            if not parts or cost > room:
                parts.append([])
                room, cost = budget, len(rows[place].ids)
            parts[-1].append(place)
            room, fresh = room - cost, False
    return parts


def register_attention() -> None:
    """Make `attend` known to transformers as the attention called ATTENTION."""
    from transformers import AttentionInterface

    AttentionInterface.register(ATTENTION, attend)


def attend(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: float | None = None, **others: Any
) -> tuple[Any, None]:
    """Attention of a packed sequence: shapes [1, heads, T, head_dim]; gives [1, T, heads, head_dim]."""
    import torch

    groups: tuple[Group, ...] = others["groups"]
    repeat = query.shape[1] // key.shape[1]
    if repeat > 1:  # grouped-query attention; the CPU's flash kernel wants as many keys as queries
        key, value = key.repeat_interleave(repeat, dim=1), value.repeat_interleave(repeat, dim=1)
    sizes = [size for group in groups for size in (group.shared, *(length for _, length in group.rows))]
    # One split each, not a slice per row: backwards a slice fills a whole zero matrix, a split joins its pieces once.
    parts = zip(*(each.split(sizes, dim=2) for each in (query, key, value)), strict=True)
    pieces = []
    for group in groups:
        first_query, first_key, first_value = next(parts)
        if group.shared:
            pieces.append(_attend_row(first_query, first_key, first_value, 0, scaling))
        for _ in group.rows:
            own_query, own_key, own_value = next(parts)
            if group.shared:
                own_key = torch.cat([first_key, own_key], dim=2)
                own_value = torch.cat([first_value, own_value], dim=2)
            pieces.append(_attend_row(own_query, own_key, own_value, group.shared, scaling))
    return torch.cat(pieces, dim=2).transpose(1, 2).contiguous(), None


def _attend_row(query: Any, key: Any, value: Any, before: int, scaling: float | None) -> Any:
    """Attention of one row, whose queries come after `before` keys of a shared beginning."""
    from torch.nn.functional import scaled_dot_product_attention

    kind, length, scale = query.dtype, query.shape[2], scaling or query.shape[3] ** -0.5
    if attention.fits(query, key):
        return attention.attend_row(query, key, value, _sees(length, before, kind), scale)
    if key.shape[2] < SHORT:
        query, key, value = query.float(), key.float(), value.float()
    if not before:
        return scaled_dot_product_attention(query, key, value, is_causal=True, scale=scale).to(kind)
    mask = _sees(length, before, query.dtype)
    return scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale).to(kind)


@functools.lru_cache(maxsize=64)  # every layer asks for the same
def _sees(length: int, before: int, kind: Any) -> Any:
    """[length, before + length]: what is added to the scores, so that a row sees the beginning and what it has read."""
    import torch

    seen = torch.ones(length, before + length, dtype=torch.bool).tril(before)
    return torch.zeros(length, before + length, dtype=kind).masked_fill(~seen, -torch.inf)
