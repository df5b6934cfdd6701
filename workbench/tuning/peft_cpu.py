"""train(recipe, data): a LoRA fine-tune on the CPU with transformers and peft, in one plain loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.catalog.memory import free as free_memory
from workbench.errors import InputError
from workbench.events import Event, Note, Progress, Result, Step
from workbench.settings import available_cores
from workbench.tuning.base import BaseInfo, choose_precision, load_base, read_base
from workbench.tuning.batches import plan_batches
from workbench.tuning.checkpoint import load_checkpoint, read_state, recipe_key, save_checkpoint
from workbench.tuning.dataset import Example
from workbench.tuning.lora import speed_up
from workbench.tuning.packing import ATTENTION, Packed, micro_batches, pack, register_attention
from workbench.tuning.recipe import Recipe, Sample
from workbench.tuning.threads import FreeCores
from workbench.tuning.tokens import Tokenizer, Tokens

# Tokens of a micro-batch. Rows that read the same passages fill about 700; with room for two such piles they are seldom
# parted: on a busy machine a step took 0.7 of its time with 640. A stop does not wait for one, see Interrupted.
BUDGET = 1280
SPEED_STEPS = 4  # steps after which the speed of the machine is known well enough to plan a run of so many minutes
MEASURED = 32  # held-out rows the loss is measured on during a run; more would take a fifth of its time
SAMPLE_TOKENS = 48  # of a sample answer: enough to see what is being learnt


class Interrupted(Exception):
    """A stop came in the middle of a micro-batch, whose gradient is thrown away."""


def _go_on() -> None:
    """Never interrupts."""


@dataclass(frozen=True, slots=True)
class Data:
    """What a fine-tune learns from."""

    train: Sequence[Example]
    held_out: Sequence[Example]
    tokenizer: Tokenizer


@dataclass(frozen=True, slots=True)
class Trained:
    """What training leaves in memory, for the parity check."""

    model: Any  # the peft model
    step: int
    total: int
    stopped: bool
    tokens_per_second: float
    seconds: float
    precision: str


@dataclass(slots=True)
class Memory:
    """The states that come out of the frozen lower layers, kept per row: later epochs need not make them again."""

    room: int  # bytes left
    states: dict[int, Any] = field(default_factory=dict)  # id of a row's Tokens → [length, hidden]


def train(recipe: Recipe, data: Data, stop: Callable[[], bool]) -> Iterator[Event]:
    """Train a LoRA adapter; yields Progress, Note and Step, and last a Result with a Trained.

    Continues from recipe.folder/checkpoint when that was made with the same recipe and files. When `stop()` turns
    true the work up to the last whole step is in the checkpoint. Raises BadModel, TooLittleMemory, DiskFull, and
    InputError when the loss is no longer a number.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    # Load: the base in full precision, frozen, with LoRA beside the chosen projections of the chosen layers.
    torch.set_num_threads(recipe.threads or available_cores())
    cores = FreeCores(recipe.threads)
    torch.manual_seed(recipe.seed)  # LoRA's A starts random; nothing else is
    precision = choose_precision(recipe.precision)
    cores.adjust()
    yield Progress(0, 0, f"loading {recipe.model.name} for training in {precision}", "steps")
    info = read_base(recipe.model)
    register_attention()
    base = load_base(recipe.model, info, precision)
    layers = sorted(recipe.layers) or list(range(info.layers))
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,  # type: ignore[arg-type]  # a float works, and its saved form is read back as one
        target_modules=list(recipe.targets),
        layers_to_transform=layers,
        lora_dropout=0.0,
        bias="none",
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(base, config)  # the adapter in fp32, see `lora`
    speed_up(model)
    parameters = {name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad}
    optimizer = torch.optim.AdamW(
        parameters.values(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )

    # Prepare: the order of all batches follows from the seed alone, so a resumed run sees what it would have seen.
    batches = plan_batches([example.source for example in data.train], recipe)
    total = len(batches)
    every = recipe.eval_every or max(1, math.ceil(total / 5))
    keep_every = recipe.checkpoint_every or every
    memory = Memory(room=free_memory() // 4)
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

    first_loss = None
    if step == 0:
        yield Progress(0, total, "measuring the model before training", "steps")
        first_loss = evaluate(model, layers[0], held, memory, guard, cores)
        samples = take_samples(model, data, recipe)
        began = time.monotonic()
        yield Step(0, total, None, eval_loss=first_loss, samples=samples)

    # Step: forward and backward over packed micro-batches, clip, update.
    stopped = False
    while step < total and not stopped:
        chosen = [rows[place] for place in batches[step]]
        trained = sum(row.trained for row in chosen)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * schedule(step, total, recipe.warmup)
        summed = 0.0
        try:
            for part in micro_batches(chosen, BUDGET):
                guard()
                cores.adjust()
                loss = loss_of(model, layers[0], [chosen[place] for place in part], memory, guard) / trained
                loss.backward()
                summed += float(loss.detach())
        except Interrupted:
            stopped = True
        if stopped:
            break
        if not math.isfinite(summed):
            raise InputError(
                f"The loss stopped being a number at step {step + 1}: the learning rate "
                f"{recipe.learning_rate:g} is too high "
                "for this data. The last checkpoint is kept; start again with a third of it."
            )
        torch.nn.utils.clip_grad_norm_(parameters.values(), recipe.max_gradient)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step, read = step + 1, read + sum(len(row.ids) for row in chosen)
        event = measured(step, summed)

        if step == SPEED_STEPS and recipe.minutes:
            one_pass = round(len(batches) / recipe.epochs)
            total = steps_within(recipe.minutes, event.seconds / step, total, one_pass, later_share(info, layers))
            every = recipe.eval_every or max(1, math.ceil(total / 5))
            sample_steps = {(total // 2 // every) * every, total}
            event = Step(step, total, summed, None, event.tokens_per_second, event.seconds)

        # Measure and keep.
        if step % every == 0 or step == total:
            paused = time.monotonic()
            loss_now = evaluate(model, layers[0], held, memory, guard, cores)
            samples = take_samples(model, data, recipe) if step in sample_steps and not stop() else ()
            began += time.monotonic() - paused  # measuring is not training
            event = Step(step, total, summed, loss_now, event.tokens_per_second, event.seconds, samples)
        if step % keep_every == 0 or step == total:
            save_checkpoint(checkpoint, parameters, optimizer, _state(key, step, total, event.seconds, read))
        yield event
    if stopped and step:
        save_checkpoint(checkpoint, parameters, optimizer, _state(key, step, total, time.monotonic() - began, read))
    if not stopped:
        model.save_pretrained(str(recipe.folder / "peft"))
    seconds = time.monotonic() - began
    yield Result(Trained(model, step, total, stopped, read / max(seconds, 1e-9), seconds, precision))


def steps_within(minutes: float, seconds_per_step: float, total: int, one_pass: int, later: float = 1.0) -> int:
    """How many of `total` steps fit into `minutes`, judged by the first ones; at least three times as many as those.

    A step of a later pass takes `later` of the time, for the states of the frozen layers are remembered.
    """
    steps = 60 * minutes / seconds_per_step
    if steps > one_pass:
        steps = one_pass + (steps - one_pass) / later
    return min(total, max(3 * SPEED_STEPS, int(steps)))


def later_share(info: BaseInfo, layers: Sequence[int]) -> float:
    """What a step of a later pass costs beside one of the first: no longer the forward pass of the layers below.

    A layer's backward pass costs about twice its forward pass where only an adapter is trained in it.
    """
    trained = info.layers - min(layers)
    return 3 * trained / (info.layers + 2 * trained)


def _state(key: str, step: int, total: int, seconds: float, read: int) -> dict[str, Any]:
    return {"recipe": key, "step": step, "total": total, "seconds": seconds, "read": read}


def schedule(step: int, total: int, warmup: float) -> float:
    """The learning rate's factor: up in a line over the warm-up, then down along half a cosine to a tenth."""
    rising = max(1, round(total * warmup))
    if step < rising:
        return (step + 1) / rising
    along = (step - rising) / max(1, total - rising)
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * along))


def loss_of(model: Any, first: int, rows: Sequence[Tokens], memory: Memory, guard: Callable[[], None] = _go_on) -> Any:
    """The summed cross-entropy (nats) of the trained tokens of some rows; only those places go through the head.

    `guard` is called before every layer, forwards and backwards, and may raise Interrupted.
    """
    import torch

    packed = pack(rows)
    inner, head = model.get_base_model().model, model.get_base_model().lm_head
    hidden = inputs_above(inner, first, rows, packed, memory, guard)
    hidden = run_layers(inner, inner.layers[first:], hidden, packed, guard)
    logits = head(inner.norm(hidden[0, packed.sources]))
    return torch.nn.functional.cross_entropy(logits.float(), packed.labels, reduction="sum")


def inputs_above(
    inner: Any, first: int, rows: Sequence[Tokens], packed: Packed, memory: Memory, guard: Callable[[], None]
) -> Any:
    """What goes into layer `first`: [1, T, hidden]. The layers below are frozen, so it is the same in every epoch."""
    import torch

    with torch.no_grad():
        if first and all(id(row) in memory.states for row in rows):
            pieces = []
            for group in packed.groups:
                pieces.append(memory.states[id(rows[group.members[0]])][: group.shared])
                pieces += [memory.states[id(rows[member])][group.shared :] for member in group.members]
            return torch.cat(pieces)[None]
        hidden = inner.embed_tokens(packed.ids)[None]
        if not first:
            return hidden
        hidden = run_layers(inner, inner.layers[:first], hidden, packed, guard)
        for group in packed.groups:
            shared = hidden[0, group.start : group.start + group.shared]
            for member, (start, length) in zip(group.members, group.rows, strict=True):
                keep(memory, rows[member], torch.cat([shared, hidden[0, start : start + length]]))
        return hidden


def keep(memory: Memory, row: Tokens, states: Any) -> None:
    """Remember a row's states while there is room."""
    size = states.numel() * states.element_size()
    if id(row) not in memory.states and size <= memory.room:
        memory.states[id(row)] = states
        memory.room -= size


def run_layers(inner: Any, layers: Any, hidden: Any, packed: Packed, guard: Callable[[], None]) -> Any:
    """Some decoder layers over a packed sequence, as the model's own forward runs them."""
    inner.config._attn_implementation = ATTENTION
    positions = packed.positions[None]
    rotation = inner.rotary_emb(hidden, position_ids=positions)
    for layer in layers:
        guard()
        hidden = layer(
            hidden, attention_mask=None, position_ids=positions, position_embeddings=rotation, groups=packed.groups
        )
        if hidden.requires_grad:
            hidden.register_hook(lambda _: guard())
    return hidden


def evaluate(
    model: Any, first: int, rows: Sequence[Tokens], memory: Memory, guard: Callable[[], None], cores: FreeCores
) -> float | None:
    """The mean loss (nats per trained token) on held-out rows, None when there are none or a stop came in between."""
    import torch

    if not rows:
        return None
    parts = [[rows[place] for place in part] for part in micro_batches(rows, BUDGET)]
    summed = 0.0
    with torch.no_grad():
        try:
            for part in parts:
                cores.adjust()
                summed += float(loss_of(model, first, part, memory, guard))
        except Interrupted:
            return None
    return summed / sum(row.trained for row in rows)


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
