"""Which processor this is: what was measured on one machine says nothing of another."""

from __future__ import annotations

import contextlib
import functools
import platform
from pathlib import Path

NAMES = ("model name", "Model")  # on Arm boards only the second is there
FEATURES = ("flags", "Features")


def name() -> str:
    """The processor's name, as far as the system tells."""
    found = _said(NAMES)
    return found[0] if found else platform.processor() or platform.machine()


def features() -> frozenset[str]:
    """What it can do, by the names Linux gives (avx512_bf16, amx_tile); empty where the system does not tell."""
    return frozenset(word for line in _said(FEATURES) for word in line.split())


@functools.cache
def _said(keys: tuple[str, ...]) -> tuple[str, ...]:
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        pairs = [line.partition(":") for line in lines]
        return tuple(dict.fromkeys(value.strip() for key, _, value in pairs if key.strip() in keys))
    return ()
