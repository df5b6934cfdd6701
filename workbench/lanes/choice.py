"""How a model is read here: which file, with extra buffers or not, how much of it on a card, by which attention.

What is fastest differs from machine to machine and is told by trials (`probe`). They take some fifteen seconds, so no
answer waits for them: until they have run a model is read in the way that works everywhere, and `settle` runs them
once, after the first answer or when nothing else is going on.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.children import stop_requested
from workbench.lanes.attention import try_flash
from workbench.lanes.fast_copy import fast_copy, try_copy
from workbench.lanes.offload import layers_on_card, planned_split, try_card
from workbench.lanes.probe import extra_buffers_work, known, trial_key, try_extra_buffers
from workbench.lanes.split import Split


@dataclass(frozen=True, slots=True)
class Choice:
    """How a model is loaded."""

    file: Path  # the model's own, or its faster copy
    extra_buffers: bool
    layers: int  # computed on a graphics card
    split: Split | None  # how they lie on several cards


_choices: dict[tuple[Any, ...], Choice] = {}  # of this process


def choose(model: Path, exact: bool = False, copied: bool | None = None) -> Choice:
    """What is known to be fastest here, and what works everywhere where that is not known.

    With `exact` it is tried now whether the extra buffers work and whether a card is faster, for an evaluation has to
    read a model in one way to its end; what is timed on the processor is never waited for. `copied` says whether the
    faster copy is read (None: where it is known to be faster).
    """
    layers = layers_on_card(model, wait=exact)
    file = model if layers else fast_copy(model, copied)
    works = extra_buffers_work(file) if exact else known(trial_key(file)) is True
    return Choice(file, works, layers, planned_split() if layers else None)


def chosen_before(model: Path, place: tuple[Any, ...], exact: bool, copied: bool | None) -> Choice:
    """The choice for a file as it lies there (`place`: its size and time, and what a person wants of cards).

    For evaluations, and on a card, whose free room changes as models come and go, it is made once in this process and
    stays; else what trials have found since is heard at the next question.
    """
    key = (*place, exact, copied)
    before = _choices.get(key)
    if before is not None and before.file.exists() and (exact or before.layers):
        return before
    found = choose(model, exact, copied)
    if not stop_requested():  # which puts a trial off
        _choices[key] = found
    return found


def trials(model: Path) -> Generator[None, None, bool]:
    """Find out what is not known yet, the safest first; yields ten times a second while it does, and may be closed at
    any moment. Gives whether all is known: not where this machine was too busy to time anything.

    Raises MissingFile or BadModel for a file that is no model.
    """
    found = [(yield from try_extra_buffers(model)), (yield from try_card(model))]
    if not layers_on_card(model):
        found.append((yield from try_copy(model)))
    choice = choose(model)
    found.append((yield from try_flash(choice.file, choice.layers, choice.split)))
    return None not in found
