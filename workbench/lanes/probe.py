"""Trials: what is tried in a process of its own, once per build, CPU and kind of weights, and kept in the cache folder.

The first of them is whether llama.cpp's extra buffers work here. Built with gcc 12, llama-cpp-python 0.3.36 dies with a
segmentation fault at its first decode on a CPU with AMX; built with clang it does not, and then extra buffers make
reading several times faster. Nobody can tell from outside how a copy was built, so it is tried where a crash does no
harm. The others, in `fast_copy`, `attention` and `offload`, time what is faster. Nobody's first answer waits for a
trial: `choice` says what is known, `settle` finds out the rest.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import paths, processor, records
from workbench.children import stop_requested
from workbench.lanes.adapter_file import model_header
from workbench.lanes.cores import too_busy
from workbench.priority import TRAINING, give_way

if TYPE_CHECKING:
    from workbench.lanes.context import Context

PATIENCE = 120.0  # seconds for the trial; a model that takes longer to load than this runs without extra buffers
WARM = 16  # tokens that are read before a trial is timed; a whole chunk may be all there is to read
EDITION = 2  # of the trials: raised when what an earlier one found is no good: the first timed no reading
AGAIN = 3600.0  # seconds after which a trial that took too long is tried again
TRIAL_TOKENS = 64  # enough that the matrix kernels of batches are used, beside those of single tokens


Trying = Generator[
    None, None, bool | None
]  # a trial: yields ten times a second until it knows, or None if it was put off

_given_up: set[str] = set()  # trials this process does not try again


def known(key: str) -> bool | None:
    """What a trial has found on this machine; None where nobody knows yet."""
    found = known_outcomes(_cache()).get(key)
    return found if isinstance(found, bool) else None


def known_outcomes(cache: Path) -> dict[str, Any]:
    """What trials on this machine have found so far, and when one took too long (seconds since 1970); nothing where the
    file is missing or damaged."""
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        return dict(records.read_json(cache))
    return {}


def drained(steps: Trying) -> bool:
    """The outcome of a trial, waited for; False where nobody knows, or a stop came, which puts it off."""
    with contextlib.closing(steps):
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return bool(end.value)
            if stop_requested():
                return False


def extra_buffers_work(model: Path) -> bool:
    """Whether this model may be loaded with extra buffers, tried now where nobody knows; False where that died or hung,
    or was stopped."""
    return drained(try_extra_buffers(model))


def try_extra_buffers(model: Path) -> Trying:
    """The same, step by step. It times nothing, so how busy the machine is does not matter."""
    key = trial_key(model)
    works = known(key)
    if works is None:
        works = yield from survival(try_decoding, str(model))
        with contextlib.suppress(OSError):  # without a cache it is tried again next time
            records.write_json(_cache(), {**known_outcomes(_cache()), key: works})
    return works


def outcome(key: str, trial: Callable[..., None], *arguments: str, patience: float = PATIENCE) -> bool:
    """What `trying` finds, waited for; False where nobody knows."""
    return drained(trying(key, trial, *arguments, patience=patience))


def trying(key: str, trial: Callable[..., None], *arguments: str, patience: float = PATIENCE) -> Trying:
    """What a trial found on this machine, tried now where nobody knows; False where it died or hung, and None where it
    was put off.

    It runs in a process of its own, gets the arguments, the cache file and the key, and writes what it found there.
    One that dies is not tried again by this process, one that took too long by none for an hour; on a machine that
    others keep busy it is put off, for it would time the others. It gives way to whatever else begins.
    """
    known_here = known_outcomes(_cache())
    if key not in known_here and key not in _given_up and time.time() - known_here.get(_hung(key), 0.0) >= AGAIN:
        if too_busy():
            return None
        began = time.monotonic()
        survived = yield from survival(trial, *arguments, str(_cache()), key, patience=patience, niceness=TRAINING)
        if not survived:
            _given_up.add(key)
            if time.monotonic() - began >= patience:
                with contextlib.suppress(OSError):
                    records.write_json(_cache(), {**known_outcomes(_cache()), _hung(key): time.time()})
    return bool(known(key))


def _cache() -> Path:
    return paths.cache_folder() / "engine.json"


def _hung(key: str) -> str:
    """Under which name it is kept when a trial took too long."""
    return f"{key} took too long at"


def survives(function: Callable[..., None], *arguments: str, patience: float = PATIENCE) -> bool:
    """Whether a function ends in peace, and within so many seconds, in a process of its own; False after a stop."""
    return drained(survival(function, *arguments, patience=patience))


def survival(
    function: Callable[..., None], *arguments: str, patience: float = PATIENCE, niceness: int = 0
) -> Generator[None, None, bool]:
    """The same, step by step; closing it ends the process."""
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=_begin, args=(niceness, function, *arguments), name="engine trial")
    process.start()
    try:
        until = time.monotonic() + patience
        while process.is_alive() and time.monotonic() < until:
            process.join(0.1)
            yield
    finally:
        if process.is_alive():
            process.kill()
            process.join()
        code = process.exitcode
        process.close()
    return code == 0


def _begin(niceness: int, function: Callable[..., None], *arguments: str) -> None:
    give_way(niceness)
    function(*arguments)


def try_decoding(model: str) -> None:
    """The trial: load with extra buffers, read a few tokens at once, then decode some singly."""
    _die_quietly()
    from workbench.lanes.context import Context
    from workbench.lanes.llama import Model

    context = Context(Model(Path(model), extra_buffers=True), None, 0.0, 256, 1, 1)
    tokens = [10 + place for place in range(TRIAL_TOKENS)]
    context.read(0, tokens, 0, lambda: False)
    for place in range(4):
        context.decode([(0, 10 + place, TRIAL_TOKENS + place)])
    os._exit(0 if context.logits(0).size else 1)


def least_seconds(
    contexts: Sequence[Context], work: Callable[[Context], float], rounds: int, seconds: float = 0.0
) -> list[float]:
    """The least seconds that some work says it took in each context, in turn: in `rounds`, and in further ones while
    fewer than `seconds` have passed.

    The least, because what disturbs a trial only ever makes it longer.
    """
    least, began, done = [float("inf")] * len(contexts), time.perf_counter(), 0
    while done < rounds or time.perf_counter() - began < seconds:
        for number, context in enumerate(contexts):
            least[number] = min(least[number], work(context))
        done += 1
    return least


def answer_seconds(context: Context, length: int, said: int = 0) -> float:
    """Seconds in which a context reads `length` tokens, after the first few, which load pages, and decodes more."""
    tokens = [10 + place for place in range(length)]
    context.forget(0)
    place = context.read(0, tokens[:WARM], 0, lambda: False)
    began = time.perf_counter()
    while place < length:
        place = context.read(0, tokens, place, lambda: False)
    for place in range(said):
        context.decode([(0, 10 + place, length + place)])
    return time.perf_counter() - began


def trial_key(model: Path) -> str:
    """What the outcome depends on: the library file, the CPU and the kinds of weights in the model."""
    kinds = sorted({tensor.type for tensor in model_header(model).tensors})
    return records.hash_text(f"{EDITION} {_build()} {kinds}")[:32]


@functools.cache
def _build() -> str:
    """llama.cpp as it is installed, and the CPU."""
    from importlib.metadata import version
    from importlib.util import find_spec

    spec = find_spec("llama_cpp")
    folder = Path(spec.origin).parent / "lib" if spec and spec.origin else Path()
    built = sorted((each.name, each.stat().st_size, each.stat().st_mtime_ns) for each in folder.glob("*ggml*"))
    return f"{version('llama-cpp-python')} {built} {processor.name()} {sorted(processor.features())}"


def _die_quietly() -> None:
    """Leave no core dump and no dialog behind, for dying is one of the expected outcomes."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetErrorMode(0x0002)  # SEM_NOGPFAULTERRORBOX
    signal.signal(signal.SIGINT, signal.SIG_IGN)
