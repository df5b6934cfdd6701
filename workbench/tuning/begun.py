"""What a run was begun with, its backend and its precision: it goes on with them, or says that it cannot."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

from workbench.errors import InputError
from workbench.events import Note
from workbench.tuning.checkpoint import read_state, recipe_key
from workbench.tuning.recipe import Recipe

# In Recipe.extra, which is no part of what makes two recipes the same. A recipe may say "auto" for both, and what that
# comes to is measured: another machine, or a busy moment, would go on in other numbers without a word.
BACKEND, PRECISION = "backend", "precision"


def as_begun(recipe: Recipe, choose: Callable[[Recipe], str]) -> Generator[Note, None, Recipe]:
    """The recipe with the backend to use and the precision to keep in its extra; what `choose` raises is passed on.

    `choose` gives the backend a recipe is computed with here. Yields a Note where the one of before cannot be used.
    """
    backend, precision = _begun(recipe)
    try:
        used = choose(replace(recipe, backend=backend or recipe.backend))
    except InputError:
        if not backend:
            raise
        used = choose(recipe)
    if backend and used != backend:
        yield Note(
            f"This run was begun with the backend {backend}, which cannot be used now: it goes on with {used}, in "
            "other roundings than a run in one go.",
            "warning",
        )
    return replace(recipe, extra={**recipe.extra, BACKEND: used, PRECISION: precision})


def _begun(recipe: Recipe) -> tuple[str, str]:
    state = read_state(recipe.folder / "checkpoint")
    if state is None or state["recipe"] != recipe_key(recipe):
        return "", ""
    return state.get(BACKEND, ""), state.get(PRECISION, "")


def other_precision(state: dict[str, Any], precision: str) -> Note | None:
    """What to say where a run goes on in another precision than its checkpoint was made in."""
    before = state.get(PRECISION, precision)
    if before == precision:
        return None
    said = f"This run was begun in {before} and goes on in {precision}, for {before} cannot be had now."
    return Note(said, "warning")
