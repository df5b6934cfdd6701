"""The home of sentence-transformers: texts in, vectors out; rerank.py has its cross-encoders.

Counting tokens needs only the tokenizer (milliseconds); the model is loaded when the first vector is wanted.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
import weakref
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import children, paths, processor, records, turns
from workbench.catalog.embedder_folder import dimension_of, prompts_of, settings_hash, token_limit, weights_of
from workbench.errors import BadModel, MissingFile
from workbench.events import Progress, Result, Stage
from workbench.index import facts, number_type
from workbench.index.quick import quicken
from workbench.index.wording import STOPWORDS
from workbench.settings import load_settings

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from workbench.index.quick import QuickReader

    Vectors = NDArray[numpy.float32]

BATCH_SECONDS = 0.25  # what one call to the model should take, so that stopping and searching never wait long
# Matrix products that PyTorch and oneDNN keep ready, one for every shape: texts have so many lengths that of the usual
# 1,024 there are never enough, and the process grew by 460 MB over 1,800 drawn texts. With 16 it grows by 60, all of
# that in the first few calls, and is no slower.
FEW_PRODUCTS = {"LRU_CACHE_CAPACITY": "16", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16"}
# Seconds of reading documents in the type that works everywhere before the faster one is found out, which takes twice
# as long: a small folder is searchable before that.
UNSURE = 4.0
FEW = 400  # characters in a call (a question) that one thread reads: a second one is waited for longer than it helps
SAMPLES = ("How long is the warranty?", "What of it has to be sent back to the maker before March, and by whom?")


@dataclass(frozen=True, slots=True)
class Read:
    """What the embedder makes of some texts."""

    vectors: Vectors  # of each whole text, of length 1, shape (texts, dimension)
    tokens: tuple[Vectors, ...]  # of each text's tokens, function words and punctuation left out: (tokens, dimension)


class Embedder:
    """A sentence embedder in a folder, read locally and only from safetensors."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self.folder = folder
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._tokenizer.no_truncation()
            self._tokenizer.no_padding()
            self.specials = self._tokenizer.num_special_tokens_to_add(False)
            self.prompts = prompts_of(folder)
            self._most = token_limit(folder)  # tokens it reads at once, all counted
            before = self.count([self.prompts.document])[0] if self.prompts.document else 0
            self.limit = self._most - self.specials - before  # tokens of a passage it reads
        except Exception as error:  # tokenizers raises plain Exception
            raise BadModel(f"The embedder in {folder} cannot be read: install it again, or choose another.") from error
        self._model: Any = None
        self._loaded_in = ""  # the number type
        self._guessed = False  # whether that was taken because nobody knew which is faster
        self._unsure = 0.0  # seconds documents were read by a guess
        self._quick: QuickReader | None = None  # for a BERT on the processor
        self.multiplies_in = "float32"  # what is fast on the processor; known once the model is loaded
        self._per_call = 1024  # tokens, padding included; adapted to BATCH_SECONDS
        self._cores = _FreeCores()
        self._gives_way = False  # while what is read is nothing that somebody waits for
        self._rested = 0.0  # seconds

    @cached_property
    def hash(self) -> str:
        """SHA-256 of what decides its vectors: those of two embedders must never meet in one collection.

        Of the one that comes with the program the weights tell it; of a person's own what stands beside them, too.
        """
        weights = str(facts.remembered(self.folder, "hash", lambda: records.hash_file(weights_of(self.folder))))
        return weights if self.is_starter else records.hash_text(f"{weights} {settings_hash(self.folder)}")

    @cached_property
    def is_starter(self) -> bool:
        """Whether it is the one that comes with the program, for which some numbers were chosen."""
        try:
            return self.folder == paths.starter_embedder()
        except MissingFile:
            return False

    @property
    def loaded(self) -> bool:
        return self._model is not None

    @property
    def precision(self) -> str:
        """ "float32" or "bfloat16": what was faster on this machine, measured once. Loads the model the first time."""
        return _drained(self._find_precision())

    def _find_precision(self) -> Generator[None, None, str]:
        found = facts.known(self.folder).get(_precision_key())
        if found is None:
            found = yield from number_type.probing(partial(_load, self.folder))
            facts.remember(self.folder, _precision_key(), found)
        return str(found)

    def count(self, texts: list[str]) -> list[int]:
        """Lengths in tokens, special tokens not counted."""
        return [len(each.ids) for each in self._tokenizer.encode_batch(texts, add_special_tokens=False)]

    def load(self, wait: bool = True) -> None:
        """Load the model (some seconds the first time); every later call does nothing.

        Without `wait` it is loaded in the type that works everywhere where nobody knows which is faster here, and again
        by the next call that waits: a person's first question is not kept for what is measured once.
        """
        if self._model is not None and not (wait and self._guessed):
            return
        os.environ.update({key: value for key, value in FEW_PRODUCTS.items() if key not in os.environ})
        self._load_in(self.precision if wait else facts.known(self.folder).get(_precision_key()))

    def get_ready(self) -> None:
        """Load the model for documents: once reading them took a while, in the type that is faster here."""
        self.load(wait=self._unsure > UNSURE)

    def settle(self) -> Generator[None, None, None]:
        """Find out what is faster, in steps of a second at most, of which each may be the last; what was loaded by a
        guess is loaded so then."""
        precision = yield from self._find_precision()
        if self._guessed:
            self._load_in(precision)

    def _load_in(self, precision: str | None) -> None:
        """Load the model in a type, a guess where it is None."""
        if self._model is None or precision != self._loaded_in:
            self._loaded_in = precision or "float32"
            self._model = _load(self.folder, self._loaded_in)
            self.multiplies_in = self._loaded_in if self._model.device.type == "cpu" else "float32"
            self._cores.choose(0)
            rest = weakref.WeakMethod(self._rest)  # or the model would hold its embedder, and neither be let go of
            for layer in _layers(self._model):
                layer.register_forward_pre_hook(lambda *_: _call(rest()))
            self._quick = quicken(self._model, [self._tokenizer.encode(each).ids for each in SAMPLES])
        self._guessed = precision is None

    def encode(self, texts: Sequence[str], questions: bool = False) -> Vectors:
        """Unit vectors, float32, one row per text, shape (texts, dimension); of passages, or of `questions`."""
        stage = self.read_stepwise(texts, questions)
        while True:
            try:
                next(stage)
            except StopIteration as done:
                read: Read = done.value
                return read.vectors

    def read_stepwise(
        self, texts: Sequence[str], questions: bool = False, gives_way: bool = False
    ) -> Generator[int, None, Read]:
        """Vectors of texts and of their tokens, in calls of about BATCH_SECONDS; yields how many texts are done.

        Texts of about the same length go together, longest first, so that little is computed on padding. Before each
        goes what the embedder was trained to read before passages, or before `questions`; it is none of their tokens.
        What `gives_way` rests between layers while an answer has its turn (turns.py). Which number type is faster here
        is found out before many questions are read, so that they are all read in one, and before many documents.
        """
        import numpy as np

        self.load(wait=len(texts) > 1) if questions else self.get_ready()
        prompt = self.prompts.question if questions else self.prompts.document
        encoded = self._tokenizer.encode_batch([prompt + each for each in texts])
        ids = [each.ids for each in encoded]
        leads = [_lead(each.offsets, len(prompt)) for each in encoded] if prompt else [0] * len(ids)
        lengths = [len(each) for each in ids]
        order = sorted(range(len(texts)), key=lambda place: -lengths[place])
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        tokens = [vectors[:0]] * len(texts)
        done = 0
        while done < len(order):
            batch = order[done : done + max(1, self._per_call // max(1, lengths[order[done]]))]
            started, rested = time.perf_counter(), self._rested
            self._gives_way = gives_way
            self._cores.choose(sum(len(texts[each]) for each in batch))
            if self._quick is not None and lengths[batch[0]] <= self._most and (not prompt or self.prompts.counts):
                found = self._quick([ids[each] for each in batch], self._rest)
                whole = [(np.array(ids[each]), *one) for each, one in zip(batch, found, strict=True)]
            else:
                whole = self._read_batch([texts[each] for each in batch], prompt)
            for place, (own, vector, words) in zip(batch, whole, strict=True):
                left_out = min(lengths[place], self._most) - len(own)  # of a prompt that is no part of the vector
                lead = max(0, leads[place] - left_out)
                vectors[place], tokens[place] = self._as_arrays(own[lead:], vector, words[lead:])
            self._gives_way = False
            took = time.perf_counter() - started - (self._rested - rested)
            self._unsure += took if self._guessed else 0.0
            self._adapt(len(batch) * lengths[batch[0]], took)
            done += len(batch)
            yield done
        return Read(vectors, tuple(tokens))

    def _read_batch(self, texts: Sequence[str], prompt: str) -> list[tuple[Any, Any, Any]]:
        """The ids of each text's tokens, its vector and those of the tokens, as the library reads them."""
        found = self._model.encode(
            list(texts), batch_size=len(texts), show_progress_bar=False, output_value=None, prompt=prompt or None
        )
        read = []
        for each in found:
            there = each["attention_mask"].bool()
            words = each["token_embeddings"][there]
            read.append((each["input_ids"][there].cpu().numpy(), each["sentence_embedding"], words))
        return read

    def _as_arrays(self, ids: Any, vector: Any, words: Any) -> tuple[Any, Any]:
        """A text's vector of length 1, and those of its tokens that carry meaning (of all, where none does)."""
        import numpy as np

        whole, each = vector.float().cpu().numpy(), words.float().cpu().numpy()
        telling = self._telling[ids]
        return whole / max(1e-9, float(np.linalg.norm(whole))), each[telling] if telling.any() else each

    @cached_property
    def _telling(self) -> Any:
        """For each token id whether it carries meaning: no special token, no function word, no punctuation."""
        import numpy as np

        special = {each.content for each in self._tokenizer.get_added_tokens_decoder().values()}
        vocabulary = self._tokenizer.get_vocab()
        telling = np.zeros(max(vocabulary.values()) + 1, dtype=bool)
        for token, place in vocabulary.items():
            word = token.removeprefix("##").lstrip("\u2581\u0120").casefold()  # as WordPiece, SentencePiece, BPE mark
            telling[place] = token not in special and word not in STOPWORDS and bool(re.search(r"\w", word))
        return telling

    def _rest(self) -> None:
        if self._gives_way:
            began = time.perf_counter()
            turns.rest(self._cores.threads, children.stop_requested)
            self._rested += time.perf_counter() - began

    def _adapt(self, tokens: int, seconds: float) -> None:
        """Bring the next call nearer to BATCH_SECONDS, by steps that one slow call cannot upset."""
        wanted = tokens * BATCH_SECONDS / max(seconds, 1e-4)
        if seconds > BATCH_SECONDS or tokens > self._per_call // 2:  # a question says nothing of many texts
            self._per_call = int(min(16384, max(256, 0.5 * self._per_call + 0.5 * wanted)))

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return dimension_of(self.folder) if self._model is None else int(self._model.get_embedding_dimension())


class _FreeCores:
    """Gives torch as many threads as other programs leave cores.

    Threads of one operation wait for each other: two of them beside a busy chat model on two cores are many times
    slower than one, and slow the chat down as much.
    """

    def __init__(self) -> None:
        self._last = (0.0, 0.0, 0.0)  # when, seconds the machine was busy, seconds this process was
        self.threads = 1

    def choose(self, characters: int) -> None:
        """Set the number of threads for a call over so much text."""
        import torch

        threads = 1 if characters <= FEW else self._free()
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)

    def _free(self) -> int:
        """How many cores are free, by the load of the last second or so."""
        import psutil

        now = time.monotonic()
        if now - self._last[0] < 1.0:
            return self.threads
        times, own = psutil.cpu_times(), sum(psutil.Process().cpu_times()[:2])
        busy = sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
        before, self._last = self._last, (now, busy, own)
        self.threads = load_settings().background_count
        if before[0] and now - before[0] < 30:
            others = ((busy - before[1]) - (own - before[2])) / (now - before[0])
            self.threads = min(self.threads, max(1, round((psutil.cpu_count() or 1) - others)))
        return self.threads


def open_embedder(folder: Path | None = None) -> Embedder:
    """The embedder of a folder (None: the one that comes with the program), kept loaded in this process."""
    for key, value in children.QUIET.items():  # also where no Child has set them
        os.environ.setdefault(key, value)
    return _kept(folder or paths.starter_embedder())


@lru_cache(maxsize=2)  # one takes the other's place while both are searched
def _kept(folder: Path) -> Embedder:
    return Embedder(folder)


def _lead(offsets: Sequence[tuple[int, int]], length: int) -> int:
    """How many tokens come before a text's own: special ones, and those of a prompt of so many characters."""
    return next((place for place, (_, end) in enumerate(offsets) if end > length), len(offsets))


def _load(folder: Path, precision: str) -> Any:
    """The model in one precision, on a GPU where there is one."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    quiet: Any = logging.disable_progress_bar  # it has no types
    quiet()
    weights_of(folder)
    torch.set_num_threads(load_settings().background_count)
    options = {"dtype": getattr(torch, precision), "use_safetensors": True}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model = SentenceTransformer(
            str(folder), device=device, local_files_only=True, trust_remote_code=False, model_kwargs=options
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError) as error:
        raise BadModel(f"The embedder in {folder} cannot be loaded: install it again, or choose another.") from error
    model.max_seq_length = token_limit(folder)
    return model.eval()


def _call(method: Callable[[], None] | None) -> None:
    if method is not None:
        method()


def _layers(model: Any) -> Sequence[Any]:
    """The layers of a model's longest stack."""
    from torch.nn import ModuleList

    stacks: list[Any] = [each for each in model.modules() if isinstance(each, ModuleList)]
    return max(stacks, key=len, default=[])


def bare_model(folder: Path, precision: str = "float32") -> Any:
    """sentence-transformers as it comes: the yardstick of the benchmarks."""
    return _load(folder, precision)


def settle() -> Stage:
    """STAGE: find out which number type the embedder is fastest in here, once; Progress, then Result(None)."""
    embedder = open_embedder()
    steps = embedder.settle()
    with contextlib.closing(steps):
        for _ in steps:
            yield Progress(0, 0, "Finding out once how documents are read fastest here")
    yield Result(None)


def _drained(steps: Generator[None, None, str]) -> str:
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return str(done.value)


def _precision_key() -> str:
    return f"precision, timed in turn, at {number_type.KEPT_COSINE} {_machine()}"


def _machine() -> str:
    """What the choice of a precision depends on: the processor or GPU, and the library."""
    import torch

    amx = " amx" if "amx_bf16" in processor.features() else ""
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else processor.name() + amx
    return f"{name} torch {torch.__version__}"
