"""train(recipe, data): a LoRA fine-tune on an NVIDIA card with transformers and peft alone.

Rows are padded on the right to the longest of their micro-batch, which a causal model needs no mask for, and only
trained places go through the head: a batch of 8 rows of 1,024 tokens would otherwise make 5 GB of logits with a
vocabulary of 150,000. What a card holds is planned (`plan_memory`) and, since a plan is an estimate, halved when the
card says that it was too much.

Run once on a card, an H200: a run of the sample's rows, and one that was stopped, went on and learned its rows; the
parity with llama.cpp was not reached there (tests/tuning/test_on_a_card.py waits for a card). On a processor it trains
to the losses of `peft_cpu`. 4-bit weights were never made.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from workbench.errors import InputError, TooLittleMemory
from workbench.events import Event, Progress, Result
from workbench.tuning import loop
from workbench.tuning.base import BaseInfo, load_base, read_base, write_base
from workbench.tuning.begun import PRECISION
from workbench.tuning.course import RowLoss
from workbench.tuning.loop import Data
from workbench.tuning.lora import speed_up
from workbench.tuning.peft_cpu import add_adapter
from workbench.tuning.recipe import Recipe
from workbench.tuning.tokens import Tokens

Found = TypeVar("Found")

DEVICE = "cuda"  # the first card
BUDGET = 8192  # padded tokens of a micro-batch: a step of the default recipe at its longest
SPARE = 0.9  # share of the card's free memory that is planned with
FOUR_BIT = 0.65  # bytes a weight takes in nf4 with its scales, the embeddings staying in 16 bits


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How a model is put on a card."""

    bits: int  # of a frozen weight, 16 or 4
    recompute: bool  # whether activations are computed again in the backward pass (gradient checkpointing)

    @property
    def precision(self) -> str:
        """As a manifest says it."""
        return "bf16" if self.bits == 16 else "4-bit nf4"


def train(recipe: Recipe, data: Data, stop: Callable[[], bool], run: loop.Run = loop.run) -> Iterator[Event]:
    """As `peft_cpu.train`, on the first card. Raises TooLittleMemory, and InputError for a card that is too old."""
    import torch

    check_card()
    torch.manual_seed(recipe.seed)
    info = read_base(recipe.model)
    plan = plan_memory(info, recipe, free_on_card(), find_spec("bitsandbytes") is not None)
    yield Progress(0, 0, f"loading {recipe.model.name} onto the graphics card in {plan.precision}", "steps")
    base = load_base(recipe.model, info, "bf16").to(DEVICE) if plan.bits == 16 else _load_four_bit(recipe, info)
    model = add_adapter(base, recipe, sorted(recipe.layers) or range(info.layers))
    if plan.bits == 16:
        speed_up(model)
    if plan.recompute:
        recompute(model)
    yield from run_on_card(recipe, data, stop, model, plan, run)


def check_card() -> None:
    """Raises InputError where the card cannot multiply in bf16 itself (NVIDIA: older than Ampere)."""
    import torch

    if not torch.cuda.is_bf16_supported(including_emulation=False):
        raise InputError(
            f"{torch.cuda.get_device_name()} cannot compute in bf16, which training on a card needs: choose the "
            "backend cpu."
        )


def free_on_card() -> int:
    """Bytes that are free on the first card."""
    import torch

    return int(torch.cuda.mem_get_info()[0])


