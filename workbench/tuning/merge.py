"""The base with an adapter added in, as one GGUF, written a few rows at a time."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from workbench.catalog.gguf_header import DEFAULT_ALIGNMENT, TENSOR_TYPES, GgufHeader, TensorInfo, read_header
from workbench.errors import BadModel
from workbench.tuning.gguf_lora import Lora, read_matrix, to_floats

BLOCK = 2 << 20  # values that are merged at once: 8 MB of floats, some tens of milliseconds
CHUNK = 8 << 20  # bytes that are copied at once
KEPT = ("F32", "F16", "BF16")  # kinds of the base that a merged tensor keeps; all coarser ones become Q8_0
NUMBERS = {name: number for number, (name, _, _) in TENSOR_TYPES.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """One tensor of the merged file."""

    tensor: TensorInfo  # as the base has it
    kind: str  # as it is written
    offset: int  # bytes from where the tensors begin
    size: int
    merged: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The merged file before it is written."""

    base: Path
    header: GgufHeader
    parts: tuple[Part, ...]
    alignment: int
    size: int  # bytes of all of it

    @property
    def merged(self) -> int:
        """How many tensors are changed."""
        return sum(part.merged for part in self.parts)


def plan_merge(base: Path, lora: Lora, strength: float) -> Plan:
    """What the merged file will be; at strength 0 it is the base's own weights. Raises BadModel, MissingFile.

    A changed tensor is written finer than the base had it: 8 bits keep what a small change of 4-bit weights would lose.
    """
    header = read_header(base)
    alignment = int(header.metadata.get("general.alignment", DEFAULT_ALIGNMENT))
    parts, offset, infos = [], 0, 0
    for tensor in header.tensors:
        merged = bool(strength) and tensor.name in lora.pairs
        kind = _kind(tensor) if merged else tensor.type
        size = _bytes(kind, tensor.shape)
        parts.append(Part(tensor, kind, offset, size, merged))
        offset += _aligned(size, alignment)
        infos += len(_info(parts[-1]))
    return Plan(base, header, tuple(parts), alignment, _aligned(header.metadata_end + infos, alignment) + offset)


def write_merged(plan: Plan, lora: Lora, strength: float, file: BinaryIO) -> Iterator[int]:
    """Write the file; yields how many bytes of it are there. Metadata and tokenizer are the base's to the byte."""
    with plan.base.open("rb") as base:
        file.write(base.read(plan.header.metadata_end))
        for part in plan.parts:
            file.write(_info(part))
        start = _aligned(file.tell(), plan.alignment)
        for part in plan.parts:
            _pad(file, start + part.offset)
            yield file.tell()
            base.seek(part.tensor.offset)
            blocks = _merge(part, base, lora, strength) if part.merged else _copy(part, base)
            for block in blocks:
                file.write(block)
                yield file.tell()
        _pad(file, plan.size)
    yield file.tell()


def _kind(tensor: TensorInfo) -> str:
    if tensor.type in KEPT:
        return tensor.type
    return "Q8_0" if tensor.shape[0] % 32 == 0 else "F16"


def _bytes(kind: str, shape: tuple[int, ...]) -> int:
    _, values, size = TENSOR_TYPES[NUMBERS[kind]]
    count = 1
    for each in shape:
        count *= each
    return count // values * size


def _info(part: Part) -> bytes:
    """A tensor's entry in the header: name, dimensions, number format, place (the GGUF specification, version 2 on)."""
    name, shape = part.tensor.name.encode(), part.tensor.shape
    head = struct.pack("<Q", len(name)) + name + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return head + struct.pack("<IQ", NUMBERS[part.kind], part.offset)


def _aligned(place: int, alignment: int) -> int:
    return -(-place // alignment) * alignment


def _pad(file: BinaryIO, place: int) -> None:
    file.write(b"\0" * (place - file.tell()))


def _copy(part: Part, base: BinaryIO) -> Iterator[bytes]:
    for start in range(0, part.size, CHUNK):
        yield base.read(min(CHUNK, part.size - start))


def _merge(part: Part, base: BinaryIO, lora: Lora, strength: float) -> Iterator[bytes]:
    """W + scale * B A, some rows at a time. The adapter's rows stand in the order of the base's."""
    import gguf
    import numpy as np

    tensor, pair = part.tensor, lora.pairs[part.tensor.name]
    width, rows = tensor.shape
    low, high = read_matrix(lora.path, pair.low), read_matrix(lora.path, pair.high)
    high = high * (strength * lora.scale(tensor.name))
    step = max(1, BLOCK // width)
    for first in range(0, rows, step):
        count = min(step, rows - first)
        try:
            values = to_floats(base.read(tensor.size // rows * count), tensor.type, width)
        except NotImplementedError as error:
            raise BadModel(f"The base holds weights as {tensor.type}, which cannot be merged with here.") from error
        values = values + high[first : first + count] @ low
        if not np.isfinite(values).all():
            raise BadModel(f"The adapter makes weights of {tensor.name} that are no numbers, so it is not merged.")
        yield _packed(gguf, values, part.kind)


def _packed(gguf: Any, values: Any, kind: str) -> bytes:
    if kind == "F32":
        return bytes(values.astype("<f4", copy=False).tobytes())
    return bytes(gguf.quants.quantize(values, gguf.GGMLQuantizationType[kind]).tobytes())
