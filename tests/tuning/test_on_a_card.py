"""Fine-tuning on a graphics card: what a processor can show of it, and whole runs where there is a card."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tuning.tiny import random_rows, tiny_model, with_lora
from workbench import paths, records
from workbench.errors import BadModel, InputError, TooLittleMemory
from workbench.events import Step, last_result
from workbench.tuning import adapter, effects, expected, peft_cpu, peft_gpu, train, tune
from workbench.tuning.base import load_base, read_base, write_base
from workbench.tuning.dataset import Dataset, read_dataset
from workbench.tuning.loop import Data
from workbench.tuning.recipe import Recipe
from workbench.tuning.tokens import Tokens, load_tokenizer
from workbench.tuning.unsloth_gpu import check_base

CARD = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card")
STARTER = paths.starter_model()


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """Forty steps on the upper layers of the starter, on rows that a few steps teach."""
    colours = ["red", "blue", "green", "black", "white", "brown", "pink", "grey", "violet", "golden"]
    things = ["door", "hat", "coat", "ship", "roof", "lamp"]
    rows = [
        {"prompt": f"The {c} {t}", "completion": json.dumps({"colour": c, "thing": t})} for c in colours for t in things
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return Recipe(
        "colours", STARTER, (tmp_path / "rows.jsonl",), tmp_path / "adapters" / "colours", layers=(26, 27, 28, 29),
        epochs=6.0, learning_rate=1e-3, eval_every=20, sample_rows=2,
    )  # fmt: skip


def test_padded_rows_give_the_loss_that_each_row_has_alone() -> None:
    model, rows = with_lora(tiny_model()), random_rows(6, 5)
    with torch.no_grad():
        alone = sum(float(peft_gpu.padded_loss(model, [row])) for row in rows)
        assert float(peft_gpu.padded_loss(model, rows)) == pytest.approx(alone, rel=1e-5)


def test_a_step_in_parts_has_the_gradient_of_the_whole_step() -> None:
    model, rows = with_lora(tiny_model()), random_rows(6, 5)
    trainer = peft_gpu.Trainer(model, "fp32")
    found = []
    for budget in (10_000, 30):
        trainer._budget = budget
        loss = trainer.backward(rows, lambda: None)
        found.append((loss, {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}))
        model.zero_grad(set_to_none=True)
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    assert found[0][1] and found[0][1].keys() == found[1][1].keys()
    for name, gradient in found[0][1].items():
        assert torch.allclose(gradient, found[1][1][name], atol=1e-6), name
    each = [row.total for row in trainer.row_losses(rows, lambda: None)]
    assert sum(each) == pytest.approx(found[0][0] * sum(row.trained for row in rows), rel=1e-5)
    with torch.no_grad():
        assert each == pytest.approx([float(peft_gpu.padded_loss(model, [row])) for row in rows], rel=1e-4)


def test_a_full_card_gets_smaller_parts_and_in_the_end_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, tried = random_rows(6, 5), []
    model = with_lora(tiny_model())
    trainer = peft_gpu.Trainer(model, "fp32")

    def full(model: Any, part: list[Tokens]) -> Any:
        tried.append(len(part))
        if len(part) > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return torch.ones((), requires_grad=True) * len(part)

    monkeypatch.setattr(peft_gpu, "padded_loss", full)
    room = 2
    assert trainer.backward(rows, lambda: None) == pytest.approx(6 / sum(row.trained for row in rows))
    assert tried[0] == 6 and max(tried[-3:]) <= 2
    room = 0
    with pytest.raises(TooLittleMemory, match="too little memory for one row"):
        trainer.backward(rows, lambda: None)


def test_parts_hold_all_rows_within_their_budget() -> None:
    rows = random_rows(8, 5)
    parts = peft_gpu.padded_parts(rows, 60)
    assert sorted(len(row.ids) for part in parts for row in part) == sorted(len(row.ids) for row in rows)
    assert all(len(part) == 1 or len(part) * max(len(row.ids) for row in part) <= 60 for part in parts)
    assert len(peft_gpu.padded_parts(rows, 10_000)) == 1


def test_the_memory_plan_goes_from_fast_to_small(recipe: Recipe) -> None:
    info = read_base(STARTER)
    plans = []
    for free in range(50, 20_000, 50):
        try:
            plan = peft_gpu.plan_memory(info, recipe, free * 1_000_000, four_bit=True)
        except TooLittleMemory as error:
            assert not plans and "GB are free" in str(error)  # only below the first that fits
            continue
        plans.append((plan.bits, plan.recompute))
    order = [(4, True), (16, True), (16, False)]
    assert [order.index(each) for each in plans] == sorted(order.index(each) for each in plans)
    assert set(plans) == set(order)
    with pytest.raises(TooLittleMemory, match="bitsandbytes"):
        peft_gpu.plan_memory(info, recipe, 200_000_000, four_bit=False)


def test_the_base_written_for_other_libraries_is_the_one_we_train(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    info = read_base(STARTER)
    ours = load_base(STARTER, info, "bf16")
    with write_base(STARTER, info, tmp_path / "base") as folder:
        theirs = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.bfloat16, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    assert not (tmp_path / "base").exists()
    ids = torch.tensor([tokenizer("The quick brown fox", add_special_tokens=False).input_ids])
    with torch.no_grad():
        assert torch.equal(ours(input_ids=ids).logits, theirs(input_ids=ids).logits)
    assert tokenizer.eos_token == "<|im_end|>"


def test_a_backend_that_cannot_be_used_is_refused_in_a_sentence(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = read_base(STARTER)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert train.choose_backend(recipe, info) == "cpu"
    for backend, words in (("gpu", "NVIDIA card"), ("unsloth", "unsloth and bits"), ("tpu", "no backend 'tpu'")):
        with pytest.raises(InputError, match=words):
            train.choose_backend(replace(recipe, backend=backend), info)
    stretched = replace(info, tensors={**info.tensors, "rope_freqs.weight": (32,)})
    with pytest.raises(BadModel, match="backend gpu"):
        check_base(stretched)
    # With a card, auto takes it; Unsloth only where it is installed and reads the base rightly.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(peft_gpu, "check_card", lambda: None)
    installed = {"unsloth"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if name in installed else None)
    assert train.choose_backend(recipe, info) == "gpu"
    installed.add("bitsandbytes")
    assert train.choose_backend(recipe, info) == "unsloth"
    assert train.choose_backend(recipe, stretched) == "gpu"


@pytest.mark.slow
def test_the_card_s_trainer_learns_what_the_processor_s_does(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the processor, which computes the same; only the precision of a card is another."""
    monkeypatch.setattr(peft_gpu, "DEVICE", "cpu")
    monkeypatch.setattr(peft_gpu, "check_card", lambda: None)
    monkeypatch.setattr(peft_gpu, "free_on_card", lambda: 8_000_000_000)
    recipe = replace(recipe, epochs=1.0, layers=(28, 29), eval_every=3, sample_rows=1, precision="bf16", threads=1)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two that wait for each other beside another test take several times as long
    tokenizer = load_tokenizer(STARTER)
    *_, dataset = read_dataset(recipe.datasets, tokenizer)
    assert isinstance(dataset, Dataset)
    data = Data(dataset.examples[:18], dataset.examples[18:24], tokenizer)
    losses = []
    for function, folder in ((peft_cpu.train, "cpu"), (peft_gpu.train, "gpu")):
        events = list(function(replace(recipe, folder=recipe.folder / folder), data, lambda: False))
        trained = last_result(iter(events))
        assert trained.step == trained.total == 3 and trained.precision == "bf16"
        assert (recipe.folder / folder / "peft" / "adapter_model.safetensors").exists()
        losses.append([each.eval_loss for each in events if isinstance(each, Step) and each.eval_loss is not None])
    torch.set_num_threads(threads)
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert losses[1][-1] < 0.9 * losses[1][0]

    # What is on a card is asked by another process out of its folder, and looks at general text there: a little of it.
    rows, questions = effects.general_rows, effects._questions
    monkeypatch.setattr(effects, "general_rows", lambda tokenizer: rows(tokenizer)[:3])
    monkeypatch.setattr(effects, "_questions", lambda: questions()[:2])
    gpu = replace(recipe, folder=recipe.folder / "gpu")
    records.write_json(gpu.folder / "recipe.json", gpu)
    asked = {"recipe": gpu.folder / "recipe.json", "prompts": [data.held_out[0].tokens.ids[:9]], "general": True}
    records.write_json(gpu.folder / "parity" / "prompts.json", asked)
    assert expected.main(gpu.folder / "parity") == 0
    general = effects.take_general(gpu.folder)
    assert general["before"] != general["after"] and len(general["answers"]) == 2
    assert not (gpu.folder / effects.GENERAL).exists()


@CARD
@pytest.mark.parametrize("backend", ["gpu", "unsloth"])
def test_a_run_on_a_card_learns_stops_goes_on_and_agrees_with_llama_cpp(recipe: Recipe, backend: str) -> None:
    if backend == "unsloth" and find_spec("unsloth") is None:
        pytest.skip("needs Unsloth")
    recipe = replace(recipe, backend=backend)
    stage = tune.tune(recipe)
    for event in stage:
        if isinstance(event, Step) and event.step == 12:
            break
    stage.close()
    assert adapter.read_run(recipe.folder).state == "stopped"
    run = last_result(tune.tune(recipe))
    assert run.state == "done" and run.step == run.total and run.adapter is not None, run.outcome
    assert run.eval_loss[-1][1] < 0.3 * run.eval_loss[0][1]
    assert backend in run.backend and run.parity["ok"], run.parity
    assert not (recipe.folder / "base").exists()
