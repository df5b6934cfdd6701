"""Who goes first: a thread that works through a long list leaves the main thread its turns, children leave the window
theirs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable

import pytest

from workbench.priority import ANSWERING, AT_ONCE, LOOK, READING, TRAINING, unhurried

ROWS = 40_000
LONGEST = 0.05  # seconds the main thread may wait for its turn
TRIES = 5  # other programs may take the turn of either


def longest_wait(rows: Iterable[int]) -> float:
    """How long the main thread waited at most while another looked at a file for every row."""

    def work() -> None:
        for _ in rows:
            os.stat(__file__)  # lets go of Python's lock and takes it again

    thread = threading.Thread(target=work)
    longest = 0.0
    thread.start()
    while thread.is_alive():
        began = time.perf_counter()
        time.sleep(0.001)
        longest = max(longest, time.perf_counter() - began)
    thread.join()
    return longest


def test_the_main_thread_has_its_turn_beside_a_long_list() -> None:
    waits = []
    for _ in range(TRIES):
        waits.append(longest_wait(unhurried(range(ROWS))))
        if waits[-1] <= LONGEST:
            return
    raise AssertionError(f"the main thread waited {[f'{1000 * each:.0f} ms' for each in waits]}")


@pytest.mark.parametrize(("a_look_takes", "pauses"), [(2 * AT_ONCE, 200 // LOOK), (0.0, 0)])
def test_all_items_come_in_their_order_and_only_what_takes_long_pauses(
    a_look_takes: float, pauses: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(_: float) -> None:
        paused.append(threading.current_thread())

    def clock() -> float:
        looks.append(None)
        return len(looks) * a_look_takes

    paused: list[threading.Thread] = []
    looks: list[None] = []
    monkeypatch.setattr("workbench.priority.time.sleep", sleep)
    monkeypatch.setattr("workbench.priority.time.perf_counter", clock)
    found: list[int] = []
    assert list(unhurried(range(200))) == list(range(200)) and not paused, "the main thread never pauses"
    thread = threading.Thread(target=lambda: found.extend(unhurried(range(200))))
    thread.start()
    thread.join()
    assert found == list(range(200)) and len(paused) == pauses


def test_answers_come_after_the_window_and_before_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench import priority

    assert 0 < ANSWERING < READING < TRAINING
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr("psutil.Process", lambda: pytest.fail("an answer has the usual class on Windows"))
    priority.give_way(ANSWERING)
