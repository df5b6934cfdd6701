"""Recipe: everything one fine-tune needs; and the records a run leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Recipe:
    """One fine-tune, complete: the child is started with this and nothing else."""

    name: str  # the adapter's name, also its folder's
    model: Path  # the GGUF that is tuned, the very file one chats with
    datasets: tuple[Path, ...]
    folder: Path  # the run folder: adapters/NAME of the project
    rank: int = 16  # LoRA r
    alpha: float = 32.0
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    layers: tuple[int, ...] = ()  # which transformer layers; empty: all
    learning_rate: float = 5e-4
    warmup: float = 0.05  # share of the steps
    weight_decay: float = 0.0
    max_gradient: float = 1.0  # gradient norm is clipped here
    epochs: float = 2.0
    batch_size: int = 8  # examples per optimiser step
    max_tokens: int = 1024  # an example's length; longer ones are cut from the left of the context, never the answer
    eval_share: float = 0.1  # held out, at least 4 rows, at most 64
    eval_every: int = 0  # steps; 0: about eight times over the run
    checkpoint_every: int = 0  # steps; 0: with each evaluation
    seed: int = 3407
    threads: int = 0  # 0: all cores
    precision: str = "auto"  # "auto", "fp32" or "bf16"; auto measures which is faster on this CPU
    backend: str = "auto"  # "auto", "cpu" or "unsloth"
    sample_rows: int = 3  # held-out rows answered before, during and after
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """A held-out row answered at some step."""

    prompt: str
    expected: str
    answer: str


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run as the list of runs shows it, read from its folder alone."""

    name: str
    folder: Path
    state: str  # "running", "stopped", "failed", "done"
    outcome: str  # a sentence
    step: int
    total: int
    train_loss: tuple[tuple[int, float], ...]
    eval_loss: tuple[tuple[int, float], ...]
    seconds: float
    tokens_per_second: float
    created: str  # ISO time
    examples: int = 0
    backend: str = ""
    adapter: Path | None = None  # the GGUF adapter, when it is done and its parity was checked
    model: Path | None = None
    system: str = ""  # the system prompt its rows share, "" when none or several
    parity: dict[str, Any] = field(default_factory=dict)  # see adapter.check_parity
    recipe: dict[str, Any] = field(default_factory=dict)
    reads_passages: bool = False  # whether its rows taught it to read passages
    note: str = ""  # a person's own words