def plan_memory(info: BaseInfo, recipe: Recipe, free: int, four_bit: bool) -> Plan:
    """The fastest way that fits into `free` bytes; `four_bit` says whether 4-bit weights can be made here.

    Of a layer that is trained about 10 hidden and 6 feed-forward widths a token are kept for the backward pass in 16
    bits; with recomputation one hidden width of every layer, and one layer whole. Raises TooLittleMemory.
    """
    hidden = info.tensors["token_embd.weight"][0]
    wide = info.tensors["blk.0.ffn_up.weight"][1]
    tokens = min(recipe.tokens_at_once or BUDGET, recipe.batch_size * recipe.max_tokens)
    trained = len(recipe.layers) or info.layers
    layer = 2 * tokens * (10 * hidden + 6 * wide)
    whole, again = trained * layer, 2 * tokens * hidden * info.layers + layer
    ways = [(16, False, whole), (16, True, again), *([(4, True, again)] if four_bit else [])]
    kept = recipe.extra.get(PRECISION)  # a run that goes on stays in the bits it was begun in, as long as they fit
    for bits, recomputes, activations in sorted(ways, key=lambda way: Plan(way[0], way[1]).precision != kept):
        if weight_bytes(info, bits) + activations <= SPARE * free:
            return Plan(bits, recomputes)
    bits, _, activations = ways[-1]
    # The last way can still do with fewer tokens at once, down to a row.
    if weight_bytes(info, bits) + activations * recipe.max_tokens // tokens <= SPARE * free:
        return Plan(bits, True)
    needed = weight_bytes(info, bits) + activations * recipe.max_tokens // tokens
    hint = "" if four_bit else " With the package bitsandbytes it would take about a third of that."
    raise TooLittleMemory(
        f"Training this model takes about {needed / 1e9:.1f} GB of the graphics card's memory, of which "
        f"{free / 1e9:.1f} GB are free.{hint} Choose a smaller model, shorter examples, or the backend cpu."
    )


def weight_bytes(info: BaseInfo, bits: int) -> int:
    """Bytes of the frozen weights on a card; embeddings stay in 16 bits."""
    outer = sum(
        info.tensors[name][0] * info.tensors[name][1]
        for name in ("token_embd.weight", "output.weight")
        if name in info.tensors
    )
    return 2 * info.parameters if bits == 16 else int(2 * outer + FOUR_BIT * (info.parameters - outer))


def recompute(model: Any) -> None:
    """Have activations computed again in the backward pass instead of kept."""
    model.get_base_model().gradient_checkpointing_enable({"use_reentrant": False})
    model.train(True)  # transformers does it in this mode only; there is no dropout


def _load_four_bit(recipe: Recipe, info: BaseInfo) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    kind = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    with write_base(recipe.model, info, recipe.folder / "base") as folder:
        found = AutoModelForCausalLM.from_pretrained(
            str(folder), quantization_config=kind, dtype=torch.bfloat16, device_map={"": 0}, local_files_only=True
        )
    found.requires_grad_(False)
    found.train(False)
    return found


def run_on_card(
    recipe: Recipe, data: Data, stop: Callable[[], bool], model: Any, plan: Plan, run: loop.Run = loop.run
) -> Iterator[Event]:
    """`loop.run`, or another, on a card. The model is let go at the end: parity is compared from its folder."""
    for event in run(recipe, data, stop, Trainer(model, plan.precision, recipe.tokens_at_once or BUDGET)):
        if isinstance(event, Result) and isinstance(event.value, loop.Trained):
            event = Result(dataclasses.replace(event.value, model=None))
        yield event


