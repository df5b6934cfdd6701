"""How a model is spread over several graphics cards: llama.cpp's split_mode, main_gpu and tensor_split.

The names and numbers are those of llama-cpp-python 0.3.36 (llama_model_params, LLAMA_SPLIT_MODE_*); its default, by
layers and by what is free on each card, is ours too. Its fourth mode, "tensor", makes one device of all cards, which
would need the memory planned in another way, and is not offered. Nothing of this was run on a machine with several
cards, for none was at hand; what is tested is what llama.cpp is told, and how much room is planned with.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from workbench.settings import Settings


class Free(Protocol):
    """A card, as far as its room goes."""

    @property
    def free(self) -> int: ...
    @property
    def description(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Split:
    """How a model lies on several cards."""

    mode: str  # "none": all on one of them, "layer": whole layers on each, "row": parts of matrices on each
    main: int = 0  # with "none", which of them, as llama.cpp counts them
    shares: tuple[float, ...] = ()  # what each takes, in any unit; (): by what is free


def split_over(found: Sequence[Free], chosen: Settings) -> Split | None:
    """What a person chose, as far as it fits the cards that are there; None where there are not several."""
    if len(found) < 2:
        return None
    shares = chosen.gpu_shares if chosen.gpu_split != "none" and len(chosen.gpu_shares) == len(found) else ()
    return Split(chosen.gpu_split, min(chosen.gpu_main, len(found) - 1), shares)


def room(found: Sequence[Free], split: Split | None) -> int:
    """Bytes of a model that fit on the cards when it is spread so: the fullest card decides where shares are given."""
    if split is None or (split.mode != "none" and not split.shares):
        return sum(card.free for card in found)
    if split.mode == "none":
        return found[split.main].free
    whole = sum(split.shares)
    return min(int(card.free * whole / share) for card, share in zip(found, split.shares, strict=True) if share > 0)


def tell_llama(lib: Any, parameters: Any, split: Split) -> Any:
    """Set it in llama_model_params; gives what has to live until the model is loaded."""
    parameters.split_mode = getattr(lib, f"LLAMA_SPLIT_MODE_{split.mode.upper()}")
    parameters.main_gpu = split.main
    if not split.shares:
        return None
    shares = (ctypes.c_float * max(len(split.shares), lib.llama_max_devices()))(*split.shares)
    parameters.tensor_split = ctypes.cast(shares, ctypes.POINTER(ctypes.c_float))
    return shares


def split_words(found: Sequence[Free], split: Split | None) -> str:
    """On which cards and how, for a stamp: "A and B, by layers 3 : 1"."""
    if split is None or not found:
        return ", ".join(card.description for card in found)
    if split.mode == "none":
        return found[split.main].description
    by = "by layers" if split.mode == "layer" else "by rows"
    shares = " " + " : ".join(f"{share:g}" for share in split.shares) if split.shares else ""
    return f"{' and '.join(card.description for card in found)}, {by}{shares}"
