"""run(recipe, data, stop, trainer): a few real steps in the loop's place, to measure what they take; nothing is kept.

Typical steps twice over, for in a later pass the states of the frozen layers are remembered; then as many of the
longest rows as are computed at once, for what they take of memory.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType

import psutil

from workbench.catalog import memory
from workbench.events import Event, Progress, Result
from workbench.tuning.base import read_base
from workbench.tuning.batches import plan_batches
from workbench.tuning.effects import general_rows, try_general
from workbench.tuning.forecast import Measured
from workbench.tuning.loop import MEASURED, Data, Interrupted, Trainer, take_samples, take_step
from workbench.tuning.recipe import Recipe
from workbench.tuning.tokens import Tokens

TYPICAL = 4  # steps of the first pass that are timed, and again as steps of a later one
LOOKED_AT = 8  # held-out rows that are measured
LONG = 12.0  # seconds after which the steps that were timed are enough, on a slow or busy computer; twice
TASTED = 4  # tokens of the answers to general questions
EVERY = 0.005  # seconds between looks at the memory: about what a layer of the starter takes
PLANNED = 400  # steps of a pass whose tokens are counted; of a longer one evenly chosen steps


def run(recipe: Recipe, data: Data, stop: Callable[[], bool], trainer: Trainer) -> Iterator[Event]:
    """Measure; yields Progress, and last a Result with a Measured, with None where a stop came.

    Raises what a step raises.
    """
    import torch

    start = time.time() - psutil.Process().create_time()
    plan = _one_pass(recipe, data)
    rows = [example.tokens for example in data.train]
    held = [example.tokens for example in data.held_out][:: max(1, math.ceil(len(data.held_out) / MEASURED))]
    info, steps, others = read_base(recipe.model), _Steps(recipe, stop, trainer), _other_programs()
    try:
        with steps.memory:
            yield from steps.typical(_middle(plan, trainer), held[:LOOKED_AT])
            yield Progress(1, 2, "trying the longest rows", "steps")
            longest = _longest(rows, trainer)
            reckoned = steps.memory.reckon(trainer.size(longest))
            tried = reckoned - steps.memory.peak < memory.free()
            if tried:
                steps.learn(longest)
            learning = steps.memory.peak
            yield Progress(1, 2, "answering held-out rows", "steps")
            began = time.monotonic()
            take_samples(trainer.model, data, recipe)
            sampling = time.monotonic() - began
            steps.guard()
            yield Progress(1, 2, "reading general text", "steps")
            # What was trained on a card is looked at by another process, whose time is not told here.
            apart = trainer.model.device.type != "cpu"
            reading = 0.0 if apart else try_general(trainer.model, data.tokenizer, TASTED)
    except Interrupted:
        yield Result(None)
        return
    counted = plan[:: max(1, len(plan) // PLANNED)]
    yield Result(
        Measured(
            backend=trainer.precision,
            at=time.strftime("%Y-%m-%dT%H:%M:%S"),
            parameters=info.parameters,
            layers=info.layers,
            trained=info.layers - min(recipe.layers, default=0),
            remembers=trainer.state_bytes > 0,
            start_seconds=start,
            first=steps.first.each,
            later=steps.later.each,
            look=steps.look.each if held else steps.later.each / 3,
            sample_seconds=sampling,
            rows=len(rows),
            pass_tokens=round(sum(map(trainer.size, counted)) * len(plan) / len(counted)),
            read_tokens=sum(len(row.ids) for row in rows),
            held_tokens=trainer.size(held) if held else 0,
            longest=max(len(row.ids) for row in rows),
            at_once=trainer.size(longest),
            loaded=steps.memory.loaded,
            learning=learning if tried else reckoned,
            ending=steps.memory.peak - learning,
            end_seconds=2 * reading * sum(map(len, general_rows(data.tokenizer))),
            state_bytes=trainer.state_bytes,
            others=others(),
            card=int(torch.cuda.max_memory_reserved()) if apart else 0,
            tried=tried,
        )
    )


@dataclass(slots=True)
class _Timed:
    """Computations of one kind."""

    seconds: float = 0.0
    tokens: int = 0

    @property
    def each(self) -> float:
        """Seconds a token takes."""
        return self.seconds / max(1, self.tokens)


class _Memory:
    """What this process holds, looked at many times a second while the block runs; in bytes."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.loaded = self.peak = self._process.memory_info().rss
        self.tokens = 1  # that were computed at once, at most
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def reckon(self, tokens: int) -> int:
        """The peak with so many tokens at once, from what it was so far."""
        return self.loaded + int((self.peak - self.loaded) * max(1.0, tokens / self.tokens))

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            self.peak = max(self.peak, self._process.memory_info().rss)


