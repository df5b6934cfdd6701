"""A PEFT adapter from elsewhere: read without trusting it, refused with a reason, written anew with what is needed."""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import records
from workbench.errors import BadModel, MissingFile
from workbench.events import Event, Progress
from workbench.tuning.adapter import TENSORS
from workbench.tuning.base import BaseInfo
from workbench.tuning.gguf_lora import LARGEST, MOST_RANK, MOST_SCALE

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
LARGEST_CONFIG = 1 << 20  # bytes; one with every module named takes some ten thousand
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")

# Settings that say how it was trained and change nothing about what the weights mean.
HARMLESS = {
    "auto_mapping", "base_model_name_or_path", "bias", "ensure_weight_tying", "eva_config", "exclude_modules",
    "inference_mode", "init_lora_weights", "layers_pattern", "layers_to_transform", "lora_alpha", "lora_dropout",
    "megatron_core", "modules_to_save", "peft_type", "peft_version", "qalora_group_size", "r", "revision",
    "runtime_config", "target_modules", "task_type", "use_dora", "use_rslora",
}  # fmt: skip
# Ways to begin that leave the base as it is; others (pissa, olora, corda, loftq) train against a changed one.
STARTS = (True, False, None, "gaussian", "eva", "orthogonal")

_KEY = re.compile(
    r"base_model\.model\.model\.layers\.(0|[1-9]\d{0,3})\.(?:self_attn\.([qkvo]_proj)|mlp\.((?:gate|up|down)_proj))"
    r"\.lora_([AB])\.weight"
)


@dataclass(frozen=True, slots=True)
class PeftAdapter:
    """What must be known of a PEFT adapter that can be converted."""

    rank: int
    alpha: float
    use_rslora: bool
    parts: frozenset[tuple[int, str]]  # layer and projection
    trained_on: str  # what it says of its base, "" where it says nothing

    @property
    def targets(self) -> tuple[str, ...]:
        """The projections it changes, in the usual order."""
        changed = {target for _, target in self.parts}
        return tuple(each for each in TENSORS if each in changed)

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers it changes."""
        return tuple(sorted({layer for layer, _ in self.parts}))

    def config(self) -> dict[str, Any]:
        """A configuration with nothing in it but what transformers needs to load these very parts."""
        even = len(self.parts) == len(self.targets) * len(self.layers)
        named = sorted(f"layers.{layer}.{_module(target)}" for layer, target in self.parts)
        return {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": self.trained_on,
            "r": self.rank,
            "lora_alpha": self.alpha,
            "lora_dropout": 0.0,
            "use_rslora": self.use_rslora,
            "target_modules": list(self.targets) if even else named,
            "layers_to_transform": list(self.layers) if even else None,
            "bias": "none",
            "init_lora_weights": True,
            "inference_mode": True,
        }


def check_file(path: Path, most: int) -> None:
    """Raise MissingFile or BadModel unless `path` is a plain file of at most `most` bytes. Links are not followed."""
    try:
        found = path.lstat()
    except OSError as error:
        raise MissingFile(f"There is no {path.name} in {path.parent}.") from error
    if stat.S_ISLNK(found.st_mode):
        raise BadModel(f"{path} is a link, which is not followed: copy the file itself there.")
    if not stat.S_ISREG(found.st_mode):
        raise BadModel(f"{path} is not a plain file: choose another.")
    if found.st_size > most:
        raise BadModel(f"{path.name} has {found.st_size / 1e6:,.0f} MB, more than any adapter needs: it is not taken.")


def check_folder(folder: Path, info: BaseInfo, base: str) -> Generator[Event, None, PeftAdapter]:
    """Read a PEFT folder against the base called `base`: yields Progress, gives a PeftAdapter.

    Raises MissingFile, and BadModel with what cannot be converted.
    """
    _require_files(folder)
    config = _read_config(folder / CONFIG)
    rank, alpha, use_rslora = _check_config(config)
    parts = yield from _check_weights(folder / WEIGHTS, rank, info, base)
    named = config.get("base_model_name_or_path")
    return PeftAdapter(rank, alpha, use_rslora, frozenset(parts), named[:200] if isinstance(named, str) else "")


def _require_files(folder: Path) -> None:
    try:
        names = {path.name for path in folder.iterdir()}
    except OSError as error:
        raise MissingFile(f"The folder {folder} cannot be read ({error.strerror}).") from error
    if CONFIG not in names:
        gguf = next((each for each in sorted(names) if each.endswith(".gguf")), "")
        hint = f"name the file {gguf} in it" if gguf else f"choose the folder that holds {CONFIG}"
        raise MissingFile(f"{folder} is not a PEFT adapter: {hint}.")
    if WEIGHTS not in names:
        if any(each.endswith(PICKLES) for each in names):
            raise BadModel(
                f"{folder} holds its weights as a pickle (.bin), which can run programs when it is read: have it saved "
                "as safetensors."
            )
        raise MissingFile(f"{folder} holds no {WEIGHTS}: get the whole adapter again.")
    check_file(folder / CONFIG, LARGEST_CONFIG)
    check_file(folder / WEIGHTS, LARGEST)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        found = records.read_json(path)
    except (OSError, ValueError, RecursionError) as error:
        raise BadModel(f"{path} cannot be read as JSON: get the adapter again.") from error
    if not isinstance(found, dict):
        raise BadModel(f"{path} is not an adapter's configuration: get the adapter again.")
    return found


def _check_config(config: dict[str, Any]) -> tuple[int, float, bool]:
    """Rank, alpha and whether it is rank-stabilised. Raises BadModel for what llama.cpp cannot express."""
    if config.get("peft_type") != "LORA":
        raise BadModel(f"This is an adapter of the kind {str(config.get('peft_type'))[:40]}; only LoRA is known here.")
    if config.get("use_dora"):
        raise BadModel("The adapter uses DoRA, which llama.cpp cannot load: train it as a plain LoRA.")
    if config.get("bias", "none") not in ("none", None):
        raise BadModel("The adapter has trained biases, which llama.cpp cannot load: train it with bias none.")
    if config.get("modules_to_save"):
        raise BadModel("The adapter brings whole modules of its own (modules_to_save), which llama.cpp cannot load.")
    if config.get("alpha_pattern") or config.get("rank_pattern"):
        raise BadModel("The adapter has other ranks or alphas in some places, which is not known to be right here.")
    if config.get("init_lora_weights", True) not in STARTS:
        began = str(config["init_lora_weights"])[:40]
        raise BadModel(f"The adapter was started with {began}, which changes the base too: save it as a plain LoRA.")
    unknown = sorted(key for key, value in config.items() if value and key not in HARMLESS)
    if unknown:
        raise BadModel(f"The adapter uses {unknown[0][:60]}, which is not known to be right in llama.cpp.")
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= MOST_RANK:
        raise BadModel(f"The adapter's rank is {str(rank)[:40]}; a whole number from 1 to {MOST_RANK} can be used.")
    if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not math.isfinite(alpha) or alpha <= 0:
        raise BadModel(f"The adapter's alpha is {str(alpha)[:40]}; it must be a number above 0.")
    stable = bool(config.get("use_rslora"))
    scale = alpha / (math.sqrt(rank) if stable else rank)
    if scale > MOST_SCALE:
        raise BadModel(f"The adapter would be added {scale:.0f} times over (alpha over rank), which no training gives.")
    return rank, float(alpha), stable


def _check_weights(path: Path, rank: int, info: BaseInfo, base: str) -> Generator[Event, None, set[tuple[int, str]]]:
    """Every tensor: its name, its shape, its numbers. Nothing is loaded before its size is known to be right."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            shapes = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118 (it is no mapping)
            parts = _check_names(set(shapes))
            for key, each in shapes.items():
                _check_shape(key, list(each.get_shape()), str(each.get_dtype()), rank, info, base)
            changes = yield from _check_values(file, sorted(parts))
    except SafetensorError as error:
        raise BadModel(f"{path.name} is damaged ({error}): get the adapter again.") from error
    if not changes:
        raise BadModel("The adapter changes nothing, as one before its training: choose a trained one.")
    return parts


