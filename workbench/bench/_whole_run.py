"""A whole short fine-tune, measured: speed and held-out loss beside TRL's, share of the roofline, peak memory."""

from __future__ import annotations

import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from workbench.bench import Figure, _trl
from workbench.events import Result
from workbench.settings import available_cores
from workbench.tuning.base import BaseInfo, load_base, read_base
from workbench.tuning.batches import plan_batches
from workbench.tuning.dataset import Example, split
from workbench.tuning.loop import Data
from workbench.tuning.packing import micro_batches, pack
from workbench.tuning.peft_cpu import BUDGET, train
from workbench.tuning.recipe import PRESETS, Recipe
from workbench.tuning.tokens import Tokens, load_tokenizer

WHOLE_ROWS, HELD_ROWS = 64, 16  # 8 steps; TRL takes two minutes for them on two cores
LARGE = 2048  # rows and columns of products that show what the processor can do at best
MATRIX_ROWS = 640  # of the products the roofline is taken from: about as many as a micro-batch has


def whole_run(model: Path, examples: Sequence[Example], precision: str) -> list[Figure]:
    """One pass over the same rows by our trainer and by TRL's: speed, held-out loss, roofline, memory."""
    import torch

    training, held = split(examples, 0.1, seed=7)
    training, held = _some(training), held[:HELD_ROWS]
    count = read_base(model).layers
    peak = Peak()
    with tempfile.TemporaryDirectory() as folder:
        quick = PRESETS["quick"]
        recipe = Recipe("bench", model, (), Path(folder), layers=quick.layers(count), epochs=1.0)
        recipe = replace(recipe, learning_rate=quick.learning_rate, b_rate=quick.b_rate)
        recipe = replace(recipe, precision=precision, sample_rows=0)
        with peak:
            *_, last = train(recipe, Data(training, held, load_tokenizer(model)), lambda: False)
        assert isinstance(last, Result)
        trained = last.value

    torch.set_num_threads(available_cores())  # our trainer left as many as others did not use just then

    def measure(tuned: Any) -> float:
        return held_out_loss(tuned, [each.tokens for each in held])

    ours = _trl.Outcome(trained.tokens_per_second, measure(trained.model), recipe.learning_rate)
    work = _operations(read_base(model), training, min(recipe.layers)) / trained.seconds / 1e9
    roof, large = matrix_speed(precision), matrix_speed(precision, LARGE, LARGE, LARGE)
    figures = [
        Figure(
            *("training, share of the matrix roofline", work, roof, work / roof, "GFLOP/s"),
            f"operations that are needed in {precision}, beside this CPU's own products of the model's shapes",
        ),
        Figure(
            *("training, share of the roofline of large matrices", work, large, work / large, "GFLOP/s"),
            f"the same beside this CPU's products of {LARGE} by {LARGE}, which a model of this width never has",
        ),
        Figure("training, peak memory beside 2.5 GB", peak.gigabytes, 2.5, peak.gigabytes / 2.5, "GB"),
    ]
    return [
        *figures,
        *(beside_trl(model, training, precision, ours, measure, recipe.layers) if _trl.is_installed() else ()),
    ]


def beside_trl(
    model: Path,
    rows: Sequence[Example],
    precision: str,
    ours: _trl.Outcome,
    measure: Callable[[Any], float],
    layers: Sequence[int],
) -> list[Figure]:
    """Our run beside TRL's at its defaults and beside TRL's on the same layers, which tells what fewer layers bring
    apart from what the trainer brings: the first ratio is the product of the second and the third."""
    theirs, alike = (
        _trl.train_with_trl(model, load_base(model, read_base(model), precision), rows, measure, chosen)
        for chosen in (None, layers)
    )
    speeds = ours.tokens_per_second, theirs.tokens_per_second, alike.tokens_per_second
    one_pass = f"one pass over the same {len(rows)} rows, in {precision}"
    same = f"SFTTrainer at its defaults but for the {len(layers)} layers, {one_pass}"
    return [
        Figure(
            *("training, whole run beside TRL", speeds[0], speeds[1], speeds[0] / speeds[1], "tokens/s"),
            f"SFTTrainer at its defaults, {one_pass}",
        ),
        Figure(
            *("the same beside TRL on the same layers", speeds[0], speeds[2], speeds[0] / speeds[2], "tokens/s"),
            f"{same}: what the trainer brings",
        ),
        Figure(
            *("TRL on these layers beside TRL on all", speeds[2], speeds[1], speeds[2] / speeds[1], "tokens/s"),
            "what fewer layers bring",
        ),
        _losses("held-out loss after it beside TRL", ours, theirs),
        _losses("held-out loss beside TRL on the same layers", ours, alike),
    ]


