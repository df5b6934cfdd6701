"""run(recipe, data, stop, trainer): the one loop of every fine-tune, whatever it computes on.

A trainer (`peft_cpu`, `peft_gpu`, `unsloth_gpu`) has the model and does the arithmetic; here is what all of them share:
the order of the rows, the schedule, what is measured and kept and when, a stop, and a run that goes on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from workbench import records
from workbench.errors import TooFast
from workbench.events import Event, Note, Progress, Result, Step
from workbench.tuning import before
from workbench.tuning.batches import plan_batches
from workbench.tuning.begun import BACKEND, PRECISION, other_precision
from workbench.tuning.checkpoint import (
    fell_back,
    keep_weights,
    load_checkpoint,
    load_weights,
    read_state,
    recipe_key,
    save_checkpoint,
    save_weights,
    spare_best,
)
from workbench.tuning.course import MORE_RIGHT, Course, RowLoss, divergence, see_held_out, see_trained
from workbench.tuning.dataset import Example
from workbench.tuning.recipe import Recipe, Sample
from workbench.tuning.states import FOLDER, forget_later, keep_state
from workbench.tuning.subsets import spread
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
    course: Course = field(default_factory=Course)
    counts: tuple[int, ...] = ()  # trained tokens of each held-out row that was measured
    said: tuple[str, ...] = ()  # what a person should know of the end, in sentences


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

    @property
    def at_once(self) -> int:
        """Tokens that are computed at once, at most; a longer row is computed alone."""

    @property
    def state_bytes(self) -> int:
        """Bytes that are remembered of a token for later passes, 0 where nothing is."""

    def size(self, rows: Sequence[Tokens]) -> int:
        """Tokens that are computed for some rows: what they share counts once, padding counts."""

    def backward(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> float:
        """Add the gradient of the mean loss of the rows' trained tokens; that loss, in nats per token.

        `guard` is called often and may raise Interrupted, which is passed on.
        """

    def row_losses(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> list[RowLoss]:
        """The loss of each row's trained tokens, without gradients; Interrupted as above."""


Run = Callable[[Recipe, Data, Callable[[], bool], Trainer], Iterator[Event]]  # what `run` is, for what takes its place


