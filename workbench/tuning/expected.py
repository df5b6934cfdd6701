"""What a trained adapter says, asked again out of its PEFT folder; `python -m workbench.tuning.expected FOLDER`.

The folder holds prompts.json (recipe, prompts as token ids); what `comparing.write_expectations` writes is added, or
error.json with the reason why it could not be asked. It is a process of its own because Unsloth changes transformers'
classes in the one that trained, and because the model that was trained is still on the card there. Since the model is
loaded here, what the adapter does to general text is measured too where that is asked for, and left in the run folder
(`effects.GENERAL`).
"""

from __future__ import annotations

import sys
from pathlib import Path

from workbench import records
from workbench.errors import WorkbenchError
from workbench.tuning.comparing import write_expectations
from workbench.tuning.effects import GENERAL, measure_general
from workbench.tuning.peft_gpu import reference
from workbench.tuning.recipe import Recipe
from workbench.tuning.threads import FreeCores
from workbench.tuning.tokens import load_tokenizer


def main(folder: Path) -> int:
    """Write the expectations of the prompts in a folder, and what changed of general text; gives the exit status."""
    asked = records.read_json(folder / "prompts.json")
    recipe: Recipe = records.from_plain(Recipe, records.read_json(Path(asked["recipe"])))
    cores = FreeCores(recipe.threads)
    try:
        model, tokenizer = reference(recipe), load_tokenizer(recipe.model)
        cores.adjust()  # a token at a time, threads that wait for a busy core take several times as long as one
        for _ in write_expectations(folder, recipe, model, asked["prompts"], tokenizer):
            cores.adjust()
        if asked.get("general"):
            found = measure_general(model, tokenizer, recipe.threads, lambda: None)
            records.write_json(recipe.folder / GENERAL, found)
    except WorkbenchError as error:
        print(error, file=sys.stderr)  # into output.log
        records.write_json(folder / "error.json", {"error": type(error).__name__, "message": str(error)})
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
