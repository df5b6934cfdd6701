"""Read the header of a GGUF file without trusting it.

llama.cpp ends the process on some damaged files, so every model and adapter is read here first. Nothing is believed:
each length is held against what is left of the file before anything is read or allocated, counts have ceilings, and
every tensor must lie inside the file. The layout is that of the GGUF specification (github.com/ggml-org/ggml,
docs/gguf.md), versions 2 and 3, little-endian.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from workbench.errors import BadModel, MissingFile

Scalar = str | int | float | bool

# Ceilings, each several times above the largest model in use, each small enough to be harmless.
MOST_ENTRIES = 4096  # metadata keys; large models have about 60
MOST_TENSORS = 65_536  # the largest mixtures of experts have a few thousand
MOST_STRINGS = 2_000_000  # in one array; the largest vocabularies have 262 thousand tokens and twice as many merges
LONGEST_KEY = 65_535  # bytes, the specification's own limit
LONGEST_NAME = 256  # bytes of a tensor's name; ggml itself takes 64
LONGEST_STRING = 8 << 20  # bytes; the longest chat templates have 30 thousand
DEFAULT_ALIGNMENT = 32  # bytes, where general.alignment is not given

# Metadata value types of the specification: struct's letter; 8 is a string, 9 an array.
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9

# Tensor types of ggml: name, values in a block, bytes of a block (ggml.h and ggml-common.h; a test holds them
# against the gguf package, which is older than llama.cpp and lacks Q2_0).
TENSOR_TYPES = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18), 42: ("Q2_0", 64, 18),
}  # fmt: skip

# general.file_type (llama.h, llama_ftype), where its name says more than the commonest tensor type does.
FILE_TYPES = {
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 21: "Q2_K_S",
    22: "IQ3_XS", 27: "IQ3_M", 29: "IQ2_M",
}  # fmt: skip

SPECIAL_TOKENS = ("bos", "eos", "eot", "eom", "unknown", "padding", "separator")


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Where one tensor lies and what it holds."""

    name: str
    shape: tuple[int, ...]  # ggml order: the first dimension runs fastest
    type: str  # "Q4_K", "F16"
    offset: int  # bytes from the beginning of the file
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says about itself, every length and place checked against the file."""

    kind: str  # general.type: "model", "adapter", "mmproj", "imatrix"; "model" where it is not given
    architecture: str  # "llama", "qwen2"
    name: str  # general.name, for people; "" where there is none
    quantisation: str  # "Q4_K_M"
    parameters: int  # values in all tensors
    context_length: int  # tokens the model was trained for, 0 where it is not said
    chat_template: str  # Jinja source of the model's own template, "" where there is none; untrusted
    vocabulary: int  # tokens, 0 where there is no tokenizer
    special_tokens: Mapping[str, str]  # "bos", "eos", ... to the token's text
    metadata: Mapping[str, Scalar]  # every scalar; strings included, arrays left out
    array_lengths: Mapping[str, int]  # every array's length
    tensors: tuple[TensorInfo, ...]
    size: int  # bytes of the whole file
    templates: Mapping[str, str] = field(default_factory=dict)  # further templates by name: "tool_use", "rag"
    metadata_end: int = 0  # bytes from the beginning: up to here counts and metadata, from here on the tensors' infos

    def number(self, key: str, default: int = 0) -> int:
        """A whole number of the model's own section, `ARCHITECTURE.key`; the default where it is not one."""
        value = self.metadata.get(f"{self.architecture}.{key}", default)
        return int(value) if isinstance(value, (int, float)) else default


def read_header(path: Path) -> GgufHeader:
    """The header of a GGUF file.

    Raises MissingFile where there is no such file, and BadModel with a plain sentence where it is not a whole, sound
    GGUF of a kind that is known here.
    """
    try:
        with path.open("rb") as file:
            return _read(_Reader(file, path.stat().st_size, path.name))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise MissingFile(f"There is no model file at {path}.") from error
    except OSError as error:
        raise BadModel(f"{path.name} cannot be read ({error.strerror}).") from error


