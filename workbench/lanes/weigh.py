"""STAGE weigh(prompts): how likely a model is to begin its answer with each of a few words; in the engine's process.

An answer that is one of these words by construction cannot have the wrong form: nothing is parsed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workbench.catalog.template import Message, read_template, render
from workbench.children import stop_requested
from workbench.errors import InputError
from workbench.events import Progress, Result, Stage
from workbench.lanes import pool
from workbench.lanes.context import Context
from workbench.lanes.llama import Model


def weigh(path: Path, prompts: tuple[tuple[Message, ...], ...], options: tuple[str, ...]) -> Stage:
    """Yields a Result for each prompt: a tuple with each option's probability as the first token of the answer.

    What is left of 1 the model would have spent on saying something else. Raises InputError where two options begin
    with the same token, and BadModel, MissingFile or TooLittleMemory as loading does.
    """
    model = pool.model(path, exact=True)
    first = [model.tokenise(option, control=False)[0] for option in options]
    if len(set(first)) != len(first):
        raise InputError(f"This model cannot tell {', '.join(options)} apart by their first token: use other words.")
    template = read_template(path)
    for number, prompt in enumerate(prompts):
        yield Progress(number, len(prompts), "Weighing answers", "answers")
        tokens = model.prompt_tokens(render(template, prompt))
        while (chances := _probabilities(model, tokens, first)) is None:
            yield Progress(number, len(prompts), "Stopping", "answers")  # unless another stage is meant
        yield Result(chances)


def _probabilities(model: Model, tokens: list[int], first: list[int]) -> tuple[float, ...] | None:
    """Chances of the first tokens; None where a stop came between."""
    context = pool.take_context(model, None, 0.0, len(tokens) + 1, 1)
    try:
        logits = _last_logits(context, tokens)
    finally:
        pool.give_back(context)
    if logits is None:
        return None
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    return tuple(float(chances[token]) for token in first)


def _last_logits(context: Context, tokens: list[int]) -> np.ndarray | None:
    read = context.reuse(0, tokens)
    while read < len(tokens):
        before, read = read, context.read(0, tokens, read, stop_requested)
        if read == before:  # it was given up, as it will be until somebody looks at the stop
            return None
    return context.logits(-1).astype(np.float64)
