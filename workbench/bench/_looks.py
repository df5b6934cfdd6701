"""Looks at the memory of two processes, again and again in the same state, and what they say of growth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from workbench.bench import Figure

SETTLED = 10  # answers an engine has given before a look counts: by then it has loaded what it needs


@dataclass(frozen=True, slots=True)
class Look:
    """What was held after so many questions, in MB."""

    questions: int
    engine: int  # its process id
    age: int  # questions that engine had answered
    held: float  # by the engine
    own: float  # of that, what is not mapped from a file
    asking: float  # by this process


def look(questions: int, engine: int, age: int) -> Look:
    """Weigh an engine's process and this one."""
    info = psutil.Process(engine).memory_info()
    mapped = getattr(info, "shared", 0)  # Linux tells it
    asking = psutil.Process().memory_info().rss
    return Look(questions, engine, age, info.rss / 1e6, (info.rss - mapped) / 1e6, asking / 1e6)


def settled(looks: Sequence[Look]) -> list[Look]:
    """The looks at that engine which was looked at most often, once it had settled."""
    engines: dict[int, list[Look]] = {}
    for each in looks:
        if each.age >= SETTLED:
            engines.setdefault(each.engine, []).append(each)
    return max(engines.values(), key=len, default=[])


def growth(name: str, values: Sequence[float], note: str = "") -> Figure:
    """The last value beside the first, both in MB; the one in the middle and the span are in the note."""
    ours, yardstick = (values[-1], values[0]) if values else (0.0, 0.0)
    span = f"{len(values)} looks, {min(values, default=0.0):.1f} to {max(values, default=0.0):.1f} MB"
    middle = f"in the middle {values[len(values) // 2]:.1f}" if values else ""
    ratio = ours / yardstick if yardstick else 1.0
    return Figure(name, ours, yardstick, ratio, "MB", "; ".join(part for part in (span, middle, note) if part))


def drift(values: Sequence[float]) -> str:
    """The last value beside the first, in per cent."""
    return f"{100 * (values[-1] / values[0] - 1):+.1f} %" if len(values) > 1 else "first look"
