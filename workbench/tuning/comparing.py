"""Whether llama.cpp with a new adapter agrees with the model that was trained, told as it is found out."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from workbench import program, records
from workbench.tuning.adapter import ADAPTER, judge_parity
from workbench.tuning.recipe import Recipe

PARITY_ROWS = 6  # held-out rows that are compared: the shortest of each kind, since reading is what takes the time
PARITY_TOKENS = 24  # answer tokens of each that are compared
TRAINED = 0.6  # share of the time that asking the trained model takes, the rest being llama.cpp's

Told = Generator[tuple[float, str], None, Any]  # (share that is done, what is done now)


def compare(recipe: Recipe, model: Any, examples: Sequence[Any], tokenizer: Any, general: bool = False) -> Told:
    """Compare; returns what was measured, plain, with `ok` and `verdict`.

    The trained model answers some rows greedily; both engines then read prompt and answer, and their next-token
    distributions are compared at every place of the answer. llama.cpp is asked in a process of its own, and so is the
    trained model where `model` is None (see `expected`), which then looks at general text as well if `general`.
    Closing it ends that process.
    """
    folder = recipe.folder / "parity"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    prompts = [example.tokens.ids[: example.tokens.spans[-1][0]] for example in shortest(examples, PARITY_ROWS)]
    yield 0.0, "asking the trained model"
    if model is None:
        asked_for = {"recipe": recipe.folder / "recipe.json", "prompts": prompts, "general": general}
        records.write_json(folder / "prompts.json", asked_for)
        if (yield from follow("workbench.tuning.expected", folder, 0.0, TRAINED)):
            return {"ok": False, "verdict": "The trained adapter could not be loaded again (output.log says more)."}
    else:
        full = model.float().cpu()  # compared in full precision
        for share in write_expectations(folder, recipe, full, prompts, tokenizer):
            yield TRAINED * share, "asking the trained model"
    yield TRAINED, "asking llama.cpp"
    status = yield from follow("workbench.lanes.parity", folder, TRAINED, 1.0)
    try:
        measured = records.read_json(folder / "result.json")
    except (OSError, ValueError):
        why = f"exit status {status}"
        return {
            "ok": False,
            "verdict": f"llama.cpp could not be asked with this adapter ({why}; output.log says more).",
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return judge_parity(measured)


def follow(module: str, folder: Path, begin: float, end: float) -> Generator[tuple[float, str], None, int]:
    """Run a process that prints "3 of 12" as it goes; gives its exit status."""
    process = subprocess.Popen(program.command(module, str(folder)), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            done, _, total = line.strip().partition(" of ")
            if done.isdigit() and total.isdigit():
                yield begin + (end - begin) * int(done) / int(total), f"answer {done} of {total}"
        return process.wait()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def shortest(examples: Sequence[Any], count: int) -> list[Any]:
    """So many examples, half of them of each kind (with passages or without) where there are both, the shortest."""
    ordered = sorted(examples, key=lambda example: len(example.tokens.ids))
    kinds = [[each for each in ordered if each.grounded == grounded] for grounded in (False, True)]
    halves = [each[: max(count // 2, count - len(other))] for each, other in (kinds, kinds[::-1])]
    return [*halves[0], *halves[1]][:count]


def write_expectations(
    folder: Path, recipe: Recipe, model: Any, prompts: Sequence[Sequence[int]], tokenizer: Any
) -> Generator[float, None, None]:
    """What the trained model says: token ids, and its logits with and without the adapter at every answer place.

    Yields the share that is done.
    """
    import torch
    from safetensors.torch import save_file

    from workbench.tuning.loop import answer

    answers = answer(model, prompts, tokenizer, PARITY_TOKENS)
    yield 0.5
    cases, tensors = [], {}
    model.get_base_model().config._attn_implementation = "sdpa"
    for number, (prompt, said) in enumerate(zip(prompts, answers, strict=True)):
        ids = torch.tensor([[*prompt, *said]], device=model.device)
        places = slice(len(prompt) - 1, None)
        with torch.no_grad():
            tensors[f"tuned.{number}"] = model(input_ids=ids, use_cache=False).logits[0, places].float().cpu()
            with model.disable_adapter():
                tensors[f"base.{number}"] = model(input_ids=ids, use_cache=False).logits[0, places].float().cpu()
        cases.append(
            {"ids": ids[0].tolist(), "first": len(prompt) - 1, "prompt": tokenizer.decode(prompt, keep_control=True)}
        )
        yield 0.5 + 0.5 * (number + 1) / len(prompts)
    save_file({name: each.contiguous() for name, each in tensors.items()}, folder / "expected.safetensors")
    records.write_json(
        folder / "parity.json", {"model": recipe.model, "adapter": recipe.folder / ADAPTER, "cases": cases}
    )
