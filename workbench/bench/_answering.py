"""What the benchmarks of answering share: what is asked, an adapter to ask it with, and figures from rounds in turn."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from workbench.bench import Figure
from workbench.children import Child
from workbench.errors import InputError
from workbench.events import Event, Progress, Result, Stage, last_result
from workbench.lanes import pool
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Answer, Lane, Sampling
from workbench.lanes.presets import chat_model
from workbench.project import Project
from workbench.retrieval.passage import Passage
from workbench.tuning.recipe import PRESETS

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


@contextmanager
def bare_and_tuned(project: Path, tokens: int) -> Generator[tuple[Lane, Lane, str], None, None]:
    """A lane of the project's bare chat model, one with its newest adapter, and a note where that had to be made up."""
    opened = Project.open(project)
    path, adapters = chat_model(opened), [each.path for each in opened.adapters()]
    with TemporaryDirectory(prefix="workbench-bench-") as folder:
        adapter = adapters[-1] if adapters else write_adapter(Path(folder) / "adapter.gguf", path)
        made = "" if adapters else "; a made-up adapter, with as many numbers in as many matrices as a balanced one"
        bare = Lane("base", path, sampling=Sampling(max_tokens=tokens))
        yield bare, replace(bare, name="tuned", adapter=adapter), made


def reading(lane: Lane) -> Request:
    """A question whose lane reads four passages."""
    quarter = DOCUMENT[: len(DOCUMENT) // 4]
    passages = tuple(Passage(str(number), f"log {number}.txt", "", quarter, 1.0) for number in range(4))
    return Request("What did the keeper write down?", replace(lane, name="rag", context="passages"), passages)


def unseen(request: Request) -> Request:
    """The request after everything that was read before is forgotten, so that its whole prompt is read again."""
    pool.forget()
    return request


def answers(requests: tuple[Request, ...]) -> list[Answer]:
    """What the lanes answer. Raises InputError where one fails."""
    found = [event.value for event in answer(requests) if isinstance(event, Result)]
    for each in found:
        if each.stopped == "failed":
            raise InputError(each.error)
    return found


def rounds(note: str, one: Callable[[], Mapping[str, float]]) -> Generator[Event, None, dict[str, list[float]]]:
    """What each measurement of some rounds gave, name by name, without the first round, which only warms up."""
    found: dict[str, list[float]] = {}
    for number in range(1 + REPEATS):
        yield Progress(number, 1 + REPEATS, note, "rounds")
        for name, value in one().items():
            found.setdefault(name, []).append(value)
    return {name: values[1:] for name, values in found.items()}


def in_turn(
    name: str, found: Mapping[str, Sequence[float]], ours: str, yardstick: str, unit: str, note: str = ""
) -> Figure:
    """Medians of both sides of some rounds, and the median of the ratios of each round."""
    pairs = list(zip(found[ours], found[yardstick], strict=True))
    ratios = [mine / other for mine, other in pairs]
    spread = f"{len(pairs)} rounds in turn, ratio {min(ratios):.2f} to {max(ratios):.2f}{note}"
    median = statistics.median
    return Figure(name, median(found[ours]), median(found[yardstick]), median(ratios), unit, spread)


def weighed(requests: tuple[Request, ...]) -> tuple[float, float, float]:
    """What `weigh` says, from an engine's process of its own."""
    worker = Child("The model engine")
    try:
        found: tuple[float, float, float] = last_result(worker.run(weigh, requests))
        return found
    finally:
        worker.close()


def weigh(requests: tuple[Request, ...]) -> Stage:
    """STAGE: answer, then say in megabytes what this process holds, memory-mapped weights included, what it was planned
    to hold, and how much of that are key-value caches."""
    import psutil

    yield from (event for event in answer(requests) if not isinstance(event, Result))
    yield Result((psutil.Process().memory_info().rss / 1e6, pool.planned() / 1e6, pool.cache_bytes() / 1e6))


def write_adapter(path: Path, model: Path) -> Path:
    """A random adapter on those matrices that the balanced preset trains: as much work as its own."""
    import gguf
    import numpy as np

    from workbench.catalog.gguf_header import read_header
    from workbench.tuning.adapter import TENSORS

    header = read_header(model)
    layers, balanced = header.number("block_count", 1), PRESETS["balanced"]
    chosen, rank = balanced.layers(layers), balanced.rank
    trained = {TENSORS[each] for each in balanced.targets}
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, header.architecture)
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(rank))
    for tensor in header.tensors:
        parts = tensor.name.split(".")
        if parts[0] != "blk" or len(tensor.shape) != 2 or parts[2] not in trained or int(parts[1]) not in chosen:
            continue
        for end, shape in (("lora_a", (rank, tensor.shape[0])), ("lora_b", (tensor.shape[1], rank))):
            writer.add_tensor(f"{tensor.name}.{end}", (random.standard_normal(shape) * 0.01).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
