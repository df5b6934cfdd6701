"""run(recipe, data, stop, trainer): a few real steps in the loop's place, to measure what they take; nothing is kept.

Typical steps twice over, for in a later pass the states of the frozen layers are remembered: the second time their
rows are mixed anew, as a later pass has them. Then as many of the longest rows as are computed at once, for what they
take of memory; a checkpoint; and the end of a fine-tune as it is, with the little that was learnt.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import psutil

from workbench.catalog import memory
from workbench.events import Event, Progress, Result
from workbench.tuning.base import read_base
from workbench.tuning.batches import plan_batches
from workbench.tuning.checkpoint import save_checkpoint
from workbench.tuning.dry_timing import Memory, Timed, other_programs
from workbench.tuning.effects import bare_key, is_known
from workbench.tuning.ending import hand_over, see
from workbench.tuning.forecast import Measured
from workbench.tuning.loop import MEASURED, Data, Interrupted, Trainer, make_optimizer, take_samples, take_step
from workbench.tuning.recipe import Recipe
from workbench.tuning.states import FOLDER, MOST, keep_state
from workbench.tuning.subsets import spread
from workbench.tuning.tokens import Tokens

TYPICAL = 4  # steps of the first pass that are timed, and again as steps of a later one
LOOKED_AT = 8  # held-out rows that are measured
LONG = 12.0  # seconds after which the steps that were timed are enough, on a slow or busy computer; twice
PLANNED = 400  # steps of a pass whose tokens are counted; of a longer one evenly chosen steps


def run(recipe: Recipe, data: Data, stop: Callable[[], bool], trainer: Trainer) -> Iterator[Event]:
    """Measure; yields Progress, and last a Result with a Measured, with None where a stop came.

    Raises what a step raises.
    """
    import torch

    start = time.time() - psutil.Process().create_time()
    rows = [example.tokens for example in data.train]
    plan = _one_pass(recipe, data)
    middle = _middle(plan, trainer)
    held = [example.tokens for example in spread(data.held_out, MEASURED)]
    info, steps, others = read_base(recipe.model), _Steps(recipe, stop, trainer), other_programs()
    apart = trainer.model.device.type != "cpu"  # on a card: the end is another process's, and is not told here
    try:
        with steps.memory:
            yield from steps.typical(middle, lambda taken: _mixed(taken, recipe, data), held[:LOOKED_AT])
            yield Progress(1, 2, "trying the longest rows", "steps")
            longest = _longest(rows, trainer)
            reckoned = steps.memory.reckon(trainer.size(longest))
            tried = reckoned - steps.memory.peak < memory.free()
            if tried:
                steps.learn(longest)
            learning = steps.memory.peak
            yield Progress(1, 2, "answering held-out rows", "steps")
            began = time.monotonic()
            take_samples(trainer.model, data, recipe, steps.guard)
            steps.guard()  # a sample that was broken off says nothing of the time it takes
            sampling = time.monotonic() - began
            keeping, busy = steps.keep(), others()  # the end has a process beside this one
            end = _End() if apart else (yield from _end(recipe, data, trainer, steps))
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
            ending=max(0, end.peak - learning),
            end_seconds=end.seconds if end.compared else end.seconds + sampling,
            once=steps.once(),
            keep_seconds=keeping,
            state_bytes=trainer.state_bytes,
            others=busy,
            card=int(torch.cuda.max_memory_reserved()) if apart else 0,
            tried=tried,
        )
    )


@dataclass(frozen=True, slots=True)
class _End:
    """What the end takes."""

    seconds: float = 0.0
    peak: int = 0  # bytes, until the model is compared in full precision, which `forecast` reckons
    compared: bool = False  # False where there is no memory for it


def _end(recipe: Recipe, data: Data, trainer: Trainer, steps: _Steps) -> Generator[Progress, None, _End]:
    """The end of a fine-tune, timed."""

    def told(share: float, note: str) -> Progress:
        steps.guard()
        return Progress(round(100 * share), 100, note, "%")

    known, began = is_known(bare_key(recipe.model, trainer.precision)), time.monotonic()
    yield from see(recipe, trainer.model, trainer.precision, data.tokenizer, told)
    seconds = (time.monotonic() - began) / (1 if known else 2)  # the bare model's half is known from now on
    peak = steps.memory.peak
    if memory.free() < 4 * read_base(recipe.model).parameters:
        return _End(seconds, peak)
    began = time.monotonic()
    trainer.model.save_pretrained(str(recipe.folder / "peft"))
    yield from hand_over(recipe, trainer.model, data.held_out or data.train, data.tokenizer, told)
    return _End(seconds + time.monotonic() - began, peak, True)


class _Steps:
    """Steps and looks of a fine-tune, timed."""

    def __init__(self, recipe: Recipe, stop: Callable[[], bool], trainer: Trainer) -> None:
        self._recipe, self._stop, self._trainer = recipe, stop, trainer
        named = trainer.model.named_parameters()
        self._optimizer = make_optimizer({name: each for name, each in named if each.requires_grad}, recipe)
        self.memory = Memory()
        self.first, self.later, self.look = Timed(), Timed(), Timed()
        self._cold_look, self._cold_step = Timed(), Timed()

    def guard(self) -> None:
        """Raises Interrupted once a stop was asked for."""
        if self._stop():
            raise Interrupted

    def typical(
        self,
        batches: Sequence[Sequence[Tokens]],
        mixed: Callable[[Sequence[Sequence[Tokens]]], Sequence[Sequence[Tokens]]],
        held: Sequence[Tokens],
    ) -> Iterator[Progress]:
        """Look at held-out rows and take steps, each twice: what is done once only is timed by itself.

        `mixed` makes other batches of the rows of some.
        """
        total = 3 + 2 * len(batches)
        if held:
            yield Progress(0, total, "measuring held-out rows", "steps")
            self._timed(self._cold_look, held, lambda: self._trainer.row_losses(held, self.guard))
            yield Progress(1, total, "measuring held-out rows", "steps")
            self._timed(self.look, held, lambda: self._trainer.row_losses(held, self.guard))
        yield Progress(2, total, "a step to get warm", "steps")
        warm, *timed = batches if len(batches) > 1 else (*batches, *batches)
        self._step(self._cold_step, warm)
        done, began = 3, time.monotonic()
        taken = []
        for batch in timed:
            yield Progress(done, total, "steps of a first pass", "steps")
            self._step(self.first, batch)
            taken.append(batch)
            done += 1
            if time.monotonic() - began > LONG:
                break
        for batch in mixed(taken):
            yield Progress(done, total, "steps of a later pass", "steps")
            self._step(self.later, batch)
            done += 1
            if time.monotonic() - began > 2 * LONG:
                break

    def once(self) -> float:
        """Seconds that the first look and the first step took beyond what they take later on."""
        below = max(0.0, self.first.each - self.later.each)  # the layers below the adapter are read in a first look
        look = self._cold_look.seconds - self._cold_look.tokens * (self.look.each + below)
        step = self._cold_step.seconds - self._cold_step.tokens * self.first.each
        return max(0.0, look) + max(0.0, step)

    def keep(self) -> float:
        """Seconds that keeping a checkpoint and a state takes; as many states are kept as a run keeps."""
        named = self._trainer.model.named_parameters()
        parameters = {name: tensor for name, tensor in named if tensor.requires_grad}
        began = time.monotonic()
        save_checkpoint(self._recipe.folder / "checkpoint", parameters, self._optimizer, {})
        for step in range(1, MOST + 1):
            keep_state(self._recipe.folder / FOLDER, step, parameters)
        return (time.monotonic() - began) / 2  # a run keeps a checkpoint, a state and often the best with each look

    def learn(self, rows: Sequence[Tokens]) -> None:
        """The gradient of some rows, thrown away."""
        self._trainer.backward(rows, self.guard)
        self._optimizer.zero_grad(set_to_none=True)

    def _step(self, kind: Timed, rows: Sequence[Tokens]) -> None:
        self._timed(kind, rows, lambda: take_step(self._trainer, rows, self._optimizer, self._recipe, 0, 1, self.guard))

    def _timed(self, kind: Timed, rows: Sequence[Tokens], work: Callable[[], object]) -> None:
        size, began = self._trainer.size(rows), time.monotonic()
        work()
        kind.seconds, kind.tokens = kind.seconds + time.monotonic() - began, kind.tokens + size
        self.memory.tokens = max(self.memory.tokens, min(size, self._trainer.at_once))


def _one_pass(recipe: Recipe, data: Data) -> list[list[Tokens]]:
    """The steps of a pass."""
    rows = [example.tokens for example in data.train]
    plan = plan_batches([example.source for example in data.train], replace(recipe, epochs=1.0))
    return [[rows[place] for place in batch] for batch in plan]


def _mixed(batches: Sequence[Sequence[Tokens]], recipe: Recipe, data: Data) -> list[list[Tokens]]:
    """The rows of some steps as a later pass has them: in other steps, those that read the same still together."""
    chosen = {id(row) for batch in batches for row in batch}
    part = [example for example in data.train if id(example.tokens) in chosen]
    return _one_pass(replace(recipe, seed=recipe.seed + 1), replace(data, train=part))


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
