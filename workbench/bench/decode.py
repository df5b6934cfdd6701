"""Benchmark: what the lanes add to bare llama.cpp, an adapter to the base, and more lanes to one lane's memory."""

from __future__ import annotations

import ctypes
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.bench import Figure
from workbench.children import Child
from workbench.errors import InputError
from workbench.events import Progress, Result, Stage, last_result
from workbench.lanes import pool
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Answer, Lane, Sampling
from workbench.lanes.llama import Model, library
from workbench.lanes.presets import chat_model
from workbench.project import Project
from workbench.retrieval.passage import Passage

REPEATS = 7  # of every measurement, ours and the yardstick in turn, so that a busy moment hits both
TOKENS = 48  # decoded a time
SYSTEMS = (
    "",
    "Answer briefly and plainly.",
    "You are a careful assistant who writes for children. Use short sentences and name no numbers.",
    "You write for a local paper in the north. Begin with what matters most, and leave out what nobody asked about.",
)
SENTENCE = "The keeper of the lighthouse wrote down the wind, the tide and every ship that passed. "
STORY = "Write a long story about a lighthouse, a storm and a ship that comes home late."
DOCUMENT = SENTENCE * 36  # some 700 tokens, as much as four passages


def run(project: Path) -> Stage:
    """Yields Progress and last a Result with a tuple of Figures."""
    opened = Project.open(project)
    path = chat_model(opened)
    with tempfile.TemporaryDirectory() as folder:
        adapters = [each.path for each in opened.adapters()]
        adapter = adapters[-1] if adapters else write_adapter(Path(folder) / "adapter.gguf", path)
        made = "" if adapters else "; a made-up adapter of rank 16 on the upper half of the layers"
        bare = Lane("base", path, sampling=Sampling(max_tokens=TOKENS))
        yield from _measure(bare, adapter, made)


def _measure(bare: Lane, adapter: Path, made: str) -> Stage:
    tuned = replace(bare, name="tuned", adapter=adapter)
    raw = RawLoop(pool.model(bare.model), pool.thread_limit())
    reading = Request("What did the keeper write down?", replace(bare, name="rag", context="passages"), _passages())
    singles: dict[str, list[float]] = {}
    rounds = 1 + REPEATS  # the first only warms up
    for number in range(rounds):
        yield Progress(number, rounds, "Decoding", "rounds")
        for name, value in _one_round(bare, tuned, reading, raw).items():
            singles.setdefault(name, []).append(value)
    raw.close()
    pool.clear()
    found = {name: values[1:] for name, values in singles.items()}
    figures = [
        _figure("prefill, lane beside bare llama.cpp", found, "prefill", "raw prefill", "tokens/s"),
        _figure("decode, lane beside bare llama.cpp", found, "decode", "raw decode", "tokens/s"),
        _figure("decode, fine-tuned beside base", found, "tuned", "decode", "tokens/s", made),
        _figure("four lanes with prompts of their own beside the slowest", found, "own", "slowest", "s"),
        _figure("four lanes with one prompt beside one", found, "four", "one", "s"),
    ]
    yield Progress(rounds, rounds, "Weighing the lanes", "rounds")
    figures.append(_memory(bare, tuned, reading))
    yield Result(tuple(figures))


def _one_round(bare: Lane, tuned: Lane, reading: Request, raw: RawLoop) -> dict[str, float]:
    """Tokens per second of each measurement, taken one after the other; reading in the order ours, raw, raw, ours."""
    long = _answers((_unseen(reading),))[0]
    prompt = raw.model.prompt_tokens(long.prompt)
    raw.use_threads(pool.advised_threads())
    raw_prefill = statistics.harmonic_mean([raw.prefill(prompt) for _ in range(2)])
    again = _answers((_unseen(reading),))[0]
    prefill = 2 * len(prompt) / (long.first_token_seconds + again.first_token_seconds)
    base = _answers((Request(STORY, bare),))[0]
    same = [Request(STORY, replace(bare, name=f"lane {number}")) for number in range(4)]
    own = [Request(STORY, replace(bare, name=f"lane {number}", system=system)) for number, system in enumerate(SYSTEMS)]
    slowest = max(_seconds(lambda each=each: _answers((_unseen(each),))) for each in own)  # type: ignore[misc]
    pool.forget()
    return {
        "prefill": prefill,
        "raw prefill": raw_prefill,
        "decode": base.tokens_per_second,
        "raw decode": raw.decode(raw.model.prompt_tokens(base.prompt), base.answer_tokens),
        "tuned": _answers((Request(STORY, tuned),))[0].tokens_per_second,
        "own": _seconds(lambda: _answers(tuple(own))),
        "slowest": slowest,
        "four": _seconds(lambda: _answers(tuple(same))),
        "one": base.seconds,
    }


