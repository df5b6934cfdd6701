"""Benchmark: what the lanes add to bare llama.cpp, an adapter to the base, and more lanes to one lane's memory."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from workbench.bench import Figure
from workbench.bench._raw import RawLoop, seconds_of
from workbench.children import Child
from workbench.errors import InputError
from workbench.events import Progress, Result, Stage, last_result
from workbench.lanes import pool
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Answer, Lane, Sampling, Turn
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
    raw, raw_four = (RawLoop(pool.model(bare.model), pool.thread_limit(), sequences) for sequences in (1, 4))
    reading = Request("What did the keeper write down?", replace(bare, name="rag", context="passages"), _passages())
    singles: dict[str, list[float]] = {}
    rounds = 1 + REPEATS  # the first only warms up
    for number in range(rounds):
        yield Progress(number, rounds, "Decoding", "rounds")
        for name, value in _one_round(bare, tuned, reading, raw, raw_four).items():
            singles.setdefault(name, []).append(value)
    for each in (raw, raw_four):
        each.close()
    pool.clear()
    found = {name: values[1:] for name, values in singles.items()}
    figures = [
        _figure("prefill, lane beside bare llama.cpp", found, "prefill", "raw prefill", "tokens/s"),
        _figure("decode, lane beside bare llama.cpp", found, "decode", "raw decode", "tokens/s"),
        _figure("decode, fine-tuned beside base", found, "tuned", "decode", "tokens/s", made),
        _figure("four lanes in one batch beside bare llama.cpp", found, "together", "raw together", "tokens/s"),
        _figure("four lanes with prompts of their own beside the slowest", found, "own", "slowest", "s"),
        _figure("four lanes with one prompt beside one", found, "four", "one", "s"),
        _figure("first token, second turn beside first, one document", found, "second turn", "first turn", "s"),
        _figure("first token, second turn beside its prompt unread", found, "second turn", "unread turn", "s"),
    ]
    yield Progress(rounds, rounds, "Weighing the lanes", "rounds")
    figures += _memory(bare, tuned, reading)
    yield Result(tuple(figures))


def _one_round(bare: Lane, tuned: Lane, reading: Request, raw: RawLoop, raw_four: RawLoop) -> dict[str, float]:
    """Tokens per second of each measurement, taken one after the other; reading in the order ours, raw, raw, ours."""
    long = _answers((_unseen(reading),))[0]
    prompt = raw.model.prompt_tokens(long.prompt)
    for each in (raw, raw_four):
        each.use_threads(pool.advised_threads())
    raw_prefill = statistics.harmonic_mean([raw.prefill(prompt) for _ in range(2)])
    again = _answers((_unseen(reading),))[0]
    prefill = 2 * len(prompt) / (long.first_token_seconds + again.first_token_seconds)
    base = _answers((Request(STORY, bare),))[0]
    same = [Request(STORY, replace(bare, name=f"lane {number}")) for number in range(4)]
    own = [Request(STORY, replace(bare, name=f"lane {number}", system=system)) for number, system in enumerate(SYSTEMS)]
    slowest = max(seconds_of(lambda each=each: _answers((_unseen(each),))) for each in own)  # type: ignore[misc]
    pool.forget()
    found = {
        "prefill": prefill,
        "raw prefill": raw_prefill,
        "decode": base.tokens_per_second,
        "raw decode": raw.decode(raw.model.prompt_tokens(base.prompt), base.answer_tokens),
        "tuned": _answers((Request(STORY, tuned),))[0].tokens_per_second,
        "own": seconds_of(lambda: _answers(tuple(own))),
        "slowest": slowest,
        "four": seconds_of(lambda: _answers(tuple(same))),
        "one": base.seconds,
    }
    together = _answers(tuple(same))
    tokens = raw.model.prompt_tokens(together[0].prompt)
    return {
        **found,
        **_conversation(reading),
        "together": sum(each.tokens_per_second for each in together),
        "raw together": raw_four.decode_together(tokens, together[0].answer_tokens),
    }


def _conversation(reading: Request) -> dict[str, float]:
    """Seconds to the first token of two turns about one document, and of the second where nothing was kept."""
    asked = replace(reading, lane=replace(reading.lane, context="full"), passages=_document())
    first = _answers((_unseen(asked),))[0]
    again = replace(asked, question="Which of the ships came home?", history=(Turn(asked.question, first.text),))
    second = _answers((again,))[0]
    unread = _answers((_unseen(again),))[0]
    times = {"first turn": first, "second turn": second, "unread turn": unread}
    return {name: found.first_token_seconds for name, found in times.items()}


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


def _memory(bare: Lane, tuned: Lane, reading: Request) -> list[Figure]:
    """The engine's memory after five kinds of lanes answered, beside that after one, and beside what was planned."""
    prompted = replace(bare, name="prompted", system="You are a careful assistant. Answer briefly.")
    both = replace(reading.lane, name="rag+tuned", adapter=tuned.adapter, grounded_examples=False)
    plain = [Request(STORY, lane) for lane in (bare, prompted, tuned)]
    five = (*plain, reading, replace(reading, lane=both))
    (ours, ours_planned), (one, one_planned) = _weigh(five), _weigh((reading,))
    note = "the engine's process, weights included"
    return [
        Figure("memory, five lanes beside one", ours, one, ours / one, "MB", note),
        Figure("memory, five lanes beside what was planned", ours, ours_planned, ours / ours_planned, "MB"),
        Figure("memory, one lane beside what was planned", one, one_planned, one / one_planned, "MB"),
    ]


def _weigh(requests: tuple[Request, ...]) -> tuple[float, float]:
    worker = Child("The model engine")
    try:
        found: tuple[float, float] = last_result(worker.run(weigh, requests))
        return found
    finally:
        worker.close()


def weigh(requests: tuple[Request, ...]) -> Stage:
    """STAGE: answer, then say what this process holds and was planned to hold, in megabytes, the memory-mapped
    weights included."""
    import psutil

    yield from (event for event in answer(requests) if not isinstance(event, Result))
    yield Result((psutil.Process().memory_info().rss / 1e6, pool.planned() / 1e6))


def _passages() -> tuple[Passage, ...]:
    quarter = DOCUMENT[: len(DOCUMENT) // 4]
    return tuple(Passage(str(number), f"log {number}.txt", "", quarter, 1.0) for number in range(4))


def _document() -> tuple[Passage, ...]:
    return (Passage("log", "log.txt", "", DOCUMENT, 1.0),)


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
