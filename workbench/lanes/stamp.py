"""What an answer was made with, taken from the runtime: hashes of the very files, the exact prompt, the build."""

from __future__ import annotations

import functools
import platform
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import records
from workbench.errors import MissingFile
from workbench.lanes.lane import Sampling, Stamp
from workbench.retrieval.passage import Passage

if TYPE_CHECKING:
    from workbench.lanes.context import Context


COPIED = "; weights read from their Q8_0 copy"  # in a build's text


def read_a_copy(stamp: Stamp) -> bool:
    """Whether an answer was made with the faster copy of its model's weights."""
    return COPIED in stamp.build


def make_stamp(
    context: Context, prompt: str, passages: tuple[Passage, ...], sampling: Sampling, canary: str = ""
) -> Stamp:
    """The stamp of an answer that `context` decodes: adapter and scale are those set in it."""
    return Stamp(
        model=file_hash(context.model.source),
        adapter=context.adapter_hash,
        adapter_scale=context.scale,
        prompt_hash=records.hash_text(prompt),
        passages=tuple(passage.id for passage in passages),
        base=passages[0].base if passages else "",
        seed=sampling.seed,
        sampling=asdict(sampling),
        build=build_text(
            context.model.extra_buffers, context.threads, context.model.path != context.model.source, context.flash
        )
        + card_text(context),
        canary=canary,
    )


def card_text(context: Context) -> str:
    """What is computed on a graphics card, as the build's text goes on; "" where nothing is."""
    from workbench.lanes.offload import cards
    from workbench.lanes.split import split_words

    if not context.model.layers:
        return ""
    where = split_words(cards(), context.model.split)
    return f"; {context.model.layers} of {context.model.every_layer} layers on {where}"


def file_hash(path: Path) -> str:
    """SHA-256 of a file, kept in memory as long as its size and time stay as they are. Raises MissingFile."""
    try:
        stat = path.stat()
        return _hash(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise MissingFile(f"{path.name} cannot be read any more: was it moved or deleted? Choose another.") from error


@functools.lru_cache(maxsize=32)
def _hash(path: Path, size: int, changed: int) -> str:
    return records.hash_file(path)


def build_text(extra_buffers: bool, threads: int, copied: bool = False, flash: bool = False) -> str:
    """llama.cpp's version, its CPU features, extra buffers on or off, threads, attention, and whether a faster
    copy is read."""
    weights = COPIED if copied else ""
    attention = "; flash attention" if flash else ""
    return f"{_build()}; extra buffers {'on' if extra_buffers else 'off'}; {threads} threads{attention}{weights}"


@functools.cache
def _build() -> str:
    from workbench.lanes.llama import library

    lib = library()
    features = lib.llama_print_system_info().decode(errors="replace").strip(" |")
    return f"llama-cpp-python {lib.__version__} on {platform.machine()}; {features}"
