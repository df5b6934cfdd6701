"""How many threads llama.cpp should use just now: as many as there are cores that nobody else is using.

Its threads spin while they wait for each other, so two of them on cores that other programs keep busy are not a little
slower but ten to thirty times: measured, 0.3 tokens a second in place of 90, where one thread would have had 15. The
count changes no answer, for each row of a matrix is computed by one thread whatever their number.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence

import psutil

from workbench.turns import Working

EVERY = 0.25  # seconds between looks; a look costs a tenth of a millisecond
ENOUGH_BESIDE = 0.75  # of its threads: an answer that has as many beside other work asks nobody to rest
ENOUGH = 0.7  # of a core: with less of it free, what is timed here says more about the others


class CoreWatch:
    """Watches what other programs take of this machine's cores."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._cores = _own_cores()
        self._at, self._busy, self._own = self._sample()
        self._strangers = 0.0  # cores that those use who never rest; none as far as is known before the first look
        self._seen: dict[int, float] = {}  # seconds that each who rests has had of the cores

    def threads(self, most: int, working: Sequence[Working] = ()) -> int:
        """How many threads to use now, 1 to `most`; looks again at most four times a second.

        `working` are those among the others who rest when asked to, and so use no core just now or as many as they say.
        """
        if time.monotonic() - self._at >= EVERY:
            at = self._at
            others = self._others()
            self._strangers = max(0.0, others - self._used(working) / max(1e-3, self._at - at))
        used = sum(each.threads for each in working if not each.rests)
        return min(most, advise(self._count(), self._strangers + used))

    def gains(self, most: int, working: Sequence[Working]) -> bool:
        """Whether so many threads gain much when all these rest; on many cores they have enough beside them."""
        free = self._count() - self._strangers
        return free - sum(each.threads for each in working) < ENOUGH_BESIDE * min(most, free)

    def _used(self, working: Sequence[Working]) -> float:
        """Seconds that these have had of the cores since the last look."""
        before, self._seen = self._seen, {}
        for each in working:
            with contextlib.suppress(psutil.Error):
                times = psutil.Process(each.process).cpu_times()
                self._seen[each.process] = times.user + times.system
        return sum(each - before.get(process, each) for process, each in self._seen.items())

    def free(self) -> float:
        """Cores that others did not use since the last look."""
        return self._count() - self._others()

    def _others(self) -> float:
        at, busy, own = self._sample()
        others = max(0.0, (busy - self._busy) - (own - self._own)) / max(1e-3, at - self._at)
        self._at, self._busy, self._own = at, busy, own
        return others

    def _count(self) -> int:
        return len(self._cores) or os.cpu_count() or 1

    def _sample(self) -> tuple[float, float, float]:
        """Now, seconds all programs and seconds this process have had of these cores."""
        every = psutil.cpu_times(percpu=True)
        chosen = [each for number, each in enumerate(every) if not self._cores or number in self._cores]
        busy = sum(sum(each[:5]) - each.idle - getattr(each, "iowait", 0.0) for each in chosen)
        own = self._process.cpu_times()
        return time.monotonic(), busy, own.user + own.system


def too_busy() -> bool:
    """Whether others leave too little of this machine just now to time anything; looks for a quarter of a second."""
    watch = CoreWatch()
    time.sleep(EVERY)
    return watch.free() < ENOUGH


def advise(cores: int, others: float) -> int:
    """Threads for a machine with so many cores of which others use so many: the rest, rounded, at least one."""
    return max(1, round(cores - others - 0.2))  # a core that is a third in use is not a free one


def _own_cores() -> set[int]:
    """The cores this process may use; empty where the system does not tell."""
    try:
        return set(os.sched_getaffinity(0))
    except AttributeError:
        return set()