class _Steps:
    """Steps and looks of a fine-tune, timed."""

    def __init__(self, recipe: Recipe, stop: Callable[[], bool], trainer: Trainer) -> None:
        import torch

        self._recipe, self._stop, self._trainer = recipe, stop, trainer
        parameters = [tensor for tensor in trainer.model.parameters() if tensor.requires_grad]
        self._optimizer = torch.optim.AdamW(parameters, lr=recipe.learning_rate, fused=True)
        self.memory = _Memory()
        self.first, self.later, self.look = _Timed(), _Timed(), _Timed()

    def guard(self) -> None:
        """Raises Interrupted once a stop was asked for."""
        if self._stop():
            raise Interrupted

    def typical(self, batches: Sequence[Sequence[Tokens]], held: Sequence[Tokens]) -> Iterator[Progress]:
        """Look at held-out rows and take steps, each twice: what is done once only is not timed with the rest."""
        total = 3 + 2 * len(batches)
        if held:
            yield Progress(0, total, "measuring held-out rows", "steps")
            self._trainer.row_losses(held, self.guard)
            yield Progress(1, total, "measuring held-out rows", "steps")
            self._timed(self.look, held, lambda: self._trainer.row_losses(held, self.guard))
        yield Progress(2, total, "a step to get warm", "steps")
        warm, *timed = batches if len(batches) > 1 else (*batches, *batches)
        self._step(_Timed(), warm)
        done, began = 3, time.monotonic()
        taken = 0
        for batch in timed:
            yield Progress(done, total, "steps of a first pass", "steps")
            self._step(self.first, batch)
            done, taken = done + 1, taken + 1
            if time.monotonic() - began > LONG:
                break
        for batch in timed[:taken]:
            yield Progress(done, total, "steps of a later pass", "steps")
            self._step(self.later, batch)
            done += 1
            if time.monotonic() - began > 2 * LONG:
                break

    def learn(self, rows: Sequence[Tokens]) -> None:
        """The gradient of some rows, thrown away."""
        self._trainer.backward(rows, self.guard)
        self._optimizer.zero_grad(set_to_none=True)

    def _step(self, kind: _Timed, rows: Sequence[Tokens]) -> None:
        self._timed(kind, rows, lambda: take_step(self._trainer, rows, self._optimizer, self._recipe, 0, 1, self.guard))

    def _timed(self, kind: _Timed, rows: Sequence[Tokens], work: Callable[[], object]) -> None:
        size, began = self._trainer.size(rows), time.monotonic()
        work()
        kind.seconds, kind.tokens = kind.seconds + time.monotonic() - began, kind.tokens + size
        self.memory.tokens = max(self.memory.tokens, min(size, self._trainer.at_once))


def _other_programs() -> Callable[[], float]:
    """Something that says how many cores other programs have used since."""
    process = psutil.Process()

    def used() -> tuple[float, float]:
        every, own = psutil.cpu_times(), process.cpu_times()
        busy = every.user + every.system + getattr(every, "nice", 0.0)
        return time.monotonic(), busy - own.user - own.system

    began, before = used()

    def since() -> float:
        now, after = used()
        return max(0.0, after - before) / max(now - began, 1e-9)

    return since


def _one_pass(recipe: Recipe, data: Data) -> list[list[Tokens]]:
    """The steps of a pass."""
    rows = [example.tokens for example in data.train]
    plan = plan_batches([example.source for example in data.train], replace(recipe, epochs=1.0))
    return [[rows[place] for place in batch] for batch in plan]


def _middle(plan: Sequence[list[Tokens]], trainer: Trainer) -> list[list[Tokens]]:
    """Steps of the usual size, one more than are timed."""
    few = plan[:: max(1, len(plan) // PLANNED)]
    ordered = sorted(few, key=trainer.size)
    begin = max(0, (len(ordered) - TYPICAL - 1) // 2)
    return ordered[begin : begin + TYPICAL + 1]


def _longest(rows: Sequence[Tokens], trainer: Trainer) -> list[Tokens]:
    """As many of the longest rows as are computed at once; at least one."""
    chosen: list[Tokens] = []
    for row in sorted(rows, key=lambda each: len(each.ids), reverse=True):
        if chosen and trainer.size([*chosen, row]) > trainer.at_once:
            break
        chosen.append(row)
    return chosen
