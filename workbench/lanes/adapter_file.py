"""Whether a LoRA adapter belongs to a model, read from both headers before llama.cpp touches either."""

from __future__ import annotations

import functools
from pathlib import Path

from workbench.catalog.gguf_header import GgufHeader, TensorInfo, read_header
from workbench.errors import BadModel, MissingFile


def model_header(path: Path) -> GgufHeader:
    """The header of a chat model. Raises MissingFile or BadModel; llama.cpp may end the process on what fails here."""
    header = _header(path)
    if header.kind != "model":
        raise BadModel(f"{path.name} is not a chat model but of the kind {header.kind!r}: choose a model's GGUF file.")
    if not header.vocabulary or not header.tensors:
        raise BadModel(f"{path.name} holds no tokenizer or no weights, so it cannot chat: choose another file.")
    return header


def check_adapter(path: Path, model: Path) -> None:
    """Raise BadModel with the reason unless `path` is a whole LoRA adapter whose every tensor fits `model`."""
    header, base = _header(path), model_header(model)
    name = path.name
    if header.kind != "adapter" or header.metadata.get("adapter.type") != "lora":
        raise BadModel(f"{name} is not a LoRA adapter: choose the adapter.gguf a fine-tune left.")
    if header.architecture != base.architecture:
        raise BadModel(f"{name} is for {header.architecture} models and {model.name} is a {base.architecture} model.")
    if not isinstance(header.metadata.get("adapter.lora.alpha"), (int, float)):
        raise BadModel(f"{name} does not say how strong it is (adapter.lora.alpha): it is damaged; fine-tune again.")
    targets = {tensor.name: tensor for tensor in base.tensors}
    found = {tensor.name: tensor for tensor in header.tensors}
    if not found:
        raise BadModel(f"{name} holds no weights: it is damaged; fine-tune again.")
    for tensor in header.tensors:
        _check_tensor(name, tensor, targets, found)


def _check_tensor(name: str, tensor: TensorInfo, targets: dict[str, TensorInfo], found: dict[str, TensorInfo]) -> None:
    """One of a pair: A is (inputs, rank) and B is (rank, outputs) in ggml's order of dimensions."""
    target_name, _, end = tensor.name.rpartition(".")
    target = targets.get(target_name)
    partner = found.get(f"{target_name}.{'lora_b' if end == 'lora_a' else 'lora_a'}")
    if end not in ("lora_a", "lora_b") or target is None or partner is None:
        raise BadModel(f"{name} changes {tensor.name}, which this model does not have: it belongs to another model.")
    a, b = (tensor, partner) if end == "lora_a" else (partner, tensor)
    fits = len(a.shape) == len(b.shape) == len(target.shape) == 2
    if not fits or (a.shape[0], a.shape[1], b.shape[1]) != (target.shape[0], b.shape[0], target.shape[1]):
        raise BadModel(f"{name} was made for a model of another size: {tensor.name} has the shape {tensor.shape}.")
    if tensor.type not in ("F32", "F16", "BF16"):
        raise BadModel(f"{name} holds weights as {tensor.type}, which an adapter cannot be: fine-tune again.")


def _header(path: Path) -> GgufHeader:
    try:
        stat = path.stat()
    except OSError as error:
        raise MissingFile(f"There is no model file at {path}: it was moved or deleted; choose another.") from error
    return _cached_header(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=32)
def _cached_header(path: Path, size: int, changed: int) -> GgufHeader:
    return read_header(path)
