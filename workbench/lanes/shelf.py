"""What contexts that had to go held of their conversations, kept on disk and given back bit for bit.

A file here has no name (on Windows one that goes when it is closed), so nobody else can open it and nothing is left of
it when the process ends, however it ends.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from workbench import paths
from workbench.catalog import memory
from workbench.errors import MissingFile, TooLittleMemory
from workbench.lanes.context import Context, SequenceState, shared_tokens
from workbench.lanes.llama import Tokens
from workbench.lanes.stamp import file_hash

MOST = 1 << 30  # bytes on disk; a token of the starter takes 23 kB
SPARE = 8  # they may take one part in so many of the disk's free room
LEAST = 256  # tokens that are worth a file: fewer are read again in half a second

State = tuple[Any, ...]  # of a context: what must be the same for a sequence to mean the same in another one


@dataclass(slots=True, eq=False)
class _Kept:
    """A sequence on the shelf."""

    state: State
    tokens: list[int]
    firm: int  # see SequenceState
    size: int  # bytes
    file: IO[bytes]


class Shelf:
    """Sequences of contexts that are closed, the one put here longest ago first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: list[_Kept] = []

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(each.size for each in self._kept)

    def keep(self, context: Context) -> None:
        """Keep the longer sequences of a context, in the place of those put here longest ago where there is no room.

        Not those on a graphics card, whose memory is not what is short here.
        """
        for sequence, tokens in enumerate(context.cached):
            needed = len(tokens) * context.model.kv_bytes()
            fits = not context.model.layers and memory.free() > 2 * needed  # it stands in memory for a moment
            if len(tokens) >= LEAST and fits:
                with suppress(OSError, MissingFile):  # a full disk, a deleted model: then it is read again
                    self._put(_state(context), context.saved(sequence))

    def give_back(
        self, context: Context, prompts: Sequence[tuple[Tokens, bool]], prepare: Callable[[Context], object]
    ) -> None:
        """Let a context hold again what is here of the prompts (each with whether it may be shared loosely), where that
        is much more than it holds; each in the place of what has least to do with any of them. It is `prepare`d first.
        """
        free = set(range(context.sequences))
        for prompt, loose in prompts[: context.sequences] if self._kept else ():
            held, place = max((context.shared(each, prompt, loose), each) for each in free)
            shared, found = self._best(context, prompt, loose)
            if found is not None and shared >= held + LEAST:
                prepare(context)
                place = min(free, key=lambda each: (max(context.shared(each, *other) for other in prompts), each))
                with suppress(OSError, TooLittleMemory):  # then it is read again
                    context.restore(place, self._take(found))
            free.discard(place)

    def clear(self) -> None:
        """Keep nothing any more."""
        while self._kept:
            self._kept.pop().file.close()

    def _put(self, state: State, sequence: SequenceState) -> None:
        folder = paths.cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        size, most = sequence.data.nbytes, min(self._most, (shutil.disk_usage(folder).free + self.size) // SPARE)
        if size > most:
            return
        while self.size + size > most:
            self._kept.pop(0).file.close()
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it is open as long as it is kept
        try:
            file.write(sequence.data.data)
            file.flush()
        except OSError:
            file.close()
            raise
        self._kept.append(_Kept(state, sequence.tokens, sequence.firm, size, file))

    def _best(self, context: Context, prompt: Tokens, loose: bool) -> tuple[int, _Kept | None]:
        """How many of a prompt's first tokens the best sequence that fits into a context holds, and that sequence."""
        state, best, found = _state(context), 0, None
        for each in self._kept:
            if each.state == state and len(each.tokens) <= context.length:
                shared = shared_tokens(each.tokens, each.firm, prompt, loose, context.chunk)
                best, found = (shared, each) if shared > best else (best, found)
        return best, found

    def _take(self, kept: _Kept) -> SequenceState:
        """Take a sequence from the shelf. Raises OSError where it cannot be read."""
        self._kept.remove(kept)
        with kept.file as file:
            file.seek(0)
            data = np.frombuffer(file.read(), np.uint8)
        if data.nbytes != kept.size:
            raise OSError("a kept conversation is shorter than it was")
        return SequenceState(data, kept.tokens, kept.firm)


def _state(context: Context) -> State:
    """What a context's sequences depend on, told by content, so that it holds when a model is loaded again."""
    model = context.model
    weights = file_hash(model.source), model.path == model.source, model.extra_buffers, model.layers
    return (*weights, context.adapter_hash, context.scale, context.flash, context.sequences)