def _losses(name: str, ours: _trl.Outcome, theirs: _trl.Outcome) -> Figure:
    rates = f"learning rates {ours.learning_rate:g} and {theirs.learning_rate:g}, each one's default"
    losses = ours.held_out_loss, theirs.held_out_loss
    return Figure(name, *losses, losses[0] / losses[1], "nats/token", f"lower is better; {rates}")


def held_out_loss(model: Any, rows: Sequence[Tokens]) -> float:
    """Nats per trained token, by the layers and the head themselves: TRL puts a forward of its own around them."""
    import torch

    inner, total = model.get_base_model(), 0.0
    inner.config._attn_implementation = "sdpa"
    for row in rows:
        ids = torch.tensor([row.ids])
        with torch.no_grad():
            hidden = inner.model(input_ids=ids, use_cache=False).last_hidden_state
            for start, end in row.spans:
                logits = inner.lm_head(hidden[0, start - 1 : end - 1]).float()
                total += float(torch.nn.functional.cross_entropy(logits, ids[0, start:end], reduction="sum"))
    return total / sum(row.trained for row in rows)


def _some(rows: Sequence[Example]) -> list[Example]:
    """WHOLE_ROWS of them from all over the files; rows that read the same passages stay together."""
    groups: dict[str, list[Example]] = {}
    for row in rows:
        groups.setdefault(row.source or f"{row.file} {row.row}", []).append(row)
    mixed = list(groups.values())
    random.Random(7).shuffle(mixed)
    return [row for group in mixed for row in group][:WHOLE_ROWS]


def _operations(info: BaseInfo, rows: Sequence[Example], lowest: int) -> float:
    """Multiplications and additions one pass needs: all layers forwards, the trained ones backwards, the head where a
    token is trained; a beginning that rows of a source share counts once."""
    inside = [shape for name, shape in info.tensors.items() if name.startswith("blk.") and len(shape) == 2]
    layer = 2 * sum(wide * high for wide, high in inside) / info.layers
    head = 2 * info.tensors["token_embd.weight"][0] * info.tensors["token_embd.weight"][1]
    read = 0
    for batch in plan_batches([row.source for row in rows], Recipe("", Path(), (), Path(), epochs=1.0)):
        chosen = [rows[place].tokens for place in batch]
        read += sum(pack([chosen[place] for place in part]).length for part in micro_batches(chosen, BUDGET))
    trained = sum(row.tokens.trained for row in rows)
    return read * layer * (info.layers + (info.layers - lowest)) + trained * head * 2


def matrix_speed(precision: str, rows: int = MATRIX_ROWS, wide: int = 576, high: int = 1536) -> float:
    """GFLOP/s of this CPU's usual product of a micro-batch with a projection, of the starter's shape unless told."""
    import torch

    kind = torch.float32 if precision == "fp32" else torch.bfloat16
    left, right = torch.randn(rows, wide, dtype=kind), torch.randn(high, wide, dtype=kind)
    times = []
    for _ in range(40):
        began = time.perf_counter()
        torch.nn.functional.linear(left, right)
        times.append(time.perf_counter() - began)
    return 2 * rows * wide * high / statistics.median(times[8:]) / 1e9


class Peak:
    """The most memory this process held while the block ran, looked at ten times a second."""

    def __init__(self) -> None:
        self.gigabytes = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory watch", daemon=True)

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._over.wait(0.1):
            self.gigabytes = max(self.gigabytes, process.memory_info().rss / 1e9)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def plain_loss(model: Any, batch: Sequence[Tokens]) -> Any:
    """The summed loss of a padded batch, as transformers' own forward and a masked label row give it."""
    import torch

    width = max(len(row.ids) for row in batch)
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    mask = torch.zeros(len(batch), width, dtype=torch.long)
    labels = torch.full((len(batch), width), -100)
    for place, row in enumerate(batch):
        ids[place, : len(row.ids)] = torch.tensor(row.ids)
        mask[place, : len(row.ids)] = 1
        for start, end in row.spans:
            labels[place, start:end] = ids[place, start:end]
    model.get_base_model().config._attn_implementation = "sdpa"
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
    return torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels[:, 1:], ignore_index=-100, reduction="sum")
