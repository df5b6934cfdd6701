"""Which attention llama.cpp uses for answers a person waits for: tried once per build, CPU and kind of weights.

With AVX-512 flash attention reads the starter 1.22 times as fast as the plain kind (586 against 484 tokens a second)
and decodes four lanes 1.3 times as fast (240 against 182); with AVX2 it is slower in both (see `llama`). A long context
decoded with it depends, in its last bits, on how many threads and lanes there are just then; so what is evaluated is
always read with plain attention, and only live answers take what is faster here.
"""

from __future__ import annotations

from pathlib import Path

from workbench import paths, records
from workbench.lanes.probe import extra_buffers_work, known_outcomes, read_seconds, survives, trial_key

WORTH = 1.05  # how many times faster it must read to be used
TOKENS = 512  # of a trial read: about as many as a question with its passages
ROUNDS = 3  # trial reads of each, in turn


def flash_is_faster(model: Path) -> bool:
    """Whether live answers of this model use flash attention; False where the trial died or hung."""
    key, cache = f"{trial_key(model)} flash", paths.cache_folder() / "engine.json"
    known = known_outcomes(cache)
    if key not in known:
        survives(measure, str(model), str(cache), key)
        known = known_outcomes(cache)
    return known.get(key, False)


def measure(model: str, cache: str, key: str) -> None:
    """The trial, in a process of its own: read with both in turn, keep the outcome."""
    from workbench.lanes.llama import Context, Model
    from workbench.settings import available_cores

    loaded = Model(Path(model), extra_buffers_work(Path(model)))
    contexts = [Context(loaded, None, 0.0, TOKENS, 1, available_cores(), flash) for flash in (False, True)]
    plain, flash = read_seconds(contexts, TOKENS, ROUNDS)
    records.write_json(Path(cache), {**known_outcomes(Path(cache)), key: plain / flash >= WORTH})
