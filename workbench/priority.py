"""Who goes first on a busy machine: the window and its answers, then search and indexing, then training.

The steps are those of Unix niceness, of which each gives a process about a fifth less of a core that others want as
well; a core that nobody else wants is used whole.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

READING = 5  # the document reader, which also searches: about a third of a core that the window or an answer wants
TRAINING = 10  # a tenth of it
GROUP = Path("/proc/self/autogroup")  # Linux shares its cores among sessions first, and only then inside each of them


def give_way(steps: int) -> None:
    """Lower this process's priority, and that of its session where it leads one of its own.

    On Windows, which counts in classes, to the one below normal or the lowest. Where that is not allowed the process
    goes on as it is: it is manners, and nothing fails without them.
    """
    if steps <= 0:
        return
    if sys.platform == "win32":
        import psutil

        lowest = psutil.IDLE_PRIORITY_CLASS if steps >= TRAINING else psutil.BELOW_NORMAL_PRIORITY_CLASS
        with contextlib.suppress(psutil.Error):
            psutil.Process().nice(lowest)
        return
    with contextlib.suppress(OSError):
        os.nice(steps)
        if os.getsid(0) == os.getpid():
            GROUP.write_text(str(steps))
