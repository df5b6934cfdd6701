"""The yardstick of `bench tune`: TRL's SFTTrainer as it is by default, on the same rows, model and machine.

TRL is no part of the program; the benchmark leaves this figure out where it is not installed (the extra `bench`).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from workbench.tuning.base import PROJECTIONS
from workbench.tuning.dataset import Example


@dataclass(frozen=True, slots=True)
class Outcome:
    """What some steps of training gave."""

    tokens_per_second: float  # of the rows, padding not counted
    held_out_loss: float  # nats per trained token
    learning_rate: float


def is_installed() -> bool:
    """Whether there is a TRL to measure."""
    return find_spec("trl") is not None and find_spec("datasets") is not None


def adapter_config(layers: Sequence[int] | None = None) -> Any:
    """peft's LoraConfig: all projections of all layers, or of some."""
    from peft import LoraConfig

    chosen = None if layers is None else list(layers)
    return LoraConfig(
        r=16, lora_alpha=32, target_modules=list(PROJECTIONS), layers_to_transform=chosen, task_type="CAUSAL_LM"
    )


def train_with_trl(
    model: Path,
    base: Any,
    rows: Sequence[Example],
    measure: Callable[[Any], float],
    layers: Sequence[int] | None = None,
) -> Outcome:
    """One pass over `rows` with every setting at TRL's default but rank 16 on all projections, as we have it; with
    `layers`, on those of them alone that we train.

    `base` is the frozen model in the precision TRL would choose here; `measure` gives a peft model's held-out loss.
    """
    import torch
    from transformers import AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer
    from trl.trainer import utils

    if utils._ChunkedLogProbFunction is None:  # its loss needs Triton, which PyTorch for the CPU does not bring
        utils._ChunkedLogProbFunction = _PlainLogProb
    marks: list[float] = []

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            marks.append(time.perf_counter())

        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append(time.perf_counter())

    base.requires_grad_(True)  # as it comes out of from_pretrained; the adapter freezes it again
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=base,
            args=SFTConfig(
                output_dir=folder,
                num_train_epochs=1,
                use_cpu=not torch.cuda.is_available(),  # it asks to be told
                report_to=[],
                save_strategy="no",
                disable_tqdm=True,
            ),
            train_dataset=_dataset(rows),
            processing_class=AutoTokenizer.from_pretrained(str(model.parent), gguf_file=model.name),
            peft_config=adapter_config(layers),
            callbacks=[Clock()],
        )
        trainer.train()
    steps = [end - begin for begin, end in zip(marks[::2], marks[1::2], strict=True)]
    tokens = sum(len(row.tokens.ids) for row in rows)
    seconds = sum(steps[1:]) / max(1, len(steps) - 1) * len(steps)  # the first step warms up, for us as well
    trainer.model.train(False)
    return Outcome(tokens / seconds, measure(trainer.model), trainer.args.learning_rate)


class _PlainLogProb:
    """What TRL's kernel computes, in plain PyTorch: only the trained places go through the head, as there."""

    @staticmethod
    def apply(
        hidden: Any,
        weight: Any,
        bias: Any,
        targets: Any,
        temperature: float,
        _: int,
        cap: Any,
        scale: float,
        outputs: Any,
    ) -> tuple[Any, ...]:
        """hidden [N, H], weight [V, H], targets [N] → log-probabilities [N], entropy, two unused, is_top1."""
        import torch

        assert cap is None and bias is None
        logits = torch.nn.functional.linear(hidden, weight).float() * (scale / temperature)
        logs = logits.log_softmax(-1)
        entropy = -(logs.exp() * logs).sum(-1).detach() if "entropy" in outputs else None
        top = (logits.argmax(-1) == targets).float() if "is_top1" in outputs else None
        return logs.gather(-1, targets[:, None])[:, 0], entropy, None, None, top


def _dataset(rows: Sequence[Example]) -> Any:
    """Prompt and completion as conversations, of which TRL by default trains the completion alone."""
    from datasets import Dataset

    def plain(messages: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
        return [{"role": role, "content": content} for role, content in messages]

    return Dataset.from_list(
        [{"prompt": plain(row.messages[:-1]), "completion": plain(row.messages[-1:])} for row in rows]
    )
