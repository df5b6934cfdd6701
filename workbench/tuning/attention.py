"""Attention of one row in half precision, as plain matrix products: faster on a CPU than torch's fused kernel.

That holds for rows of 60 to 600 tokens. The fused kernel keeps no [queries, keys] matrix; on rows this short keeping it
costs little (a quarter of what a layer keeps anyway) and saves computing it again. Scores are rounded to half
precision, as in transformers' eager attention.
"""

from __future__ import annotations

import functools
from typing import Any

FEWEST, MOST = 48, 640  # queries at least and keys at most


def fits(query: Any, key: Any) -> bool:
    """Whether `attend_row` is the way for these: half precision and neither very short nor very long."""
    return bool(query.element_size() == 2 and query.shape[2] >= FEWEST and key.shape[2] <= MOST)


def attend_row(query: Any, key: Any, value: Any, mask: Any, scale: float) -> Any:
    """[1, heads, queries, head_dim] of keys and values [1, heads, keys, head_dim]; `mask` [queries, keys] is added to
    the scores."""
    return _function().apply(query, key, value, mask, scale)


@functools.cache
def _function() -> Any:
    import torch

    class Attention(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, query: Any, key: Any, value: Any, mask: Any, scale: float) -> Any:
            query, key, value = (each[0].contiguous() for each in (query, key, value))
            scores = torch.bmm(query, key.transpose(1, 2)).mul_(scale).add_(mask)
            shares = scores.softmax(-1)
            ctx.save_for_backward(query, key, value, shares)
            ctx.scale = scale
            return torch.bmm(shares, value)[None]

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> tuple[Any, ...]:
            query, key, value, shares = ctx.saved_tensors
            gradient = gradient[0].contiguous()
            to_value = torch.bmm(shares.transpose(1, 2), gradient)
            to_shares = torch.bmm(gradient, value.transpose(1, 2))
            to_scores = torch._softmax_backward_data(to_shares, shares, -1, shares.dtype).mul_(ctx.scale)
            to_query, to_key = torch.bmm(to_scores, key), torch.bmm(to_scores.transpose(1, 2), query)
            return to_query[None], to_key[None], to_value[None], None, None

    return Attention