class Trainer:
    """Padded micro-batches on a card; the trained places alone go through the head."""

    later = 1.0
    state_bytes = 0

    def __init__(self, model: Any, precision: str, budget: int = BUDGET) -> None:
        self.model, self.precision = model, precision
        self._budget = budget

    @property
    def at_once(self) -> int:
        """See loop.Trainer."""
        return self._budget

    def size(self, rows: Sequence[Tokens]) -> int:
        """See loop.Trainer."""
        parts = padded_parts(rows, self._budget)
        return sum(len(part) * max(len(row.ids) for row in part) for part in parts)

    def backward(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> float:
        """See loop.Trainer."""
        trained = sum(row.trained for row in rows)
        return self._fitting(lambda: self._summed(rows, trained, guard))

    def row_losses(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> list[RowLoss]:
        """See loop.Trainer."""
        import torch

        with torch.no_grad():
            found = self._fitting(lambda: self._by_row(rows, guard))
        return [found[id(row)] for row in rows]

    def _summed(self, rows: Sequence[Tokens], trained: int, guard: Callable[[], None]) -> float:
        import torch

        summed = torch.zeros((), device=self.model.device)  # read once at the end: each look waits for the card
        for part in padded_parts(rows, self._budget):
            guard()
            loss = padded_loss(self.model, part) / trained
            loss.backward()
            summed += loss.detach()
        return float(summed)

    def _by_row(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> dict[int, RowLoss]:
        """The loss of each row by its id, for the parts are in an order of their own."""
        import torch

        found, losses = [], []
        for part in padded_parts(rows, self._budget):
            guard()
            losses.append(loop.row_outcomes(*padded_logits(self.model, part), [row.trained for row in part]))
            found += [id(row) for row in part]
        told = [RowLoss(*each) for each in torch.cat(losses).tolist()]  # one look at the card for all of them
        return dict(zip(found, told, strict=True))

    def _fitting(self, work: Callable[[], Found]) -> Found:
        """Do it, in smaller parts when the card's memory is full. Raises TooLittleMemory when a row alone is too much.

        What of a gradient there is then is thrown away: a step begins with none.
        """
        import torch

        while True:
            try:
                return work()
            except torch.OutOfMemoryError as error:
                self._budget //= 2
                if self._budget < 64:
                    raise TooLittleMemory(
                        "The graphics card has too little memory for one row: close what else uses it, set shorter "
                        "examples in the recipe, or choose the backend cpu."
                    ) from error
            self.model.zero_grad(set_to_none=True)
            torch.cuda.empty_cache()


def padded_parts(rows: Sequence[Tokens], budget: int) -> list[list[Tokens]]:
    """The rows by length in parts of at most `budget` tokens, padding counted; a longer row is a part of its own."""
    parts: list[list[Tokens]] = []
    for row in sorted(rows, key=lambda each: len(each.ids)):
        if parts and len(row.ids) * (len(parts[-1]) + 1) <= budget:
            parts[-1].append(row)
        else:
            parts.append([row])
    return parts


def padded_loss(model: Any, rows: Sequence[Tokens]) -> Any:
    """The summed cross-entropy (nats) of the trained tokens of some rows."""
    import torch

    return torch.nn.functional.cross_entropy(*padded_logits(model, rows), reduction="sum")


def padded_logits(model: Any, rows: Sequence[Tokens]) -> tuple[Any, Any]:
    """[trained tokens, vocabulary] in fp32 and their labels, of rows padded on the right."""
    import torch

    base = model.get_base_model()
    device = base.device
    width = max(len(row.ids) for row in rows)
    ids = torch.tensor([[*row.ids, *[0] * (width - len(row.ids))] for row in rows])
    places = [(number, at - 1) for number, row in enumerate(rows) for span in row.spans for at in range(*span)]
    labels = torch.tensor([row.ids[at] for row in rows for span in row.spans for at in range(*span)])
    where = torch.tensor(places).T.to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        hidden = base.model(input_ids=ids.to(device), use_cache=False).last_hidden_state
        logits = base.lm_head(hidden[where[0], where[1]])
    return logits.float(), labels.to(device)


def reference(recipe: Recipe) -> Any:
    """The trained model again, out of its folder and with plain libraries, for the parity check; a peft model.

    In full precision on the card where it fits there, else on the processor. Raises TooLittleMemory.
    """
    import torch
    from peft import PeftModel

    info = read_base(recipe.model)
    base = load_base(recipe.model, info, "fp32")
    if torch.cuda.is_available() and 5 * info.parameters < free_on_card():
        base = base.to(DEVICE)
    return PeftModel.from_pretrained(base, str(Path(recipe.folder) / "peft"))