class _Reader:
    """Takes values off a file in order and never past its end."""

    def __init__(self, file: BinaryIO, size: int, name: str) -> None:
        self._file = file
        self.size = size
        self.name = name
        self.position = 0

    def bad(self, what: str) -> BadModel:
        return BadModel(f"{self.name} is not a usable model file: {what}.")

    def need(self, count: int) -> None:
        """Raise BadModel unless `count` bytes are left."""
        if count > self.size - self.position:
            raise self.bad("it ends too early, so it is cut short or damaged; fetch or copy it again")

    def take(self, count: int) -> bytes:
        self.need(count)
        data = self._file.read(count)
        if len(data) != count:
            raise self.bad("it became shorter while it was read")
        self.position += count
        return data

    def skip(self, count: int) -> None:
        self.need(count)
        self._file.seek(count, 1)
        self.position += count

    def unpack(self, letter: str) -> Scalar:
        pattern = "<" + letter
        value: Scalar = struct.unpack(pattern, self.take(struct.calcsize(pattern)))[0]
        return value

    def whole(self, letter: str = "Q") -> int:
        return int(self.unpack(letter))

    def string(self, longest: int = LONGEST_STRING) -> str:
        length = self.whole()
        if length > longest:
            raise self.bad(f"it holds a text of {length} bytes where at most {longest} make sense")
        return self.take(length).decode("utf-8", errors="replace")

    def kind(self) -> int:
        found = self.whole("I")
        if found not in SCALARS and found not in (STRING, ARRAY):
            raise self.bad(f"it holds a value of the unknown type {found}")
        return found


@dataclass(slots=True)
class _Metadata:
    """What is gathered while the metadata is read."""

    scalars: dict[str, Scalar] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)  # dropped once the special ones are known
    end: int = 0  # where it ends in the file


def _read(reader: _Reader) -> GgufHeader:
    tensor_count, entry_count = _counts(reader)
    found = _Metadata()
    for _ in range(entry_count):
        _entry(reader, found)
    found.end = reader.position
    infos = [_tensor_info(reader) for _ in range(tensor_count)]
    tensors = _placed(reader, infos, _alignment(reader, found.scalars))
    return _header(reader, found, tensors)


def _counts(reader: _Reader) -> tuple[int, int]:
    """The number of tensors and of metadata entries, once the file's first bytes are what they must be."""
    if reader.take(min(4, reader.size)) != b"GGUF":
        raise reader.bad("it does not begin as a GGUF file does")
    version = reader.whole("I")
    if version not in (2, 3):
        swapped = int.from_bytes(version.to_bytes(4, "little"), "big")
        kind = "is big-endian" if swapped in (2, 3) else f"has GGUF version {version}"
        raise reader.bad(f"it {kind}, and only little-endian versions 2 and 3 can be read")
    tensors, entries = reader.whole(), reader.whole()
    if tensors > MOST_TENSORS or entries > MOST_ENTRIES:
        raise reader.bad(f"it claims {tensors} tensors and {entries} entries, more than any model has")
    return tensors, entries


def _entry(reader: _Reader, found: _Metadata) -> None:
    """Read one metadata entry: its key, then a scalar, a string or an array."""
    key = reader.string(LONGEST_KEY)
    if key in found.scalars or key in found.lengths:
        raise reader.bad(f"it holds the key {key[:80]!r} twice")
    kind = reader.kind()
    if kind == STRING:
        found.scalars[key] = reader.string()
    elif kind == ARRAY:
        found.lengths[key] = _array(reader, found.tokens if key == "tokenizer.ggml.tokens" else None)
    else:
        found.scalars[key] = reader.unpack(SCALARS[kind])


def _array(reader: _Reader, keep: list[str] | None) -> int:
    """Pass over an array, keeping its strings where they are asked for; its length."""
    kind, length = reader.kind(), reader.whole()
    if kind == ARRAY:
        raise reader.bad("it holds arrays inside arrays, which no model has")
    if kind != STRING:
        reader.skip(length * struct.calcsize("<" + SCALARS[kind]))
        return length
    if length > MOST_STRINGS:
        raise reader.bad(f"it holds a list of {length} texts, more than any model has")
    reader.need(length * 8)  # each text has at least its own length
    for _ in range(length):
        if keep is None:
            reader.skip(reader.whole())
        else:
            keep.append(reader.string(LONGEST_KEY))
    return length


