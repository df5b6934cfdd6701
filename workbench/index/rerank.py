"""A cross-encoder of the person's own: it reads question and passage together and says how well the one fits the other

Nogueira and Cho, "Passage Re-ranking with BERT", 2019: what a first search found is put in order by a model that sees
both texts at once. None comes with the program, and none could be fetched where it was written, so whether one finds
more here was not measured: it is left to a lane's switch, and to that person's own suite.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.errors import BadModel
from workbench.settings import load_settings

CALL_SECONDS = 0.25  # what one call to the model should take, so that stopping never waits long


class Reranker:
    """A cross-encoder in a folder, read locally and only from safetensors."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._model: Any = None
        self._per_call = 4  # pairs; adapted to CALL_SECONDS

    def load(self) -> None:
        """Load the model, some seconds the first time. Raises BadModel."""
        if self._model is not None:
            return
        if not (self.folder / "model.safetensors").is_file():
            raise BadModel(f"There is no reranker in {self.folder} any more: import it again, or switch it off.")
        import torch
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        quiet: Any = logging.disable_progress_bar  # it has no types
        quiet()
        torch.set_num_threads(load_settings().thread_count)
        try:
            self._model = CrossEncoder(
                str(self.folder),
                device="cuda" if torch.cuda.is_available() else "cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True, "dtype": torch.float32},
                activation_fn=torch.nn.Identity(),  # only the order counts
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise BadModel(
                f"The reranker in {self.folder} cannot be loaded: import it again, or switch it off."
            ) from error

    def score_stepwise(self, question: str, texts: Sequence[str]) -> Generator[int, None, list[float]]:
        """How well each text fits the question, higher is better; yields how many are read. Raises BadModel."""
        self.load()
        found: list[float] = []
        while len(found) < len(texts):
            part = texts[len(found) : len(found) + self._per_call]
            started = time.perf_counter()
            scores = self._model.predict([(question, text) for text in part], show_progress_bar=False)
            found += [float(score) for score in scores]
            spent = max(1e-4, time.perf_counter() - started)
            self._per_call = min(32, max(1, round(0.5 * (self._per_call + len(part) * CALL_SECONDS / spent))))
            yield len(found)
        return found


@lru_cache(maxsize=1)
def open_reranker(folder: Path) -> Reranker:
    """The reranker of a folder, kept loaded in this process."""
    return Reranker(folder)
