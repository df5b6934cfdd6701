"""Whether an adapter changes what a model says; `python -m workbench.lanes.effect FOLDER`.

The folder holds effect.json (model, adapter, questions). Written is result.json: how far apart the next-token
distributions with and without the adapter are at the last places of each prompt; or error.json with the reason why
llama.cpp cannot use the adapter. It is a process of its own since a damaged adapter can take llama.cpp down.
"""

from __future__ import annotations

import sys
from pathlib import Path

from workbench import records
from workbench.catalog.template import read_template, render
from workbench.errors import WorkbenchError
from workbench.lanes import pool
from workbench.lanes.parity import agreement, ask_llama, divergence

PLACES = 12  # of each prompt that are compared, the last of which chooses the answer's first token


def main(folder: Path) -> int:
    """Measure and write result.json; gives the exit status."""
    asked = records.read_json(folder / "effect.json")
    try:
        found = measure(Path(asked["model"]), Path(asked["adapter"]), asked["questions"])
    except WorkbenchError as error:
        print(error, file=sys.stderr)
        records.write_json(folder / "error.json", {"error": type(error).__name__, "message": str(error)})
        return error.exit_status
    records.write_json(folder / "result.json", found)
    return 0


def measure(model: Path, adapter: Path, questions: list[str]) -> dict[str, float | int | bool]:
    """`effect_kl` in nats per place, the share of equal greedy tokens, and whether all scores are numbers."""
    import numpy as np

    loaded, template = pool.model(model), read_template(model)
    cases = []
    for question in questions:
        prompt = render(template, [{"role": "user", "content": question}])
        ids = loaded.prompt_tokens(prompt)
        cases.append({"ids": ids, "first": max(0, len(ids) - PLACES), "prompt": prompt})
    tuned, base, _ = ask_llama(model, adapter, cases)
    finite = all(bool(np.isfinite(each).all()) for each in tuned)
    return {
        "places": sum(len(each) for each in tuned),
        "finite": finite,
        "effect_kl": divergence(base, tuned) if finite else float("inf"),
        "unchanged": agreement(base, tuned),
    }


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
