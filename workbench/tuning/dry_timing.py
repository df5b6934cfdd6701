"""What a dry run watches while it computes: seconds, tokens, memory, and what other programs take of the cores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import psutil

EVERY = 0.005  # seconds between looks at the memory: about what a layer of the starter takes


@dataclass(slots=True)
class Timed:
    """Computations of one kind."""

    seconds: float = 0.0
    tokens: int = 0

    @property
    def each(self) -> float:
        """Seconds a token takes."""
        return self.seconds / max(1, self.tokens)


class Memory:
    """What this process holds, looked at many times a second while the block runs; in bytes."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.loaded = self.peak = self._process.memory_info().rss
        self.tokens = 1  # that were computed at once, at most
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def reckon(self, tokens: int) -> int:
        """The peak with so many tokens at once, from what it was so far."""
        return self.loaded + int((self.peak - self.loaded) * max(1.0, tokens / self.tokens))

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            self.peak = max(self.peak, self._process.memory_info().rss)


def other_programs() -> Callable[[], float]:
    """Something that says how many cores other programs have used since."""
    process = psutil.Process()

    def used() -> tuple[float, float]:
        every, own = psutil.cpu_times(), process.cpu_times()
        busy = every.user + every.system + getattr(every, "nice", 0.0)
        return time.monotonic(), busy - own.user - own.system

    began, before = used()

    def since() -> float:
        now, after = used()
        return max(0.0, after - before) / max(now - began, 1e-9)

    return since
