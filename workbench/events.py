"""What stages yield.

A stage is a generator of these; closing it stops it, and the work so far is whole at every yield.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage is."""

    done: int  # of `total`, in `unit`
    total: int  # 0 when it is not known yet
    note: str  # what is being worked on, for people
    unit: str = ""  # "files", "steps", "cases", "bytes"
    rate: float | None = None  # a second figure a person watches: see rate_unit
    rate_unit: str = ""  # "chunks/s", "tokens/s", "MB/s"
    seconds_left: float | None = None  # an estimate, None while there is none


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know that is neither progress nor failure."""

    message: str
    level: str = "info"  # "info" or "warning"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a lane is waiting for, before its first token."""

    lane: str
    message: str  # "reading 5 passages", "prefill 43 %"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an answer: text that is whole UTF-8 and is appended to what came before."""

    lane: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One optimiser step of a fine-tune, as the child writes it to events.jsonl."""

    step: int  # 1-based; 0 is the measurement before training
    total: int
    train_loss: float | None  # mean over the step's trained tokens, nats per token
    eval_loss: float | None = None  # on the held-out rows, when it was measured at this step
    tokens_per_second: float = 0.0  # tokens read (not only trained) per second since the start
    seconds: float = 0.0  # since training began
    samples: tuple[Any, ...] = ()  # tuning.recipe.Sample records, when sample answers were taken


@dataclass(frozen=True, slots=True)
class Result:
    """What a stage was asked for; `value` is a record. Most stages yield one, last; some yield one per part."""

    value: Any = field(default=None)


Event = Progress | Note | Waiting | Token | Step | Result
Stage = Generator[Event, None, None]


def last_result(stage: Stage) -> Any:
    """Run a stage to its end and return the value of its last Result (None when it yielded none)."""
    value = None
    for event in stage:
        if isinstance(event, Result):
            value = event.value
    return value
