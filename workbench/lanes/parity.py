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

import numpy as np

from workbench import records
from workbench.lanes import pool
from workbench.lanes.context import Context

TIE = 0.2  # nats: a token that is 0.82 times as likely, which activations rounded to 8 bits can put first


def main(folder: Path) -> int:
    """Measure and write result.json."""
    from safetensors.numpy import load_file

    asked = records.read_json(folder / "parity.json")
    expected = load_file(folder / "expected.safetensors")
    cases = asked["cases"]
    tuned, base, agree = ask_llama(Path(asked["model"]), Path(asked["adapter"]), cases)
    result = {
        "places": sum(len(each) for each in tuned),
        "tokens_agree": agree,  # whether both engines cut the prompts into the same tokens
        "tuned_agreement": agreement([expected[f"tuned.{n}"] for n in range(len(cases))], tuned, TIE),
        "base_agreement": agreement([expected[f"base.{n}"] for n in range(len(cases))], base, TIE),
        "tuned_kl": divergence([expected[f"tuned.{n}"] for n in range(len(cases))], tuned),
        "base_kl": divergence([expected[f"base.{n}"] for n in range(len(cases))], base),
        "effect_kl": divergence([expected[f"tuned.{n}"] for n in range(len(cases))], base),
        "logit_error": max(float(abs(expected[f"tuned.{n}"] - each).max()) for n, each in enumerate(tuned)),
    }
    records.write_json(folder / "result.json", result)
    return 0


def ask_llama(model: Path, adapter: Path, cases: list[dict[str, Any]]) -> tuple[list[Any], list[Any], bool]:
    """Logits with and without the adapter, [places, vocabulary] for each case; and whether tokens agree.

    The lanes' own engine is asked, as they ask it: the prompt in chunks, then one token after the other.
    """
    found = pool.model(model)
    longest = max(len(case["ids"]) for case in cases) + 8
    told: list[list[Any]] = []
    for each in (adapter, None):
        context = Context(found, each, 1.0, longest, 1, pool.thread_limit())
        told.append([])
        for case in cases:
            told[-1].append(read_case(context, case))
            print(f"{sum(map(len, told))} of {2 * len(cases)}", flush=True)  # followed by whoever waits for it
        context.close()
    agree = all(found.tokenise(case["prompt"]) == case["ids"][: case["first"] + 1] for case in cases)
    return told[0], told[1], agree


def read_case(context: Context, case: dict[str, Any]) -> Any:
    """Logits at every place of a case's answer, from the last token of its prompt on: [places, vocabulary]."""
    prompt, answer = case["ids"][: case["first"] + 1], case["ids"][case["first"] + 1 :]
    context.forget(0)
    start = 0
    while start < len(prompt):
        context.set_threads(pool.advised_threads())
        start = context.read(0, prompt, start, lambda: False)
    rows = [context.logits(-1).copy()]
    for place, token in enumerate(answer, start=len(prompt)):
        context.decode([(0, token, place)])
        rows.append(context.logits(0).copy())
    return np.stack(rows)


def agreement(expected: list[Any], found: list[Any], tie: float = 0.0) -> float:
    """The share of places where what is found chooses the expected token, or one that is `tie` nats behind it at most.

    A fine-tune that has learnt little wavers between some short answers, and rounding then decides: that is no fault.
    """
    same = [
        left[np.arange(len(left)), right.argmax(-1)] >= left.max(-1) - tie
        for left, right in zip(expected, found, strict=True)
    ]
    return float(sum(each.sum() for each in same) / sum(len(each) for each in same))


def divergence(expected: list[Any], found: list[Any]) -> float:
    """The mean Kullback-Leibler divergence of the found distributions from the expected ones, in nats per place."""
    total, places = 0.0, 0
    for left, right in zip(expected, found, strict=True):
        first, second = log_softmax(left.astype(np.float64)), log_softmax(right.astype(np.float64))
        total += float((np.exp(first) * (first - second)).sum())
        places += len(left)
    return total / places


def log_softmax(logits: Any) -> Any:
    """Log-probabilities along the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