def _unseen(request: Request) -> Request:
    """The request after everything that was read before is forgotten, so that its whole prompt is read again."""
    pool.forget()
    return request


def _answers(requests: tuple[Request, ...]) -> list[Answer]:
    found = [event.value for event in answer(requests) if isinstance(event, Result)]
    for each in found:
        if each.stopped == "failed":
            raise InputError(each.error)
    return found


def _figure(name: str, found: dict[str, list[float]], ours: str, yardstick: str, unit: str, note: str = "") -> Figure:
    """Medians of both sides, and the median of the ratios of each round."""
    pairs = list(zip(found[ours], found[yardstick], strict=True))
    ratios = [mine / other for mine, other in pairs]
    spread = f"{len(pairs)} rounds in turn, ratio {min(ratios):.2f} to {max(ratios):.2f}{note}"
    median = statistics.median
    return Figure(name, median(found[ours]), median(found[yardstick]), median(ratios), unit, spread)


class RawLoop:
    """The simplest loop over llama_decode: a context as llama.cpp makes it by default, always the likeliest token."""

    def __init__(self, model: Model, threads: int) -> None:
        lib = library()
        self.model = model
        parameters = lib.llama_context_default_params()
        parameters.n_ctx, parameters.n_batch = 2048, 2048
        parameters.n_threads = parameters.n_threads_batch = threads
        self._context = lib.llama_init_from_model(model.pointer, parameters)
        self._greedy = lib.llama_sampler_init_greedy()

    def use_threads(self, threads: int) -> None:
        """As many as the lanes use just now, so that a busy machine hits both alike."""
        library().llama_set_n_threads(self._context, threads, threads)

    def prefill(self, tokens: Sequence[int]) -> float:
        """Tokens read per second, up to the first token of the answer."""
        return len(tokens) / _seconds(lambda: self._read(tokens))

    def decode(self, tokens: Sequence[int], count: int) -> float:
        """Tokens decoded per second after a prompt."""
        token = self._read(tokens)
        return (count - 1) / _seconds(lambda: self._go_on(token, count - 1))

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


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _memory(bare: Lane, tuned: Lane, reading: Request) -> Figure:
    """The engine's memory after five kinds of lanes answered, beside that after the one that reads passages."""
    prompted = replace(bare, name="prompted", system="You are a careful assistant. Answer briefly.")
    both = replace(reading.lane, name="rag+tuned", adapter=tuned.adapter, grounded_examples=False)
    plain = [Request(STORY, lane) for lane in (bare, prompted, tuned)]
    five = (*plain, reading, replace(reading, lane=both))
    ours, one = _weigh(five), _weigh((reading,))
    return Figure(
        "memory, five lanes beside one", ours, one, ours / one, "MB", "the engine's process, weights included"
    )


def _weigh(requests: tuple[Request, ...]) -> float:
    worker = Child("The model engine")
    try:
        return float(last_result(worker.run(weigh, requests)))
    finally:
        worker.close()


def weigh(requests: tuple[Request, ...]) -> Stage:
    """STAGE: answer, then say what this process holds, in megabytes, the memory-mapped weights included."""
    import psutil

    yield from (event for event in answer(requests) if not isinstance(event, Result))
    yield Result(psutil.Process().memory_info().rss / 1e6)


def _passages() -> tuple[Passage, ...]:
    quarter = DOCUMENT[: len(DOCUMENT) // 4]
    return tuple(Passage(str(number), f"log {number}.txt", "", quarter, 1.0) for number in range(4))


def write_adapter(path: Path, model: Path, rank: int = 16) -> Path:
    """A random adapter on all seven projections of the upper half of the layers: as much work as a real one."""
    import gguf
    import numpy as np

    from workbench.catalog.gguf_header import read_header

    header = read_header(model)
    half = header.number("block_count", 1) // 2
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, header.architecture)
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(rank))
    for tensor in header.tensors:
        parts = tensor.name.split(".")
        if parts[0] != "blk" or len(tensor.shape) != 2 or int(parts[1]) < half:
            continue
        for end, shape in (("lora_a", (rank, tensor.shape[0])), ("lora_b", (tensor.shape[1], rank))):
            writer.add_tensor(f"{tensor.name}.{end}", (random.standard_normal(shape) * 0.01).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
