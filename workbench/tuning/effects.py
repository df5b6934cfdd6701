"""What a fine-tune did: to the held-out rows, and to what it was not about.

The held-out rows were measured before training and at the state that is kept. What it was not about is general text
(`resources/general`): how well the model reads it, and how it answers everyday questions, with the adapter and without.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from workbench import paths, processor, records
from workbench.errors import DiskFull
from workbench.tuning.course import Course
from workbench.tuning.loop import answer
from workbench.tuning.manner import compare_answers, describe_manner
from workbench.tuning.threads import FreeCores
from workbench.tuning.tokens import Tokenizer

GENERAL = "general.json"  # in a run folder: what another process measured of general text
REPLY_TOKENS = 24  # of an answer to a general question; a refusal shows itself in its first sentence
ANSWERS_LIKE = 32  # texts that take as long to read as all answers to give
# General text got clearly worse from here on, if its interval says so too: 5 % of the usual 3 nats a token make the
# text about 14 % less likely, token for token.
WORSE = 0.05
RESAMPLES, SEED = 9999, 3407


def held_out_effect(course: Course, counts: Sequence[int]) -> dict[str, Any]:
    """The measured held-out rows before training and in the state that is kept; empty when they were not measured."""
    if not course.before or not course.kept:
        return {}
    better = sum(after < before for before, after in zip(course.before, course.kept, strict=True))
    return {
        "rows": len(counts),
        **paired_change(course.before, course.kept, counts),
        "improved": better / len(counts),
        "step": course.kept_step,
        "planned_steps": course.planned or course.last_step,
    }


def paired_change(before: Sequence[float], after: Sequence[float], counts: Sequence[int]) -> dict[str, Any]:
    """The mean loss (nats per token) before and after, its change, and the change's 95 % interval.

    Both losses of a row are drawn together (percentile bootstrap over rows), and a row weighs as many tokens as it has,
    as in the curve of the held-out loss. Below two rows there is no interval.
    """
    import numpy as np
    from scipy import stats

    def change(before: Any, after: Any, counts: Any, axis: int = -1) -> Any:
        return (after.sum(axis) - before.sum(axis)) / counts.sum(axis)

    arrays = [np.asarray(each, dtype=float) for each in (before, after, counts)]
    interval = None
    if len(counts) > 1:
        dice = np.random.default_rng(SEED)
        found = stats.bootstrap(
            arrays, change, paired=True, vectorized=True, n_resamples=RESAMPLES, method="percentile", rng=dice
        )
        interval = (float(found.confidence_interval.low), float(found.confidence_interval.high))
    total = sum(counts)
    return {
        "before": sum(before) / total,
        "after": sum(after) / total,
        "change": (sum(after) - sum(before)) / total,
        "interval": interval,
    }


def measure_general(
    model: Any, tokenizer: Tokenizer, threads: int, guard: Callable[[], None], bare: str = ""
) -> dict[str, Any]:
    """What `look_at_general` gives, at once; `guard` is called now and then and may raise Interrupted."""
    look = look_at_general(model, tokenizer, threads, bare, guard)
    try:
        while True:
            guard()
            next(look)
    except StopIteration as end:
        found: dict[str, Any] = end.value
        return found


def look_at_general(
    model: Any, tokenizer: Tokenizer, threads: int, bare: str = "", guard: Callable[[], None] = lambda: None
) -> Generator[float, None, dict[str, Any]]:
    """General text and general questions with the adapter (after) and without (before); `model` is a peft model.

    `guard` is called at every token of the answers, which are written all at once, and may raise Interrupted.

    Yields the share that is done, after each text and after the answers. Costs two forward passes over about 1,000
    tokens and twice two dozen short answers, all at once: with the starter about 24 seconds of one core, and in
    proportion with a larger model, as training does. The half without an adapter is kept where `bare` names it, and
    not done again. `threads` as a recipe has them. Empty where the texts are not there.
    """
    began = time.monotonic()
    rows = general_rows(tokenizer)
    questions = _questions()
    if not rows or not questions:
        return {}
    prompts = _prompts(tokenizer, questions)
    cores, known = FreeCores(threads), _known(bare)
    parts = (len(rows) + ANSWERS_LIKE) * (1 if known else 2)
    after, said_after = yield from _half(model, rows, prompts, tokenizer, cores, (0, parts), guard)
    if known:
        before, said_before = known
    else:
        with model.disable_adapter():
            before, said_before = yield from _half(model, rows, prompts, tokenizer, cores, (parts // 2, parts), guard)
        _keep(bare, before, said_before)
    counts = [len(row) - 1 for row in rows]
    change = paired_change(before, after, counts)
    return {
        "tokens": sum(counts),
        **change,
        "share": change["change"] / change["before"],
        "worse": clearly_worse(change),
        **compare_answers(questions, said_before, said_after),
        "seconds": time.monotonic() - began,
    }


def _half(
    model: Any,
    rows: Sequence[Sequence[int]],
    prompts: Sequence[Sequence[int]],
    tokenizer: Tokenizer,
    cores: FreeCores,
    parts: tuple[int, int],
    guard: Callable[[], None],
) -> Generator[float, None, tuple[list[float], list[str]]]:
    """The losses of the texts, and the answers; `parts` are those done and all, of which it yields the share done."""
    losses = []
    for done, row in enumerate(rows, start=parts[0] + 1):
        cores.adjust()
        losses.append(_read(model, row))
        yield done / parts[1]
    said = _reply(model, prompts, tokenizer, guard)
    yield (parts[0] + len(rows) + ANSWERS_LIKE) / parts[1]
    return losses, said


def general_rows(tokenizer: Tokenizer) -> list[list[int]]:
    """The general texts as token ids; none where they are not there."""
    return [tokenizer.prompt_ids(text) for text in _parts(paths.resources() / "general" / "texts.txt", "\n\n")]


def _questions() -> list[str]:
    return _parts(paths.resources() / "general" / "questions.txt", "\n")


def _prompts(tokenizer: Tokenizer, questions: Sequence[str]) -> list[list[int]]:
    return [tokenizer.prompt_ids(tokenizer.render([("user", each)], open_turn=True)) for each in questions]


def bare_key(model: Path, precision: str) -> str:
    """What the half of `measure_general` without an adapter depends on: the model, the texts, how it is computed."""
    import torch

    folder = paths.resources() / "general"
    try:
        files = [records.hash_file(path) for path in (model, folder / "texts.txt", folder / "questions.txt")]
    except OSError:
        return ""
    return records.hash_text(f"{files} {precision} {torch.__version__} {processor.name()} {REPLY_TOKENS}")[:32]


def is_known(bare: str) -> bool:
    """Whether the half without an adapter need not be measured again."""
    return _known(bare) is not None


def _known(bare: str) -> tuple[list[float], list[str]] | None:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        found = records.read_json(_place(bare))
        return [float(each) for each in found["losses"]], [str(each) for each in found["answers"]]
    return None


def _keep(bare: str, losses: Sequence[float], answers: Sequence[str]) -> None:
    """In the cache of this computer, since a last bit may differ on another; one that is full costs nothing."""
    with contextlib.suppress(OSError, DiskFull):
        if bare:
            records.write_json(_place(bare), {"losses": losses, "answers": answers})


def _place(bare: str) -> Path:
    return paths.cache_folder() / "general" / f"{bare}.json"


def _parts(path: Path, between: str) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return []
    return [part.strip() for part in text.split(between) if part.strip()]


def _read(model: Any, row: Sequence[int]) -> float:
    """The summed loss of a text, in nats; the first token has nothing before it to be told from."""
    import torch

    model.get_base_model().config._attn_implementation = "sdpa"
    with torch.no_grad():
        ids = torch.tensor([row], device=model.device)
        logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
        return float(torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum"))


def _reply(model: Any, prompts: Sequence[Sequence[int]], tokenizer: Tokenizer, guard: Callable[[], None]) -> list[str]:
    return [tokenizer.decode(ids).strip() for ids in answer(model, prompts, tokenizer, REPLY_TOKENS, guard)]


def take_general(folder: Path) -> dict[str, Any]:
    """What another process measured of general text and left in a run folder, once; empty when there is nothing."""
    try:
        found: dict[str, Any] = records.read_json(folder / GENERAL)
        (folder / GENERAL).unlink()
    except (OSError, ValueError):
        return {}
    return found


def clearly_worse(change: dict[str, Any]) -> bool:
    """Whether a paired change is one for the worse that is large enough to speak of, and no chance."""
    interval = change["interval"]
    return bool(interval) and interval[0] > 0 and change["change"] >= WORSE * change["before"]


def describe(effects: dict[str, Any]) -> tuple[str, ...]:
    """What a fine-tune did, in a sentence or two for people; none for a run that was not measured."""
    said = []
    if held := effects.get("held_out"):
        within = ""
        if held["interval"]:
            low, high = held["interval"]
            within = f" ({held['change']:+.2f}, with 95 % confidence {low:+.2f} to {high:+.2f})"
        better = round(held["improved"] * held["rows"])
        said.append(
            f"On {held['rows']} held-out rows the loss went from {held['before']:.2f} to {held['after']:.2f}{within}; "
            f"{better} of them got better. They also chose the state that is kept, which flatters it a little."
        )
    if general := effects.get("general"):
        verdict = (
            "it forgot some of what the model could do; fewer passes or a lower learning rate help"
            if general["worse"]
            else "little changed there"
        )
        said.append(
            f"On general text the loss went from {general['before']:.2f} to {general['after']:.2f} "
            f"({general['share']:+.1%}): {verdict}. {describe_manner(general)}"
        )
    return tuple(said)
