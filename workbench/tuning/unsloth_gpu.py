"""train(recipe, data): the same fine-tune with Unsloth on a CUDA graphics card. It was never run on one.

Written from the source of unsloth 2026.10.9; nobody has run it on a graphics card yet, so its numbers, its speed and
even that it ends are unproven. It is chosen only where both CUDA and the package are there; the package is optional,
installed by the person (parts of it are AGPL-3.0, so it is never shipped with the program), and it runs in the
fine-tune's own process. What comes out is an ordinary PEFT folder, which is converted and compared with llama.cpp like
any other, so a wrong adapter is noticed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from workbench.errors import InputError
from workbench.events import Event, Progress, Result, Step
from workbench.tuning.batches import plan_batches
from workbench.tuning.checkpoint import read_state, recipe_key, save_checkpoint
from workbench.tuning.peft_cpu import Data, Trained, schedule, take_samples
from workbench.tuning.recipe import Recipe
from workbench.tuning.tokens import Tokens


def train(recipe: Recipe, data: Data, stop: Callable[[], bool]) -> Iterator[Event]:
    """As `peft_cpu.train`, with weights in bf16 on the card and Unsloth's kernels.

    `recipe.extra["hub_folder"]` must name a folder with the base's safetensors: Unsloth cannot read GGUF. Batches,
    order and schedule are those of the CPU path, so a run can go on from a checkpoint. Raises InputError.
    """
    os.environ["UNSLOTH_DISABLE_STATISTICS"] = "1"
    os.environ["UNSLOTH_COMPILE_LOCATION"] = str(recipe.folder / "unsloth_cache")
    folder = base_folder(recipe)
    import torch
    import unsloth  # first of all: it patches transformers and peft

    from workbench.tuning.checkpoint import load_checkpoint

    yield Progress(0, 0, f"loading {folder.name} with Unsloth", "steps")
    torch.manual_seed(recipe.seed)
    model, _ = unsloth.FastLanguageModel.from_pretrained(
        str(folder),
        max_seq_length=recipe.max_tokens,
        dtype=torch.bfloat16,
        load_in_4bit=False,
        use_exact_model_name=True,
        local_files_only=True,
    )
    model = unsloth.FastLanguageModel.get_peft_model(
        model,
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=0,
        bias="none",
        target_modules=list(recipe.targets),
        layers_to_transform=sorted(recipe.layers) or None,
        use_gradient_checkpointing=False,
        random_state=recipe.seed,
    )
    parameters = {name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad}
    optimizer = torch.optim.AdamW(
        parameters.values(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    rows, held = [each.tokens for each in data.train], [each.tokens for each in data.held_out]
    batches = plan_batches([example.source for example in data.train], recipe)
    total, every = len(batches), recipe.eval_every or max(1, -(-len(batches) // 6))
    checkpoint, key = recipe.folder / "checkpoint", recipe_key(recipe)
    state, step, read, spent = read_state(checkpoint), 0, 0, 0.0
    if state is not None and state["recipe"] == key:
        load_checkpoint(checkpoint, parameters, optimizer)
        step, read, spent = state["step"], state["read"], state["seconds"]
    if step == 0:
        yield Step(0, total, None, eval_loss=_mean_loss(model, held), samples=take_samples(model, data, recipe))
    began = time.monotonic() - spent
    while step < total and not stop():
        chosen = [rows[place] for place in batches[step]]
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * schedule(step, total, recipe.warmup)
        loss = _summed_loss(model, chosen) / sum(row.trained for row in chosen)
        if not torch.isfinite(loss):
            raise InputError(
                f"The loss stopped being a number at step {step + 1}: the learning rate is too high for this data. "
                "The last checkpoint is kept; start again with a third of it."
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters.values(), recipe.max_gradient)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step, read = step + 1, read + sum(len(row.ids) for row in chosen)
        seconds = time.monotonic() - began
        measure = step % every == 0 or step == total
        if measure:
            _keep(checkpoint, parameters, optimizer, key, step, total, seconds, read)
        loss_now = _mean_loss(model, held) if measure else None
        samples = take_samples(model, data, recipe) if step == total else ()
        yield Step(step, total, float(loss.detach()), loss_now, read / seconds, seconds, samples)
    seconds = time.monotonic() - began
    if step < total:
        _keep(checkpoint, parameters, optimizer, key, step, total, seconds, read)
    else:
        model.save_pretrained(str(recipe.folder / "peft"))
    yield Result(Trained(model, step, total, step < total, read / max(seconds, 1e-9), seconds, "bf16"))


def base_folder(recipe: Recipe) -> Path:
    """The folder with the full-precision base. Raises InputError when none was named or it is not one."""
    folder = Path(str(recipe.extra.get("hub_folder", "")))
    if not (folder / "config.json").is_file() or not list(folder.glob("*.safetensors")):
        raise InputError(
            "Unsloth needs the model's own safetensors folder (hub_folder in the recipe's extra): GGUF files can be "
            "tuned with the backend cpu."
        )
    return folder


def _keep(
    folder: Path, parameters: dict[str, Any], optimizer: Any, key: str, step: int, total: int, seconds: float, read: int
) -> None:
    state = {"recipe": key, "step": step, "total": total, "seconds": seconds, "read": read}
    save_checkpoint(folder, parameters, optimizer, state)


def _summed_loss(model: Any, rows: list[Tokens]) -> Any:
    """The summed cross-entropy (nats) of the trained tokens, rows padded on the right."""
    import torch

    width = max(len(row.ids) for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    labels = torch.full((len(rows), width), -100)
    for place, row in enumerate(rows):
        ids[place, : len(row.ids)] = torch.tensor(row.ids)
        mask[place, : len(row.ids)] = 1
        for start, end in row.spans:
            labels[place, start:end] = ids[place, start:end]
    device = model.device
    logits = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits[:, :-1].float()
    wanted = labels[:, 1:].to(device)
    return torch.nn.functional.cross_entropy(logits.transpose(1, 2), wanted, ignore_index=-100, reduction="sum")


def _mean_loss(model: Any, rows: list[Tokens]) -> float | None:
    """The mean loss on held-out rows (nats per trained token), None when there are none."""
    import torch

    if not rows:
        return None
    with torch.no_grad():
        summed = sum(float(_summed_loss(model, rows[at : at + 8])) for at in range(0, len(rows), 8))
    return summed / sum(row.trained for row in rows)
