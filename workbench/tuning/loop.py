"""run(recipe, data, stop, trainer): the one loop of every fine-tune, whatever it computes on.

A trainer (`peft_cpu`, `peft_gpu`, `unsloth_gpu`) has the model and does the arithmetic; here is what all of them share:
the order of the rows, the schedule, what is measured and kept and when, a stop, and a run that goes on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from workbench.errors import InputError
from workbench.events import Event, Note, Progress, Result, Step
from workbench.tuning.batches import plan_batches
from workbench.tuning.checkpoint import load_checkpoint, read_state, recipe_key, save_checkpoint
from workbench.tuning.dataset import Example
from workbench.tuning.recipe import Recipe, Sample
from workbench.tuning.tokens import Tokenizer, Tokens

# Steps after which a run of so many minutes is planned by the speed it had since the last time: soon, and again, since
# what else the machine was doing at first would otherwise decide how much is learnt.
PLANNED_AFTER = (4, 8, 16, 32, 64)
LEAST_STEPS = 12  # of such a run, even where the machine is slow
MEASURED = 32  # held-out rows the loss is measured on during a run; more would take a fifth of its time
SAMPLE_TOKENS = 48  # of a sample answer: enough to see what is being learnt


class Interrupted(Exception):
    """A stop came in the middle of a step, whose gradient is thrown away."""


@dataclass(frozen=True, slots=True)
class Data:
    """What a fine-tune learns from."""

    train: Sequence[Example]
    held_out: Sequence[Example]
    tokenizer: Tokenizer


@dataclass(frozen=True, slots=True)
class Trained:
    """What training leaves, for the parity check."""

    model: Any  # the peft model; None where only its folder can be compared, since a library has changed its classes
    step: int
    total: int
    stopped: bool
    tokens_per_second: float
    seconds: float
    precision: str


class Trainer(Protocol):
    """A model with an adapter and the arithmetic of a step."""

    @property
    def model(self) -> Any:
        """The peft model."""

    @property
    def precision(self) -> str:
        """Of the frozen weights, as the manifest says it."""

    @property
    def later(self) -> float:
        """What a step of a later pass over the rows costs beside one of the first."""

    def backward(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> float:
        """Add the gradient of the mean loss of the rows' trained tokens; that loss, in nats per token.

        `guard` is called often and may raise Interrupted, which is passed on.
        """

    def summed_loss(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> float:
        """The summed loss of the rows' trained tokens, in nats, without gradients; Interrupted as above."""


