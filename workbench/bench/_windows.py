"""A window of its own, offscreen, in a child process that says as JSON what it saw."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from workbench.errors import ChildCrashed
from workbench.events import Event, Progress


def environment(bytecode: Path) -> dict[str, str]:
    """What a window is started with; its bytecode is kept in a folder, as after a program's first start."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "QT_QPA_PLATFORM": "offscreen", "PYTHONPYCACHEPREFIX": str(bytecode)}


def said(
    command: list[str], within: dict[str, str], told: Progress, patience: float, nothing: str
) -> Generator[Event, None, Any]:
    """What a window says on its last line; `told` twice a second while it works, for `patience` seconds at most.

    Raises ChildCrashed, with the sentence `nothing`, when it said nothing until then.
    """
    child = subprocess.Popen(command, env=within, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + patience
        while child.poll() is None and time.monotonic() < end:
            yield told
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.4)
        child.kill()
        lines, details = child.communicate()
    finally:
        child.kill()
        child.wait()
    if not lines:
        raise ChildCrashed(nothing, details[-4000:])
    return json.loads(lines.splitlines()[-1])
