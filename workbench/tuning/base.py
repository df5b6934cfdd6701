"""The model to be tuned, in full precision, out of the very GGUF one chats with."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import BadModel, TooLittleMemory

# Architectures whose adapter was compared with llama.cpp, tensor names and row order included, and whose layers the
# packed forward runs as transformers does. Mistral's GGUF files say "llama". Others are refused, not guessed.
KNOWN = ("llama", "qwen2", "qwen3")
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

    Raises BadModel, and TooLittleMemory when the weights would not fit in the memory that is free.
    """
    import psutil
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    needed = info.parameters * (4 if precision == "fp32" else 2)
    free = psutil.virtual_memory().available
    if needed * 1.5 > free:
        raise TooLittleMemory(
            f"Training {model.name} takes about {needed * 1.5 / 2**30:.1f} GB of memory and "
            f"{free / 2**30:.1f} GB are free: "
            "close other programs or choose a smaller model."
        )
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # its progress bars
            found = AutoModelForCausalLM.from_pretrained(
                str(model.parent),
                gguf_file=model.name,
                quantization_config=GgufConfig(dequantize=True),  # without it the weights stay packed and cannot train
                dtype=torch.float32 if precision == "fp32" else torch.bfloat16,
                attn_implementation="sdpa",
            )
    except Exception as error:  # transformers raises many kinds
        raise BadModel(f"{model.name} cannot be loaded for training: {error}") from error
    _restore_rope_factors(found, model)
    found.requires_grad_(False)
    found.config.use_cache = False
    found.train(False)
    return found


def _restore_rope_factors(found: Any, model: Path) -> None:
    """Divide rotary frequencies by the GGUF's factors (Llama 3.1 on) as llama.cpp does; transformers drops them."""
    import gguf
    import torch

    for tensor in gguf.GGUFReader(model).tensors:
        if tensor.name == "rope_freqs.weight":
            factors = torch.from_numpy(tensor.data.copy()).float()
            found.model.rotary_emb.inv_freq /= factors


def choose_precision(wanted: str) -> str:
    """The precision to train in, fp32 or bf16: with "auto", bf16 where this CPU multiplies it 1.2 times as fast."""
    import time

    import torch

    if wanted != "auto":
        return wanted

    def fastest(kind: Any) -> float:
        left, right = torch.randn(512, 1024, dtype=kind), torch.randn(1024, 1024, dtype=kind)
        times = []
        for _ in range(6):
            began = time.perf_counter()
            left @ right
            times.append(time.perf_counter() - began)
        return min(times)

    return "bf16" if fastest(torch.float32) > 1.2 * fastest(torch.bfloat16) else "fp32"
