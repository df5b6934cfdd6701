"""Texts through a BERT embedder on the processor: the model's own sums in less time

For a question of 30 tokens the library spends a third of its time between the operations, and in each layer the weights
are brought into the order the processor multiplies them in, at every call anew. Here that is done once, when the model
is loaded (a second copy of them, 21 MB for MiniLM in bfloat16), and the layers follow each other without modules.

Many texts lie one behind the other in one matrix, so that hardly anything is computed on padding, and each attends to
itself in products of its own: for a text of 240 tokens torch's attention takes 1.0 ms on two cores, three operations
0.6. Where the library read 9,700 tokens of passages a second, this read 12,700, and the matrix products, which are as
fast as the processor does them, were 70 % of that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    Linear = Callable[[Tensor], Tensor]
    Layer = Callable[[Tensor, "Sequence[Place]"], Tensor]
    QuickReader = Callable[[Sequence[Sequence[int]], Callable[[], None]], list[tuple[Tensor, Tensor]]]

ROWS = 32  # tokens the weights are ordered for: a long question's
# A text's rows, its columns of attention and all rows come in multiples: each new shape is prepared anew, and softmax
# goes by 32 columns, with which it takes half as long as with a few more.
STEP, COLUMNS, ALL = 8, 32, 64
ALIKE = 0.9999  # least cosine of a text's vector to what the model itself gives
ALIKE_TOKENS = 0.999  # the same of each token's, of which only the best match in a chunk counts


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text lies among the rows."""

    begin: int
    end: int  # of its rows, those that fill them up included
    length: int  # tokens


def quicken(model: Any, samples: Sequence[Sequence[int]]) -> QuickReader | None:
    """A function from texts' token ids, special ones included, to the vector of each and those of its tokens, shapes
    (size,) and (tokens, size). It calls another function before every layer, which may rest or raise.

    None where the model is no BERT on the processor, this build of torch has no ordered weights, or the vectors of the
    `samples` are not those of the model itself.
    """
    bert = model.transformers_model
    if type(bert).__name__ != "BertModel" or bert.device.type != "cpu" or not _is_plain(bert.config):
        return None
    try:
        read = _reader(model, bert)
        return read if _are_alike(model, read, samples) else None
    except (AttributeError, RuntimeError):  # it only saves time
        return None


def _is_plain(config: Any) -> bool:
    """Whether the layers compute what `_layer` does: places are absolute, nothing is attended to but the text."""
    absolute = getattr(config, "position_embedding_type", None) in (None, "absolute")
    return config.hidden_act == "gelu" and absolute and not config.is_decoder and not config.add_cross_attention


def _reader(model: Any, bert: Any) -> QuickReader:
    import torch

    layers = [_layer(each, bert.config) for each in bert.encoder.layer]
    after = list(model)[1:]  # how a text's vector comes of its tokens'

    def finish(tokens: Tensor) -> tuple[Tensor, Tensor]:
        there = torch.ones((1, len(tokens)), dtype=torch.long)
        features = {"token_embeddings": tokens[None], "attention_mask": there}
        for module in after:
            features = module(features)
        return features["sentence_embedding"][0], tokens

    def read(texts: Sequence[Sequence[int]], between: Callable[[], None]) -> list[tuple[Tensor, Tensor]]:
        with torch.inference_mode():
            places, rows = _places([len(each) for each in texts])
            ids, order = torch.zeros((2, 1, rows), dtype=torch.long)
            for place, text in zip(places, texts, strict=True):
                ids[0, place.begin : place.begin + place.length] = torch.tensor(text)
                order[0, place.begin : place.begin + place.length] = torch.arange(place.length)
            found = bert.embeddings(input_ids=ids, position_ids=order, token_type_ids=torch.zeros_like(ids))[0]
            for layer in layers:
                between()
                found = layer(found, places)
            return [finish(found[each.begin : each.begin + each.length]) for each in places]

    return read


