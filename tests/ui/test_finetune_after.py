"""Under a finished run: one question through its steps, and what fewer rows would have done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up_project import make_run
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from scripted_trainer import Trainer, script_tuning

from workbench import records
from workbench.evaluation.curve_records import Curve, CurveLine
from workbench.evaluation.records import Effect, Rate
from workbench.evaluation.scrub import Scrub, ScrubPoint
from workbench.events import Progress, Result, Stage
from workbench.project import Project
from workbench.ui import compare_lanes, finetune_curve, finetune_scrub
from workbench.ui.bench import Bench
from workbench.ui.finetune_curve import CurveView
from workbench.ui.finetune_page import FinetunePage

LONG = 30_000  # milliseconds, for a busy machine
POINTS = (
    ScrubPoint(0, "I am sorry to hear that.", 0.79, False),
    ScrubPoint(30, '{"product": "X3", "fault"', 0.27, False),
    ScrubPoint(92, '{"product": "X3", "fault": "hum_right"}', None, True),
)


@pytest.fixture
def trainer(project: Project, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    return script_tuning(project, monkeypatch)


@pytest.fixture
def page(bench: Bench, trainer: Trainer, project: Project, qtbot: QtBot) -> Iterator[FinetunePage]:
    make_run(project, "old", 92, 92, "done")
    folder = make_run(project, "tickets", 92, 92, "done")
    (folder / "states").mkdir()
    for step in (30, 92):
        (folder / "states" / f"{step}.gguf").write_bytes(bytes(1_000_000))
    made = FinetunePage(bench)
    qtbot.addWidget(made)
    made.resize(1200, 1400)
    made.show()
    yield made
    trainer.go.set()


def show(page: FinetunePage, name: str) -> None:
    page.show_run(next(run for run in page.runs.known if run.name == name))


def test_a_question_is_asked_at_every_step_and_slid_through(
    page: FinetunePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def stage(project: Path, name: str, question: str, engine: object) -> Stage:
        asked.append((name, question))
        for point in POINTS:
            yield Progress(0, 3, "asking", "states")
            yield Result(point)
        yield Result(Scrub(name, question, POINTS))

    monkeypatch.setattr(finetune_scrub, "scrub", stage)
    view = page.after.scrub
    show(page, "old")
    assert not view.isVisible()  # it kept no states
    show(page, "tickets")
    assert view.isVisible() and not view._shown.isVisible()
    assert "2 states" in view.space.text() and "2" in view.space.text()
    assert view.question.toPlainText() == "Right X3 hums since the update, had it 5 weeks."  # a held-out row
    qtbot.mouseClick(view.ask, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(view.points) == 3 and not view.stop.isVisible(), timeout=LONG)
    assert asked == [("tickets", "Right X3 hums since the update, had it 5 weeks.")]
    assert (view.slider.value(), view.where.text()) == (2, "Step 92 of 92, kept") and not view.loss.text()
    view.slider.setValue(0)
    assert (view.where.text(), view.answer.text()) == ("Before training", "I am sorry to hear that.")
    assert view.loss.text() == "held-out loss 0.79"
    view.slider.setValue(1)
    assert view.where.text() == "Step 30 of 92" and view.answer.text().startswith('{"product"')
    show(page, "old")
    show(page, "tickets")
    assert not view.points  # another run's answers do not stay


def test_asking_is_stopped_and_keeps_the_answers_so_far(
    page: FinetunePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, slow_stage: Any
) -> None:
    def stage(*_: object) -> Stage:
        yield Result(POINTS[0])
        yield from slow_stage()

    monkeypatch.setattr(finetune_scrub, "scrub", stage)
    view = page.after.scrub
    show(page, "tickets")
    view.question.setPlainText("")
    assert not view.ask.isEnabled()
    view.question.setPlainText("Can I get a second remote?")
    qtbot.mouseClick(view.ask, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(view.points) == 1, timeout=LONG)
    assert view.stop.isVisible() and not view.ask.isVisible()
    qtbot.mouseClick(view.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.ask.isVisible(), timeout=LONG)
    assert view.answer.text() == "I am sorry to hear that."


def make_line(name: str, right: int, share: float = 0.0, rows: int = 0, adds: float = 0.0) -> CurveLine:
    low = max(0.0, right / 40 - 0.12)
    effect = Effect("the run", "tuned-100", name, adds, (adds - 0.15, adds + 0.14), 0.01, 20, 2, 40)
    rate = Rate(right, 40, right / 40, (low, right / 40 + 0.1))
    return CurveLine(name, share, rows, rate, effect if share != 1 else None, 0.4 if share else None, 60.0)


LINES = (
    make_line("tuned-100", 34, 1.0, 360),
    make_line("base", 0, adds=0.85),
    make_line("prompted", 4, adds=0.75),
    make_line("few-shot", 15, rows=22, adds=0.475),
    make_line("rag", 6, adds=0.7),
    make_line("tuned-10", 12, 0.1, 36, 0.55),
    make_line("tuned-30", 29, 0.3, 108, 0.1),
)


@pytest.fixture
def learnt(page: FinetunePage, project: Project) -> FinetunePage:
    """The page with a run whose rows are known."""
    folder = project.adapters_folder / "tickets"
    recipe = {**records.read_json(folder / "recipe.json"), "datasets": ["rows.jsonl"]}
    records.write_json(folder / "recipe.json", recipe)
    records.write_json(folder / "manifest.json", {**records.read_json(folder / "manifest.json"), "held_out_rows": 40})
    page.reload()
    return page


def cells(view: CurveView) -> list[str]:
    return [each.text() for each in view.findChildren(QLabel) if each.isVisible() and each.text()]


def test_a_curve_says_what_it_costs_and_shows_each_line_as_it_comes(
    learnt: FinetunePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, slow_stage: Any
) -> None:
    def stage(project: Path, name: str, knowledge: object, engine: object) -> Stage:
        yield Result(Curve(name, 40, LINES[:2], False, "2026-11-27T23:00:00"))
        yield from slow_stage()

    monkeypatch.setattr(finetune_curve, "measure_curve", stage)
    view = learnt.after.curve
    show(learnt, "old")
    assert not view.isVisible()  # its rows are not here
    show(learnt, "tickets")
    assert view.isVisible() and not view.chart.isVisible() and view.measure.text() == "Measure it"
    # 107 % of the steps in 239 seconds and a minute for each start; 7 lanes, 40 rows, half a second and 28 tokens each
    assert "about 6 minutes of training" in view.cost.text() and "minutes of answers" in view.cost.text()
    qtbot.mouseClick(view.measure, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.chart.isVisible(), timeout=LONG)
    assert view.stop.isVisible() and not view.measure.isVisible()
    assert view.chart.accessibleDescription() == "Bare model: 0 of 40. 100 % of the rows: 34 of 40."
    show(learnt, "old")
    assert not view.isVisible() and learnt.bench.jobs.running("finetune")  # it goes on while another run is looked at
    show(learnt, "tickets")
    assert view.stop.isVisible() and not view.measure.isVisible()
    view.curve = Curve("tickets", 40, LINES[:2], False, "2026-11-27T23:00:00")  # as the stage keeps it in the folder
    qtbot.mouseClick(view.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.measure.isVisible(), timeout=LONG)
    assert view.measure.text() == "Go on measuring"
    qtbot.waitUntil(lambda: "34 of 40 right" in cells(view), timeout=LONG)


def test_a_measured_curve_is_shown_with_what_the_run_adds_over_each(
    learnt: FinetunePage, project: Project, qtbot: QtBot
) -> None:
    folder = project.adapters_folder / "tickets" / "curve"
    shots = (("Box came crushed.", "{}"), ("A hum.", "{}"))
    remarks = ("The rows bring their own passages.",)
    found = Curve("tickets", 40, LINES, True, "2026-11-27T23:00:00", remarks, "/models/m.gguf", "As JSON.", shots)
    records.write_json(folder / "curve.json", found)
    view = learnt.after.curve
    show(learnt, "old")
    show(learnt, "tickets")
    assert view.chart.isVisible() and not view.measure.isVisible() and not view.cost.isVisible()
    qtbot.waitUntil(lambda: "15 of 40 right" in cells(view), timeout=LONG)
    said = cells(view)
    assert {"22 rows in the prompt", "15 of 40 right", "30 % of the rows", "loss 0.40"} <= set(said)
    assert "the run adds +48 points (+32 to +62)" in said
    assert "the run adds +10 points (\N{MINUS SIGN}5 to +24): cannot be told apart" in said
    assert "The rows bring their own passages." in view.remarks.text()
    assert "10 % of the rows: 12 of 40." in view.chart.accessibleDescription()
    assert not view.chart.grab().isNull()

    qtbot.mouseClick(view.keep, Qt.MouseButton.LeftButton)
    [lane] = compare_lanes.own_lanes(project).values()
    assert (lane.name, lane.title) == ("2-rows-of-tickets", "2 rows of tickets")
    assert lane.examples == shots and lane.system == "As JSON." and lane.adapter is None
