"""Which attention is the faster one here: measured once, remembered, and plain where the trial dies."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace

import pytest

from workbench import paths, records
from workbench.lanes import attention, probe
from workbench.lanes.probe import answer_seconds, known_outcomes


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(probe, "too_busy", lambda: False)


def found(model: Path) -> bool:
    """What is known once it was tried."""
    probe.drained(attention.try_flash(model))
    return attention.flash_is_faster(model)


def dies(*arguments: object, **limit: object) -> Generator[None, None, bool]:
    yield
    return False


@pytest.mark.slow
def test_it_is_measured_once_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the home that all tests share."""
    model, cache = paths.starter_model(), paths.cache_folder() / "engine.json"
    faster = found(model)
    known, key = known_outcomes(cache), attention._key(model, 0, None)
    assert known.get(key, False) is faster
    monkeypatch.setattr(probe, "survival", lambda *arguments, **limit: pytest.fail("measured twice"))
    if key in known:  # a busy machine put it off
        assert found(model) is faster


def test_nothing_is_tried_where_it_is_only_asked(home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "survival", lambda *arguments, **limit: pytest.fail("tried"))
    assert attention.flash_is_faster(paths.starter_model()) is False


def test_a_trial_that_dies_leaves_the_plain_kind(home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_given_up", set())
    monkeypatch.setattr(probe, "survival", dies)
    assert found(paths.starter_model()) is False


def test_a_damaged_note_of_the_outcome_is_measured_again(home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = paths.cache_folder() / "engine.json"
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text("[1, 2", encoding="utf-8")

    def measured(
        function: object, model: str, layers: str, file: str, key: str, patience: float, niceness: int
    ) -> Generator[None, None, bool]:
        yield
        records.write_json(cache, {key: True})
        return True

    monkeypatch.setattr(probe, "_given_up", set())
    monkeypatch.setattr(probe, "survival", measured)
    assert found(paths.starter_model()) is True


def test_a_busy_machine_is_not_timed_and_one_that_took_too_long_is_left_alone_for_a_while(
    home: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def hangs(
        function: object, model: str, layers: str, file: str, key: str, patience: float, niceness: int
    ) -> Generator[None, None, bool]:
        tried.append(key)
        yield
        return False

    monkeypatch.setattr(probe, "survival", hangs)
    for busy, patience, trials in ((True, 0.0, 0), (False, 0.0, 1), (False, 0.0, 1)):
        monkeypatch.setattr(probe, "_given_up", set())  # a new process
        monkeypatch.setattr(probe, "too_busy", lambda busy=busy: busy)
        monkeypatch.setattr(attention, "PATIENCE", patience if not busy else 20.0)
        assert found(paths.starter_model()) is False
        assert len(tried) == trials
    monkeypatch.setattr(probe, "AGAIN", 0.0)
    monkeypatch.setattr(probe, "_given_up", set())
    assert found(paths.starter_model()) is False and len(tried) == 2


def test_what_is_timed_is_nearly_all_of_the_reading() -> None:
    """A context may read 512 tokens in one piece: what it reads to get warm must not be all there is."""
    read: list[tuple[int, int]] = []

    def take(lane: int, tokens: list[int], place: int, stop: object) -> int:
        read.append((place, len(tokens)))
        return len(tokens)

    context = SimpleNamespace(forget=lambda lane: None, read=take, decode=lambda batch: None)
    answer_seconds(context, 512, 3)  # type: ignore[arg-type]
    assert read == [(0, probe.WARM), (probe.WARM, 512)]