def _places(lengths: Sequence[int]) -> tuple[list[Place], int]:
    """Where texts of such lengths lie, and how many rows there are; beyond the last text enough for its columns."""
    if len(lengths) == 1:  # a question: nothing is computed that is not asked for
        return [Place(0, lengths[0], lengths[0])], lengths[0]
    places, begin = [], 0
    for length in lengths:
        places.append(Place(begin, begin + _filled(length, STEP), length))
        begin = places[-1].end
    return places, _filled(begin + COLUMNS, ALL)


def _filled(count: int, step: int) -> int:
    return -(-count // step) * step


def _layer(layer: Any, config: Any) -> Layer:
    """One layer as a function of the tokens' states, shape (rows, size), and where the texts lie among them."""
    import torch
    from torch.nn.functional import layer_norm, scaled_dot_product_attention

    size, heads = config.hidden_size, config.num_attention_heads
    own = (layer.attention.self.query, layer.attention.self.key, layer.attention.self.value)
    asked = _ordered(torch.cat([each.weight for each in own]), torch.cat([each.bias for each in own]))
    given = _ordered(layer.attention.output.dense.weight, layer.attention.output.dense.bias)
    wide = _ordered(layer.intermediate.dense.weight, layer.intermediate.dense.bias, "gelu")
    narrow = _ordered(layer.output.dense.weight, layer.output.dense.bias)
    scale, nothing = (size // heads) ** -0.5, torch.empty(())

    def even(states: Tensor, norm: Any) -> Tensor:
        return layer_norm(states, (size,), norm.weight, norm.bias, norm.eps)

    def attend(states: Tensor, places: Sequence[Place]) -> Tensor:
        rows = len(states)
        queries, keys, values = asked(states).view(rows, 3, heads, size // heads).permute(1, 2, 0, 3)
        if len(places) == 1:  # one operation is less than three
            found = scaled_dot_product_attention(queries[None], keys[None], values[None])[0]
            return found.transpose(0, 1).reshape(rows, size)
        found = torch.zeros((heads, rows, size // heads), dtype=states.dtype)
        for each in places:
            # Columns of the next text are there as well, so that softmax has its multiple; they are given no weight.
            end = min(rows, each.begin + _filled(each.length, COLUMNS))
            scores = torch.baddbmm(
                nothing.to(states.dtype),
                queries[:, each.begin : each.end],
                keys[:, each.begin : end].transpose(1, 2),
                beta=0,
                alpha=scale,
            )
            scores[:, :, each.length :] = float("-inf")
            weights = torch.softmax(scores, dim=-1)
            found[:, each.begin : each.end] = torch.bmm(weights, values[:, each.begin : end])
        return found.transpose(0, 1).reshape(rows, size)

    def run(states: Tensor, places: Sequence[Place]) -> Tensor:
        states = even(states + given(attend(states, places)), layer.attention.output.LayerNorm)
        return even(states + narrow(wide(states)), layer.output.LayerNorm)

    return run


def _ordered(weight: Tensor, bias: Tensor, then: str = "none") -> Linear:
    """Multiplying with a matrix that is brought into the processor's own order once, as torch's compiler does it."""
    import torch

    multiply = torch.ops.mkldnn._linear_pointwise.default
    ordered = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), ROWS)
    bias = bias.detach()
    return lambda states: multiply(states, ordered, bias, then, [], "none")


def _are_alike(model: Any, read: QuickReader, samples: Sequence[Sequence[int]]) -> bool:
    """Whether texts' vectors, read alone and together, and each of their tokens', point where the model has them."""
    import torch

    near = torch.nn.functional.cosine_similarity
    for found in ([read([ids], _go_on)[0] for ids in samples], read(samples, _go_on)):
        for ids, (vector, tokens) in zip(samples, found, strict=True):
            with torch.inference_mode():
                text = torch.tensor([ids])
                own = model({"input_ids": text, "attention_mask": torch.ones_like(text)})
            whole = near(vector.float(), own["sentence_embedding"][0].float(), dim=0)
            each = near(tokens.float(), own["token_embeddings"][0].float(), dim=-1)
            if not (bool(whole >= ALIKE) and bool(each.min() >= ALIKE_TOKENS)):
                return False
    return True


def _go_on() -> None:
    """Neither rests nor raises."""
