"""The data of a fine-tune: files of the project, several at once, read again, and a speed that is measured once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot
from scripted_trainer import MEASURED, REPORT, Trainer, script_tuning

from workbench.events import Progress, Stage
from workbench.project import Project
from workbench.tuning import dry_run
from workbench.tuning.recipe import Recipe
from workbench.ui import finetune_measuring
from workbench.ui.bench import Bench
from workbench.ui.finetune_page import FinetunePage
from workbench.ui.finetune_presets import Speed, estimate_seconds
from workbench.ui.tick_menu import TickMenu

LONG = 30_000  # milliseconds, for a busy machine


@pytest.fixture
def trainer(project: Project, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    monkeypatch.setattr(finetune_measuring, "QUIET_MS", 50)
    return script_tuning(project, monkeypatch)


@pytest.fixture
def datasets(project: Project) -> tuple[Path, ...]:
    project.datasets_folder.mkdir(parents=True)
    found = tuple(project.datasets_folder / name for name in ("reading.jsonl", "tickets.jsonl"))
    for path in found:
        path.write_text('{"prompt": "a", "completion": "b"}\n', encoding="utf-8")
    return found


@pytest.fixture
def page(bench: Bench, trainer: Trainer, datasets: tuple[Path, ...], qtbot: QtBot) -> Iterator[FinetunePage]:
    made = FinetunePage(bench)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    yield made
    trainer.go.set()


def test_files_of_the_project_are_offered_while_none_is_chosen(page: FinetunePage, qtbot: QtBot) -> None:
    links = {each.text(): each for each in page.data._offers.findChildren(QPushButton)}
    assert set(links) == {"reading.jsonl", "tickets.jsonl"} and not page.start.isEnabled()
    qtbot.mouseClick(links["tickets.jsonl"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.start.isEnabled, timeout=LONG)
    assert page.name.text() == "tickets" and not page.data._offers.isVisible()


def test_several_files_are_ticked_and_trained_together(
    page: FinetunePage, trainer: Trainer, datasets: tuple[Path, ...], bench: Bench, qtbot: QtBot
) -> None:
    for action in page.data.menu.actions():
        if action.isCheckable():
            action.setChecked(True)
    page.data.menu.aboutToHide.emit()  # the menu is closed
    qtbot.waitUntil(page.start.isEnabled, timeout=LONG)
    assert page.intake.files == datasets and page.name.text() == "reading-tickets"
    assert bench.recall("training_files") == ["reading.jsonl", "tickets.jsonl"]
    page.start.click()
    qtbot.waitUntil(lambda: bool(trainer.started), timeout=LONG)
    assert trainer.started[0].datasets == datasets


def test_the_last_file_cannot_be_unticked(page: FinetunePage, datasets: tuple[Path, ...], qtbot: QtBot) -> None:
    page.data.files_chosen.emit(datasets[1:])
    qtbot.waitUntil(page.start.isEnabled, timeout=LONG)
    for action in page.data.menu.actions():
        action.setChecked(False)
    page.data.menu.aboutToHide.emit()
    assert tuple(page.data.menu.ticked) == datasets[1:] and page.intake.files == datasets[1:]


def test_a_menu_of_ticks_stays_open_while_it_is_ticked(qtbot: QtBot) -> None:
    menu = TickMenu()
    qtbot.addWidget(menu)
    action = menu.add_tick("reading.jsonl", 1, False)
    menu.show()
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())
    assert menu.isVisible() and menu.ticked == (1,)


def test_news_of_a_file_that_was_replaced_are_not_shown(
    page: FinetunePage, datasets: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch, trainer: Trainer, qtbot: QtBot
) -> None:
    read: list[Path] = []
    through = threading.Event()

    def inspect(
        files: tuple[Path, ...], model: Path, suite: object = (), columns: object = (), home: object = None
    ) -> Stage:
        while files == datasets[:1] and not through.wait(0.02):  # the first is read until the second is through
            yield Progress(0, 0, "checking reading.jsonl")
        yield from trainer.inspect(files, model)
        read.append(files[0])
        through.set()

    monkeypatch.setattr("workbench.tuning.dataset.inspect", inspect)
    page.data.files_chosen.emit(datasets[:1])
    qtbot.waitUntil(lambda: "reading.jsonl" in page.data.counts.text(), timeout=LONG)
    page.data.files_chosen.emit(datasets[1:])
    qtbot.waitUntil(lambda: read == [datasets[1], datasets[0]], timeout=LONG)
    qtbot.waitUntil(page.start.isEnabled, timeout=LONG)
    assert page.intake.files == datasets[1:] and page.name.text() == "tickets"


def test_what_could_not_be_read_can_be_read_again(
    page: FinetunePage, datasets: tuple[Path, ...], trainer: Trainer, qtbot: QtBot
) -> None:
    bad = datasets[0].with_name("bad.jsonl")
    bad.write_text("x", encoding="utf-8")
    page.data.files_chosen.emit((bad,))
    qtbot.waitUntil(page.data.again.isVisible, timeout=LONG)
    assert page.data.counts.text() == "bad.jsonl has no row that can be trained."
    bad.rename(bad.with_name("good.jsonl"))
    page.intake.files = (bad.with_name("good.jsonl"),)
    qtbot.mouseClick(page.data.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.start.isEnabled, timeout=LONG)
    assert not page.data.again.isVisible()


def test_the_speed_is_measured_once_unasked_and_kept_for_the_computer(
    page: FinetunePage, trainer: Trainer, datasets: tuple[Path, ...], bench: Bench, qtbot: QtBot
) -> None:
    page.data.files_chosen.emit(datasets[1:])
    qtbot.waitUntil(lambda: page.measuring.measured, timeout=LONG)
    assert trainer.measured == [409]
    assert page.recipe.cards["quick"].accessibleName().startswith("Quick, about ")
    assert page.measuring.basis == MEASURED
    again = FinetunePage(bench)
    qtbot.addWidget(again)
    again.show()
    qtbot.waitUntil(again.start.isEnabled, timeout=LONG)
    assert again.measuring.basis == MEASURED and trainer.measured == [409]


def test_a_trial_gives_way_to_the_run(
    page: FinetunePage, trainer: Trainer, datasets: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    ended: list[bool] = []

    def endless(recipe: object, report: object, anew: bool = False) -> Stage:
        try:
            while True:
                yield Progress(1, 8, "a dry run", "steps")
        finally:
            ended.append(True)

    monkeypatch.setattr(dry_run, "dry_run", endless)
    page.data.files_chosen.emit(datasets[1:])
    qtbot.waitUntil(lambda: page.measuring.job is not None, timeout=LONG)
    assert page.recipe.source.text().startswith("Measuring what each takes") and not page.recipe.measure.isVisible()
    qtbot.mouseClick(page.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(ended) and page.measuring.job is None, timeout=LONG)
    qtbot.waitUntil(lambda: page.run.course.step == 9, timeout=LONG)
    assert not page.recipe.settings.isEnabled() and not page.data.several.isEnabled()


def test_a_run_that_is_bounded_in_time_is_estimated_so() -> None:
    recipe = Recipe("x", Path("m"), (Path("rows.jsonl"),), Path("f"), epochs=8.0)
    speed = Speed(100.0)
    assert estimate_seconds(REPORT, recipe, speed) > 100
    assert estimate_seconds(REPORT, replace(recipe, minutes=1.0), speed) == 60.0
