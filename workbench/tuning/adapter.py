"""What a run leaves behind: list, describe, convert for llama.cpp, judge parity."""

from __future__ import annotations

import contextlib
import importlib.metadata
import math
import os
import platform
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench import __version__, processor, records
from workbench.errors import BadModel, InputError, ProjectBusy
from workbench.project import Project
from workbench.settings import available_cores
from workbench.tuning.base import BaseInfo, read_base
from workbench.tuning.recipe import Recipe, RunInfo

ADAPTER = "adapter.gguf"

# transformers' projection → GGUF's tensor, the same for every architecture in base.KNOWN.
TENSORS = {
    "q_proj": "attn_q",
    "k_proj": "attn_k",
    "v_proj": "attn_v",
    "o_proj": "attn_output",
    "gate_proj": "ffn_gate",
    "up_proj": "ffn_up",
    "down_proj": "ffn_down",
}
PERMUTED = ("llama",)  # architectures whose q and k rows GGUF orders for its own rotary embedding


def check_targets(recipe: Recipe, info: BaseInfo) -> None:
    """Raises BadModel or InputError when an adapter by this recipe could not be used in llama.cpp afterwards."""
    unknown = [target for target in recipe.targets if target not in TENSORS]
    if unknown or not recipe.targets:
        raise InputError(f"The recipe trains {', '.join(unknown) or 'nothing'}; it can train {', '.join(TENSORS)}.")
    outside = [layer for layer in recipe.layers if not 0 <= layer < info.layers]
    if outside:
        raise InputError(
            f"The recipe names layer {outside[0]}, but {recipe.model.name} has layers 0 to {info.layers - 1}."
        )
    for layer in recipe.layers or range(info.layers):
        for target in recipe.targets:
            if f"blk.{layer}.{TENSORS[target]}.weight" not in info.tensors:
                raise BadModel(f"{recipe.model.name} has no {target} in layer {layer}, so it cannot be tuned there.")


def convert(peft: Path, model: Path, target: Path) -> None:
    """Write a PEFT adapter folder as a GGUF adapter for llama.cpp.

    Orientation is PEFT's own: lora_a [rank, in], lora_b [out, rank]. Raises BadModel when the adapter has anything that
    llama.cpp cannot express or that the base lacks.
    """
    from safetensors.torch import load_file  # numpy has no bf16, in which adapters from elsewhere come

    config = records.read_json(peft / "adapter_config.json")
    if (
        config.get("use_dora")
        or config.get("modules_to_save")
        or config.get("bias", "none") != "none"
        or config.get("alpha_pattern")
    ):
        raise BadModel("The adapter uses DoRA, biases, whole modules or uneven alphas, which llama.cpp cannot load.")
    alpha = float(config["lora_alpha"]) * (math.sqrt(config["r"]) if config.get("use_rslora") else 1.0)
    tensors = {key: each.float().numpy() for key, each in load_file(peft / "adapter_model.safetensors").items()}
    write_adapter(tensors, alpha, model, target)


