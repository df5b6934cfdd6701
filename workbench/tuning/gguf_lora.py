"""A GGUF LoRA adapter, read without trusting it: whether it is whole, is meant for a base, and holds sound numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.catalog.gguf_header import TENSOR_TYPES, GgufHeader, TensorInfo, read_header
from workbench.errors import BadModel
from workbench.events import Progress
from workbench.tuning.adapter import TENSORS
from workbench.tuning.base import BaseInfo

LARGEST = 4 << 30  # bytes; rank 128 on every projection of an 8-billion model takes 1.3 GB in 32 bits
MOST_RANK = 1024  # the largest in use have 256
MOST_SCALE = 64.0  # alpha over rank: 1 or 2 is usual, and a rank-stabilised one of rank 1024 has 32
KINDS = ("F32", "F16", "BF16")  # of weights; llama.cpp adds no others to a batch of lanes

_NAME = re.compile(rf"(blk\.\d{{1,4}}\.(?:{'|'.join(TENSORS.values())})\.weight)\.lora_([ab])")


@dataclass(frozen=True, slots=True)
class Pair:
    """The two halves that change one tensor of the base."""

    low: TensorInfo  # A, (inputs, rank) in ggml's order of dimensions
    high: TensorInfo  # B, (rank, outputs)

    @property
    def rank(self) -> int:
        return self.low.shape[1]


@dataclass(frozen=True, slots=True)
class Lora:
    """An adapter whose every part is known to fit its base."""

    path: Path
    alpha: float
    pairs: dict[str, Pair]  # by the tensor of the base that each changes

    def scale(self, name: str) -> float:
        """By what B times A is multiplied before it is added to a tensor, as llama.cpp does it at strength 1."""
        return self.alpha / self.pairs[name].rank

    @property
    def rank(self) -> int:
        """The highest rank of all parts."""
        return max(pair.rank for pair in self.pairs.values())


def read_lora(path: Path, info: BaseInfo, base: str) -> Lora:
    """Read an adapter's header against the base called `base`. Raises BadModel with the reason, MissingFile."""
    header, name = read_header(path), path.name
    if header.kind != "adapter" or header.metadata.get("adapter.type") != "lora":
        raise BadModel(f"{name} is not a LoRA adapter (it says it is: {header.kind[:40]}): choose another file.")
    if header.size > LARGEST:
        raise BadModel(f"{name} has {header.size / 1e9:.1f} GB, more than any adapter needs: it is not one to trust.")
    if header.architecture != info.architecture:
        raise BadModel(
            f"{name} is for {header.architecture[:40]} models and {base} is a {info.architecture} model: choose the "
            "model it was made for."
        )
    if any("alora" in key for key in (*header.metadata, *header.array_lengths)):
        raise BadModel(f"{name} works only after certain words (an activated LoRA), which is not supported here.")
    pairs = _pairs(header, info, name, base)
    alpha = header.metadata.get("adapter.lora.alpha")
    if isinstance(alpha, (bool, str)) or alpha is None or not math.isfinite(alpha) or alpha <= 0:
        raise BadModel(f"{name} does not say how strong it is (adapter.lora.alpha is {alpha}): it cannot be used.")
    found = Lora(path, alpha, pairs)
    strongest = max(found.scale(each) for each in pairs)
    if strongest > MOST_SCALE:
        raise BadModel(f"{name} would be added {strongest:.0f} times over (alpha over rank), which no training gives.")
    return found


def _pairs(header: GgufHeader, info: BaseInfo, name: str, base: str) -> dict[str, Pair]:
    halves: dict[str, dict[str, TensorInfo]] = {}
    for tensor in header.tensors:
        known = _NAME.fullmatch(tensor.name)
        if known is None:
            raise BadModel(f"{name} changes {tensor.name[:80]}, which is not known to be right in llama.cpp.")
        if tensor.type not in KINDS:
            raise BadModel(f"{name} holds weights as {tensor.type}; an adapter's can be {', '.join(KINDS)}.")
        halves.setdefault(known[1], {})[known[2]] = tensor
    if not halves:
        raise BadModel(f"{name} holds no weights, so it changes nothing.")
    return {target: _pair(target, each, info, name, base) for target, each in halves.items()}


def _pair(target: str, halves: dict[str, TensorInfo], info: BaseInfo, name: str, base: str) -> Pair:
    shape = info.tensors.get(target)
    if shape is None:
        raise BadModel(f"{name} changes {target}, which {base} does not have: it was made for another model.")
    if set(halves) != {"a", "b"}:
        raise BadModel(f"{name} holds only half of what changes {target}: it is damaged; get it again.")
    low, high = halves["a"].shape, halves["b"].shape
    if len(low) != 2 or len(high) != 2 or low[1] != high[0] or (low[0], high[1]) != shape:
        raise BadModel(
            f"{name} was made for a model of another size: its change to {target} is {low} times {high}, and {base} "
            f"has {shape} there."
        )
    if low[1] > MOST_RANK:
        raise BadModel(f"{name} has the rank {low[1]} at {target}; up to {MOST_RANK} are taken.")
    return Pair(halves["a"], halves["b"])


def check_values(lora: Lora) -> Iterator[Progress]:
    """Read every number once. Raises BadModel where one is not a number, or where all together change nothing."""
    import numpy as np

    changes = False
    for done, (target, pair) in enumerate(lora.pairs.items()):
        yield Progress(done, len(lora.pairs), "checking the adapter's weights", "tensors")
        low, high = read_matrix(lora.path, pair.low), read_matrix(lora.path, pair.high)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise BadModel(f"{lora.path.name} holds weights that are no numbers (at {target}): its training failed.")
        changes = changes or bool(low.any() and high.any())
    if not changes:
        raise BadModel(f"{lora.path.name} changes nothing, as an adapter before its training: choose a trained one.")


def read_matrix(path: Path, tensor: TensorInfo) -> Any:
    """A matrix of a GGUF as numpy float32 in the usual order of axes: [rows, columns]."""
    with path.open("rb") as file:
        file.seek(tensor.offset)
        return to_floats(file.read(tensor.size), tensor.type, tensor.shape[0])


def to_floats(raw: bytes, kind: str, width: int) -> Any:
    """Whole rows of `width` values as ggml stores them, as numpy float32 [rows, width]; `kind` is "F32" or "Q4_1"."""
    import gguf
    import numpy as np

    if kind == "F32":
        return np.frombuffer(raw, dtype=np.float32).reshape(-1, width)
    _, values, size = next(each for each in TENSOR_TYPES.values() if each[0] == kind)
    rows = np.frombuffer(raw, dtype=np.uint8).reshape(-1, width // values * size)
    return gguf.quants.dequantize(rows, gguf.GGMLQuantizationType[kind]).astype(np.float32, copy=False)
