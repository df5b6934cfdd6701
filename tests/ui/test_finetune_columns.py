"""A file whose columns have names of a person's own: they are shown, guessed, chosen and kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTableView, QWidget
from pytestqt.qtbot import QtBot
from scripted_trainer import Trainer, script_tuning

from workbench.events import Stage
from workbench.project import Project
from workbench.tuning.columns import Columns, Mapping, for_files, read_mapped
from workbench.ui.bench import Bench
from workbench.ui.finetune_page import FinetunePage

LONG = 30_000  # milliseconds, for a busy machine
ODD = "Nr;Frage;Antwort;Kategorie\n1;Wie lange gilt die Garantie?;36 Monate ab Kauf.;Garantie\n2;Wohin?;Nach Ulm.;Ort\n"


@pytest.fixture
def trainer(project: Project, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    made = script_tuning(project, monkeypatch)

    def inspect(
        files: tuple[Path, ...], model: Path, suite: object = (), columns: Mapping = (), home: object = None
    ) -> Stage:
        for path, named in for_files(files, columns):
            read_mapped(path, named)
        yield from made.inspect(files, model)

    monkeypatch.setattr("workbench.tuning.dataset.inspect", inspect)
    return made


@pytest.fixture
def page(bench: Bench, trainer: Trainer, qtbot: QtBot, tmp_path: Path) -> Iterator[FinetunePage]:
    (tmp_path / "odd.csv").write_text(ODD, encoding="utf-8")
    made = FinetunePage(bench)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    made.take_files((tmp_path / "odd.csv",))
    qtbot.waitUntil(made.data.columns.isVisible, timeout=LONG)
    yield made
    trainer.go.set()


def click(qtbot: QtBot, button: QWidget) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_unknown_columns_are_guessed_but_used_only_on_a_click(
    page: FinetunePage, bench: Bench, trainer: Trainer, qtbot: QtBot
) -> None:
    chooser = page.data.columns
    boxes = chooser.boxes
    assert boxes["question"].currentText() == "Frage" and boxes["answer"].currentText() == "Antwort"
    assert boxes["system"].currentText() == "None" and "odd.csv" in chooser.note.text()
    model = chooser.findChild(QTableView).model()
    shown = [[model.index(row, place).data() for place in range(4)] for row in range(model.rowCount())]
    assert shown == [["1", "Wie lange gilt die Garantie?", "36 Monate ab Kauf.", "Garantie"],
                               ["2", "Wohin?", "Nach Ulm.", "Ort"]]  # fmt: skip
    assert not page.start.isEnabled() and not page.data.counts.isVisible()
    qtbot.keyClicks(boxes["answer"], "Kat")  # as one types in a box
    assert boxes["answer"].currentText() == "Kategorie"
    click(qtbot, chooser.use)
    qtbot.waitUntil(page.start.isEnabled, timeout=LONG)
    click(qtbot, page.start)
    qtbot.waitUntil(lambda: bool(trainer.started), timeout=LONG)
    assert trainer.started[0].columns == (Columns("Frage", "Kategorie"),)
    assert bench.recall("columns") == {
        "odd.csv": {"question": "Frage", "answer": "Kategorie", "system": "", "context": ""}
    }
    again = FinetunePage(bench)  # as at the next start
    qtbot.addWidget(again)
    qtbot.waitUntil(lambda: again.intake.report is not None, timeout=LONG)
    assert again.intake.columns == (Columns("Frage", "Kategorie"),) and not again.data.columns.isVisible()


def test_one_column_cannot_be_two_things(page: FinetunePage, qtbot: QtBot) -> None:
    chooser = page.data.columns
    for name, usable in (("Frage", False), ("Choose…", False), ("Nr", True)):
        chooser.boxes["answer"].setCurrentIndex(chooser.boxes["answer"].findText(name))
        assert chooser.use.isEnabled() == usable


def test_other_columns_can_be_chosen_later(page: FinetunePage, bench: Bench, qtbot: QtBot) -> None:
    click(qtbot, page.data.columns.use)
    qtbot.waitUntil(page.start.isEnabled, timeout=LONG)
    assert page.data.other_columns.isVisible() and not page.data.columns.isVisible()
    click(qtbot, page.data.other_columns)
    qtbot.waitUntil(page.data.columns.isVisible, timeout=LONG)
    assert not page.start.isEnabled() and bench.recall("columns") == {}
