"""What a model takes in memory, what is free here, and whether the one fits the other."""

from __future__ import annotations

from pathlib import Path

import psutil

from workbench.catalog.gguf_header import GgufHeader
from workbench.errors import TooLittleMemory
from workbench.settings import load_settings

USUAL_CONTEXT = 4096  # tokens a lane reserves unless it is told otherwise
BATCH = 512  # tokens llama.cpp computes at once (its default n_ubatch)
ENGINE = 60 << 20  # bytes of a child with llama.cpp loaded, beside the model: 45 MB seen as it starts, some more later
VOCABULARY = 400  # bytes a token of the vocabulary takes beside the weights: 18 MB seen with the starter's 49152
PROGRAM = 300 << 20  # bytes of a child with torch loaded, beside the model
EMBEDDER_FACTOR = 2.5  # fp32 weights, a working copy of the layers, and a batch of passages, in units of the weights


def kv_bytes(header: GgufHeader) -> int:
    """Bytes one token of context takes: keys and values of every layer in 16 bits.

    Models with sliding windows or recurrent layers take less; this is the upper bound.
    """
    heads = header.number("attention.head_count", 1)
    width = header.number("embedding_length") // max(heads, 1)
    keys, values = header.number("attention.key_length", width), header.number("attention.value_length", width)
    return header.number("block_count") * header.number("attention.head_count_kv", heads) * (keys + values) * 2


def estimate(weights: int, kv: int, tokens: int, context: int = USUAL_CONTEXT) -> int:
    """Bytes of a chat model in use by one lane: weights, vocabulary, the context's keys and values, and its buffers.

    The buffers are what llama.cpp computes in (see `context_bytes`); where a model's widths are not known they are
    taken as the keys and values of BATCH tokens, which is about right for the usual shapes.
    """
    return weights + VOCABULARY * tokens + kv * (context + BATCH) + ENGINE


def context_bytes(header: GgufHeader, length: int, sequences: int, at_once: int, flash: bool) -> int:
    """Bytes of a context of some sequences, `length` tokens each, that reads so many tokens `at_once`.

    Keys and values; then what a layer computes in, about three rows of the feed-forward's width and four of the
    model's for each token; the attention's scores, one for each head and token read before (with flash attention only
    the mask of them, in 16 bits); and the scores of the vocabulary for one token a sequence. Within a tenth of the
    buffers llama.cpp reports for the starter from 512 to 8192 tokens, in 32 bits.
    """
    heads, width = header.number("attention.head_count", 1), header.number("embedding_length")
    row = 4 * (3 * header.number("feed_forward_length") + 4 * width) + length * (2 if flash else 4 * heads)
    return (
        kv_bytes(header) * length * sequences
        + min(at_once, length * sequences) * row
        + 4 * sequences * header.vocabulary
    )


def model_bytes(header: GgufHeader, share: float = 1.0) -> int:
    """Bytes of a model's weights and vocabulary; `share` is that of the weights which is not on a card."""
    return int(header.size * share) + VOCABULARY * header.vocabulary


def estimate_header(header: GgufHeader, context: int = USUAL_CONTEXT) -> int:
    """Bytes of a loaded chat model, from its own header."""
    return estimate(header.size, kv_bytes(header), header.vocabulary, context)


def estimate_embedder(size: int) -> int:
    """Bytes of a loaded embedder whose weights have `size` bytes."""
    return int(size * EMBEDDER_FACTOR) + PROGRAM


def total() -> int:
    """Bytes of memory this process may use in all: the machine's, or less where a container limits it."""
    limit = _container_limit()
    return min(psutil.virtual_memory().total, limit) if limit else int(psutil.virtual_memory().total)


def free(*, here: bool = True) -> int:
    """Bytes that can be taken now without swapping, and without going over the limit a person set for a process.

    This process holds a part of that limit already; with `here` false it is asked for one that will be started.
    """
    limit, available = _container_limit(), int(psutil.virtual_memory().available)
    if limit:
        available = min(available, max(limit - _container_use(), 0))
    chosen = load_settings().memory_limit * 1e9
    held = psutil.Process().memory_info().rss if here else 0
    return min(available, max(0, int(chosen) - held)) if chosen > 0 else available


def fits(needed: int) -> bool:
    """Whether this machine holds that much and a fifth of its memory stays for everything else."""
    chosen = load_settings().memory_limit * 1e9
    return needed <= (min(chosen, total() * 0.8) if chosen > 0 else total() * 0.8)


def require(needed: int, what: str, *, here: bool = True) -> None:
    """Raise TooLittleMemory unless `needed` bytes are free now; `here` as in `free`."""
    found = free(here=here)
    if needed > found:
        raise TooLittleMemory(
            f"{what} needs about {needed / 1e9:.1f} GB of memory and {found / 1e9:.1f} GB are free: "
            f"close other programs, {_limit_words()}choose a smaller model or a shorter context."
        )


def _limit_words() -> str:
    limit = load_settings().memory_limit
    return f"raise the limit of {limit:g} GB in Settings, or " if limit > 0 else "or "


def _container_limit() -> int:
    """The memory limit of this process's container in bytes (cgroup v2), 0 where there is none."""
    return _read_number(Path("/sys/fs/cgroup/memory.max"))


def _container_use() -> int:
    """Bytes the container holds that the kernel cannot give back at once: all but the file cache out of use."""
    used = _read_number(Path("/sys/fs/cgroup/memory.current"))
    try:
        lines = Path("/sys/fs/cgroup/memory.stat").read_text().splitlines()
    except OSError:
        return used
    cached = [int(line.split()[1]) for line in lines if line.startswith("inactive_file ")]
    return max(used - sum(cached), 0)


def _read_number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # not Linux, no limit ("max"), or an older kernel
        return 0
