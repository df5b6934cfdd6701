"""Which precision is trained in: measured in turn, so that a busy moment does not decide it."""

from __future__ import annotations

import threading
import time

import pytest

from workbench.tuning.precision import choose_precision, least_in_turn


def test_a_busy_moment_makes_neither_work_the_slower_one() -> None:
    calls: list[str] = []

    def work(name: str, seconds: float) -> None:
        calls.append(name)
        time.sleep(seconds + (0.02 if len(calls) <= 6 else 0.0))  # something else runs at first

    fast, slow = least_in_turn([lambda: work("fast", 0.001), lambda: work("slow", 0.004)], rounds=8)
    assert calls == ["fast", "slow"] * 8
    assert fast < slow < 0.02


def test_what_is_asked_for_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.tuning.precision.least_in_turn", None)
    assert choose_precision("fp32") == "fp32" and choose_precision("bf16") == "bf16"


def test_the_faster_one_is_taken_and_the_threads_are_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    before = torch.get_num_threads()
    for seconds, precision in (([0.003, 0.001], "bf16"), ([0.0011, 0.001], "fp32"), ([0.001, 0.005], "fp32")):
        monkeypatch.setattr("workbench.tuning.precision.least_in_turn", lambda works, found=seconds: found)
        assert choose_precision("auto") == precision
    assert torch.get_num_threads() == before


def test_a_neighbour_that_keeps_a_core_busy_changes_nothing() -> None:
    ends = threading.Event()

    def spin() -> None:
        import torch

        left = torch.randn(512, 512)
        while not ends.is_set():
            left = (left @ left).clamp(-1, 1)  # lets go of Python's lock, as another program would

    quiet = choose_precision("auto")
    thread = threading.Thread(target=spin)
    thread.start()
    try:
        assert [choose_precision("auto") for _ in range(3)] == [quiet] * 3
    finally:
        ends.set()
        thread.join()