def run(recipe: Recipe, data: Data, stop: Callable[[], bool], trainer: Trainer) -> Iterator[Event]:
    """Train; yields Progress, Note and Step, and last a Result with a Trained.

    Continues from recipe.folder/checkpoint when that was made with the same recipe and files. When `stop()` turns
    true the work up to the last whole step is in the checkpoint. The state with the lowest held-out loss is kept where
    the last one is clearly worse, and training ends early when it has been so for `recipe.patience` measurements.
    Raises TooLittleMemory, DiskFull, and TooFast when the loss explodes or is no longer a number; what is kept then is
    of before it.
    """
    model = trainer.model
    parameters = {name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad}
    optimizer = make_optimizer(parameters, recipe)

    # Prepare: the order of all batches follows from the seed alone, so a resumed run sees what it would have seen.
    batches = plan_batches([example.source for example in data.train], recipe)
    total = len(batches)
    rows = [example.tokens for example in data.train]
    held = [example.tokens for example in spread(data.held_out, MEASURED)]
    counts = tuple(row.trained for row in held)
    checkpoint, best, key = recipe.folder / "checkpoint", recipe.folder / "best", recipe_key(recipe)
    state = read_state(checkpoint)
    step, spent, read, course = 0, 0.0, 0, Course()
    loss, waiting = 0.0, False  # waiting: a stop came while the last step was being measured
    owed = False  # a stop came while rows were being answered
    if state is not None and state["recipe"] == key:
        load_checkpoint(checkpoint, parameters, optimizer)
        step, spent, read, total = state["step"], state["seconds"], state["read"], state["total"]
        course = records.from_plain(Course, state.get("course", {}))
        if not {len(course.before), len(course.last)} <= {0, len(held)}:  # of an older version, which measured others
            course = Course(early=course.early, recent=course.recent)
        loss, waiting, owed = state.get("loss", 0.0), state.get("waiting", False), state.get("owed", False)
        yield Note(f"Continuing after step {step} of {total}.")
        yield from filter(None, (other_precision(state, trainer.precision), fell_back(state)))
    forget_later(recipe.folder / FOLDER, step)
    every, keep_every, sample_steps = _rhythm(recipe, total)
    began = time.monotonic() - spent

    def guard() -> None:
        if stop():
            raise Interrupted

    def measured() -> Step:
        at = time.monotonic() - began
        return Step(step, total, loss, tokens_per_second=read / at if read else 0.0, seconds=at)

    def state_now(seconds: float) -> dict[str, Any]:
        plain = {"recipe": key, "step": step, "total": total, "seconds": seconds, "read": read}
        plain |= {BACKEND: recipe.extra.get(BACKEND, ""), PRECISION: trainer.precision}
        return {**plain, "loss": loss, "waiting": waiting, "owed": owed, "course": records.to_plain(course)}

    if step == 0:
        yield Progress(0, total, "measuring the model before training", "steps")
        name = before.key(recipe, trainer.precision, held)
        first = before.known(name, len(held)) or measure(trainer, held, guard) or ()
        before.keep(name, first)
        course = see_held_out(course, 0, first)
        said = take_samples(model, data, recipe, guard)
        began = time.monotonic()
        yield Step(0, total, None, eval_loss=_mean(first, counts), samples=said or ())

    stopped, planned = False, (step, spent)
    if owed:
        said = take_samples(model, data, recipe, guard)
        stopped = owed = said is None
        began = time.monotonic() - spent
        yield replace(measured(), train_loss=None, samples=said or ())

    # Step: the gradient of some rows, clip, update.
    while (step < total or waiting) and not stopped:
        if not waiting:
            chosen = [rows[place] for place in batches[step]]
            try:
                loss = take_step(trainer, chosen, optimizer, recipe, step, total, guard)
            except Interrupted:
                stopped = True
                break
            step, read = step + 1, read + sum(len(row.ids) for row in chosen)
            course = see_trained(course, loss, recipe.batch_size)
            check_course(course, recipe, step)
        event = measured()

        if step in PLANNED_AFTER and recipe.minutes and not waiting:
            pace = (event.seconds - planned[1]) / (step - planned[0])
            one_pass = round(len(batches) / recipe.epochs)
            left = steps_within(60 * recipe.minutes - event.seconds, pace, one_pass - step, trainer.later)
            total = min(len(batches), max(step + left, LEAST_STEPS))
            planned = step, event.seconds
            every, keep_every, sample_steps = _rhythm(recipe, total)
            event = replace(event, total=total)

        # Measure and keep.
        if waiting or step % every == 0 or step == total:
            paused = time.monotonic()
            losses = measure(trainer, held, guard)
            stopped = waiting = losses is None
            if losses and not math.isfinite(sum(each.total for each in losses)):
                raise _too_fast(f"The held-out loss stopped being a number by step {step}", recipe)
            if not stopped:
                keep_state(recipe.folder / FOLDER, step, parameters)
            if losses:
                course = see_held_out(course, step, losses)
                if course.best_step == step:
                    save_weights(best, step, parameters)
                if 0 < recipe.patience <= course.worse and step < total:
                    course, total = replace(course, planned=total), step
                event = replace(event, total=total, eval_loss=_mean(losses, counts))
            if step == total and course.overshot and not waiting:
                load_weights(best, course.best_step, parameters)  # before the last samples, which are to show it
            if (step in sample_steps or step == total) and not stopped:
                said = take_samples(model, data, recipe, guard)
                stopped = owed = said is None
                event = replace(event, samples=said or ())
            began += time.monotonic() - paused  # measuring is not training
        if (step % keep_every == 0 or step == total) and not waiting:
            save_checkpoint(checkpoint, parameters, optimizer, state_now(event.seconds))
            keep_weights(best, course.best_step, spare_best(checkpoint))
        yield event
    if stopped and step:
        save_checkpoint(checkpoint, parameters, optimizer, state_now(time.monotonic() - began))
    ending = () if stopped else how_it_ended(course, counts, total)
    yield from map(Note, ending)
    if not stopped:
        if course.overshot:  # once more: a run that was killed after its last step goes on right here
            load_weights(best, course.best_step, parameters)
        model.save_pretrained(str(recipe.folder / "peft"))
    seconds = time.monotonic() - began
    speed = read / max(seconds, 1e-9)
    yield Result(Trained(model, step, total, stopped, speed, seconds, trainer.precision, course, counts, ending))


