"""STAGE settle(models): find out once how this machine reads models fastest; in the engine's process.

It never keeps anybody waiting: it ends where a question comes, and closing it ends what is being tried.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.events import Progress, Result, Stage
from workbench.lanes.choice import trials

_questions: list[None] = []  # one for each that is being answered in this process


@contextlib.contextmanager
def asked() -> Iterator[None]:
    """While somebody waits for an answer, which ends what is being tried."""
    _questions.append(None)
    try:
        yield
    finally:
        _questions.pop()


def is_waited_for() -> bool:
    """Whether somebody waits for an answer of this process just now."""
    return bool(_questions)


def settle(models: tuple[Path, ...]) -> Stage:
    """Yields Progress ten times a second where something has to be tried, and a Result: whether all is known now, so
    that it need not be run again. Models loaded meanwhile stay as they are; the next answer reads what was found.
    """
    whole = True
    for model in models:
        with contextlib.suppress(WorkbenchError), contextlib.closing(trials(model)) as steps:
            while True:
                try:
                    next(steps)
                except StopIteration as end:
                    whole = whole and end.value
                    break
                if is_waited_for():
                    yield Result(False)
                    return
                yield Progress(0, 0, f"Finding out once how {model.name} is read fastest here")
    yield Result(whole)
