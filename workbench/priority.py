"""Who goes first on a busy machine: the window, then its answers, then search and indexing, then training.

The steps are those of Unix niceness, of which each gives a process about a fifth less of a core that others want as
well; a core that nobody else wants is used whole.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

# The window draws a page in 30 ms; beside an engine of its own rank, which keeps every core busy, that took 64.
ANSWERING = 3  # the engine of a window: half as much of a core as the window wants
READING = 8  # the document reader, which also searches: a third of what an answer gets
TRAINING = 10  # a fifth of it; at 13 it made a twentieth of its steps beside answers, which gained nothing from that
GROUP = Path("/proc/self/autogroup")  # Linux shares its cores among sessions first, and only then inside each of them
AT_ONCE = 0.0003  # seconds that a thread works through a long list in one go
PAUSE = 0.0005  # seconds it then leaves to the others
LOOK = 5  # rows between two looks at the clock

Item = TypeVar("Item")


def give_way(steps: int) -> None:
    """Lower this process's priority, and that of its session where it leads one of its own.

    On Windows, which counts in classes, to the one below normal or the lowest; an answer's stays as it is there. Where
    that is not allowed the process goes on as it is: it is manners, and nothing fails without them.
    """
    if steps <= 0:
        return
    if sys.platform == "win32":
        import psutil

        if steps < READING:
            return
        lowest = psutil.IDLE_PRIORITY_CLASS if steps >= TRAINING else psutil.BELOW_NORMAL_PRIORITY_CLASS
        with contextlib.suppress(psutil.Error):
            psutil.Process().nice(lowest)
        return
    with contextlib.suppress(OSError):
        os.nice(steps)
        if os.getsid(0) == os.getpid():
            GROUP.write_text(str(steps))


def unhurried(items: Iterable[Item]) -> Iterator[Item]:
    """The same items; a thread beside the main one pauses between some of them, so that a window need not wait.

    It has to sleep. `time.sleep(0)`, and each call into the system, lets go of Python's lock and has it again before
    the waiting thread has woken, which then counts its waiting anew and never asks for its turn: a window stood still
    for 300 ms beside a thread that looked at 10,000 files.
    """
    if threading.current_thread() is threading.main_thread():
        yield from items
        return
    began = time.perf_counter()
    for place, item in enumerate(items):
        if place % LOOK == LOOK - 1 and time.perf_counter() - began >= AT_ONCE:
            time.sleep(PAUSE)
            began = time.perf_counter()
        yield item
