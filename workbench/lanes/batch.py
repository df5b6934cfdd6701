"""What a call of llama_decode takes, filled in place, and the token that is chosen of what it gives."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workbench.lanes.lane import Sampling
from workbench.lanes.llama import Model, Tokens, library


class Logits(Protocol):
    """A context, as far as choosing a token needs it."""

    model: Model
    pointer: Any

    def logits(self, index: int) -> npt.NDArray[np.float32]: ...


class Batch:
    """llama.cpp's batch over arrays of our own, filled in place so that no token costs a call into ctypes."""

    def __init__(self, room: int) -> None:
        lib = library()
        self._token = np.zeros(room, np.int32)
        self._position = np.zeros(room, np.int32)
        self._count = np.ones(room, np.int32)
        self._sequence = np.zeros(room, np.int32)
        self._wanted = np.zeros(room, np.int8)
        whole = ctypes.POINTER(ctypes.c_int32)
        each = [ctypes.cast(self._sequence.ctypes.data + 4 * place, whole) for place in range(room)]
        self._pointers = (whole * room)(*each)
        self.struct = lib.llama_batch()
        self.struct.token = self._token.ctypes.data_as(whole)
        self.struct.pos = self._position.ctypes.data_as(whole)
        self.struct.n_seq_id = self._count.ctypes.data_as(whole)
        self.struct.seq_id = self._pointers
        self.struct.logits = self._wanted.ctypes.data_as(ctypes.POINTER(ctypes.c_int8))

    def fill_prompt(self, sequence: int, tokens: Tokens, start: int, last: bool) -> None:
        count = self.struct.n_tokens = len(tokens)
        self._token[:count] = tokens
        self._position[:count] = np.arange(start, start + count)
        self._sequence[:count] = sequence
        self._wanted[:count] = 0
        self._wanted[count - 1] = last

    def fill_step(self, steps: Sequence[tuple[int, int, int]]) -> None:
        count = self.struct.n_tokens = len(steps)
        for place, (sequence, token, position) in enumerate(steps):
            self._token[place] = token
            self._position[place] = position
            self._sequence[place] = sequence
        self._wanted[:count] = 1


class Sampler:
    """Chooses tokens: the likeliest one, or llama.cpp's own chain of penalty, top-p, temperature and seeded chance."""

    def __init__(self, context: Logits, sampling: Sampling) -> None:
        self._context = context
        self._chain: Any = None
        if sampling.temperature <= 0 and sampling.repeat_penalty == 1.0:
            return
        lib = library()
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        for each in self._links(sampling):
            lib.llama_sampler_chain_add(self._chain, each)

    def _links(self, sampling: Sampling) -> list[Any]:
        lib = library()
        links = []
        if sampling.repeat_penalty != 1.0:
            last = 64  # tokens that are penalised, llama.cpp's default
            size = self._context.model.size
            links.append(lib.llama_sampler_init_penalties(size, last, sampling.repeat_penalty, 0.0, 0.0))
        if sampling.temperature <= 0:
            return [*links, lib.llama_sampler_init_greedy()]
        links.append(lib.llama_sampler_init_top_p(sampling.top_p, 1))
        links.append(lib.llama_sampler_init_temp(sampling.temperature))
        return [*links, lib.llama_sampler_init_dist(sampling.seed & 0xFFFFFFFF)]

    def move(self, context: Logits) -> None:
        """Go on with the logits of another context, the first one having been replaced."""
        self._context = context

    def choose(self, index: int) -> int:
        """The next token after the context's `index`-th logits."""
        if self._chain is None:
            return int(self._context.logits(index).argmax())
        return int(library().llama_sampler_sample(self._chain, self._context.pointer, index))

    def close(self) -> None:
        if self._chain is not None:
            library().llama_sampler_free(self._chain)
            self._chain = None
