"""The benchmark of stops: what it measures really stopped, and what ended before its stop is no figure."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from workbench.bench import stops
from workbench.children import Here
from workbench.errors import InputError
from workbench.events import Event, Progress, Stage, Token, last_result


def telling(steps: int, seconds: float) -> Stage:
    """A stage that says where it is."""
    for step in range(steps):
        yield Progress(step, steps, "working", "steps")
        time.sleep(seconds)


def begun(event: Event) -> bool:
    return isinstance(event, Progress)


@pytest.fixture
def chance(monkeypatch: pytest.MonkeyPatch) -> random.Random:
    monkeypatch.setattr(stops, "WITHIN", 0.1)
    return random.Random(1)


def test_a_job_is_timed_from_the_word_to_its_end(chance: random.Random) -> None:
    seconds = stops._stop_job(telling(10_000, 0.2), chance, begun)
    assert 0 < seconds < 60, "it ends at its next yield, long before it is through"


def test_what_ended_before_its_stop_is_no_figure(chance: random.Random) -> None:
    with pytest.raises(InputError, match="ended before"):
        stops._stop_job(telling(1, 0.0), random.Random(2), lambda event: False)


@pytest.mark.slow
def test_lanes_that_write_are_stopped_and_each_says_so(chance: random.Random) -> None:
    written: list[Token] = []

    def writes(event: Event) -> bool:
        written.extend([event] if isinstance(event, Token) else [])
        return isinstance(event, Token)

    assert stops._stop_answers(Here(), stops._many()[:2], chance, writes) > 0
    assert written and stops._figure("stop", [0.1, 0.3], 0.2).ratio == pytest.approx(1.5)


def test_so_many_rounds_as_asked_and_every_row_comes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stopped: list[str] = []

    def measures(*_: object) -> tuple[stops.Measure, ...]:
        return (("stop it", 0.2, lambda: stopped.append("it") or 0.1),)  # type: ignore[func-returns-value]

    monkeypatch.setattr(stops, "_answers", measures)
    monkeypatch.setattr(stops, "_jobs", lambda *_: ())
    monkeypatch.setattr(stops, "Child", lambda *_, **__: Still())
    monkeypatch.setattr(stops, "_stop_training", lambda folder: stopped.append("fine-tune") or 0.5)  # type: ignore[func-returns-value]
    figures = last_result(stops.run(tmp_path, 2))
    assert stopped == ["it", "it", "fine-tune", "fine-tune"]
    assert [each.name for each in figures] == ["stop it", "stop a fine-tune"]


class Still:
    """A worker that does nothing."""

    def run(self, *_: object) -> Stage:
        yield from ()

    def close(self) -> None:
        pass