def _alignment(reader: _Reader, scalars: Mapping[str, Scalar]) -> int:
    value = scalars.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(value, int) or not 8 <= value <= 1 << 20 or value & (value - 1):
        raise reader.bad(f"its alignment of {value} makes no sense")
    return value


def _tensor_info(reader: _Reader) -> TensorInfo:
    """One tensor's name, shape and type; its offset still counted from the data's beginning."""
    name = reader.string(LONGEST_NAME)
    dimensions = reader.whole("I")
    if dimensions > 4:
        raise reader.bad(f"tensor {name[:64]!r} has {dimensions} dimensions, and ggml knows four")
    shape = tuple(reader.whole() for _ in range(dimensions))
    number = reader.whole("I")
    if number not in TENSOR_TYPES:
        raise reader.bad(f"tensor {name[:64]!r} has the number format {number}, which is not known here")
    kind, values, block = TENSOR_TYPES[number]
    if any(each <= 0 for each in shape) or (shape and shape[0] % values):
        raise reader.bad(f"tensor {name[:64]!r} has the impossible shape {shape}")
    return TensorInfo(name, shape, kind, reader.whole(), math.prod(shape) // values * block)


def _placed(reader: _Reader, infos: list[TensorInfo], alignment: int) -> tuple[TensorInfo, ...]:
    """The tensors with offsets from the file's beginning; raises BadModel where one does not lie inside the file."""
    start = -(-reader.position // alignment) * alignment
    placed, names = [], set()
    for info in infos:
        if info.name in names:
            raise reader.bad(f"it holds the tensor {info.name[:64]!r} twice")
        names.add(info.name)
        if info.offset % alignment:
            raise reader.bad(f"tensor {info.name[:64]!r} lies at a place that is not aligned")
        offset = start + info.offset
        if offset + info.size > reader.size:
            missing = (offset + info.size - reader.size) / 1e6
            raise reader.bad(f"its weights are cut short by at least {missing:.1f} MB; fetch or copy it again")
        placed.append(TensorInfo(info.name, info.shape, info.type, offset, info.size))
    return tuple(placed)


def _header(reader: _Reader, found: _Metadata, tensors: tuple[TensorInfo, ...]) -> GgufHeader:
    scalars = found.scalars
    architecture = _text(scalars, "general.architecture")
    if not architecture:
        raise reader.bad("it does not name its architecture")
    prefix = "tokenizer.chat_template."
    context = scalars.get(f"{architecture}.context_length", 0)
    return GgufHeader(
        kind=_text(scalars, "general.type") or "model",
        architecture=architecture,
        name=_text(scalars, "general.name"),
        quantisation=_quantisation(scalars, tensors),
        parameters=sum(math.prod(each.shape) for each in tensors),
        context_length=context if isinstance(context, int) else 0,
        chat_template=_text(scalars, "tokenizer.chat_template"),
        vocabulary=len(found.tokens),
        special_tokens=_special_tokens(found),
        metadata=scalars,
        array_lengths=found.lengths,
        tensors=tensors,
        size=reader.size,
        templates={key.removeprefix(prefix): _text(scalars, key) for key in scalars if key.startswith(prefix)},
        metadata_end=found.end,
    )


def _text(scalars: Mapping[str, Scalar], key: str) -> str:
    value = scalars.get(key, "")
    return value if isinstance(value, str) else ""


def _special_tokens(found: _Metadata) -> dict[str, str]:
    """The text of each special token whose id is given and is inside the vocabulary."""
    texts = {}
    for each in SPECIAL_TOKENS:
        number = found.scalars.get(f"tokenizer.ggml.{each}_token_id")
        if isinstance(number, int) and 0 <= number < len(found.tokens):
            texts[each] = found.tokens[number]
    return texts


def _quantisation(scalars: Mapping[str, Scalar], tensors: tuple[TensorInfo, ...]) -> str:
    """The name of the file's type, or else of the type most of its weights have."""
    number = scalars.get("general.file_type")
    if isinstance(number, int) and number in FILE_TYPES:
        return FILE_TYPES[number]
    weights: dict[str, int] = {}
    for each in tensors:
        weights[each.type] = weights.get(each.type, 0) + math.prod(each.shape)
    return max(weights, key=lambda kind: weights[kind], default="")
