"""How many layers of a model are computed on a graphics card: where llama.cpp was built for one and it is faster there.

llama.cpp on PyPI is built for the processor alone; `CMAKE_ARGS=-DGGML_CUDA=ON make setup` (or VULKAN, HIP, SYCL) builds
it for a card. Which it was is asked of its registry of devices, so all of those are treated alike. Whether a card is
used is tried once per build, card and kind of weights, in a process of its own: a driver that dies must not take the
program with it, and a card inside a processor can be slower than the processor.

On an H200, a build for CUDA loaded the starter and answered with all its layers on the card, through llama_cpp's own
classes; the process died in `Model`, and what is thought to be the cause is gone (`llama._return_freed_memory`) but was
not tried there again. What is tested is the choice, on a build that has no card.
"""

from __future__ import annotations

import ctypes
import functools
import time
from dataclasses import dataclass
from pathlib import Path

from workbench import records
from workbench.catalog.gguf_header import GgufHeader
from workbench.catalog.memory import BATCH, kv_bytes
from workbench.events import Result, Stage
from workbench.lanes.probe import (
    Trying,
    answer_seconds,
    extra_buffers_work,
    known,
    known_outcomes,
    least_seconds,
    outcome,
    trial_key,
    trying,
)
from workbench.lanes.split import Split, room, split_over
from workbench.settings import available_cores, load_settings

CARD_KINDS = (1, 2)  # ggml_backend_dev_type: a card of its own, one inside the processor (ggml-backend.h)
SPARE = 0.9  # share of the card's free memory that is planned with
CONTEXT = 8192  # tokens of keys and values that must fit beside the layers: five lanes with passages
WORTH = 1.05  # how many times faster the card must read
TOKENS, ROUNDS = 512, 2  # of the trial
PATIENCE = 120.0  # seconds for it: kernels may be compiled for the card first


@dataclass(frozen=True, slots=True)
class Card:
    """A device llama.cpp can compute on beside the processor."""

    name: str  # llama.cpp's, "CUDA0"
    description: str  # the maker's
    free: int  # bytes
    total: int


def cards() -> tuple[Card, ...]:
    """The cards this build of llama.cpp computes on, in its order, with what is free on them now: those that are cards,
    or where there are none the one inside the processor."""
    from workbench.lanes.llama import library

    library()  # its start registers them
    ggml = _registry()
    devices = [ggml.ggml_backend_dev_get(place) for place in range(ggml.ggml_backend_dev_count())]
    own, inside = ([each for each in devices if ggml.ggml_backend_dev_type(each) == kind] for kind in CARD_KINDS)
    return tuple(_card(each) for each in own or inside[:1])


def list_cards() -> Stage:
    """STAGE: yields a Result with the cards, for the window, which never loads llama.cpp."""
    yield Result(cards())


def _card(device: int) -> Card:
    ggml = _registry()
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    ggml.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
    name, about = ggml.ggml_backend_dev_name(device), ggml.ggml_backend_dev_description(device)
    return Card(name.decode(errors="replace"), about.decode(errors="replace"), free.value, total.value)


@functools.cache
def _registry() -> ctypes.CDLL:
    """ggml's functions about devices, which llama-cpp-python has no names for."""
    from llama_cpp._ggml import libggml

    libggml.ggml_backend_dev_count.argtypes, libggml.ggml_backend_dev_count.restype = [], ctypes.c_size_t
    pointer = ctypes.c_void_p
    for name, result in (
        ("get", pointer),
        ("type", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("description", ctypes.c_char_p),
    ):
        function = getattr(libggml, f"ggml_backend_dev_{name}")
        function.argtypes, function.restype = [ctypes.c_size_t if name == "get" else pointer], result
    size = ctypes.POINTER(ctypes.c_size_t)
    libggml.ggml_backend_dev_memory.argtypes = [pointer, size, size]
    libggml.ggml_backend_dev_memory.restype = None
    found: ctypes.CDLL = libggml
    return found


def layers_on_card(model: Path, wait: bool = False) -> int:
    """Layers of this model to compute on the card, the output counted as one; 0: the processor does all of it.

    A person's number is taken as it is, cut to what the model has; otherwise as many as fit, if that is faster. Where
    nobody knows yet it is 0, or with `wait` tried now.
    """
    layers, key = _planned(model)
    if not key:
        return layers
    faster = outcome(key, measure, str(model), str(layers), patience=PATIENCE) if wait else known(key)
    return layers if faster else 0


def try_card(model: Path) -> Trying:
    """Find out, step by step, whether the card is faster."""
    layers, key = _planned(model)
    if not key:
        return False
    found = yield from trying(key, measure, str(model), str(layers), patience=PATIENCE)
    return found


def planned_split() -> Split | None:
    """How a model is spread over the cards that are there, as a person's settings have it; None for one card."""
    chosen = load_settings()
    return split_over(cards(), chosen) if chosen.gpu_layers else None


def _planned(model: Path) -> tuple[int, str]:
    """How many layers, and under which key a trial says whether they are faster on the card; "" needs none."""
    from workbench.lanes.adapter_file import model_header

    wanted = load_settings().gpu_layers
    found = cards() if wanted else ()
    if not found:
        return 0, ""
    header = model_header(model)
    if wanted > 0:
        return min(wanted, header.number("block_count") + 1), ""
    split = split_over(found, load_settings())
    layers = layers_that_fit(header, room(found, split))
    about = ", ".join(f"{card.description} {card.total}" for card in found) + (f" {split}" if split else "")
    return layers, f"{trial_key(model)} {layers} layers on {about}" if layers else ""


def layers_that_fit(header: GgufHeader, free: int) -> int:
    """How many layers fit into `free` bytes beside the keys and values of CONTEXT tokens and a batch's scores."""
    every = header.number("block_count") + 1
    room = SPARE * free - BATCH * header.vocabulary * 4
    each = (header.size + kv_bytes(header) * CONTEXT) / every
    return max(0, min(every, int(room / each)))


def measure(model: str, layers: str, cache: str, key: str) -> None:
    """The trial, in a process of its own: read on the processor and on the card in turn, keep the outcome."""
    from workbench.lanes.context import Context
    from workbench.lanes.cores import EVERY, CoreWatch
    from workbench.lanes.llama import Model

    watch = CoreWatch()
    time.sleep(EVERY)
    threads = watch.threads(available_cores())
    works, split = extra_buffers_work(Path(model)), planned_split()
    loaded = [Model(Path(model), works, layers=count, split=split) for count in (0, int(layers))]
    contexts = [Context(each, None, 0.0, TOKENS, 1, threads) for each in loaded]
    here, there = least_seconds(contexts, lambda context: answer_seconds(context, TOKENS), ROUNDS)
    records.write_json(Path(cache), {**known_outcomes(Path(cache)), key: here / there >= WORTH})
