"""The model to be tuned, in full precision, out of the very GGUF one chats with."""

from __future__ import annotations

import contextlib
import functools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import records
from workbench.catalog import memory
from workbench.errors import BadModel

# Architectures whose adapter was compared with llama.cpp, tensor names and row order included, and whose layers the
# packed forward runs as transformers does. Mistral's GGUF files say "llama". Others are refused, not guessed.
KNOWN = ("llama", "qwen2", "qwen3")
ARCHITECTURES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class BaseInfo:
    """What must be known about a model before it is trained; read from the header, without the weights."""

    architecture: str
    layers: int
    heads: int
    kv_heads: int
    parameters: int
    tensors: dict[str, tuple[int, ...]]  # name → shape as GGUF has it, fastest axis first


def read_base(model: Path) -> BaseInfo:
    """Read a GGUF's header. Raises BadModel when it is damaged or of an architecture that cannot be tuned here."""
    from workbench.catalog.gguf_header import read_header

    header = read_header(model)
    check_architecture(header.architecture, model.name)
    prefix = header.architecture
    try:
        layers, heads = (int(header.metadata[f"{prefix}.{key}"]) for key in ("block_count", "attention.head_count"))
        kv_heads = int(header.metadata.get(f"{prefix}.attention.head_count_kv", heads))
    except (KeyError, ValueError, TypeError) as error:
        raise BadModel(
            f"{model.name} does not say how many layers or heads it has, so it cannot be tuned: {error}."
        ) from error
    tensors = {tensor.name: tensor.shape for tensor in header.tensors}
    if any("ffn_gate_inp" in name for name in tensors):
        raise BadModel(f"{model.name} is a mixture of experts, which cannot be fine-tuned here: choose a dense model.")
    return BaseInfo(header.architecture, layers, heads, kv_heads, header.parameters, tensors)


def check_architecture(architecture: str, name: str) -> None:
    """Raises BadModel for an architecture whose adapters nobody compared with llama.cpp."""
    if architecture not in KNOWN:
        raise BadModel(
            f"{name} is of the architecture {architecture}; fine-tuning is known to be right for "
            f"{', '.join(KNOWN)} only: "
            "choose such a model (SmolLM2, Llama, Mistral, Qwen2, Qwen3)."
        )


def load_base(model: Path, info: BaseInfo, precision: str) -> Any:
    """A transformers model with dequantised weights in "fp32" or "bf16", frozen, for inference and for LoRA.

    transformers can read GGUF itself, in about ten times the time: it parses the vocabulary three times over and builds
    its table of names once per module. The weights are the same to the bit. Raises BadModel, and TooLittleMemory when
    the weights would not fit in the memory that is free.
    """
    import torch
    from transformers import AutoModelForCausalLM

    needed = info.parameters * (4 if precision == "fp32" else 2)
    memory.require(int(needed * 1.5), f"Training {model.name}")
    kind = torch.float32 if precision == "fp32" else torch.bfloat16
    config = config_of(model, info)
    with torch.device("meta"):  # the shape only; the weights are put in below
        found = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
            config, dtype=kind, attn_implementation="sdpa"
        )
    try:
        found.load_state_dict(read_weights(model, info, kind), strict=False, assign=True)
    except (RuntimeError, ValueError, KeyError, NotImplementedError) as error:
        raise BadModel(f"{model.name} cannot be loaded for training: {error}") from error
    found.tie_weights()
    missing = [name for name, tensor in found.named_parameters() if tensor.is_meta]
    if missing:
        raise BadModel(f"{model.name} lacks {missing[0]}, so it cannot be loaded for training.")
    found.model.rotary_emb = type(found.model.rotary_emb)(config=config)  # computed, not stored
    if "rope_freqs.weight" in info.tensors:  # Llama 3.1 and later; llama.cpp divides by these
        found.model.rotary_emb.inv_freq /= torch.from_numpy(read_tensor(model, "rope_freqs.weight"))
    found.requires_grad_(False)
    found.train(False)
    return found


