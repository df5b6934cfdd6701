"""train(recipe, data): a LoRA fine-tune on the CPU with transformers and peft."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.catalog.memory import free as free_memory
from workbench.events import Event, Progress
from workbench.settings import load_settings
from workbench.tuning import loop
from workbench.tuning.base import BaseInfo, load_base, read_base
from workbench.tuning.begun import PRECISION
from workbench.tuning.course import RowLoss
from workbench.tuning.loop import Data
from workbench.tuning.lora import speed_up
from workbench.tuning.packing import ATTENTION, Packed, micro_batches, pack, packed_length, register_attention
from workbench.tuning.precision import choose_precision
from workbench.tuning.recipe import Recipe
from workbench.tuning.threads import FreeCores
from workbench.tuning.tokens import Tokens

# Tokens of a micro-batch. Rows that read the same passages fill about 700; with room for two such piles they are seldom
# parted: on a busy machine a step took 0.7 of its time with 640. A stop does not wait for one, see loop.Interrupted.
BUDGET = 1280


def _go_on() -> None:
    """Never interrupts."""


@dataclass(slots=True)
class Memory:
    """The states that come out of the frozen lower layers, kept per row: later epochs need not make them again."""

    room: int  # bytes left
    states: dict[int, Any] = field(default_factory=dict)  # id of a row's Tokens → [length, hidden]


def train(recipe: Recipe, data: Data, stop: Callable[[], bool], run: loop.Run = loop.run) -> Iterator[Event]:
    """Train a LoRA adapter, as `loop.run` says it, or what else `run` does with a trainer. Raises BadModel and what
    that raises."""
    import torch

    torch.set_num_threads(recipe.threads or load_settings().background_count)
    cores = FreeCores(recipe.threads)
    torch.manual_seed(recipe.seed)  # LoRA's A starts random; nothing else is
    precision = choose_precision(_kept(recipe) or recipe.precision)
    cores.adjust()
    yield Progress(0, 0, f"loading {recipe.model.name} for training in {precision}", "steps")
    info = read_base(recipe.model)
    register_attention()
    base = load_base(recipe.model, info, precision)
    layers = sorted(recipe.layers) or list(range(info.layers))
    model = add_adapter(base, recipe, layers)  # in fp32, see `lora`
    speed_up(model)
    budget = recipe.tokens_at_once or BUDGET
    trainer = Trainer(model, precision, later_share(info, layers), layers[0], cores, budget)
    yield from run(recipe, data, stop, trainer)


def _kept(recipe: Recipe) -> str:
    """The precision a run that goes on was begun in, as far as it is one of a processor's."""
    kept = str(recipe.extra.get(PRECISION, ""))
    return kept if kept in ("fp32", "bf16") else ""


def add_adapter(base: Any, recipe: Recipe, layers: Sequence[int]) -> Any:
    """A fresh LoRA adapter beside the recipe's projections of some layers; a peft model."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,  # type: ignore[arg-type]  # a float works, and its saved form is read back as one
        target_modules=list(recipe.targets),
        layers_to_transform=list(layers),
        lora_dropout=0.0,
        bias="none",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(base, config)


class Trainer:
    """Packed micro-batches through the layers above the lowest trained one, on the cores that are free."""

    def __init__(self, model: Any, precision: str, later: float, first: int, cores: FreeCores, budget: int) -> None:
        """`first` is the lowest layer with an adapter, `budget` the tokens of a micro-batch."""
        self.model, self.precision, self.later, self.at_once = model, precision, later, budget
        self._first, self._cores = first, cores
        self._memory = Memory(room=free_memory() // 4)

    @property
    def state_bytes(self) -> int:
        """See loop.Trainer."""
        weights = self.model.get_base_model().model.embed_tokens.weight
        return int(weights.shape[1]) * int(weights.element_size()) if self._first else 0

    def size(self, rows: Sequence[Tokens]) -> int:
        """See loop.Trainer."""
        return packed_length(rows)

    def backward(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> float:
        """See loop.Trainer."""
        guard = self._restful(guard)
        trained = sum(row.trained for row in rows)
        summed = 0.0
        for part in micro_batches(rows, self.at_once):
            guard()
            chosen = [rows[place] for place in part]
            loss = loss_of(self.model, self._first, chosen, self._memory, guard) / trained
            loss.backward()
            summed += float(loss.detach())
        return summed

    def row_losses(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> list[RowLoss]:
        """See loop.Trainer."""
        import torch

        guard = self._restful(guard)
        found = [RowLoss(0.0, 0.0)] * len(rows)
        with torch.no_grad():
            for part in micro_batches(rows, self.at_once):
                chosen = [rows[place] for place in part]
                losses = losses_of(self.model, self._first, chosen, self._memory, guard)
                for place, loss in zip(part, losses, strict=True):
                    found[place] = loss
        return found

    def _restful(self, guard: Callable[[], None]) -> Callable[[], None]:
        """The same guard, which is called before every layer, and cores as they are free then."""

        def stop() -> bool:
            guard()
            return False

        def both() -> None:
            guard()
            self._cores.adjust(stop)

        return both


def later_share(info: BaseInfo, layers: Sequence[int]) -> float:
    """What a step of a later pass costs beside one of the first: no longer the forward pass of the layers below.

    A layer's backward pass costs about twice its forward pass where only an adapter is trained in it.
    """
    trained = info.layers - min(layers)
    return 3 * trained / (info.layers + 2 * trained)


def loss_of(model: Any, first: int, rows: Sequence[Tokens], memory: Memory, guard: Callable[[], None] = _go_on) -> Any:
    """The summed cross-entropy (nats) of the trained tokens of some rows; only those places go through the head.

    `guard` is called before every layer, forwards and backwards, and may raise Interrupted.
    """
    import torch

    packed = pack(rows)
    logits = _logits(model, first, rows, packed, memory, guard)
    return torch.nn.functional.cross_entropy(logits, packed.labels, reduction="sum")


def losses_of(
    model: Any, first: int, rows: Sequence[Tokens], memory: Memory, guard: Callable[[], None] = _go_on
) -> list[RowLoss]:
    """The same of each row; without gradients."""
    packed = pack(rows)
    logits = _logits(model, first, rows, packed, memory, guard)
    order = [place for group in packed.groups for place in group.members]  # as the packed labels stand
    told = loop.row_outcomes(logits, packed.labels, [rows[place].trained for place in order]).tolist()
    by_place = {place: RowLoss(*each) for place, each in zip(order, told, strict=True)}
    return [by_place[place] for place in range(len(rows))]


def _logits(
    model: Any, first: int, rows: Sequence[Tokens], packed: Packed, memory: Memory, guard: Callable[[], None]
) -> Any:
    """[trained tokens, vocabulary] in fp32."""
    inner, head = model.get_base_model().model, model.get_base_model().lm_head
    hidden = inputs_above(inner, first, rows, packed, memory, guard)
    hidden = run_layers(inner, inner.layers[first:], hidden, packed, guard)
    return head(inner.norm(hidden[0, packed.sources])).float()


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
