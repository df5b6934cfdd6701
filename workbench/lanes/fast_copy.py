"""Which file to load for a model: its own, or a copy of the same weights in a kind this CPU reads faster.

llama.cpp has fast matrix kernels for some kinds of weights only. On a CPU with AVX2 alone the starter reads 205 tokens
a second as it ships (Q4_1) and 353 as Q8_0; with AMX the two are alike. So it is measured, once per build, CPU and kind
of weights, and the copy is used where it reads at least `WORTH` times as fast. Q8_0 is finer than what it is made from
(steps of 1/254 of a block's largest weight against 1/15 of its span), so answers stay what they were but for rounding.
"""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path

from workbench import records
from workbench.catalog import fast_copies
from workbench.lanes.adapter_file import model_header
from workbench.lanes.probe import (
    Trying,
    answer_seconds,
    extra_buffers_work,
    known,
    known_outcomes,
    least_seconds,
    survival,
    survives,
    trial_key,
    try_extra_buffers,
    trying,
)

SLOW_KINDS = {"Q4_1", "Q5_0", "Q5_1"}  # kinds without fast kernels on many CPUs, all coarser than Q8_0
LARGEST = 600 << 20  # bytes of the model's file: beyond that the copy's memory and disk cost more than reading gains
WORTH = 1.3  # how many times faster the copy must read
TOKENS = 320  # of a trial read
ROUNDS = 3  # trial reads of each, in turn
PATIENCE = 30.0  # seconds: a busy machine is asked another day, and reads the model's own file until then


def fast_copy(model: Path, copied: bool | None = None) -> Path:
    """The file to load for `model`: its copy where that is known to be faster here, or `copied` decides so."""
    if copied is False or not _may_gain(model):
        return model
    copy = fast_copies.copy_of(model)
    if not (known(_key(model)) if copied is None else copied):
        return model
    if not copy.exists():  # measured with another file of the same kind
        survives(make_copy, str(model), str(copy))
    return _noted(model, copy)


def try_copy(model: Path) -> Trying:
    """Find out, step by step, whether the copy is read faster: make it, see that it can be decoded, read with both."""
    key = _key(model)
    if not _may_gain(model):
        return False
    copy = fast_copies.copy_of(model)
    if known(key) is None or (known(key) and not copy.exists()):
        if not copy.exists() and not (yield from survival(make_copy, str(model), str(copy))):
            return False
        yield from try_extra_buffers(copy)
    found = yield from trying(key, measure, str(model), str(copy), patience=PATIENCE)
    _noted(model, copy)
    return found


def _key(model: Path) -> str:
    return f"{trial_key(model)} q8_0"


def _noted(model: Path, copy: Path) -> Path:
    """The copy, noted as this model's, or the model where there is none."""
    if not copy.exists():
        return model
    fast_copies.note_source(model)
    return copy


def measure(model: str, copy: str, cache: str, key: str) -> None:
    """The trial, in a process of its own: read with both in turn, keep the outcome, and the copy where it is faster."""
    from workbench.lanes.context import Context
    from workbench.lanes.cores import EVERY, CoreWatch
    from workbench.lanes.llama import Model
    from workbench.settings import available_cores

    watch = CoreWatch()
    time.sleep(EVERY)
    threads = watch.threads(available_cores())  # those that spin on a core others use would measure the others
    loaded = [Model(path, extra_buffers_work(path)) for path in (Path(model), Path(copy))]
    contexts = [Context(each, None, 0.0, TOKENS, 1, threads) for each in loaded]
    slow, fast = least_seconds(contexts, lambda context: answer_seconds(context, TOKENS), ROUNDS)
    faster = slow / fast >= WORTH
    records.write_json(Path(cache), {**known_outcomes(Path(cache)), key: faster})
    for context, each in zip(contexts, loaded, strict=True):
        context.close()
        each.close()  # a mapped file cannot be deleted on Windows
    if not faster:
        Path(copy).unlink(missing_ok=True)


def make_copy(model: str, copy: str) -> None:
    """Write the Q8_0 copy whole, then rename it; it takes about a second."""
    import llama_cpp

    from workbench.lanes.llama import library

    library()  # keeps llama.cpp's log quiet
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0
    parameters.allow_requantize = True
    part = f"{copy}.{os.getpid()}.part"
    Path(copy).parent.mkdir(parents=True, exist_ok=True)
    if llama_cpp.llama_model_quantize(model.encode(), part.encode(), ctypes.byref(parameters)) != 0:
        raise SystemExit("llama.cpp could not make the copy")
    os.replace(part, copy)


def _may_gain(model: Path) -> bool:
    header = model_header(model)
    slow = sum(tensor.type in SLOW_KINDS for tensor in header.tensors)
    return header.size <= LARGEST and 2 * slow > len(header.tensors)