def run(recipe: Recipe, data: Data, stop: Callable[[], bool], trainer: Trainer) -> Iterator[Event]:
    """Train; yields Progress, Note and Step, and last a Result with a Trained.

    Continues from recipe.folder/checkpoint when that was made with the same recipe and files. When `stop()` turns
    true the work up to the last whole step is in the checkpoint. Raises TooLittleMemory, DiskFull, and InputError when
    the loss is no longer a number.
    """
    import torch

    model = trainer.model
    parameters = {name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad}
    optimizer = torch.optim.AdamW(
        parameters.values(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )

    # Prepare: the order of all batches follows from the seed alone, so a resumed run sees what it would have seen.
    batches = plan_batches([example.source for example in data.train], recipe)
    total = len(batches)
    every = recipe.eval_every or max(1, math.ceil(total / 5))
    keep_every = recipe.checkpoint_every or every
    rows = [example.tokens for example in data.train]
    held = [example.tokens for example in data.held_out][:: max(1, math.ceil(len(data.held_out) / MEASURED))]
    sample_steps = {0, (total // 2 // every) * every, total}
    checkpoint, key = recipe.folder / "checkpoint", recipe_key(recipe)
    state = read_state(checkpoint)
    step, spent, read = 0, 0.0, 0
    if state is not None and state["recipe"] == key:
        load_checkpoint(checkpoint, parameters, optimizer)
        step, spent, read, total = state["step"], state["seconds"], state["read"], state["total"]
        yield Note(f"Continuing after step {step} of {total}.")
    began = time.monotonic() - spent

    def guard() -> None:
        if stop():
            raise Interrupted

    def measured(step: int, loss: float | None) -> Step:
        at = time.monotonic() - began
        return Step(step, total, loss, tokens_per_second=read / at if read else 0.0, seconds=at)

    if step == 0:
        yield Progress(0, total, "measuring the model before training", "steps")
        first_loss = measure(trainer, held, guard)
        samples = take_samples(model, data, recipe)
        began = time.monotonic()
        yield Step(0, total, None, eval_loss=first_loss, samples=samples)

    # Step: the gradient of some rows, clip, update.
    stopped, planned = False, (step, spent)
    while step < total and not stopped:
        chosen = [rows[place] for place in batches[step]]
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * schedule(step, total, recipe.warmup)
        try:
            loss = trainer.backward(chosen, guard)
        except Interrupted:
            stopped = True
            break
        if not math.isfinite(loss):
            raise InputError(
                f"The loss stopped being a number at step {step + 1}: the learning rate "
                f"{recipe.learning_rate:g} is too high "
                "for this data. The last checkpoint is kept; start again with a third of it."
            )
        torch.nn.utils.clip_grad_norm_(parameters.values(), recipe.max_gradient)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step, read = step + 1, read + sum(len(row.ids) for row in chosen)
        event = measured(step, loss)

        if step in PLANNED_AFTER and recipe.minutes:
            pace = (event.seconds - planned[1]) / (step - planned[0])
            one_pass = round(len(batches) / recipe.epochs)
            left = steps_within(60 * recipe.minutes - event.seconds, pace, one_pass - step, trainer.later)
            total = min(len(batches), max(step + left, LEAST_STEPS))
            planned = step, event.seconds
            every = recipe.eval_every or max(1, math.ceil(total / 5))
            keep_every = recipe.checkpoint_every or every
            sample_steps = {(total // 2 // every) * every, total}
            event = Step(step, total, loss, None, event.tokens_per_second, event.seconds)

        # Measure and keep.
        if step % every == 0 or step == total:
            paused = time.monotonic()
            loss_now = measure(trainer, held, guard)
            samples = take_samples(model, data, recipe) if step in sample_steps and not stop() else ()
            began += time.monotonic() - paused  # measuring is not training
            event = Step(step, total, loss, loss_now, event.tokens_per_second, event.seconds, samples)
        if step % keep_every == 0 or step == total:
            save_checkpoint(checkpoint, parameters, optimizer, _state(key, step, total, event.seconds, read))
        yield event
    if stopped and step:
        save_checkpoint(checkpoint, parameters, optimizer, _state(key, step, total, time.monotonic() - began, read))
    if not stopped:
        model.save_pretrained(str(recipe.folder / "peft"))
    seconds = time.monotonic() - began
    yield Result(Trained(model, step, total, stopped, read / max(seconds, 1e-9), seconds, trainer.precision))


def steps_within(seconds: float, pace: float, first: int, later: float = 1.0) -> int:
    """How many steps fit into `seconds` where one takes `pace`, of which `first` are left of the first pass.

    A step of a later pass takes `later` of the time, for the states of the frozen layers are remembered; a pace that
    was measured there (`first` is 0 or less) holds as it is.
    """
    steps = max(0.0, seconds) / pace
    return int(first + (steps - first) / later if 0 < first < steps else steps)


def _state(key: str, step: int, total: int, seconds: float, read: int) -> dict[str, Any]:
    return {"recipe": key, "step": step, "total": total, "seconds": seconds, "read": read}


def schedule(step: int, total: int, warmup: float) -> float:
    """The learning rate's factor: up in a line over the warm-up, then down along half a cosine to a tenth."""
    rising = max(1, round(total * warmup))
    if step < rising:
        return (step + 1) / rising
    along = (step - rising) / max(1, total - rising)
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * along))


def measure(trainer: Trainer, rows: Sequence[Tokens], guard: Callable[[], None]) -> float | None:
    """The mean loss (nats per trained token) on held-out rows, None when there are none or a stop came in between."""
    if not rows:
        return None
    try:
        return trainer.summed_loss(rows, guard) / sum(row.trained for row in rows)
    except Interrupted:
        return None


def take_samples(model: Any, data: Data, recipe: Recipe) -> tuple[Sample, ...]:
    """A few held-out rows answered as the model is now, greedily."""
    chosen = list(data.held_out)[: recipe.sample_rows]
    prompts = [example.tokens.ids[: example.tokens.spans[-1][0]] for example in chosen]
    answers = answer(model, prompts, data.tokenizer, SAMPLE_TOKENS) if chosen else []
    return tuple(
        Sample(example.messages[-2][1], example.answer, data.tokenizer.decode(ids))
        for example, ids in zip(chosen, answers, strict=True)
    )


def answer(model: Any, prompts: Sequence[Sequence[int]], tokenizer: Tokenizer, most: int) -> list[list[int]]:
    """Greedy answers as token ids, all prompts at once; an answer ends before the token that ends its turn."""
    import torch

    end = tokenizer.end_id
    width = max(len(prompt) for prompt in prompts)
    device = model.device
    ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    model.get_base_model().config._attn_implementation = "sdpa"
    with torch.no_grad():
        full = model.generate(
            input_ids=ids.to(device),
            attention_mask=mask.to(device),
            do_sample=False,
            max_new_tokens=most,
            eos_token_id=end,
            pad_token_id=max(end, 0),
            use_cache=True,
        )
    answers = [each[width:].tolist() for each in full]
    return [each[: each.index(end)] if end in each else each for each in answers]
