"""A context over a model's weights: one adapter state, a few sequences that are decoded in one batch.

Bitwise repeatability is a promise of this module for contexts without flash attention: a prompt is always read in the
same chunks (of `chunk_size` tokens, counted from its beginning, each decoded alone), and every sequence has a stream of
the KV cache to itself (``kv_unified`` off). Then logits do not depend on what was asked before or beside. Measured with
the starter on AVX2: with a unified cache or with flash attention, logits differ by rounding as soon as another sequence
decodes beside; with neither, they are equal bit for bit. That has its price on some processors: with AVX2 the CPU is
faster without flash attention (114 against 105 tokens read a second, 56 against 42 decoded), with AVX-512 it reads 0.82
as fast as with it.
Flash attention cannot be had for reading alone: it keeps the values in another order, and decoding with it splits a
context of 512 tokens or more between the threads (ggml-cpu/ops.cpp, use_split_kv_path), so that its last bits depend on
their number. So a caller says which it wants: evaluation the exact kind, a person who waits the faster (`attention`).
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.catalog import memory
from workbench.errors import BadModel, TooLittleMemory
from workbench.lanes.batch import Batch
from workbench.lanes.llama import Model, Tokens, library, reason
from workbench.lanes.stamp import file_hash

TILE = 64  # rows: flash attention reads fewer than these one by one, 47 tokens as slowly as 128 (ops.cpp, Q_TILE_SZ)
CARD_CHUNK = 512  # tokens a card reads at once: llama.cpp's default batch, some milliseconds of its time
WIDE = 512  # tokens read at once, with flash attention, where nobody is kept waiting by it
LINE = 16  # numbers of 32 bits in a cache line, see `_parameters`
ABORTED = 2  # llama_decode's answer when the abort callback said so


@functools.cache
def chunk_size(layers: int = 0) -> int:
    """Tokens that are read at once, so that other lanes keep streaming meanwhile; `layers` are those on a card.

    128 tokens take about half a second on two AVX2 cores and read at 250 tokens a second with Q8_0 weights, against 225
    in chunks of 64 and 260 in chunks of 256. A stop does not wait for the chunk: the abort callback ends it at once.
    """
    return CARD_CHUNK if layers else 128


@dataclass(frozen=True, slots=True)
class SequenceState:
    """What a sequence of a context holds, in llama.cpp's own form."""

    data: npt.NDArray[np.uint8]
    tokens: list[int]
    firm: int  # how many of them were read in whole chunks, from the first one on


def shared_tokens(cached: Tokens, firm: int, prompt: Tokens, loose: bool, chunk: int) -> int:
    """How many of a prompt's first tokens are among `cached` ones (see `Context.shared`)."""
    step = 1 if loose else chunk
    most = min(len(cached) if loose else firm, len(prompt) - 1)
    kept = 0
    while kept + step <= most and list(cached[kept : kept + step]) == list(prompt[kept : kept + step]):
        kept += step
    return kept