def _check_names(keys: set[str]) -> set[tuple[int, str]]:
    """The parts that are changed, each with both halves."""
    halves: dict[tuple[int, str], set[str]] = {}
    for key in sorted(keys):
        found = _KEY.fullmatch(key)
        if found is None:
            raise BadModel(f"The adapter has a part that is not known to be right in llama.cpp: {key[:120]!r}.")
        halves.setdefault((int(found[1]), found[2] or found[3]), set()).add(found[4])
    for (layer, target), each in halves.items():
        if each != {"A", "B"}:
            raise BadModel(f"The adapter holds only half of what changes {target} of layer {layer}: get it again.")
    if not halves:
        raise BadModel("The adapter holds no weights, so it changes nothing.")
    return set(halves)


def _check_shape(key: str, shape: list[int], kind: str, rank: int, info: BaseInfo, base: str) -> None:
    found = _KEY.fullmatch(key)
    assert found is not None
    layer, target = found[1], found[2] or found[3]
    inside = info.tensors.get(f"blk.{int(layer)}.{TENSORS[target]}.weight")
    if inside is None:
        raise BadModel(f"The adapter changes {target} of layer {layer}, and {base} has {info.layers} layers.")
    expected = [rank, inside[0]] if found[4] == "A" else [inside[1], rank]
    if kind not in ("F32", "F16", "BF16"):
        raise BadModel(f"The adapter holds weights as {kind}; F32, F16 and BF16 can be used.")
    if shape != expected:
        raise BadModel(
            f"The adapter was made for a model of another size: {target} of layer {layer} is {shape}, and {base} needs "
            f"{expected}."
        )


def _check_values(file: Any, parts: list[tuple[int, str]]) -> Generator[Event, None, bool]:
    """Whether the adapter changes anything. Raises BadModel where a weight is no number."""
    import torch

    changes = False
    for done, (layer, target) in enumerate(parts):
        yield Progress(done, len(parts), "checking the adapter's weights", "tensors")
        name = f"base_model.model.model.layers.{layer}.{_module(target)}"
        low, high = (file.get_tensor(f"{name}.lora_{end}.weight") for end in "AB")
        if not (torch.isfinite(low).all() and torch.isfinite(high).all()):
            raise BadModel(f"The adapter holds weights that are no numbers ({target} of layer {layer}).")
        changes = changes or bool(low.any() and high.any())
    return changes


def _module(target: str) -> str:
    return f"{'self_attn' if target in ('q_proj', 'k_proj', 'v_proj', 'o_proj') else 'mlp'}.{target}"