def write_adapter(tensors: Mapping[str, Any], alpha: float, model: Path, target: Path) -> None:
    """Write float32 matrices by PEFT's names as a GGUF adapter. Raises BadModel for what the base lacks, DiskFull."""
    import gguf

    info = read_base(model)
    part = target.with_name(target.name + ".part")
    writer = gguf.GGUFWriter(part, info.architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    for key in sorted(tensors):
        if not key.endswith(".lora_A.weight"):
            continue
        name, projection = tensor_name(key)
        low, high = tensors[key], tensors[key.replace(".lora_A.", ".lora_B.")]
        if info.tensors.get(name) != (low.shape[1], high.shape[0]):
            raise BadModel(f"The adapter's {key} does not fit {name} of {model.name}.")
        heads = {"q_proj": info.heads, "k_proj": info.kv_heads}.get(projection)
        if heads and info.architecture in PERMUTED:
            high = permute_rows(high, heads)
        writer.add_tensor(f"{name}.lora_a", low)
        writer.add_tensor(f"{name}.lora_b", high)
    with records.naming_full_disk(part):
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    os.replace(part, target)


def tensor_name(key: str) -> tuple[str, str]:
    """The GGUF tensor and the projection a PEFT key belongs to. Raises BadModel for one that is not known."""
    found = re.search(r"\.layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)\.lora_A\.weight$", key)
    if found is None or found[2] not in TENSORS:
        raise BadModel(f"The adapter has a part that is not known to be right in llama.cpp: {key}.")
    return f"blk.{found[1]}.{TENSORS[found[2]]}.weight", found[2]


def permute_rows(high: Any, heads: int) -> Any:
    """Rows of an [out, rank] matrix in GGUF's order: a head's halves interleaved (llama.cpp's LlamaModel.permute)."""
    out, rank = high.shape
    return high.reshape(heads, 2, out // heads // 2, rank).swapaxes(1, 2).reshape(out, rank)


def judge_parity(measured: dict[str, Any]) -> dict[str, Any]:
    """Add `ok` and a sentence to what was measured.

    llama.cpp multiplies with activations rounded to 8 bits, so even the bare base differs a little: `base_kl` is how
    much, in nats, on this machine and these very places. The tuned model may differ three times as much plus 0.01
    (a softmax that training has sharpened differs more for the same rounding), or a tenth of what the adapter
    changes (`effect_kl`) where that is more; an adapter whose rows are permuted wrongly differs by about all of it.
    """
    allowed = max(3 * measured["base_kl"] + 0.01, 0.1 * measured["effect_kl"])
    least = measured["base_agreement"] - 0.1
    ok = measured["tuned_kl"] <= allowed and measured["tuned_agreement"] >= least and measured["tokens_agree"]
    share = f"{measured['tuned_agreement']:.0%} of {measured['places']} greedy tokens agree"
    verdict = f"In llama.cpp {share} with the trained model."
    return {**measured, "allowed_kl": allowed, "ok": bool(ok), "verdict": verdict}


def write_manifest(recipe: Recipe, about: dict[str, Any], folder: Path | None = None) -> None:
    """Describe a finished run. Written last: its presence means that the adapter can be used.

    `folder` is where the run lies now, if that is not yet the recipe's own place.
    """
    folder = folder or recipe.folder
    run = read_run(folder)
    versions = {
        name: importlib.metadata.version(name) for name in ("torch", "transformers", "peft", "gguf", "llama-cpp-python")
    }
    manifest = {
        "name": recipe.name,
        "adapter": ADAPTER,
        "created": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "model": recipe.model,
        "model_hash": records.hash_file(recipe.model),
        "adapter_hash": records.hash_file(folder / ADAPTER),
        "datasets": {dataset_key(path, recipe.folder): records.hash_file(path) for path in recipe.datasets},
        "recipe": recipe,
        "train_loss": run.train_loss,
        "eval_loss": run.eval_loss,
        "versions": {**versions, "workbench": __version__, "python": platform.python_version()},
        "computer": {"processor": processor.name(), "cores": available_cores(), "threads": recipe.threads},
        "parity_ok": about["parity"]["ok"],
        **about,
    }
    records.write_json(folder / "manifest.json", manifest)


def dataset_key(path: Path, folder: Path) -> str:
    """What a manifest calls a training file: its path within the project of the run in `folder`, else the whole."""
    home = folder.parent.parent
    return path.relative_to(home).as_posix() if path.is_relative_to(home) else str(path)


def recorded_hash(hashes: Mapping[str, str], path: Path, folder: Path) -> str | None:
    """The hash a manifest has of a training file, by its key or, as older ones did, by its mere name."""
    return hashes.get(dataset_key(path, folder)) or hashes.get(path.name)


def list_runs(project: Path) -> tuple[RunInfo, ...]:
    """All runs of a project, oldest first, whatever became of them."""
    folders = sorted((project / "adapters").glob("*/recipe.json"))
    found = []
    for path in folders:
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            found.append(read_run(path.parent))
    return tuple(sorted(found, key=lambda run: run.created))


def read_run(folder: Path) -> RunInfo:
    """A run from its folder alone. Raises OSError or ValueError when there is no recipe that can be read."""
    recipe = records.read_json(folder / "recipe.json")
    about, manifest = _json_or_empty(folder / "run.json"), _json_or_empty(folder / "manifest.json")
    lines = records.read_lines(folder / "events.jsonl")
    steps = _steps(lines)
    last = steps[-1] if steps else {}
    state, outcome = _state(folder, about, lines, last)
    return RunInfo(
        name=recipe["name"],
        folder=folder,
        state=state,
        outcome=outcome,
        step=int(last.get("step", 0)),
        total=int(last.get("total", 0)),
        train_loss=tuple((each["step"], each["train_loss"]) for each in steps if each["train_loss"] is not None),
        eval_loss=tuple((each["step"], each["eval_loss"]) for each in steps if each["eval_loss"] is not None),
        seconds=float(last.get("seconds", 0.0)),
        tokens_per_second=float(last.get("tokens_per_second", 0.0)),
        created=str(manifest.get("created") or about.get("created") or ""),
        examples=int(manifest.get("examples", 0)),
        backend=str(manifest.get("backend", "")),
        adapter=folder / ADAPTER if manifest and (folder / ADAPTER).exists() else None,
        model=Path(recipe["model"]),
        system=str(manifest.get("system", "")),
        parity=dict(manifest.get("parity", {})),
        recipe=recipe,
        reads_passages=bool(manifest.get("reads_passages", False)),
        note=_text_or_empty(folder / "note.txt"),
        effects=dict(manifest.get("effects") or {}),
        slower=float(_last_word(lines).get("slower", 0.0)),
    )


def _steps(lines: Sequence[Any]) -> list[dict[str, Any]]:
    """The steps in order. A run that went on after a crash repeats some: the later telling counts."""
    found: dict[int, dict[str, Any]] = {}
    for line in lines:
        if isinstance(line, dict) and line.get("kind") == "step":
            step = line["value"]["step"]
            found = {number: each for number, each in found.items() if number < step}
            found[step] = line["value"]
        elif isinstance(line, dict) and line.get("kind") == "start" and line["value"].get("fresh"):
            found = {}
    return [found[number] for number in sorted(found)]


def _state(folder: Path, about: dict[str, Any], lines: Sequence[Any], last: dict[str, Any]) -> tuple[str, str]:
    """How a run is: its own last word, or what a process that is gone without one must mean."""
    end = _last_word(lines)
    if end:
        return end["state"], end["outcome"]
    if is_alive(about):
        return "running", f"Step {last.get('step', 0)} of {last.get('total', 0)}." if last else "Starting."
    state = _json_or_empty(folder / "checkpoint" / "state.json")
    kept = f"Step {state['step']} is kept" if state else "No checkpoint was written yet"
    return "failed", f"It ended without being asked to. {kept}; start it again under the same name to go on."


def _last_word(lines: Sequence[Any]) -> dict[str, Any]:
    """How the last attempt ended, in its own words; nothing where it has not, or died."""
    ends = [line for line in lines if isinstance(line, dict) and line.get("kind") in ("start", "end")]
    return dict(ends[-1]["value"]) if ends and ends[-1]["kind"] == "end" else {}


def is_alive(about: dict[str, Any]) -> bool:
    """Whether the process that wrote a run.json still runs; a process id used again by another one does not count."""
    import psutil

    try:
        process = psutil.Process(int(about["pid"]))
        same = abs(process.create_time() - float(about["started"])) < 2.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (KeyError, ValueError, psutil.Error):
        return False


def _json_or_empty(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        found = records.read_json(path)
        return found if isinstance(found, dict) else {}
    return {}


def _text_or_empty(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def set_note(folder: Path, note: str) -> None:
    """Keep a person's own words about a run."""
    records.write_text(folder / "note.txt", note.strip() + "\n")


def delete_run(project: Path, name: str) -> int:
    """Delete a run and its adapter; gives the bytes freed. Raises ProjectBusy while it runs, InputError for none."""
    folder = project / "adapters" / name
    if not name or folder.parent != project / "adapters" or not (folder / "recipe.json").exists():
        raise InputError(f"There is no fine-tune called {name} in this project.")
    if any(is_alive(_json_or_empty(path)) for path in folder.rglob("run.json")):  # a learning curve's runs lie in it
        raise ProjectBusy(f"The fine-tune {name} is running: stop it before it is deleted.")
    freed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    with Project.open(project).writing(f"deleting the fine-tune {name}"):
        (folder / "manifest.json").unlink(missing_ok=True)  # first: what is half deleted must not look finished
        shutil.rmtree(folder)
    return freed
