"""Ask llama.cpp with an adapter the very tokens its trained model was asked; `python -m workbench.lanes.parity FOLDER`.

The folder holds parity.json (model, adapter, cases: token ids and the first place that counts) and
expected.safetensors (the trained model's logits, "tuned.N" and, without the adapter, "base.N", [places, vocabulary]).
Written is result.json, which `tuning.adapter.judge_parity` reads. It is a process of its own since a damaged
adapter can take llama.cpp down.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from workbench import records
from workbench.lanes.fast_copy import fast_copy


def main(folder: Path) -> int:
    """Measure and write result.json."""
    from safetensors.numpy import load_file

    asked = records.read_json(folder / "parity.json")
    expected = load_file(folder / "expected.safetensors")
    cases = asked["cases"]
    tuned, base, agree = ask_llama(fast_copy(Path(asked["model"])), Path(asked["adapter"]), cases)
    result = {
        "places": sum(len(each) for each in tuned),
        "tokens_agree": agree,  # whether both engines cut the prompts into the same tokens
        "tuned_agreement": agreement([expected[f"tuned.{n}"] for n in range(len(cases))], tuned),
        "base_agreement": agreement([expected[f"base.{n}"] for n in range(len(cases))], base),
        "tuned_kl": divergence([expected[f"tuned.{n}"] for n in range(len(cases))], tuned),
        "base_kl": divergence([expected[f"base.{n}"] for n in range(len(cases))], base),
        "effect_kl": divergence([expected[f"tuned.{n}"] for n in range(len(cases))], base),
        "logit_error": max(float(abs(expected[f"tuned.{n}"] - each).max()) for n, each in enumerate(tuned)),
    }
    records.write_json(folder / "result.json", result)
    return 0


def ask_llama(model: Path, adapter: Path, cases: list[dict[str, Any]]) -> tuple[list[Any], list[Any], bool]:
    """Logits with and without the adapter, [places, vocabulary] for each case; and whether tokens agree."""
    import ctypes

    import llama_cpp
    import numpy as np

    longest = max(len(case["ids"]) for case in cases)
    llama = llama_cpp.Llama(str(model), n_ctx=longest + 8, n_batch=512, logits_all=True, verbose=False, n_gpu_layers=0)
    handle = llama_cpp.llama_adapter_lora_init(llama._model.model, str(adapter).encode())
    if not handle:  # a NULL pointer object: `is None` would not tell
        raise SystemExit("llama.cpp refused the adapter")

    def logits(case: dict[str, Any]) -> Any:
        llama.reset()  # type: ignore[no-untyped-call]
        llama._ctx.kv_cache_clear()  # type: ignore[no-untyped-call]
        llama.eval(case["ids"])
        return np.array(llama.scores[case["first"] : len(case["ids"])])

    def set_adapter(count: int) -> None:
        handles = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(handle)
        llama_cpp.llama_set_adapters_lora(llama._ctx.ctx, handles, count, (ctypes.c_float * 1)(1.0))

    base = [logits(case) for case in cases]
    set_adapter(1)
    tuned = [logits(case) for case in cases]
    set_adapter(0)
    agree = all(
        llama.tokenize(case["prompt"].encode(), add_bos=False, special=True) == case["ids"][: case["first"] + 1]
        for case in cases
    )
    llama.close()
    return tuned, base, agree


def agreement(expected: list[Any], found: list[Any]) -> float:
    """The share of places where both choose the same token."""
    same = [left.argmax(-1) == right.argmax(-1) for left, right in zip(expected, found, strict=True)]
    return float(sum(each.sum() for each in same) / sum(len(each) for each in same))


def divergence(expected: list[Any], found: list[Any]) -> float:
    """The mean Kullback-Leibler divergence of the found distributions from the expected ones, in nats per place."""
    import numpy as np

    total, places = 0.0, 0
    for left, right in zip(expected, found, strict=True):
        first, second = log_softmax(left.astype(np.float64)), log_softmax(right.astype(np.float64))
        total += float((np.exp(first) * (first - second)).sum())
        places += len(left)
    return total / places


def log_softmax(logits: Any) -> Any:
    """Log-probabilities along the last axis."""
    import numpy as np

    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
