"""How many threads to train with just now: as many as there are cores that nobody else is using.

The threads of a matrix product wait for each other after every product. On cores that other programs keep busy each of
those waits can take a time slice: measured here beside two busy programs, a step that took 0.8 s with one thread took
1.0 to 1.3 s with two that spin, and over 10 s with two that sleep while they wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

from workbench import turns
from workbench.settings import available_cores, load_settings

EVERY = 0.5  # seconds between looks


class FreeCores:
    """Watches what other programs take of this machine's cores."""

    def __init__(self, most: int) -> None:
        self._most = most or load_settings().background_cores  # a recipe's own threads, else those of the settings
        self._process = psutil.Process()
        self._humble = niceness(self._process) > 0  # programs of low priority give way, unless this is one too
        self._at, self._busy, self._own = self._sample()
        self._threads = self._most or available_cores()

    def adjust(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Rest while an answer has its turn, or until `stop` says so; then set torch's threads to what is free now, for
        which it looks at most twice a second. Called often, for an answer takes turns several times a second."""
        import torch

        turns.rest(self._threads, stop)
        if time.monotonic() - self._at < EVERY:
            return
        at, busy, own = self._sample()
        others = max(0.0, (busy - self._busy) - (own - self._own)) / (at - self._at)
        self._at, self._busy, self._own = at, busy, own
        wanted = advise(available_cores(), others, self._most)
        if wanted != self._threads or torch.get_num_threads() != wanted:
            torch.set_num_threads(wanted)
            self._threads = wanted

    def _sample(self) -> tuple[float, float, float]:
        """Now; seconds all programs, and seconds this process, have had of the cores."""
        every = psutil.cpu_times()
        own = self._process.cpu_times()
        busy = every.user + every.system + (getattr(every, "nice", 0.0) if self._humble else 0.0)
        return time.monotonic(), busy, own.user + own.system


def niceness(process: psutil.Process) -> int:
    """A process's priority as Unix counts it, 0 usual and 19 lowest; 0 on Windows, whose classes are no numbers."""
    return 0 if psutil.WINDOWS else int(process.nice())


def advise(cores: int, others: float, most: int) -> int:
    """Threads for so many cores of which others use so many; at least one, at most `most` (0: no limit)."""
    free = max(1, round(cores - others - 0.2))  # a core that is a third in use is not a free one
    return min(free, most) if most else free
