"""Stand-ins for tuning: a tokenizer of bytes, rows, and tiny random models as transformers and as GGUF."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from workbench.catalog.template import CHATML, ChatTemplate
from workbench.tuning.dataset import Dataset, read_dataset
from workbench.tuning.tokens import Tokenizer, Tokens


class Bytes:
    """A tokenizer whose tokens are bytes."""

    def encode(self, text: str, add_special_tokens: bool) -> Any:
        assert not add_special_tokens
        return SimpleNamespace(ids=list(text.encode()))

    def decode(self, ids: list[int], skip_special_tokens: bool) -> str:
        return bytes(ids).decode(errors="replace")


def byte_tokenizer() -> Tokenizer:
    """A tokenizer in the ChatML form."""
    return Tokenizer(Bytes(), ChatTemplate(CHATML, ("<|im_start|>", "<|im_end|>"), "", "<|im_end|>"), adds_bos=False)


def read_rows(*files: Path, most: int = 4096) -> Dataset:
    """Files as a fine-tune reads them."""
    *_, found = read_dataset(files, byte_tokenizer(), most)
    assert isinstance(found, Dataset)
    return found


def write_lines(path: Path, *rows: Any) -> Path:
    """Rows as JSON lines; a text stands as it is."""
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def random_rows(count: int, shared: int, vocabulary: int = 97) -> list[Tokens]:
    """Rows that begin alike and end with trained tokens; one has two answers."""
    import random

    chance = random.Random(5)
    start = [chance.randrange(vocabulary) for _ in range(shared)]
    rows = []
    for number in range(count):
        ids = tuple(start + [chance.randrange(vocabulary) for _ in range(8 + 5 * number)])
        spans = ((len(ids) - 4, len(ids)),) if number else ((shared + 2, shared + 4), (len(ids) - 2, len(ids)))
        rows.append(Tokens(ids, spans))
    return rows


def tiny_model(kind: str = "llama") -> Any:
    """A random transformers model of two layers with grouped-query attention."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    config = AutoConfig.for_model(
        kind,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        vocab_size=97,
        max_position_embeddings=256,
        tie_word_embeddings=False,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=None,
    )
    model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
    for name, tensor in model.named_parameters():
        if tensor.dim() > 1:
            torch.nn.init.normal_(tensor, std=0.2 if "embed" in name else 0.12)
    model.requires_grad_(False)
    model.train(False)
    return model


def with_lora(model: Any, layers: list[int] | None = None) -> Any:
    """The model with LoRA of rank 4 on every projection, both halves random so that it changes something."""
    import torch
    from peft import LoraConfig, get_peft_model

    from workbench.tuning.base import PROJECTIONS

    config = LoraConfig(
        r=4, lora_alpha=8, target_modules=list(PROJECTIONS), layers_to_transform=layers, task_type="CAUSAL_LM"
    )
    found = get_peft_model(model, config, autocast_adapter_dtype=False)
    torch.manual_seed(1)
    for name, tensor in found.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(tensor, std=0.1)
    return found


def write_gguf(model: Any, path: Path) -> None:
    """A transformers model as a GGUF base in full precision, without a tokenizer."""
    import gguf
    import numpy as np

    from workbench.tuning.adapter import PERMUTED, TENSORS, permute_rows

    config = model.config
    kind = config.model_type
    writer = gguf.GGUFWriter(path, kind)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("no_vocab")
    names = {
        "model.embed_tokens": "token_embd",
        "model.norm": "output_norm",
        "lm_head": "output",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
        "q_norm": "attn_q_norm",
        "k_norm": "attn_k_norm",
        **TENSORS,
    }
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for key, tensor in model.state_dict().items():
        module, _, part = key.rpartition(".")
        last = module.rpartition(".")[2]
        name = names.get(module) or names[last]
        if ".layers." in key:
            name = f"blk.{key.split('.')[2]}.{name}"
        values = tensor.float().numpy()
        if kind in PERMUTED and last in heads:
            values = permute_rows(values, heads[last])
        writer.add_tensor(f"{name}.{part}", np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_lora(
    path: Path,
    shapes: dict[str, tuple[int, int]],
    rank: int = 4,
    size: float = 0.05,
    alpha: float = 8.0,
    **changes: Any,
) -> Path:
    """A random GGUF adapter for some tensors of a base, given with (inputs, outputs); `changes` spoil it."""
    import gguf
    import numpy as np

    chance = np.random.default_rng(3)
    writer = gguf.GGUFWriter(path, changes.get("architecture", "llama"))
    writer.add_string("general.type", changes.get("kind", "adapter"))
    writer.add_string("adapter.type", changes.get("type", "lora"))
    writer.add_float32("adapter.lora.alpha", alpha)
    for name, (inputs, outputs) in shapes.items():
        halves = {"a": (rank, inputs), "b": (outputs, rank)}
        for end in changes.get("ends", "ab"):
            values = (chance.standard_normal(halves[end]) * size).astype(changes.get("number", np.float32))
            values[0, 0] = changes.get("first", values[0, 0])
            writer.add_tensor(f"{name}.lora_{end}", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def place_run(project: Any, model: Path, lora: Path, name: str = "first", peft: Path | None = None) -> Path:
    """A finished fine-tune of a project as its folder shows it, with this adapter."""
    import shutil

    from workbench import records
    from workbench.tuning.recipe import Recipe

    folder: Path = project.adapters_folder / name
    folder.mkdir(parents=True)
    shutil.copyfile(lora, folder / "adapter.gguf")
    if peft is not None:
        shutil.copytree(peft, folder / "peft")
    records.write_json(folder / "recipe.json", Recipe(name, model, (), folder))
    records.append_line(folder / "events.jsonl", {"kind": "start", "value": {}})
    records.append_line(folder / "events.jsonl", {"kind": "end", "value": {"state": "done", "outcome": "Done."}})
    manifest = {"name": name, "adapter": "adapter.gguf", "created": "2026-11-20T21:14:00", "parity": {"ok": True}}
    records.write_json(folder / "manifest.json", {**manifest, "model_hash": records.hash_file(model)})
    return folder
