"""STAGE warm(project): load the project's chat model before anybody asks, in the engine's process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from workbench.events import Progress, Result, Stage
from workbench.lanes import pool
from workbench.lanes.llama import library
from workbench.lanes.presets import chat_model
from workbench.lanes.probe import try_extra_buffers
from workbench.lanes.settle import is_waited_for
from workbench.lanes.stamp import file_hash
from workbench.project import Project

STEPS = 3


def warm(project: Path) -> Stage:
    """Do once what the first question would have to wait for: the library, the model in the way that is known to be
    fastest here, its hash for the stamps, and a first pass over its weights, which brings them into memory.

    On a machine that has never loaded such a model it is first tried whether llama.cpp's extra buffers work, in some
    two seconds: with them the starter reads several times as fast where there is AMX. A question ends that at once.

    Yields Progress before each and a Result(None). Raises what loading raises: MissingFile, BadModel or
    TooLittleMemory.
    """
    path = chat_model(Project.open(project))
    yield Progress(0, STEPS, f"Loading {path.name}", "steps")
    library()
    yield from _try_this_machine(path)
    yield Progress(0, STEPS, f"Loading {path.name}", "steps")
    model = pool.model(path)
    yield Progress(1, STEPS, f"Checking {path.name}", "steps")
    file_hash(path)
    yield Progress(2, STEPS, f"Reading {path.name}", "steps")
    context = pool.take_context(model, None, 0.0, pool.ROUND, 1, pool.flash(model))
    try:
        pool.check_context(context)
    finally:
        pool.give_back(context)
    yield Result(None)


def _try_this_machine(model: Path) -> Iterator[Progress]:
    with contextlib.closing(try_extra_buffers(model)) as steps:
        for _ in steps:
            if is_waited_for():
                return
            yield Progress(0, STEPS, f"Finding out once how {model.name} is read here", "steps")
