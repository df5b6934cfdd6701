"""Whether llama.cpp's extra buffers work here: tried in a child process, once per build, CPU and kind of weights.

Built with gcc 12, llama-cpp-python 0.3.36 dies with a segmentation fault at its first decode on a CPU with AMX; built
with clang it does not, and then extra buffers make reading several times faster. Nobody can tell from outside how a
copy was built, so it is tried where a crash does no harm, and the outcome is kept in the cache folder.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import paths, records
from workbench.children import stop_requested
from workbench.lanes.adapter_file import model_header
from workbench.lanes.cores import too_busy

if TYPE_CHECKING:
    from workbench.lanes.context import Context

PATIENCE = 120.0  # seconds for the trial; a model that takes longer to load than this runs without extra buffers
AGAIN = 3600.0  # seconds after which a trial that took too long is tried again
TRIAL_TOKENS = 64  # enough that the matrix kernels of batches are used, beside those of single tokens


_given_up: set[str] = set()  # trials this process does not try again


def extra_buffers_work(model: Path) -> bool:
    """Whether this model may be loaded with extra buffers; False where the trial died or hung."""
    key, cache = trial_key(model), paths.cache_folder() / "engine.json"
    known = known_outcomes(cache)
    if isinstance(known.get(key), bool):
        return bool(known[key])
    works = survives(try_decoding, str(model))
    if not works and stop_requested():  # it was put off
        return False
    with contextlib.suppress(OSError):  # without a cache it is tried again next time
        records.write_json(cache, {**known, key: works})
    return works


def known_outcomes(cache: Path) -> dict[str, Any]:
    """What trials on this machine have found so far, and when one took too long (seconds since 1970); nothing where the
    file is missing or damaged."""
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        return dict(records.read_json(cache))
    return {}


def outcome(key: str, trial: Callable[..., None], *arguments: str, patience: float = PATIENCE) -> bool:
    """What a trial found on this machine, tried now where nobody knows; False where it died, hung or was put off.

    It runs in a process of its own, gets the arguments, the cache file and the key, and writes what it found there.
    One that dies is not tried again by this process, one that took too long by none for an hour; on a machine that
    others keep busy it is put off to the next process, for somebody waits for an answer and it would time the others.
    """
    cache = paths.cache_folder() / "engine.json"
    known = known_outcomes(cache)
    if key not in known and key not in _given_up and time.time() - known.get(_hung(key), 0.0) >= AGAIN:
        began = time.monotonic()
        survived = not too_busy() and survives(trial, *arguments, str(cache), key, patience=patience)
        if not survived and not stop_requested():  # which only puts it off
            _given_up.add(key)
            if time.monotonic() - began >= patience:
                with contextlib.suppress(OSError):
                    records.write_json(cache, {**known_outcomes(cache), _hung(key): time.time()})
        known = known_outcomes(cache)
    return bool(known.get(key, False))


def _hung(key: str) -> str:
    """Under which name it is kept when a trial took too long."""
    return f"{key} took too long at"


def survives(function: Callable[..., None], *arguments: str, patience: float = PATIENCE) -> bool:
    """Whether a function ends in peace, and within so many seconds, in a process of its own; False after a stop."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments, name="engine trial")
    process.start()
    until = time.monotonic() + patience
    while process.is_alive() and time.monotonic() < until and not stop_requested():
        process.join(0.1)
    if process.is_alive():
        process.kill()
        process.join()
    code = process.exitcode
    process.close()
    return code == 0


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


def read_seconds(contexts: Sequence[Context], length: int, rounds: int) -> list[float]:
    """The least seconds in which each context read `length` tokens after a first chunk, which loads pages; in turn.

    The least, because what disturbs a trial only ever makes it longer.
    """
    tokens = [10 + place for place in range(length)]
    least = [float("inf")] * len(contexts)
    for _ in range(rounds):
        for number, context in enumerate(contexts):
            context.forget(0)
            place = context.read(0, tokens, 0, lambda: False)
            began = time.perf_counter()
            while place < length:
                place = context.read(0, tokens, place, lambda: False)
            least[number] = min(least[number], time.perf_counter() - began)
    return least


def trial_key(model: Path) -> str:
    """What the outcome depends on: the library file, the CPU and the kinds of weights in the model."""
    from importlib.metadata import version
    from importlib.util import find_spec

    spec = find_spec("llama_cpp")
    folder = Path(spec.origin).parent / "lib" if spec and spec.origin else Path()
    built = sorted((each.name, each.stat().st_size, each.stat().st_mtime_ns) for each in folder.glob("*ggml*"))
    kinds = sorted({tensor.type for tensor in model_header(model).tensors})
    about = f"{version('llama-cpp-python')} {built} {_processor()} {kinds}"
    return records.hash_text(about)[:32]


def _processor() -> str:
    """The CPU's model and features, as far as the system tells."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        wanted = [line for line in lines if line.startswith(("model name", "flags", "Features"))]
        return " ".join(sorted(set(wanted)))
    return f"{platform.machine()} {platform.processor()}"


def _die_quietly() -> None:
    """Leave no core dump and no dialog behind, for dying is one of the expected outcomes."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetErrorMode(0x0002)  # SEM_NOGPFAULTERRORBOX
    signal.signal(signal.SIGINT, signal.SIG_IGN)
