"""Adapters go out of and come into the Fine-tune page: what is chosen, the jobs that run, what is said at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up_project import make_run
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QInputDialog, QPushButton
from pytestqt.qtbot import QtBot
from scripted_trainer import Trainer, script_tuning

from workbench import records
from workbench.errors import BadModel
from workbench.events import Note, Progress, Result, Stage
from workbench.project import Project
from workbench.tuning import adapter
from workbench.tuning.export import Exported
from workbench.tuning.recipe import RunInfo
from workbench.ui import finetune_exchange as exchange
from workbench.ui.bench import Bench
from workbench.ui.finetune_exchange import ExportDialog
from workbench.ui.finetune_page import FinetunePage
from workbench.ui.finetune_runs import RunsSheet


class Elsewhere:
    """Scripted stages in place of the real ones, which need a model."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.bad = ""
        monkeypatch.setattr(exchange, "export", self.export)
        monkeypatch.setattr(exchange, "import_adapter", self.take)

    def export(self, project: Path, name: str, target: Path, kind: str, scale: float, force: bool, model: Any) -> Stage:
        self.asked.append((name, target, kind, scale, force))
        yield Progress(1, 2, "writing", "bytes")
        yield Result(Exported(name, kind, target, 2_000_000, scale))

    def take(self, source: Path, name: str, model: Path, project: Path) -> Stage:
        self.asked.append((source, name, model))
        yield Note("It says that it was trained on some/model.")
        if self.bad:
            raise BadModel(self.bad)
        folder = make_run(Project.open(project), name, 0, 0, "done")
        manifest = records.read_json(folder / "manifest.json")
        records.write_json(folder / "manifest.json", {**manifest, "backend": "imported", "examples": 0})
        yield Result(adapter.read_run(folder))


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    return Elsewhere(monkeypatch)


