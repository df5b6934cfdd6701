"""Two small stages for the engine's process: forget what was read, and how much memory it holds."""

from __future__ import annotations

from workbench.events import Result, Stage


def forget() -> Stage:
    """STAGE: empty the prompt cache, so that the next question is read from its first token."""
    from workbench.lanes import pool

    pool.forget()
    yield Result(None)


def resident() -> Stage:
    """STAGE: the bytes of memory this process holds, weights included as far as they were touched."""
    import psutil

    yield Result(int(psutil.Process().memory_info().rss))
