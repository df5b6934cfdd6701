"""An adapter answers in llama.cpp as it did in training, for every architecture that is let through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tuning.tiny import tiny_model, with_lora, write_gguf
from workbench import records
from workbench.errors import BadModel, InputError
from workbench.lanes.parity import agreement
from workbench.tuning import adapter, base
from workbench.tuning.recipe import Recipe

IDS = [3, 17, 4, 55, 90, 12, 12, 8, 71, 33]


def llama_logits(folder: Path, adapted: bool) -> Any:
    """What llama.cpp says after IDS: asked in a process of its own, for it can take its process down."""
    import multiprocessing

    import numpy as np

    process = multiprocessing.get_context("spawn").Process(target=ask_llama, args=(folder, adapted))
    process.start()
    process.join()
    assert process.exitcode == 0
    return np.load(folder / "logits.npy", allow_pickle=False)


def ask_llama(folder: Path, adapted: bool) -> None:
    import ctypes

    import llama_cpp
    import numpy as np

    llama_cpp.llama_backend_init()
    parameters = llama_cpp.llama_model_default_params()
    parameters.use_extra_bufts = False
    parameters.n_gpu_layers = 0
    model = llama_cpp.llama_model_load_from_file(str(folder / "base.gguf").encode(), parameters)
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx, settings.n_threads, settings.n_threads_batch = 64, 1, 1
    settings.flash_attn_type = 0  # the exact attention: this test is about rows and names, not about rounding
    settings.type_k = settings.type_v = 0  # the cache in full precision, for the same reason
    context = llama_cpp.llama_init_from_model(model, settings)
    if adapted:
        handle = llama_cpp.llama_adapter_lora_init(model, str(folder / "adapter.gguf").encode())
        assert handle
        handles = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(handle)
        llama_cpp.llama_set_adapters_lora(context, handles, 1, (ctypes.c_float * 1)(1.0))
    tokens = (llama_cpp.llama_token * len(IDS))(*IDS)  # kept: the batch only points at it
    batch = llama_cpp.llama_batch_get_one(tokens, len(IDS))
    assert llama_cpp.llama_decode(context, batch) == 0
    np.save(folder / "logits.npy", np.ctypeslib.as_array(llama_cpp.llama_get_logits(context), shape=(97,)).copy())


@pytest.mark.parametrize("kind", base.KNOWN)
def test_llama_cpp_agrees_with_the_trained_model(kind: str, tmp_path: Path) -> None:
    import torch

    model = tiny_model(kind)
    write_gguf(model, tmp_path / "base.gguf")
    with torch.no_grad():
        plain = model(torch.tensor([IDS])).logits[0, -1].numpy()
    tuned = with_lora(model)
    tuned.save_pretrained(str(tmp_path / "peft"))
    with torch.no_grad():
        expected = tuned(torch.tensor([IDS])).logits[0, -1].numpy()
    adapter.convert(tmp_path / "peft", tmp_path / "base.gguf", tmp_path / "adapter.gguf")
    assert abs(expected - plain).max() > 0.1, "the adapter must change something, or this test shows nothing"
    assert abs(llama_logits(tmp_path, adapted=False) - plain).max() < 2e-3
    assert abs(llama_logits(tmp_path, adapted=True) - expected).max() < 2e-3


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    model = tiny_model()
    write_gguf(model, tmp_path / "base.gguf")
    with_lora(model).save_pretrained(str(tmp_path / "peft"))
    return tmp_path


@pytest.mark.parametrize("change", [{"use_dora": True}, {"bias": "all"}, {"modules_to_save": ["lm_head"]}])
def test_what_llama_cpp_cannot_express_is_refused(change: dict[str, Any], saved: Path) -> None:
    config = records.read_json(saved / "peft" / "adapter_config.json")
    records.write_json(saved / "peft" / "adapter_config.json", {**config, **change})
    with pytest.raises(BadModel, match="llama"):
        adapter.convert(saved / "peft", saved / "base.gguf", saved / "adapter.gguf")
    assert not (saved / "adapter.gguf").exists()


def test_rank_stabilised_alpha_is_written_as_peft_scales_it(saved: Path) -> None:
    import gguf

    config = records.read_json(saved / "peft" / "adapter_config.json")
    records.write_json(saved / "peft" / "adapter_config.json", {**config, "use_rslora": True})
    adapter.convert(saved / "peft", saved / "base.gguf", saved / "adapter.gguf")
    fields = gguf.GGUFReader(saved / "adapter.gguf").fields
    assert fields["adapter.lora.alpha"].contents() == 8 * 2  # alpha times the root of rank 4


def test_an_adapter_saved_in_half_precision_is_converted_as_it_is(saved: Path) -> None:
    import gguf
    import torch
    from safetensors.torch import load_file, save_file

    path = saved / "peft" / "adapter_model.safetensors"
    halves = {key: tensor.to(torch.bfloat16) for key, tensor in load_file(path).items()}
    save_file(halves, path)
    adapter.convert(saved / "peft", saved / "base.gguf", saved / "adapter.gguf")
    written = {tensor.name: tensor.data for tensor in gguf.GGUFReader(saved / "adapter.gguf").tensors}
    low = halves["base_model.model.model.layers.1.mlp.up_proj.lora_A.weight"].float().numpy()
    assert (written["blk.1.ffn_up.weight.lora_a"] == low).all()


def test_an_unknown_architecture_is_refused_before_training(tmp_path: Path) -> None:
    import gguf

    writer = gguf.GGUFWriter(tmp_path / "base.gguf", "mamba")
    writer.add_block_count(1)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(BadModel):
        base.read_base(tmp_path / "base.gguf")


def test_a_recipe_that_names_what_the_model_lacks_is_refused(saved: Path) -> None:
    info = base.read_base(saved / "base.gguf")
    recipe = Recipe("a", saved / "base.gguf", (), saved)
    adapter.check_targets(recipe, info)
    for wrong in ({"layers": (2,)}, {"targets": ("lm_head",)}, {"targets": ()}):
        with pytest.raises(InputError):
            adapter.check_targets(Recipe("a", saved / "base.gguf", (), saved, **wrong), info)


def test_parity_is_judged_against_the_bare_base() -> None:
    good = {"places": 100, "tokens_agree": True, "tuned_agreement": 0.97, "base_agreement": 0.98}
    good |= {"tuned_kl": 0.01, "base_kl": 0.004, "effect_kl": 1.2}
    assert adapter.judge_parity(good)["ok"]
    assert not adapter.judge_parity({**good, "tuned_kl": 0.6})["ok"]  # half of the effect is missing
    assert not adapter.judge_parity({**good, "tuned_agreement": 0.7})["ok"]
    assert not adapter.judge_parity({**good, "tokens_agree": False})["ok"]


def test_rounding_may_decide_between_tokens_that_are_as_likely_but_no_more() -> None:
    import numpy as np

    expected = [np.array([[0.0, 3.0, 2.9], [5.0, 1.0, 0.0]], dtype=np.float32)]
    assert agreement(expected, [np.array([[0.0, 2.9, 3.0], [5.0, 1.0, 0.0]], dtype=np.float32)], 0.2) == 1.0
    assert agreement(expected, [np.array([[3.0, 2.9, 2.8], [5.0, 1.0, 0.0]], dtype=np.float32)], 0.2) == 0.5
    assert agreement(expected, [np.array([[0.0, 3.0, 2.9], [1.0, 1.1, 0.0]], dtype=np.float32)], 0.2) == 0.5


@pytest.mark.parametrize("kind", base.KNOWN)
def test_the_base_is_read_back_from_gguf_to_the_bit(kind: str, tmp_path: Path) -> None:
    import torch

    model = tiny_model(kind)
    write_gguf(model, tmp_path / "base.gguf")
    found = base.load_base(tmp_path / "base.gguf", base.read_base(tmp_path / "base.gguf"), "fp32")
    expected = model.state_dict()
    assert found.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in found.state_dict().items())
    with torch.no_grad():
        assert torch.equal(found(torch.tensor([IDS])).logits, model(torch.tensor([IDS])).logits)
