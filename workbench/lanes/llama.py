"""The home of llama_cpp: its library with the log kept, and a GGUF's weights, adapters, vocabulary and pieces of text.

The low-level functions are used because only they let several contexts, each with its own adapter, share one copy of
memory-mapped weights. `context` and `batch` use them too; the three know tokens and nothing of questions: `engine`
schedules.
"""

from __future__ import annotations

import codecs
import contextlib
import ctypes
import functools
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.catalog import memory
from workbench.errors import BadModel
from workbench.lanes.adapter_file import check_adapter, model_header
from workbench.lanes.split import Split, tell_llama

Tokens = Sequence[int]

_NO_DEVICES = (ctypes.c_void_p * 1)()  # a list of none: nothing but its end

_log: deque[str] = deque(maxlen=50)  # llama.cpp's last words, for error details


@functools.cache
def library() -> Any:
    """llama_cpp with its log kept quiet and its backend started."""
    import llama_cpp

    def keep(level: int, text: bytes, data: Any) -> None:
        _log.append(text.decode("utf-8", errors="replace"))

    _log_callbacks.append(llama_cpp.llama_log_callback(keep))  # ctypes keeps none: it would be collected and called
    llama_cpp.llama_log_set(_log_callbacks[0], ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    if not llama_cpp.llama_supports_gpu_offload():
        _return_freed_memory()
    return llama_cpp


_log_callbacks: list[Any] = []


def _return_freed_memory() -> None:
    """Have glibc take large blocks from the system and give them back at once.

    By default it keeps blocks of up to 32 MB once one was freed, and contexts that come, grow and go leave holes.
    Only for a build without a card: on an H200, models did not load after this (the process died in the load), where
    llama_cpp's own classes, which leave the allocator alone, loaded them. A card's contexts lie in its own memory.
    """
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):  # other C libraries have no mallopt
            ctypes.CDLL(None).mallopt(-3, 1 << 18)  # M_MMAP_THRESHOLD, mallopt(3)


@functools.cache
def _lays_out_anew() -> bool:
    """Whether extra buffers hold nearly all of a model's matrices a second time, as they do with AMX: this build's own
    words, which name it where the processor has it."""
    return b"AMX_INT8 = 1" in library().llama_print_system_info()


