"""Which attention llama.cpp uses for answers a person waits for: tried once per build, CPU and kind of weights.

With AVX-512 on an EPYC flash attention reads the starter 1.22 times as fast as the plain kind (586 against 484 tokens a
second) and decodes four lanes 1.3 times as fast (240 against 182); with AVX2 it is slower in both (see `context`). On a
Xeon with AMX it reads 1.2 to 1.4 times as fast and decodes as fast, but where llama.cpp was built with AVX512-FP16,
which leaves heads of 64 numbers to scalar code (packaging/llama.cmake), it decodes behind 512 tokens in 15.8 ms a token
in place of 8.5. So what is timed is a whole answer: a question with its passages read, and what is said to it.
A long context decoded with it depends, in its last bits, on how many threads and lanes there are just then; so what is
evaluated is always read with plain attention, and only live answers take what is faster here.
"""

from __future__ import annotations

import time
from pathlib import Path

from workbench import records
from workbench.lanes.probe import (
    Trying,
    answer_seconds,
    extra_buffers_work,
    known,
    known_outcomes,
    least_seconds,
    trial_key,
    trying,
)
from workbench.lanes.split import Split

TOKENS = 512  # that are read: about as many as a question with its passages
SAID = 48  # tokens of an answer
ROUNDS = 2  # of each, in turn, at least
SECONDS = 8.0  # of rounds: two alone, 5 seconds of a noisy machine, said anything from 0.99 to 1.19 of one build
PATIENCE = 20.0  # seconds: a machine that is busy then is asked another day, and has the plain kind until then


def flash_is_faster(model: Path, layers: int = 0, split: Split | None = None) -> bool:
    """Whether live answers of this model, with so many layers on a card, or on several as they are split, use flash
    attention; False until it is tried, and where the trial died or hung."""
    return known(_key(model, layers, split)) is True


def try_flash(model: Path, layers: int = 0, split: Split | None = None) -> Trying:
    """Find that out, step by step."""
    found = yield from trying(_key(model, layers, split), measure, str(model), str(layers), patience=PATIENCE)
    return found


def _key(model: Path, layers: int, split: Split | None) -> str:
    on_card = f" with {layers} layers on a card" + (f" {split}" if split else "") if layers else ""
    return f"{trial_key(model)} flash for an answer{on_card}"


def measure(model: str, layers: str, cache: str, key: str) -> None:
    """The trial, in a process of its own: answer with both in turn, keep the outcome."""
    from workbench.lanes.context import Context
    from workbench.lanes.cores import EVERY, CoreWatch
    from workbench.lanes.llama import Model
    from workbench.lanes.offload import planned_split
    from workbench.settings import available_cores

    watch = CoreWatch()
    time.sleep(EVERY)
    threads = watch.threads(available_cores())  # those that spin on a core others use would never end
    works, split = extra_buffers_work(Path(model)), planned_split() if int(layers) else None
    loaded = Model(Path(model), works, layers=int(layers), split=split)
    contexts = [Context(loaded, None, 0.0, TOKENS + SAID, 1, threads, flash) for flash in (False, True)]
    plain, flash = least_seconds(contexts, lambda context: answer_seconds(context, TOKENS, SAID), ROUNDS, SECONDS)
    records.write_json(Path(cache), {**known_outcomes(Path(cache)), key: flash < plain})
