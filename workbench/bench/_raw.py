"""The yardstick of answering: bare llama.cpp, driven by the simplest loop there is."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from typing import Any

from workbench.lanes.llama import Model, library


def seconds_of(work: Callable[[], Any]) -> float:
    """How long it takes to do something."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class RawLoop:
    """The simplest loop over llama_decode: a context as llama.cpp makes it by default, always the likeliest token."""

    def __init__(self, model: Model, threads: int, sequences: int = 1) -> None:
        lib = library()
        self.model, self.sequences = model, sequences
        parameters = lib.llama_context_default_params()
        parameters.n_ctx, parameters.n_batch, parameters.n_seq_max = 2048 * sequences, 2048, sequences
        parameters.n_threads = parameters.n_threads_batch = threads
        self._context = lib.llama_init_from_model(model.pointer, parameters)
        self._greedy = lib.llama_sampler_init_greedy()

    def use_threads(self, threads: int) -> None:
        """As many as the lanes use just now, so that a busy machine hits both alike."""
        library().llama_set_n_threads(self._context, threads, threads)

    def prefill(self, tokens: Sequence[int]) -> float:
        """Tokens read per second, up to the first token of the answer."""
        return len(tokens) / seconds_of(lambda: self._read(tokens))

    def decode(self, tokens: Sequence[int], count: int) -> float:
        """Tokens decoded per second after a prompt."""
        token = self._read(tokens)
        return (count - 1) / seconds_of(lambda: self._go_on(token, count - 1))

    def answer(self, tokens: Sequence[int], count: int) -> float:
        """Tokens per second, those of the prompt and the `count` of an answer to it counted together."""
        return (len(tokens) + count) / seconds_of(lambda: self._go_on(self._read(tokens), count - 1))

    def decode_together(self, tokens: Sequence[int], count: int) -> float:
        """Tokens decoded per second after a prompt by all sequences, one of each in a batch."""
        lib = library()
        first = self._read(tokens)
        for sequence in range(1, self.sequences):
            lib.llama_memory_seq_cp(lib.llama_get_memory(self._context), 0, sequence, -1, -1)
        batch = lib.llama_batch_init(self.sequences, 0, 1)
        batch.n_tokens = self.sequences
        try:
            seconds = seconds_of(lambda: self._go_on_together(batch, first, len(tokens), count - 1))
        finally:
            lib.llama_batch_free(batch)
        return self.sequences * (count - 1) / seconds

    def _go_on_together(self, batch: Any, first: int, place: int, count: int) -> None:
        lib = library()
        chosen = [first] * self.sequences
        for step in range(count):
            for number, token in enumerate(chosen):
                batch.token[number], batch.pos[number] = token, place + step
                batch.n_seq_id[number], batch.seq_id[number][0], batch.logits[number] = 1, number, 1
            lib.llama_decode(self._context, batch)
            chosen = [lib.llama_sampler_sample(self._greedy, self._context, number) for number in range(len(chosen))]

    def _read(self, tokens: Sequence[int]) -> int:
        lib = library()
        lib.llama_memory_clear(lib.llama_get_memory(self._context), True)
        ids = (ctypes.c_int32 * len(tokens))(*tokens)
        lib.llama_decode(self._context, lib.llama_batch_get_one(ids, len(tokens)))
        return int(lib.llama_sampler_sample(self._greedy, self._context, -1))

    def _go_on(self, token: int, count: int) -> None:
        lib = library()
        for _ in range(count):
            one = (ctypes.c_int32 * 1)(token)
            lib.llama_decode(self._context, lib.llama_batch_get_one(one, 1))
            token = lib.llama_sampler_sample(self._greedy, self._context, -1)

    def close(self) -> None:
        library().llama_sampler_free(self._greedy)
        library().llama_free(self._context)
