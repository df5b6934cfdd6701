"""Benchmark: fine-tuning beside TRL and beside a plain loop on the same rows, its share of the roofline, its memory.

The yardstick is what a plain recipe does: rows padded to the longest of their batch, peft's own projections on every
layer, logits for every place. Steps of both are timed in turn, so that a busy moment hits both; tokens are those of the
rows, padding not counted and shared beginnings counted once per row.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workbench import paths
from workbench.bench import Figure, _card, _trl
from workbench.bench._whole_run import plain_loss, whole_run
from workbench.catalog.memory import free as free_memory
from workbench.errors import InputError
from workbench.events import Note, Progress, Result, Stage
from workbench.project import Project
from workbench.settings import available_cores
from workbench.tuning.base import PROJECTIONS, load_base, read_base
from workbench.tuning.dataset import Dataset, read_dataset
from workbench.tuning.lora import speed_up
from workbench.tuning.packing import micro_batches, register_attention
from workbench.tuning.peft_cpu import BUDGET, Memory, loss_of
from workbench.tuning.precision import choose_precision
from workbench.tuning.recipe import PRESETS
from workbench.tuning.tokens import Tokens, load_tokenizer

ROUNDS = 3  # of every step, after one that warms up
BATCH = 8  # rows of a step


def run(project: Path) -> Stage:
    """Yields Progress and last a Result with a tuple of Figures."""
    import random

    import torch

    model = paths.starter_model()
    files = _training_files(project)
    yield Progress(0, ROUNDS, f"Reading {len(files)} training files", "rounds")
    *_, dataset = read_dataset(files, load_tokenizer(model))
    assert isinstance(dataset, Dataset)
    rows = [example.tokens for example in dataset.examples]
    random.Random(7).shuffle(rows)
    batches = [rows[at : at + BATCH] for at in range(0, BATCH * (ROUNDS + 1), BATCH)]
    if len(batches[-1]) < BATCH:
        raise InputError(f"The benchmark needs {BATCH * (ROUNDS + 1)} rows and the project's files have {len(rows)}.")
    torch.set_num_threads(available_cores())
    info, precision = read_base(model), choose_precision("auto")
    register_attention()
    if not _trl.is_installed():
        yield Note("TRL is not installed, so no run stands beside the whole one: the extra `bench` has it.")
    yield Progress(0, ROUNDS, "A whole run, and the same with TRL where it is installed", "rounds")
    whole = whole_run(model, dataset.examples, precision)  # first: its peak of memory is to be its own
    torch.set_num_threads(available_cores())
    began = time.perf_counter()
    base = load_base(model, info, precision)
    loading = time.perf_counter() - began
    yield Progress(0, ROUNDS, "Loading as transformers does", "rounds")
    theirs = _load_with_transformers(model)
    every = list(range(info.layers))
    upper = list(PRESETS["quick"].layers(info.layers))
    figures = [
        Figure("loading the base for training", loading, theirs, loading / theirs, "s", "transformers' GGUF loader")
    ]
    names = (
        "plain, all layers",
        "ours, all layers",
        "ours, upper layers, first pass",
        "ours, upper layers, later passes",
    )
    found: dict[str, list[float]] = {name: [] for name in names}
    for number, batch in enumerate(batches):
        yield Progress(number, len(batches), "Training steps", "rounds")
        for name, speed in _one_round(base, batch, every, upper, names):
            found[name].append(speed)
            yield Progress(number, len(batches), name, "rounds", speed, "tokens/s")
    yardstick = found[names[0]][1:]
    for name in names[1:]:
        ratios = [ours / plain for ours, plain in zip(found[name][1:], yardstick, strict=True)]
        note = (
            f"beside a padded loop of transformers and peft on all layers; ratio {min(ratios):.2f} to {max(ratios):.2f}"
        )
        ours, plain = statistics.median(found[name][1:]), statistics.median(yardstick)
        figures.append(Figure(f"training, {name}", ours, plain, statistics.median(ratios), "tokens/s", note))
    del base, theirs
    figures += whole
    if torch.cuda.is_available():
        yield Progress(len(batches), len(batches), "The same rows on the graphics card", "rounds")
        figures += _card.compare(model, files)
    yield Result(tuple(figures))


def _training_files(project: Path) -> tuple[Path, ...]:
    """The project's training files; the sample's where it has none."""
    own = tuple(sorted(path for path in Project.open(project).datasets_folder.glob("*") if path.is_file()))
    sample = paths.resources() / "sample"
    return own or (sample / "tickets.jsonl", sample / "reading.jsonl")


def _load_with_transformers(model: Path) -> float:
    """Seconds that transformers takes to load a GGUF for training."""
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    began = time.perf_counter()
    AutoModelForCausalLM.from_pretrained(
        str(model.parent),
        gguf_file=model.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.float32,
    )
    return time.perf_counter() - began


def _one_round(
    base: Any, batch: Sequence[Tokens], every: list[int], upper: list[int], names: Sequence[str]
) -> list[tuple[str, float]]:
    """Tokens per second of one step in each way."""
    tokens = sum(len(row.ids) for row in batch)
    memory = Memory(room=free_memory() // 4)
    ways: list[tuple[list[int], Callable[[Any], Any]]] = [
        (every, lambda model: plain_loss(model, batch).backward()),
        (every, lambda model: _packed_step(model, 0, batch, Memory(room=0))),
        (upper, lambda model: _packed_step(model, upper[0], batch, memory)),
        (upper, lambda model: _packed_step(model, upper[0], batch, memory)),
    ]
    found = []
    for name, (layers, step) in zip(names, ways, strict=True):
        model, optimizer = _with_lora(base, layers, lean=name != names[0])
        began = time.perf_counter()
        step(model)
        optimizer.step()
        found.append((name, tokens / (time.perf_counter() - began)))
        model.unload()
    return found


def _with_lora(base: Any, layers: list[int], lean: bool) -> tuple[Any, Any]:
    import torch
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=16, lora_alpha=32, target_modules=list(PROJECTIONS), layers_to_transform=layers, task_type="CAUSAL_LM"
    )
    model = get_peft_model(base, config, autocast_adapter_dtype=lean)
    if lean:
        speed_up(model)
    trained = [tensor for tensor in model.parameters() if tensor.requires_grad]
    return model, torch.optim.AdamW(trained, lr=1e-4, fused=lean)


def _packed_step(model: Any, first: int, batch: Sequence[Tokens], memory: Memory) -> None:
    for part in micro_batches(batch, BUDGET):
        loss_of(model, first, [batch[place] for place in part], memory).backward()
