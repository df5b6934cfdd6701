"""Benchmarks: each module has ``run(project: Path) -> Stage`` each figure beside its yardstick."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure beside its yardstick."""

    name: str
    ours: float
    yardstick: float
    ratio: float  # ours / yardstick
    unit: str
    note: str = ""  # what the yardstick is, how many repeats, which spread
