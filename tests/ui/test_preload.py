"""What is loaded behind the open window: in order, out of sight, without a word when it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from workbench.errors import MissingFile
from workbench.events import Progress, Result, Stage
from workbench.ui import preload
from workbench.ui.bench import Bench
from workbench.ui.preload import Preload


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was loaded, in order; "fails" in it makes the engine fail."""
    seen: list[str] = []

    def scripted(name: str) -> Callable[[Bench, Path], Stage]:
        def stage(bench: Bench, project: Path) -> Stage:
            yield Progress(0, 1, "loading")
            if "fails" in seen:
                seen.remove("fails")
                raise MissingFile("The model is gone.")
            seen.append(f"{name} for {project.name}")
            yield Result(None)

        return stage

    monkeypatch.setattr(preload, "warm_engine", scripted("engine"))
    monkeypatch.setattr(preload, "warm_knowledge", scripted("knowledge"))
    monkeypatch.setattr(preload, "settle_engine", scripted("trial"))
    monkeypatch.setattr(preload, "settle_knowledge", scripted("other"))
    monkeypatch.setattr(preload, "AFTER_MS", 1)
    monkeypatch.setattr(preload, "QUIET_MS", 600_000)
    return seen


@pytest.fixture
def ahead(bench: Bench, loaded: list[str]) -> Iterator[Preload]:
    made = Preload(bench)
    yield made
    made.stop()


def test_the_engine_is_loaded_first_and_then_the_document_reader(
    ahead: Preload, loaded: list[str], bench: Bench, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: not ahead.busy, timeout=5000)
    assert loaded == ["engine for Kestrel Audio", "knowledge for Kestrel Audio"]
    qtbot.waitUntil(lambda: not bench.jobs.handles, timeout=5000)


def test_what_cannot_be_loaded_ahead_is_not_worth_a_word(loaded: list[str], bench: Bench, qtbot: QtBot) -> None:
    said: list[object] = []
    bench.notices.attach(said.append)
    loaded.append("fails")
    ahead = Preload(bench)  # only now: between a test and its fixtures, events are handled, and its timer is short
    qtbot.waitUntil(lambda: not ahead.busy, timeout=5000)
    assert loaded == ["knowledge for Kestrel Audio"] and said == []


def test_another_project_is_loaded_in_place_of_the_first(
    ahead: Preload, loaded: list[str], bench: Bench, tmp_path: Path, qtbot: QtBot
) -> None:
    bench.open_project(tmp_path / "Other")
    qtbot.waitUntil(lambda: not ahead.busy, timeout=5000)
    assert loaded[-2:] == ["engine for Other", "knowledge for Other"]
    assert "knowledge for Kestrel Audio" not in loaded  # its engine may have been there before


def test_a_slow_load_ends_when_it_is_stopped(
    bench: Bench, loaded: list[str], slow_stage: Callable[[], Stage], monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(preload, "warm_engine", lambda bench, project: slow_stage())
    ahead = Preload(bench)
    qtbot.waitUntil(lambda: bool(bench.jobs.running("preload")), timeout=5000)
    assert bench.jobs.running("preload")[0].quiet
    ahead.stop()
    qtbot.waitUntil(lambda: not bench.jobs.handles, timeout=5000)
    assert not ahead.busy and loaded == []


def test_trials_come_when_nothing_has_gone_on_for_a_while_and_what_they_found_is_loaded(
    loaded: list[str], bench: Bench, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(preload, "QUIET_MS", 50)
    ahead = Preload(bench)
    qtbot.waitUntil(lambda: len(loaded) == 5, timeout=5000)
    assert [each.split()[0] for each in loaded] == ["engine", "knowledge", "trial", "other", "engine"]
    ahead.stop()


def test_a_trial_gives_way_to_whatever_begins_and_is_made_up_for(
    loaded: list[str],
    bench: Bench,
    slow_stage: Callable[[], Stage],
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    tried = []

    def trial(bench: Bench, project: Path) -> Stage:
        tried.append(project)
        yield from slow_stage()

    monkeypatch.setattr(preload, "settle_engine", trial)
    monkeypatch.setattr(preload, "QUIET_MS", 50)
    ahead = Preload(bench)
    qtbot.waitUntil(lambda: len(tried) == 1, timeout=5000)
    question = bench.jobs.start("Asking", slow_stage, kind="ask")
    qtbot.waitUntil(lambda: not bench.jobs.running("preload"), timeout=5000)
    qtbot.wait(200)
    assert len(tried) == 1, "it waits while a question is answered"
    question.stop()
    qtbot.waitUntil(lambda: len(tried) == 2, timeout=5000)
    ahead.stop()
    qtbot.waitUntil(lambda: not bench.jobs.running(), timeout=5000)