@pytest.fixture
def trainer(project: Project, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    return script_tuning(project, monkeypatch)


@pytest.fixture
def page(
    bench: Bench, trainer: Trainer, project: Project, elsewhere: Elsewhere, qtbot: QtBot
) -> Iterator[FinetunePage]:
    make_run(project, "tickets-v1", 92, 92, "done")
    make_run(project, "tickets-v2", 92, 138, "stopped")
    made = FinetunePage(bench)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    yield made
    trainer.go.set()


@pytest.fixture
def said(bench: Bench) -> list[str]:
    heard: list[str] = []
    bench.notices.attach(lambda notice: heard.append(notice.message))
    return heard


def choose(monkeypatch: pytest.MonkeyPatch, kind: str, scale: float = 1.0) -> None:
    """A person who picks a kind in the dialog."""

    def picks(dialog: ExportDialog) -> int:
        dialog.buttons[kind].setChecked(True)
        dialog.strength.setValue(scale)
        return int(QDialog.DialogCode.Accepted)

    monkeypatch.setattr(ExportDialog, "exec", picks)


def done_run(page: FinetunePage) -> RunInfo:
    return next(run for run in page.runs.known if run.state == "done")


def open_runs(page: FinetunePage, bench: Bench, qtbot: QtBot) -> RunsSheet:
    shown: list[Any] = []
    bench.sheet_requested.connect(shown.append)
    qtbot.mouseClick(page.earlier, Qt.MouseButton.LeftButton)
    sheet = shown[-1]
    assert isinstance(sheet, RunsSheet)
    qtbot.addWidget(sheet)
    sheet.show()
    return sheet


def exports_of(sheet: RunsSheet) -> dict[str, QPushButton]:
    found = {}
    for row in sheet.rows:
        for each in row.findChildren(QPushButton):
            if each.text() == "Export…":
                found[row.run.name] = each
    return found


def test_a_finished_run_is_exported_and_an_unfinished_one_cannot_be(
    page: FinetunePage, bench: Bench, elsewhere: Elsewhere, said: list[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, qtbot: QtBot,
) -> None:  # fmt: skip
    found = exports_of(open_runs(page, bench, qtbot))
    assert list(found) == ["tickets-v1"]
    choose(monkeypatch, "merged", 0.5)
    offered: list[str] = []
    target = tmp_path / "whole.gguf"
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *arguments: offered.append(arguments[2]) or (str(target), "")
    )
    qtbot.mouseClick(found["tickets-v1"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(said))
    assert offered == [str(Path.home() / "tickets-v1-merged.gguf")]
    assert elsewhere.asked == [("tickets-v1", target, "merged", 0.5, True)]
    assert said == [f"tickets-v1 is written to {target} (2 MB)."] and bench.jobs.handles[-1].title.startswith("Export")


def test_a_peft_folder_is_made_where_a_person_says_and_replaces_nothing(
    page: FinetunePage, elsewhere: Elsewhere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    run = done_run(page)
    assert not ExportDialog(run, page).buttons["peft"].isEnabled(), "there is none"
    (run.folder / "peft").mkdir()
    choose(monkeypatch, "peft", 0.5)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    page.runs.exchange.ask_export(run, page)
    qtbot.waitUntil(lambda: bool(elsewhere.asked))
    assert elsewhere.asked == [("tickets-v1", tmp_path / "tickets-v1", "peft", 1.0, False)]


def test_who_thinks_better_of_it_exports_nothing(
    page: FinetunePage, elsewhere: Elsewhere, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ExportDialog, "exec", lambda dialog: 0)
    page.runs.exchange.ask_export(done_run(page), page)
    choose(monkeypatch, "gguf")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    page.runs.exchange.ask_export(done_run(page), page)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    page.runs.exchange.ask_import(False, set(), page)
    assert elsewhere.asked == [] and bench.jobs.running("export") == bench.jobs.running("import") == []


def test_the_strength_belongs_to_a_merged_model(page: FinetunePage, qtbot: QtBot) -> None:
    dialog = ExportDialog(done_run(page), page)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.kind == "gguf" and not dialog.strength.isEnabled()
    dialog.strength.setValue(0.4)
    assert dialog.scale == 1.0
    qtbot.mouseClick(dialog.buttons["merged"], Qt.MouseButton.LeftButton)
    assert (dialog.kind, dialog.scale) == ("merged", 0.4) and dialog.strength.isEnabled()
    qtbot.mouseClick(dialog.choose, Qt.MouseButton.LeftButton)
    assert dialog.result() == QDialog.DialogCode.Accepted


def test_an_imported_adapter_is_shown_among_the_runs(
    page: FinetunePage, bench: Bench, elsewhere: Elsewhere, said: list[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, qtbot: QtBot,
) -> None:  # fmt: skip
    changed: list[bool] = []
    bench.adapters_changed.connect(lambda: changed.append(True))
    offered: list[str] = []
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "tickets-v1"))
    monkeypatch.setattr(
        QInputDialog,
        "getText",
        lambda *_, text: offered.append(text) or ("from a friend", True),  # type: ignore[func-returns-value]
    )
    page._bring_menu.actions()[0].trigger()
    qtbot.waitUntil(lambda: bool(changed))
    assert offered == ["tickets-v3"], "a name that is free"
    assert elsewhere.asked == [(tmp_path / "tickets-v1", "from-a-friend", Path("/models/starter.gguf"))]
    assert said == ["It says that it was trained on some/model.", "The adapter from-a-friend is imported."]
    assert page.run.course.name == "from-a-friend" and page.compare.isVisible()
    sheet = open_runs(page, bench, qtbot)
    row = next(each for each in sheet.rows if each.run.name == "from-a-friend")
    assert "imported, rank" in row._figures(row.run) and "from-a-friend" in exports_of(sheet)


def test_an_adapter_that_is_refused_says_why_and_changes_nothing(
    page: FinetunePage, elsewhere: Elsewhere, said: list[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, qtbot: QtBot,
) -> None:  # fmt: skip
    elsewhere.bad = "The adapter uses DoRA, which llama.cpp cannot load."
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "lora.gguf"), ""))
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, text: (text, True))
    page._bring_menu.actions()[1].trigger()
    qtbot.waitUntil(lambda: len(said) > 1)
    assert said[-1] == elsewhere.bad
    assert elsewhere.asked[0][1] == "lora" and len(page.runs.known) == 2