def config_of(model: Path, info: BaseInfo) -> Any:
    """The transformers configuration that a GGUF's header describes. Raises BadModel for what it cannot express."""
    from transformers import AutoConfig

    from workbench.catalog.gguf_header import read_header

    header = read_header(model)
    part = {key.partition(".")[2]: value for key, value in header.metadata.items() if key.startswith(info.architecture)}
    if part.get("rope.scaling.type", "none") != "none":
        raise BadModel(
            f"{model.name} stretches its context ({part['rope.scaling.type']}), which cannot be trained here."
        )
    hidden, vocabulary = (int(size) for size in info.tensors["token_embd.weight"])
    settings = {
        "hidden_size": hidden,
        "intermediate_size": int(part["feed_forward_length"]),
        "num_hidden_layers": info.layers,
        "num_attention_heads": info.heads,
        "num_key_value_heads": info.kv_heads,
        "head_dim": int(part.get("attention.key_length", hidden // info.heads)),
        "rms_norm_eps": float(part["attention.layer_norm_rms_epsilon"]),
        "rope_parameters": {"rope_type": "default", "rope_theta": float(part.get("rope.freq_base", 10000.0))},
        "max_position_embeddings": int(part.get("context_length", 2048)),
        "vocab_size": vocabulary,
        "tie_word_embeddings": "output.weight" not in info.tensors,
        "attention_bias": "blk.0.attn_q.bias" in info.tensors,
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": None,
        "use_cache": False,
    }
    return AutoConfig.for_model(info.architecture, **settings)


# GGUF's names of what is not a projection; a layer's own stand after "blk.N.".
MODULES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def read_weights(model: Path, info: BaseInfo, kind: Any) -> dict[str, Any]:
    """All weights by transformers' names, dequantised, q and k rows back in transformers' order."""
    return dict(each_weight(model, info, kind))


def each_weight(model: Path, info: BaseInfo, kind: Any) -> Iterator[tuple[str, Any]]:
    """The weights of `read_weights` one after the other."""
    import torch

    for name in info.tensors:
        if name == "rope_freqs.weight":
            continue
        module, _, part = name.rpartition(".")
        layer = ""
        if module.startswith("blk."):
            _, number, module = module.split(".", 2)
            layer = f"model.layers.{number}."
        values = read_tensor(model, name)
        heads = {"attn_q": info.heads, "attn_k": info.kv_heads}.get(module)
        if heads and info.architecture == "llama":
            values = restore_rows(values, heads)
        yield f"{layer}{MODULES[module]}.{part}", torch.from_numpy(values).to(kind)


SHARD = 2_000_000_000  # bytes of a file of `write_base`, which is also what it holds in memory at most


@contextlib.contextmanager
def write_base(model: Path, info: BaseInfo, folder: Path) -> Iterator[Path]:
    """The base in bf16 as a folder that transformers reads, for as long as the block runs; then it is removed.

    For libraries that read no GGUF. Raises BadModel, DiskFull.
    """
    from safetensors.torch import save_file

    from workbench.tuning.tokens import load_tokenizer

    config = config_of(model, info)
    config.dtype, config.architectures = "bfloat16", [ARCHITECTURES[info.architecture]]
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with records.naming_full_disk(folder):
            folder.mkdir(parents=True)
            found: dict[str, str] = {}
            for number, shard in enumerate(_shards(model, info)):
                file = f"model-{number:05}.safetensors"
                save_file(shard, folder / file, metadata={"format": "pt"})
                found.update(dict.fromkeys(shard, file))
            records.write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": found})
            config.save_pretrained(str(folder))
            load_tokenizer(model).save(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _shards(model: Path, info: BaseInfo) -> Iterator[dict[str, Any]]:
    import torch

    shard: dict[str, Any] = {}
    for name, tensor in each_weight(model, info, torch.bfloat16):
        shard[name] = tensor
        if sum(2 * each.numel() for each in shard.values()) > SHARD:
            yield shard
            shard = {}
    if shard:
        yield shard


def restore_rows(values: Any, heads: int) -> Any:
    """Rows of a q or k weight [out, in] or bias [out] in transformers' order: llama.cpp interleaves a head's halves."""
    out = values.shape[0]
    split = values.reshape(heads, out // heads // 2, 2, *values.shape[1:])
    return split.swapaxes(1, 2).reshape(values.shape).copy()


def read_tensor(model: Path, name: str) -> Any:
    """One tensor of a GGUF as a numpy float32 array in the usual order of axes (slowest first)."""
    import gguf
    import numpy as np

    tensor = _tensors(model)[name]
    with model.open("rb") as file:
        file.seek(tensor.offset)
        raw = np.frombuffer(file.read(tensor.size), dtype=np.uint8)
    shape = tuple(reversed(tensor.shape))
    kind = gguf.GGMLQuantizationType[tensor.type]
    if tensor.type == "F32":
        return raw.view(np.float32).reshape(shape).copy()
    rows = int(np.prod(shape[:-1])) if len(shape) > 1 else 1
    return np.ascontiguousarray(gguf.quants.dequantize(raw.reshape(rows, -1), kind).reshape(shape), dtype=np.float32)


@functools.lru_cache(maxsize=1)
def _tensors(model: Path) -> dict[str, Any]:
    from workbench.catalog.gguf_header import read_header

    return {tensor.name: tensor for tensor in read_header(model).tensors}
