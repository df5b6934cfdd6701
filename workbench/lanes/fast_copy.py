"""Which file to load for a model: its own, or a copy of the same weights in a kind this CPU reads faster.

llama.cpp has fast matrix kernels for some kinds of weights only. On a CPU with AVX2 alone the starter reads 205 tokens
a second as it ships (Q4_1) and 353 as Q8_0; with AMX the two are alike. So it is measured, once per build, CPU and kind
of weights, and the copy is used where it reads at least `WORTH` times as fast. Q8_0 is finer than what it is made from
(steps of 1/254 of a block's largest weight against 1/15 of its span), so answers stay what they were but for rounding.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from workbench import paths, records
from workbench.catalog import fast_copies
from workbench.catalog.gguf_header import read_header
from workbench.lanes.probe import extra_buffers_work, known_outcomes, outcome, read_seconds, survives, trial_key

SLOW_KINDS = {"Q4_1", "Q5_0", "Q5_1"}  # kinds without fast kernels on many CPUs, all coarser than Q8_0
LARGEST = 600 << 20  # bytes of the model's file: beyond that the copy's memory and disk cost more than reading gains
WORTH = 1.3  # how many times faster the copy must read
TOKENS = 320  # of a trial read
ROUNDS = 3  # trial reads of each, in turn
PATIENCE = 30.0  # seconds: a busy machine is asked another day, and reads the model's own file until then


def fast_copy(model: Path, exact: bool = False, copied: bool | None = None) -> Path:
    """The file to load for `model`; makes and measures the copy when this machine has not done so before.

    With `exact` nothing is measured: the copy is read where it is known to be faster. `copied` decides by itself.
    """
    if copied is False or not _may_gain(model):
        return model
    copy = fast_copies.copy_of(model)
    key = f"{trial_key(model)} q8_0"
    if exact and copied is None:
        copied = known_outcomes(paths.cache_folder() / "engine.json").get(key) is True
    if copied is None:
        copied = outcome(key, make_and_measure, str(model), str(copy), patience=PATIENCE)
    if not copied:
        return model
    if not copy.exists():  # measured with another file of the same kind
        survives(make_copy, str(model), str(copy))
    if copy.exists():
        fast_copies.note_source(model)
    return copy if copy.exists() else model


def make_and_measure(model: str, copy: str, cache: str, key: str) -> None:
    """The trial, in a process of its own: make the copy, read with both in turn, keep the outcome."""
    from workbench.lanes.context import Context
    from workbench.lanes.cores import CoreWatch
    from workbench.lanes.llama import Model
    from workbench.settings import available_cores

    watch = CoreWatch()
    make_copy(model, copy)
    threads = watch.threads(available_cores())  # those that spin on a core others use would measure the others
    loaded = [Model(path, extra_buffers_work(path)) for path in (Path(model), Path(copy))]
    contexts = [Context(each, None, 0.0, TOKENS, 1, threads) for each in loaded]
    slow, fast = read_seconds(contexts, TOKENS, ROUNDS)
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
    header = read_header(model)
    slow = sum(tensor.type in SLOW_KINDS for tensor in header.tensors)
    return header.size <= LARGEST and 2 * slow > len(header.tensors)
