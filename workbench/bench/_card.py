"""Fine-tuning on a graphics card in one way, measured; `python -m workbench.bench._card WAY FOLDER`.

A process for each way, because Unsloth changes transformers' classes for the whole process. FOLDER holds asked.json
(model, files, rows) and gets WAY.json (an Outcome). Ways are our backends "gpu" and "unsloth", and two yardsticks:
"stock", Unsloth's trainer with the settings of its example notebooks (2 rows at once, 4 of those a step, 4-bit weights
where bitsandbytes is there, its own gradient checkpointing), and "stock-16", the same with our settings (8 rows at
once, 16 bits, no checkpointing). Run on an H200 with unsloth 2026.10.7 (docs/benchmarks.md); "stock" not to its end.
"""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from workbench import program, records
from workbench.bench import Figure
from workbench.tuning.dataset import Dataset, Example, read_dataset, split
from workbench.tuning.loop import Data
from workbench.tuning.recipe import Recipe
from workbench.tuning.tokens import load_tokenizer
from workbench.tuning.unsloth_gpu import load_library

TURNS = ("<|im_start|>user\n", "<|im_start|>assistant\n")  # how the starter's template begins them
ROWS = 480  # 60 steps
LONGEST = 300.0  # seconds of a way; ours took about one and a half minutes
WARM = 10  # steps that are not timed: kernels are compiled in them
SHARED: dict[str, Any] = {"rank": 16, "alpha": 16.0, "learning_rate": 2e-4, "batch_size": 8, "max_tokens": 2048}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one pass over the rows gave."""

    tokens_per_second: float  # of the rows, padding not counted, after WARM steps
    held_out_loss: float  # nats per trained token, all ways by `_loss` over all held-out rows
    seconds: float  # of the timed steps
    steps: int
    card_memory: int  # bytes at most


def compare(model: Path, files: tuple[Path, ...]) -> list[Figure]:
    """Each backend that is installed beside Unsloth's own trainer, or alone where that is not there."""
    installed = find_spec("unsloth") is not None and find_spec("trl") is not None
    ways = ["gpu", *(["unsloth", "stock-16", "stock"] if installed else [])]
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        records.write_json(folder / "asked.json", {"model": model, "files": files, "rows": ROWS})
        for way in ways:
            with contextlib.suppress(subprocess.TimeoutExpired):  # "stock" had not ended after 150 s
                subprocess.run(program.command("workbench.bench._card", way, name), check=False, timeout=LONGEST)
            if (folder / f"{way}.json").exists():
                found[way] = records.read_json(folder / f"{way}.json")
    figures = []
    yardsticks = [each for each in found if each.startswith("stock")]
    for way in [each for each in found if each not in yardsticks]:
        for yardstick in yardsticks or [way]:
            ours, theirs = found[way], found[yardstick]
            note = (
                f"{ours['steps']} steps; held-out loss {ours['held_out_loss']:.3f} and {theirs['held_out_loss']:.3f}, "
                f"card memory {ours['card_memory'] / 1e9:.1f} GB beside {theirs['card_memory'] / 1e9:.1f} GB"
            )
            speeds = ours["tokens_per_second"], theirs["tokens_per_second"]
            title = f"training on the card, {way} beside {yardstick}" if way != yardstick else f"on the card, {way}"
            figures.append(Figure(title, *speeds, speeds[0] / speeds[1], "tokens/s", note))
    return figures


def main(way: str, folder: Path) -> int:
    """Measure one way and write its outcome."""
    if way != "gpu":
        load_library(folder / way)
    asked = records.read_json(folder / "asked.json")
    model, files = Path(asked["model"]), tuple(map(Path, asked["files"]))
    *_, dataset = read_dataset(files, load_tokenizer(model))
    assert isinstance(dataset, Dataset)
    rows, held_out = split(dataset.examples, 0.1, 3407)
    chosen = sorted(rows, key=lambda row: row.source)[: int(asked["rows"])]
    random.Random(7).shuffle(chosen)
    recipe = Recipe(way, model, files, folder / way, **SHARED, epochs=1.0, eval_every=10**6, sample_rows=0)
    measure = _ours if way in ("gpu", "unsloth") else _stock
    records.write_json(folder / f"{way}.json", measure(way, recipe, Data(chosen, held_out, load_tokenizer(model))))
    return 0