class Model:
    """A GGUF's weights and vocabulary, memory-mapped and shared by all contexts."""

    def __init__(
        self,
        path: Path,
        extra_buffers: bool = True,
        source: Path | None = None,
        layers: int = 0,
        split: Split | None = None,
    ) -> None:
        """`source` is the model that `path` is a copy of; `layers` are computed on a graphics card (see `offload`), on
        several of them as `split` says.

        Raises MissingFile, BadModel or TooLittleMemory; a damaged file never reaches llama.cpp.
        """
        self.path = path
        self.source = source or path
        self.header = model_header(path)
        self.layers, self.split = layers, split if layers else None
        self.every_layer = self.header.number("block_count") + 1  # the output counted as one
        self.planned = memory.model_bytes(self.header, max(0, self.every_layer - layers) / self.every_layer)
        lib = library()
        anew = extra_buffers and _lays_out_anew()
        if anew:  # one that reads and writes with the same matrix has it as it was and laid out anew
            named = {each.name: each.size for each in self.header.tensors}
            self.planned += 0 if "output.weight" in named else named.get("token_embd.weight", 0)
        memory.require(self.planned, path.name)
        parameters = lib.llama_model_default_params()
        parameters.use_extra_bufts = extra_buffers
        parameters.n_gpu_layers = layers
        if not layers:  # or a build for a card would hand it large matrices all the same
            parameters.devices = ctypes.cast(_NO_DEVICES, ctypes.c_void_p)
        shares = tell_llama(lib, parameters, self.split) if self.split else None  # read while it loads
        # What was laid out anew is never read again, and would stand beside it: 280 MB in place of 216 for the starter.
        if anew:
            parameters.load_mode = lib.LLAMA_LOAD_MODE_NONE
        self.extra_buffers = extra_buffers
        self.pointer = lib.llama_model_load_from_file(str(path).encode(), parameters)
        del shares
        if not self.pointer:
            raise BadModel(f"llama.cpp cannot load {path.name}: {reason()}. Choose another model.")
        self.vocabulary = lib.llama_model_get_vocab(self.pointer)
        self.size = lib.llama_vocab_n_tokens(self.vocabulary)
        self.context_length = lib.llama_model_n_ctx_train(self.pointer)
        self.flash = False  # what pool.flash found
        self._adapters: dict[tuple[Path, int, int], Any] = {}
        self._pieces: dict[int, bytes] = {}
        self._ends: dict[int, bool] = {}

    def adapter(self, path: Path) -> Any:
        """A LoRA adapter, checked before it is loaded, and loaded once. Raises BadModel or MissingFile."""
        check_adapter(path, self.path)
        stat = path.stat()
        key = (path, stat.st_size, stat.st_mtime_ns)
        if key not in self._adapters:
            pointer = library().llama_adapter_lora_init(self.pointer, str(path).encode())
            if not pointer:  # a NULL pointer object is not None, only false
                raise BadModel(f"llama.cpp cannot load the adapter {path.name}: {reason()}. Fine-tune again.")
            self._adapters[key] = pointer
        return self._adapters[key]

    def tokenise(self, text: str, control: bool = True) -> list[int]:
        """Token ids; with `control`, the model's control tokens are recognised in the text, otherwise all is text."""
        data = text.encode("utf-8")
        room = len(data) + 8
        ids = (ctypes.c_int32 * room)()
        found = library().llama_tokenize(self.vocabulary, data, len(data), ids, room, False, control)
        if found < 0:
            raise BadModel(f"{self.path.name} cannot turn this text into tokens: choose another model.")
        return list(ids[:found])

    def prompt_tokens(self, text: str) -> list[int]:
        """Token ids of a whole prompt: with the model's first token where it expects one and the text has none."""
        lib = library()
        ids = self.tokenise(text)
        first = lib.llama_vocab_bos(self.vocabulary)
        if lib.llama_vocab_get_add_bos(self.vocabulary) and first >= 0 and ids[:1] != [first]:
            ids.insert(0, first)
        return ids

    def count(self, text: str) -> int:
        """How many tokens a text has, taken as text."""
        return len(self.tokenise(text, control=False))

    def piece(self, token: int) -> bytes:
        """The bytes of a token; control tokens have none."""
        if token not in self._pieces:
            room = 256
            buffer = ctypes.create_string_buffer(room)
            length = library().llama_token_to_piece(self.vocabulary, token, buffer, room, 0, False)
            self._pieces[token] = buffer.raw[: max(0, length)]
        return self._pieces[token]

    def ends(self, token: int) -> bool:
        """Whether the model ends its answer with this token."""
        if token not in self._ends:
            self._ends[token] = bool(library().llama_vocab_is_eog(self.vocabulary, token))
        return self._ends[token]

    def kv_bytes(self) -> int:
        """Bytes of the KV cache per token, keys and values in 16 bits."""
        heads = self.header.number("attention.head_count_kv", self.header.number("attention.head_count", 1))
        width = self.header.number("embedding_length") // max(1, self.header.number("attention.head_count", 1))
        return 2 * 2 * self.header.number("block_count", 1) * heads * self.header.number("attention.key_length", width)

    def close(self) -> None:
        """Free the weights; every context must be closed before."""
        library().llama_model_free(self.pointer)
        self._adapters.clear()


def text_decoder() -> codecs.IncrementalDecoder:
    """Turns the bytes of tokens into text that is whole UTF-8 at every step."""
    return codecs.getincrementaldecoder("utf-8")(errors="replace")


def reason() -> str:
    """The last complaint of llama.cpp, for people."""
    lines = [line.strip() for line in _log if "error" in line.lower() or "fail" in line.lower()]
    return lines[0][:200] if lines else "it gives no reason"
