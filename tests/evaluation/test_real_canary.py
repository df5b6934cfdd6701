"""The canary with the real engine and real adapters: a lane whose label is not true has it withheld."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from workbench import paths
from workbench.advice.verdict import decide
from workbench.children import Here
from workbench.evaluation.evaluate import evaluate
from workbench.evaluation.records import Case, Evaluation, Suite
from workbench.events import Stage, last_result
from workbench.lanes import engine, pool
from workbench.lanes.engine import Request
from workbench.lanes.lane import Lane, Sampling
from workbench.project import Project

STARTER = paths.starter_model()
TOPICS = ("rivers", "bread", "winter", "stones")


@pytest.fixture(autouse=True)
def _engine_is_emptied() -> Iterator[None]:
    yield
    pool.clear()


def write_adapter(path: Path, seed: int, strength: float) -> Path:
    """An adapter for two of the starter's attn_v: random, or, with strength 0, one that changes nothing."""
    import gguf

    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 32.0)
    for layer in range(2):
        for end, shape in (("lora_a", (4, 576)), ("lora_b", (192, 4))):
            weights = (random.standard_normal(shape) * strength).astype(np.float32)
            writer.add_tensor(f"blk.{layer}.attn_v.weight.{end}", weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.slow
def test_adapters_that_are_not_applied_not_the_lanes_own_or_without_effect_lose_the_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = write_adapter(tmp_path / "real.gguf", 3, 0.2)
    other = write_adapter(tmp_path / "other.gguf", 4, 0.2)
    inert = write_adapter(tmp_path / "inert.gguf", 5, 0.0)

    def mistaken(requests: tuple[Request, ...], stops: object = None, exact: bool = False) -> Stage:
        """The real engine, which sets no adapter in one lane and another's in a second."""
        wrong = {"tuned:dropped": None, "tuned:swapped": other}
        lanes = [dataclasses.replace(r.lane, adapter=wrong.get(r.lane.name, r.lane.adapter)) for r in requests]
        put = tuple(dataclasses.replace(r, lane=lane) for r, lane in zip(requests, lanes, strict=True))
        yield from engine.answer(put, None, exact)

    monkeypatch.setattr("workbench.evaluation.answering.answer", mistaken)
    base = Lane("base", STARTER, sampling=Sampling(max_tokens=6))
    adapters = {"real": (real, 1.0), "dropped": (real, 1.0), "swapped": (real, 1.0), "inert": (inert, 1.0)}
    adapters["off"] = (real, 0.0)
    tuned = [
        dataclasses.replace(base, name=f"tuned:{name}", adapter=path, adapter_scale=scale)
        for name, (path, scale) in adapters.items()
    ]
    cases = tuple(Case(topic, f"Say something about {topic}.", "fact", ({"regex": "."},)) for topic in TOPICS)
    suite = Suite(tmp_path / "s.yaml", "Topics", cases, "s" * 64)
    project = Project.open(tmp_path / "project").folder
    found: Evaluation = last_result(evaluate(suite, (base, *tuned), project, Here(), Here()))
    assert found.canaries["base"] == found.canaries["tuned:real"] == "ok"
    assert found.canaries["tuned:dropped"] == "The adapter that was set in the engine is not the lane's own."
    assert found.canaries["tuned:swapped"] == "The adapter that was set in the engine is not the lane's own."
    assert found.canaries["tuned:inert"].startswith("The adapter changes nothing")
    assert found.canaries["tuned:off"].startswith("The adapter never changed an answer")
    assert found.withheld == {"tuned:dropped", "tuned:swapped", "tuned:inert", "tuned:off"}
    assert {effect.lane for effect in found.effects} == {"tuned:real"}
    assert len([each for each in decide(found, suite).reasons if "its label is not proven" in each]) == 4
