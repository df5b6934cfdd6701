"""train(recipe, data): the same fine-tune on an NVIDIA card with Unsloth's kernels.

The package is optional and installed by the person (parts of it are AGPL-3.0, so it is never shipped with the program).
It changes transformers' classes for the whole process, which is why it runs in the fine-tune's own and why parity is
compared in another one. Unsloth reads no GGUF: the base is written out for it (`base.write_base`) and removed again.

Run once on a card, an H200 with unsloth 2026.10.7: 480 rows of the sample in 16 bits, training alone (docs/benchmarks).
Stopping, going on and parity were not reached on it, and 4-bit weights were never made; on a processor, with the CPU
backend of unsloth 2026.10.9, all but the latter were.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from workbench.errors import BadModel
from workbench.events import Event, Progress
from workbench.tuning.base import BaseInfo, read_base, write_base
from workbench.tuning.loop import Data, Run
from workbench.tuning.loop import run as loop_run
from workbench.tuning.peft_gpu import check_card, free_on_card, plan_memory, run_on_card
from workbench.tuning.recipe import Recipe


def train(recipe: Recipe, data: Data, stop: Callable[[], bool], run: Run = loop_run) -> Iterator[Event]:
    """As `peft_gpu.train`; batches, order and schedule are the same. Raises BadModel for what it cannot express."""
    info = read_base(recipe.model)
    check_base(info)
    unsloth = load_library(recipe.folder)
    import torch

    check_card()
    torch.manual_seed(recipe.seed)
    plan = plan_memory(info, recipe, free_on_card(), find_spec("bitsandbytes") is not None)
    yield Progress(0, 0, f"loading {recipe.model.name} with Unsloth in {plan.precision}", "steps")
    with write_base(recipe.model, info, recipe.folder / "base") as folder:
        base, _ = unsloth.FastLanguageModel.from_pretrained(
            str(folder),
            max_seq_length=recipe.max_tokens,
            dtype=torch.bfloat16,
            load_in_4bit=plan.bits == 4,
            use_exact_model_name=True,
            local_files_only=True,
        )
    model = unsloth.FastLanguageModel.get_peft_model(
        base,
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=0,
        bias="none",
        target_modules=list(recipe.targets),
        layers_to_transform=sorted(recipe.layers) or None,
        use_gradient_checkpointing="unsloth" if plan.recompute else False,
        random_state=recipe.seed,
    )
    yield from run_on_card(recipe, data, stop, model, plan, run)


def load_library(folder: Path) -> Any:
    """Unsloth, which must come before transformers and peft, whose classes it changes; its cache lies in `folder`."""
    os.environ["UNSLOTH_DISABLE_STATISTICS"] = "1"
    os.environ["UNSLOTH_COMPILE_LOCATION"] = str(folder / "unsloth_cache")
    import unsloth

    return unsloth


def check_base(info: BaseInfo) -> None:
    """Raises BadModel for a base that Unsloth would read wrongly."""
    if "rope_freqs.weight" in info.tensors:
        raise BadModel(
            "This model stretches its context by factors that cannot be handed to Unsloth: choose the backend gpu."
        )
