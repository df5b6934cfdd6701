"""Models, Settings and Help as a person uses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from workbench import paths, records
from workbench.catalog.records import Check, Model
from workbench.errors import BadModel, InputError
from workbench.events import Progress, Result, Stage
from workbench.settings import load_settings
from workbench.ui import models_page
from workbench.ui.bench import Bench
from workbench.ui.help_page import HelpPage, licence_of
from workbench.ui.models_page import ModelsPage
from workbench.ui.settings_page import SettingsPage

STARTER = Model(
    "smollm2-135m", "SmolLM2 135M", "chat", "Apache-2.0", 98_000_000, 608_000_000, "included", path=Path("/m/s.gguf")
)
OWN = Model("mine", "Mine 1B", "chat", "not stated", 800_000_000, 1_500_000_000, "imported", path=Path("/m/mine.gguf"))
BIG = Model("big", "Big 70B", "chat", "MIT", 40_000_000_000, 44_000_000_000, "hub/big", fits=False)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[Model]:
    found = [STARTER, OWN, BIG]
    monkeypatch.setattr("workbench.catalog.models.list_models", lambda: tuple(found))
    return found


@pytest.fixture
def models(bench: Bench, here: list[Model], qtbot: QtBot) -> ModelsPage:
    made = ModelsPage(bench)
    qtbot.addWidget(made)
    made.show()
    return made


def test_models_say_what_is_here_and_what_does_not_fit(models: ModelsPage, qtbot: QtBot) -> None:
    assert models.rows["smollm2-135m"].state.text() == "Used in this project"
    assert models.rows["big"].fetch.text() == "Fetch 40.0 GB"
    assert not models.rows["smollm2-135m"].remove.isVisible(), "what comes with the program stays"
    qtbot.mouseClick(models.chips.chip("here"), Qt.MouseButton.LeftButton)
    assert list(models.rows) == ["smollm2-135m", "mine"]
    qtbot.mouseClick(models.chips.chip("fits"), Qt.MouseButton.LeftButton)
    assert "big" not in models.rows


def test_another_model_is_used_and_taken_back(models: ModelsPage, bench: Bench, qtbot: QtBot) -> None:
    said: list[Any] = []
    bench.notices.attach(said.append)
    with qtbot.waitSignal(bench.lanes_changed):
        qtbot.mouseClick(models.rows["mine"].use, Qt.MouseButton.LeftButton)
    assert bench.project.info.chat_model == "/m/mine.gguf"
    assert models.rows["mine"].state.text() == "Used in this project"
    said[-1].action()
    assert bench.project.info.chat_model == ""


def test_removing_a_model_in_use_goes_back_to_the_starter(
    models: ModelsPage, here: list[Model], bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    models._on_use(OWN)
    monkeypatch.setattr("workbench.catalog.models.remove_model", lambda name: here.remove(OWN))
    models.remove(OWN)
    assert "mine" not in models.rows and bench.project.info.chat_model == ""


def test_a_fetch_shows_progress_and_then_the_model(
    models: ModelsPage, here: list[Model], bench: Bench, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    def fetch(name: str) -> Stage:
        yield Progress(1, 2, "fetching", "bytes")
        here[2] = Model(**{**{f: getattr(BIG, f) for f in BIG.__slots__}, "path": Path("/m/big.gguf")})
        yield Result(here[2])

    monkeypatch.setattr("workbench.catalog.fetch.fetch", fetch)
    models.fetch(BIG)
    assert models.rows["big"].stop.isVisible() and not models.rows["big"].fetch.isVisible()
    models.fetch(BIG)  # asked for twice, it is fetched once
    qtbot.waitUntil(lambda: models.rows["big"].state.text() == "Here")
    assert [handle.kind for handle in bench.jobs.handles] == ["models"]


def test_a_file_that_is_no_model_is_refused_with_a_sentence(
    models: ModelsPage, bench: Bench, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "x.gguf").write_bytes(b"not a model")
    said: list[Any] = []
    bench.notices.attach(said.append)
    models.import_file(tmp_path / "x.gguf")
    qtbot.waitUntil(lambda: bool(said))
    assert said[0].level == "error" and not said[0].details
    with pytest.raises(BadModel):
        list(models_page.import_stage(tmp_path / "x.gguf"))


@pytest.fixture
def settings(bench: Bench, qtbot: QtBot) -> SettingsPage:
    made = SettingsPage(bench)
    qtbot.addWidget(made)
    made.show()
    made.shown()
    return made


def test_settings_are_kept_at_once(settings: SettingsPage, bench: Bench, qtbot: QtBot) -> None:
    with qtbot.waitSignal(bench.settings_changed):
        settings.theme.setCurrentIndex(settings.theme.findData("dark"))
    settings.threads.setValue(1)
    settings.background.setValue(2)
    settings.memory.setValue(1)
    settings.scale.setCurrentIndex(3)
    settings.offline.setChecked(True)
    kept = load_settings()
    assert kept.memory_limit == 1.0
    assert (kept.theme, kept.threads, kept.background_cores, kept.text_scale, kept.never_fetch) == (
        "dark",
        1,
        2,
        1.3,
        True,
    )


def test_offline_refuses_a_fetch_and_says_so_before(
    settings: SettingsPage, bench: Bench, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    from workbench.catalog.fetch import fetch

    monkeypatch.delenv("WORKBENCH_OFFLINE", raising=False)
    monkeypatch.setattr("workbench.catalog.models.list_models", lambda: (BIG,))
    monkeypatch.setattr("workbench.catalog.models.model_named", lambda name: BIG)
    models = ModelsPage(bench)
    qtbot.addWidget(models)
    assert models.rows["big"].fetch.isEnabled() and not settings.offline.isChecked()
    settings.offline.click()
    assert not models.rows["big"].fetch.isEnabled() and "Stay offline" in models.rows["big"].fetch.toolTip()
    with pytest.raises(InputError, match="switched off"):
        next(fetch("big"))
    settings.offline.click()
    assert models.rows["big"].fetch.isEnabled()


def test_settings_are_found_by_their_words(settings: SettingsPage, qtbot: QtBot) -> None:
    qtbot.keyClicks(settings.search, "threads")
    assert settings.threads.isVisible() and not settings.theme.isVisible()
    settings.search.setText("nothing like it")
    assert settings.nothing.isVisible()
    settings.search.clear()
    assert settings.theme.isVisible() and not settings.nothing.isVisible()


def test_every_setting_says_its_name_and_reason(settings: SettingsPage) -> None:
    for editor in (
        settings.theme,
        settings.scale,
        settings.threads,
        settings.background,
        settings.memory,
        settings.offline,
    ):
        assert editor.accessibleName() and editor.accessibleDescription()


def test_connections_are_listed_newest_first(settings: SettingsPage) -> None:
    assert settings.no_connections.text().startswith("None:") and not settings.connection_table.isVisible()
    for number in (1, 2):
        line = {"time": f"2026-11-2{number}T10:00:00", "address": "https://hub/x", "why": "fetch"}
        records.append_line(paths.user_data() / "connections.jsonl", line)
    settings.shown()
    assert settings.connections.index(0, 0).data() == "2026-11-22 10:00"


def test_help_lists_shortcuts_and_versions(bench: Bench, qtbot: QtBot) -> None:
    page = HelpPage(bench)
    qtbot.addWidget(page)
    page.show()
    page.shown()
    assert any(name == "PySide6" and version for name, version, _ in page.parts.records)
    assert {"PySide6", "safetensors", "gguf"} <= {name for name, *_ in page.parts.records}
    assert licence_of("no-such-package-at-all") == ("no-such-package-at-all", "", "not installed")


def test_checks_run_on_demand_and_put_what_is_wrong_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    checks = (Check("Python", "ok", "3.11."), Check("Memory", "warn", "Little is free.", "Close other programs."))
    monkeypatch.setattr("workbench.catalog.doctor.examine", lambda project: iter((Result(checks),)))
    page = HelpPage(bench)
    qtbot.addWidget(page)
    page.show()
    qtbot.mouseClick(page.check, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.check_said.text() == "1 of 2 checks need a look; they come first.")
    first = page._checks_list.itemAt(0).widget()
    assert first is not None and first.accessibleName() == "Memory: warn. Little is free. Close other programs."
    qtbot.waitUntil(page.check.isEnabled)
    qtbot.mouseClick(page.copy, Qt.MouseButton.LeftButton)
    assert "warn  Memory: Little is free." in QApplication.clipboard().text()