class Context:
    """One adapter state over a model's weights, with a few sequences that are decoded in one batch."""

    def __init__(
        self,
        model: Model,
        adapter: Path | None,
        scale: float,
        length: int,
        sequences: int,
        threads: int,
        flash: bool = False,
    ) -> None:
        """`length` is tokens per sequence; `flash` trades the last bits for speed.

        Raises BadModel for a bad adapter and TooLittleMemory.
        """
        self.model, self.adapter, self.scale = model, adapter, scale if adapter else 0.0
        self.length, self.sequences, self.threads, self.flash = length, sequences, threads, flash
        self.chunk = chunk_size(model.layers)
        self._most = max(WIDE if flash else self.chunk, sequences)  # tokens that are decoded at once
        self.canary = ""  # see pool.check_context
        self._threads_now = threads
        self.loaded = loaded = model.adapter(adapter) if adapter else None
        # Taken now, for a fine-tune may be deleted while its answers are being written.
        self.adapter_hash = file_hash(adapter) if adapter else ""
        self.adapter_bytes = adapter.stat().st_size if adapter else 0
        lib = library()
        self.planned = 0  # bytes of this machine's memory; a card's own is told by llama.cpp when it is full
        if not model.layers:
            self.planned = memory.context_bytes(model.header, length, sequences, self._most, flash)
            memory.require(self.planned, f"A context of {length * sequences} tokens for {model.path.name}")
        self.pointer = lib.llama_init_from_model(model.pointer, self._parameters(threads))
        if not self.pointer:
            raise TooLittleMemory(f"There is no memory for a context of {length * sequences} tokens: {reason()}.")
        if loaded is not None:
            pointers, scales = (lib.llama_adapter_lora_p_ctypes * 1)(loaded), (ctypes.c_float * 1)(scale)
            if lib.llama_set_adapters_lora(self.pointer, pointers, 1, scales) != 0:
                lib.llama_free(self.pointer)
                raise BadModel(f"llama.cpp refuses the adapter {adapter and adapter.name}: {reason()}.")
        self._memory = lib.llama_get_memory(self.pointer)
        self._batch = Batch(self._most)
        self.tokens_read = 0  # of prompts, those read again included
        self._no_abort = lib.ggml_abort_callback()
        self._abort: Any = None
        self.cached: list[list[int]] = [[] for _ in range(sequences)]  # tokens that each sequence holds, in order
        self._firm = [0] * sequences  # how many of them were read in whole chunks, from the first one on

    def _parameters(self, threads: int) -> Any:
        lib = library()
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = self.length * self.sequences
        parameters.n_batch = parameters.n_ubatch = self._most
        parameters.n_seq_max = self.sequences
        # Logits are wanted of last tokens only: 0.2 MB each, not per token. Their list is among the first things in the
        # buffer that llama.cpp computes in, where everything begins at a multiple of 32 bytes: one that does not fill
        # its cache lines lets each vector of 64 bytes behind it lie across two of them, and reading takes 1.12 times
        # as long (measured with AVX-512 and AMX, lists of 1, 8 and 24 beside 16, 32, 64 and 128).
        parameters.n_outputs_max = -(-self.sequences // LINE) * LINE
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.kv_unified = False
        flash = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED, lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        parameters.flash_attn_type = flash[0] if self.flash else flash[1]
        parameters.no_perf = True
        return parameters

    def reuse(self, sequence: int, prompt: Tokens, loose: bool = False) -> int:
        """Keep what a sequence shares with a prompt and forget the rest; how many tokens are kept (see `shared`).

        At least the prompt's last token is left to decode, for its logits.
        """
        kept = self.shared(sequence, prompt, loose)
        library().llama_memory_seq_rm(self._memory, sequence, kept, -1)
        self.cached[sequence] = list(prompt[:kept])
        self._firm[sequence] = min(self._firm[sequence], kept // self.chunk * self.chunk)
        return kept

    def shared(self, sequence: int, prompt: Tokens, loose: bool = False) -> int:
        """How many of a prompt's first tokens a sequence holds already: of what was read in whole chunks, so that
        nobody can tell from the logits; with `loose` to the token, answers it decoded included."""
        return shared_tokens(self.cached[sequence], self._firm[sequence], prompt, loose, self.chunk)

    def borrow(self, sequence: int, prompt: Tokens, read: int, loose: bool = False) -> int:
        """Take over from another sequence what it has read of the same prompt; the new `read`."""
        best = max(range(self.sequences), key=lambda each: (self.shared(each, prompt, loose), -each))
        kept = self.shared(best, prompt, loose)
        if best == sequence or kept < read + (TILE if loose else 1):  # copying costs as much as reading a few tokens
            return read
        self.copy(best, sequence)
        return self.reuse(sequence, prompt, loose)

    def copy(self, source: int, target: int) -> None:
        """Let a sequence hold what another one holds, bit for bit, in place of its own; takes some milliseconds."""
        library().llama_memory_seq_rm(self._memory, target, -1, -1)
        library().llama_memory_seq_cp(self._memory, source, target, -1, -1)
        self.cached[target], self._firm[target] = list(self.cached[source]), self._firm[source]

    def read(self, sequence: int, prompt: Tokens, start: int, stop: Callable[[], bool], wide: bool = False) -> int:
        """Read the next chunk of a prompt; the new start, the old one when `stop` said so half-way.

        With flash attention `wide` reads up to 512 tokens at once, which is faster, where nobody is kept waiting by it.

        After the last chunk, `logits(-1)` are those of the prompt's last token.
        """
        end = self._chunk_end(start, len(prompt), wide)
        self._batch.fill_prompt(sequence, prompt[start:end], start, end == len(prompt))
        lib = library()
        self._abort = lib.ggml_abort_callback(lambda data: stop())
        lib.llama_set_abort_callback(self.pointer, self._abort, None)
        try:
            result = lib.llama_decode(self.pointer, self._batch.struct)
        finally:
            lib.llama_set_abort_callback(self.pointer, self._no_abort, None)  # a call per node is too much per token
        if result == ABORTED:
            lib.llama_memory_seq_rm(self._memory, sequence, start, -1)
            return start
        _check(result)
        self.tokens_read += end - start
        self.cached[sequence] = list(prompt[:end])
        if self._firm[sequence] == start:
            self._firm[sequence] += (end - start) // self.chunk * self.chunk
        return end

    def _chunk_end(self, start: int, whole: int, wide: bool) -> int:
        """Where the chunk that begins at a token of a prompt of `whole` tokens ends.

        Flash attention goes by blocks of 64 rows and 64 columns and leaves out those that no row may see, one more of
        each row of blocks where rows begin between two multiples of 64: so chunks end at multiples of it, or of whole
        chunks, which later prompts can share. Parts of like length leave no last one of a few tokens.
        """
        left, most = whole - start, self._most if wide else self.chunk
        step = TILE if start % self.chunk else self.chunk
        if not self.flash:
            return start + min(self.chunk, left)
        if left < min(most + TILE, self._most + 1):
            return whole
        end = start + (-(-left // -(-left // most)) if wide else most)
        end = -(-end // step) * step
        return end if end - start <= most else end - step

    def decode(self, steps: Sequence[tuple[int, int, int]]) -> None:
        """One token of each sequence in one batch: (sequence, token, position). Logits are in the same order."""
        self._batch.fill_step(steps)
        _check(library().llama_decode(self.pointer, self._batch.struct))
        for sequence, token, _ in steps:
            self.cached[sequence].append(token)

    def logits(self, index: int) -> npt.NDArray[np.float32]:
        """Logits after the `index`-th token of the last call (-1: its last), float32 of the vocabulary's size.

        A view that the next call overwrites.
        """
        found = library().llama_get_logits_ith(self.pointer, index)
        return np.ctypeslib.as_array(found, (self.model.size,))

    @property
    def alone(self) -> bool:
        """Whether sequences are decoded one after the other: cards round differently with the size of a batch, and a
        context without flash attention promises the same bits whatever is asked beside."""
        return bool(self.model.layers) and not self.flash

    def copy_from(self, other: Context) -> None:
        """Take over what the sequences of a shorter context hold, bit for bit."""
        for sequence in range(min(self.sequences, other.sequences)):
            self.take_over(sequence, other, sequence)

    def take_over(self, sequence: int, other: Context, source: int) -> None:
        """Let an empty sequence hold, bit for bit, what one of another context of the same adapter state holds."""
        self.restore(sequence, other.saved(source))

    def saved(self, sequence: int) -> SequenceState:
        """What a sequence holds, to be given back by `restore`; llama.cpp takes it with as many sequences only."""
        lib = library()
        data = np.empty(lib.llama_state_seq_get_size(self.pointer, sequence), np.uint8)
        pointer = data.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        written = lib.llama_state_seq_get_data(self.pointer, pointer, data.nbytes, sequence)
        return SequenceState(data[:written], list(self.cached[sequence]), self._firm[sequence])

    def restore(self, sequence: int, state: SequenceState) -> None:
        """Let a sequence hold, bit for bit, what was saved from a context of the same adapter state; raises
        TooLittleMemory, and the sequence is empty then."""
        self.forget(sequence)
        pointer = state.data.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        size = state.data.nbytes
        if not size or not library().llama_state_seq_set_data(self.pointer, pointer, size, sequence):
            self.forget(sequence)
            raise TooLittleMemory(f"There is no memory for an answer longer than this: {reason()}.")
        self.cached[sequence], self._firm[sequence] = list(state.tokens), state.firm

    def set_threads(self, threads: int) -> None:
        """Use so many threads from the next call on; results are the same whatever their number."""
        if threads != self._threads_now:
            library().llama_set_n_threads(self.pointer, threads, threads)
            self._threads_now = threads

    def probe(self) -> bytes:
        """The logits after eight fixed tokens, as bytes; the first sequence is empty afterwards."""
        tokens = [10 + 37 * place % max(1, self.model.size - 10) for place in range(8)]
        self.forget(0)
        self.read(0, tokens, 0, lambda: False)
        seen = self.logits(-1).tobytes()
        self.forget(0)
        return seen

    def forget(self, sequence: int) -> None:
        """Empty a sequence."""
        library().llama_memory_seq_rm(self._memory, sequence, -1, -1)
        self.cached[sequence], self._firm[sequence] = [], 0

    def close(self) -> None:
        """Free the context's memory. Calling it twice does no harm."""
        if self.pointer:
            library().llama_free(self.pointer)
            self.pointer = None


def _check(result: int) -> None:
    if result == 1:
        raise TooLittleMemory("The context is full: shorten the question or the conversation.")
    if result != 0:
        raise BadModel(f"llama.cpp could not go on (code {result}): {reason()}.")