def make_optimizer(parameters: dict[str, Any], recipe: Recipe) -> Any:
    """AdamW over trained tensors by name; LoRA's B has a learning rate of its own, a group's `times` the recipe's."""
    import torch

    parts: dict[bool, list[Any]] = {True: [], False: []}
    for name, tensor in parameters.items():
        parts["lora_B" in name].append(tensor)
    groups: list[dict[str, Any]] = [
        {"params": parts[is_b], "times": recipe.b_rate if is_b else 1.0} for is_b in parts if parts[is_b]
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)


def take_step(
    trainer: Trainer,
    rows: Sequence[Tokens],
    optimizer: Any,
    recipe: Recipe,
    step: int,
    total: int,
    guard: Callable[[], None],
) -> float:
    """One optimiser step; the loss before it. Raises Interrupted, and TooFast when loss or gradient is no number."""
    import torch

    groups = optimizer.param_groups
    for group in groups:
        group["lr"] = recipe.learning_rate * group["times"] * schedule(step, total, recipe.warmup)
    loss = trainer.backward(rows, guard)
    if not math.isfinite(loss):
        raise _too_fast(f"The loss stopped being a number at step {step + 1}", recipe)
    trained = [each for group in groups for each in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(trained, recipe.max_gradient)
    if not math.isfinite(float(norm)):  # the step would make every weight one that is no number
        raise _too_fast(f"The gradient stopped being a number at step {step + 1}", recipe)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss


def check_course(course: Course, recipe: Recipe, step: int) -> None:
    """Raises TooFast when the loss has exploded."""
    found = divergence(course)
    if found is not None:
        raise _too_fast(f"The loss rose from {found[0]:.1f} to {found[1]:.1f} by step {step}", recipe)


def _too_fast(what: str, recipe: Recipe) -> TooFast:
    slower = float(f"{recipe.learning_rate / 3:.2g}")
    return TooFast(
        f"{what}: the learning rate {recipe.learning_rate:g} is too high for this data. Going on would end in the same "
        f"way: start anew with about a third of it, {slower:g}.",
        slower,
    )


def _best_words(course: Course) -> str:
    if course.best_right - course.last_right >= MORE_RIGHT:
        return f"Of {len(course.last)} held-out rows {course.best_right} instead of {course.last_right} were right"
    return "The held-out loss was lowest"


def how_it_ended(course: Course, counts: Sequence[int], total: int) -> tuple[str, ...]:
    """What a person should know of the end, in sentences: that it came early, and which state is kept."""
    said = []
    if course.planned:
        times = "once" if course.worse == 1 else f"{course.worse} times in a row"
        said.append(
            f"Training ended after step {total} of {course.planned}, for the held-out rows were answered clearly worse "
            f"than at their best {times}."
        )
    if course.overshot:
        lowest, last = sum(course.best) / sum(counts), sum(course.last) / sum(counts)
        said.append(
            f"{_best_words(course)} at step {course.best_step} (loss {lowest:.3f}, at the end {last:.3f}): "
            "that state is kept."
        )
    return tuple(said)


def _rhythm(recipe: Recipe, total: int) -> tuple[int, int, set[int]]:
    """After how many steps to measure, after how many to keep a checkpoint, and at which to answer held-out rows."""
    every = recipe.eval_every or max(1, math.ceil(total / 5))
    return every, recipe.checkpoint_every or every, {(total // 2 // every) * every, total}


def steps_within(seconds: float, pace: float, first: int, later: float = 1.0) -> int:
    """How many steps fit into `seconds` where one takes `pace`, of which `first` are left of the first pass.

    A step of a later pass takes `later` of the time, for the states of the frozen layers are remembered; a pace that
    was measured there (`first` is 0 or less) holds as it is.
    """
    steps = max(0.0, seconds) / pace
    return int(first + (steps - first) / later if 0 < first < steps else steps)


def schedule(step: int, total: int, warmup: float) -> float:
    """The learning rate's factor: up in a line over the warm-up, then down along half a cosine to a tenth."""
    rising = max(1, round(total * warmup))
    if step < rising:
        return (step + 1) / rising
    along = (step - rising) / max(1, total - rising)
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * along))


def row_outcomes(logits: Any, labels: Any, counts: Sequence[int]) -> Any:
    """[rows, 2], a RowLoss a row, of the logits [tokens, vocabulary] and labels of rows with so many tokens each."""
    import torch

    own = logits.gather(1, labels[:, None])[:, 0]
    losses, behind = logits.logsumexp(1) - own, logits.amax(1) - own
    parts = zip(losses.split(list(counts)), behind.split(list(counts)), strict=True)
    return torch.stack([torch.stack((loss.sum(), most.max())) for loss, most in parts])


def measure(trainer: Trainer, rows: Sequence[Tokens], guard: Callable[[], None]) -> tuple[RowLoss, ...] | None:
    """The loss of each held-out row; None when a stop came in between."""
    try:
        return tuple(trainer.row_losses(rows, guard)) if rows else ()
    except Interrupted:
        return None


def _mean(losses: Sequence[RowLoss], counts: Sequence[int]) -> float | None:
    """Nats per trained token, None without rows."""
    return sum(each.total for each in losses) / sum(counts) if losses else None


def take_samples(model: Any, data: Data, recipe: Recipe, guard: Callable[[], None]) -> tuple[Sample, ...] | None:
    """A few held-out rows answered as the model is now, greedily; None where `guard` raised Interrupted."""
    chosen = list(data.held_out)[: recipe.sample_rows]
    prompts = [example.tokens.ids[: example.tokens.spans[-1][0]] for example in chosen]
    try:
        answers = answer(model, prompts, data.tokenizer, SAMPLE_TOKENS, guard) if chosen else []
    except Interrupted:
        return None
    return tuple(
        Sample(example.messages[-2][1], example.answer, data.tokenizer.decode(ids))
        for example, ids in zip(chosen, answers, strict=True)
    )


def answer(
    model: Any,
    prompts: Sequence[Sequence[int]],
    tokenizer: Tokenizer,
    most: int,
    guard: Callable[[], None] = lambda: None,
) -> list[list[int]]:
    """Greedy answers as token ids, all prompts at once; an answer ends before the token that ends its turn. `guard` is
    called at every token and, where the model calls its layers, at each of them; it may raise Interrupted."""
    import torch
    from transformers import StoppingCriteriaList

    def go_on(ids: Any, *_: Any, **__: Any) -> Any:  # Unsloth's own decoding may call no layer
        guard()
        return torch.zeros(len(ids), dtype=torch.bool, device=ids.device)

    def look(*_: Any) -> None:  # a long prompt is read for seconds before the first token
        guard()

    end = tokenizer.end_id
    width = max(len(prompt) for prompt in prompts)
    device = model.device
    ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    model.get_base_model().config._attn_implementation = "sdpa"
    hooks = [layer.register_forward_pre_hook(look) for layer in model.get_base_model().model.layers]
    try:
        with torch.no_grad():
            full = model.generate(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                do_sample=False,
                max_new_tokens=most,
                eos_token_id=end,
                pad_token_id=max(end, 0),
                use_cache=True,
                stopping_criteria=StoppingCriteriaList([go_on]),
            )
    finally:
        for hook in hooks:
            hook.remove()
    answers = [each[width:].tolist() for each in full]
    return [each[: each.index(end)] if end in each else each for each in answers]