def _ours(way: str, recipe: Recipe, data: Data) -> Outcome:
    """Our trainer, from loading to its last step."""
    from workbench.events import Event, Step
    from workbench.tuning import loop
    from workbench.tuning.batches import plan_batches
    from workbench.tuning.train import train_function

    batches = plan_batches([row.source for row in data.train], recipe)
    marks: dict[int, float] = {}
    losses: list[float] = []

    def run(*asked: Any) -> Iterator[Event]:
        yield from loop.run(*asked)
        losses.append(_loss(asked[-1], data))  # the last one is the trainer, while its model is still there

    for event in train_function(way)(recipe, data, lambda: False, run):
        if isinstance(event, Step):
            marks[event.step] = time.perf_counter()
    last = max(marks) - 1  # the last step's mark comes after the held-out rows were measured
    read = sum(len(data.train[place].tokens.ids) for batch in batches[WARM:last] for place in batch)
    return _outcome(read, marks[last] - marks[WARM], last - WARM, losses[0])


def _outcome(tokens: int, seconds: float, steps: int, loss: float) -> Outcome:
    import torch

    return Outcome(tokens / seconds, loss, seconds, steps, torch.cuda.max_memory_allocated())


def _stock(way: str, recipe: Recipe, data: Data) -> Outcome:
    """Unsloth's own trainer."""
    import unsloth  # before trl; `main` has loaded it
    from datasets import Dataset as Rows
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer  # isort: skip
    from unsloth.chat_templates import train_on_responses_only

    from workbench.tuning.base import read_base, write_base
    from workbench.tuning.peft_gpu import Trainer

    marks: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append(time.perf_counter())

    small = way == "stock" and find_spec("bitsandbytes") is not None
    with write_base(recipe.model, read_base(recipe.model), recipe.folder / "base") as folder:
        base, tokenizer = unsloth.FastLanguageModel.from_pretrained(
            str(folder), max_seq_length=recipe.max_tokens, load_in_4bit=small, use_exact_model_name=True
        )
    model = unsloth.FastLanguageModel.get_peft_model(
        base,
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        target_modules=list(recipe.targets),
        use_gradient_checkpointing="unsloth" if way == "stock" else False,
        random_state=recipe.seed,
    )
    at_once = 2 if way == "stock" else recipe.batch_size
    trainer = SFTTrainer(
        model=model,
        processing_class=tokenizer,
        train_dataset=Rows.from_list([{"text": data.tokenizer.render(row.messages, False)} for row in data.train]),
        callbacks=[Clock()],
        args=SFTConfig(
            output_dir=str(recipe.folder),
            dataset_text_field="text",
            max_length=recipe.max_tokens,
            per_device_train_batch_size=at_once,
            gradient_accumulation_steps=recipe.batch_size // at_once,
            warmup_steps=5,
            num_train_epochs=1,
            learning_rate=recipe.learning_rate,
            optim="adamw_8bit" if small else "adamw_torch",
            weight_decay=0.001,
            lr_scheduler_type="linear",
            seed=recipe.seed,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
        ),
    )
    trainer = train_on_responses_only(trainer, instruction_part=TURNS[0], response_part=TURNS[1])
    trainer.train()
    tokens = sum(len(row.tokens.ids) for row in data.train) / len(marks) * (len(marks) - WARM)
    return _outcome(int(tokens), marks[-1] - marks[WARM - 1], len(marks) - WARM, _loss(Trainer(model, "bf16"), data))


def _loss(trainer: Any, data: Data) -> float:
    held: Sequence[Example] = data.held_out
    rows = [row.tokens for row in held]
    return float(sum(each.total for each in trainer.row_losses(rows, lambda: None))) / sum(row.trained for row in rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
