"""Layers on a graphics card: how many, when, and with the same answers."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.lanes.test_engine import answers, lane
from workbench import paths, records
from workbench.lanes import offload, pool, probe
from workbench.lanes.adapter_file import model_header
from workbench.lanes.engine import Request
from workbench.lanes.lane import Sampling
from workbench.settings import change_settings

STARTER = paths.starter_model()
CARD = offload.Card("CUDA0", "a card", 8 << 30, 8 << 30)
NEEDS_CARD = pytest.mark.skipif(not offload.cards(), reason="needs llama.cpp built for a card, and one")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(probe, "_given_up", set())


def test_as_many_layers_as_fit() -> None:
    header = model_header(STARTER)
    every = header.number("block_count") + 1
    assert offload.layers_that_fit(header, 8 << 30) == every == 31
    assert offload.layers_that_fit(header, 0) == offload.layers_that_fit(header, 50 << 20) == 0
    some = [offload.layers_that_fit(header, free << 20) for free in range(100, 1000, 50)]
    assert some == sorted(some) and len(set(some)) > 3


def test_without_a_card_or_where_it_is_not_wanted_the_processor_does_all(
    home: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offload, "cards", tuple)
    assert offload.layers_on_card(STARTER) == 0
    change_settings(gpu_layers=7)
    assert offload.layers_on_card(STARTER) == 0
    monkeypatch.setattr(offload, "cards", lambda: (CARD,))
    assert offload.layers_on_card(STARTER) == 7  # a person's number is not tried, it is taken
    change_settings(gpu_layers=500)
    assert offload.layers_on_card(STARTER) == 31
    change_settings(gpu_layers=0)
    assert offload.layers_on_card(STARTER) == 0


def test_a_card_is_tried_once_and_only_used_where_it_is_faster(home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def tries(
        function: object, model: str, layers: str, cache: str, key: str, patience: float, niceness: int
    ) -> Generator[None, None, bool]:
        tried.append(key)
        yield
        if outcome is not None:
            records.write_json(Path(cache), {key: outcome})
        return outcome is not None

    monkeypatch.setattr(offload, "cards", lambda: (CARD,))
    monkeypatch.setattr(probe, "survival", tries)
    monkeypatch.setattr(probe, "too_busy", lambda: False)
    outcome: bool | None = None
    assert offload.layers_on_card(STARTER) == 0 and not tried  # a person who waits for an answer waits for no trial
    assert offload.layers_on_card(STARTER, wait=True) == offload.layers_on_card(STARTER, wait=True) == 0  # it died
    assert len(tried) == 1 and "31 layers on a card" in tried[0]
    probe._given_up.clear()
    outcome = True
    assert probe.drained(offload.try_card(STARTER)) and offload.layers_on_card(STARTER) == 31
    assert len(tried) == 2


@NEEDS_CARD
def test_on_a_card_answers_come_faster_and_exact_ones_stay_the_same_beside_others() -> None:
    pool.clear()
    speeds = {}
    for layers in (0, -1):
        change_settings(gpu_layers=layers)
        requests = [
            Request(question, lane(name, sampling=Sampling(max_tokens=48)))
            for name, question in (("a", "Name three colours."), ("b", "What is a ferry?"), ("c", "Count to ten."))
        ]
        answers(*requests)
        began = time.perf_counter()
        live = answers(*requests)
        speeds[layers] = sum(each.answer_tokens for each in live.values()) / (time.perf_counter() - began)
        together = answers(*requests, exact=True)
        for request in requests:
            alone = answers(request, exact=True)
            assert alone[request.lane.name].text == together[request.lane.name].text
        assert ("layers on" in live["a"].stamp.build) is (layers == -1)
        pool.clear()
    change_settings(gpu_layers=-1)
    print(f"three lanes: {speeds[0]:.0f} tokens/s on the processor, {speeds[-1]:.0f} with {offload.cards()}")
    assert speeds[-1] > speeds[0]
