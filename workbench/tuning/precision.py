"""Which precision a model is trained in on a processor: fp32, or bf16 where this one multiplies it faster."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

FASTER = 1.2  # times, from which on bf16 is taken: what is not multiplied gains nothing from it
ROUNDS = 24  # of each precision, a millisecond or two each


def choose_precision(wanted: str) -> str:
    """The precision to train in, fp32 or bf16: with "auto", bf16 where this CPU multiplies it 1.2 times as fast.

    Timed in turn on one core, the least of each: beside a model that was answering, two threads one after the other
    once took fp32 where bf16 trains three times as fast.
    """
    import torch

    if wanted != "auto":
        return wanted
    pairs = [
        (torch.randn(256, 512, dtype=kind), torch.randn(512, 512, dtype=kind))
        for kind in (torch.float32, torch.bfloat16)
    ]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        fp32, bf16 = least_in_turn([partial(torch.matmul, *pair) for pair in pairs])
    finally:
        torch.set_num_threads(threads)
    return "bf16" if fp32 > FASTER * bf16 else "fp32"


def least_in_turn(works: Sequence[Callable[[], object]], rounds: int = ROUNDS) -> list[float]:
    """The least seconds each of some works took, done in turn: whatever else runs here only ever makes one longer."""
    least = [float("inf")] * len(works)
    for _ in range(rounds):
        for place, work in enumerate(works):
            began = time.perf_counter()
            work()
            least[place] = min(least[place], time.perf_counter() - began)
    return least
