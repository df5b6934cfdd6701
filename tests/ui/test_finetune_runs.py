"""Runs of the Fine-tune page: two beside each other, one that fails, one that goes on from where it was left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up_project import make_run
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot
from scripted_trainer import Trainer, script_tuning

from workbench import records
from workbench.errors import ChildCrashed, InputError
from workbench.events import Progress, Result, Stage, Step
from workbench.lanes.presets import find_lane, standard_lanes
from workbench.project import Project
from workbench.tuning import tune
from workbench.tuning.recipe import Recipe
from workbench.ui import compare_lanes, finetune_run_actions
from workbench.ui import finetune_source as source
from workbench.ui.bench import Bench
from workbench.ui.compare_heads import LaneHead
from workbench.ui.finetune_page import FinetunePage
from workbench.ui.finetune_run import outcome_words, passes_of
from workbench.ui.finetune_runs import RunsSheet
from workbench.ui.finetune_samples import question_of
from workbench.ui.finetune_versus import VersusSheet, differences

LONG = 30_000  # milliseconds, for a busy machine


@pytest.fixture
def trainer(project: Project, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    return script_tuning(project, monkeypatch)


@pytest.fixture
def page(bench: Bench, trainer: Trainer, project: Project, qtbot: QtBot) -> Iterator[FinetunePage]:
    make_run(project, "tickets-v1", 92, 92, "done")
    make_run(project, "tickets-v2", 92, 138, "stopped")
    made = FinetunePage(bench)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    yield made
    trainer.go.set()


def sheets_of(bench: Bench) -> list[Any]:
    shown: list[Any] = []
    bench.sheet_requested.connect(shown.append)
    return shown


def test_two_runs_are_seen_beside_each_other(page: FinetunePage, bench: Bench, project: Project, qtbot: QtBot) -> None:
    shown = sheets_of(bench)
    qtbot.mouseClick(page.earlier, Qt.MouseButton.LeftButton)
    runs = shown[-1]
    assert isinstance(runs, RunsSheet)
    qtbot.addWidget(runs)
    runs.show()
    assert not runs.versus.isEnabled()
    for row in runs.rows:
        qtbot.mouseClick(row.tick, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(runs.versus, Qt.MouseButton.LeftButton)
    sheet = shown[-1]
    assert isinstance(sheet, VersusSheet)
    qtbot.addWidget(sheet)
    said = {each.text() for each in sheet.findChildren(QLabel)}
    assert {"92 of 92", "92 of 138", "2 of 3", "Both have the same settings"} <= said
    assert "tickets-v1: 0.79 to" in sheet.chart.accessibleDescription()
    assert not sheet.grab().isNull()
    assert not [each for each in sheet.findChildren(QPushButton) if each.text() == "Ask both"], "one is not done"


def test_two_runs_that_are_done_are_asked_together(
    page: FinetunePage, bench: Bench, project: Project, qtbot: QtBot
) -> None:
    recipe = records.read_json(make_run(project, "tickets-v3", 138, 138, "done") / "recipe.json")
    records.write_json(project.adapters_folder / "tickets-v3" / "recipe.json", {**recipe, "rank": 32, "layers": [1, 2]})
    runs = {run.name: run for run in source.list_runs(project)}
    first, second = runs["tickets-v1"], runs["tickets-v3"]
    assert differences(first, second) == (("Rank", "\N{EN DASH}", "32"), ("Layers", "all", "2"))
    shown, opened = sheets_of(bench), []
    bench.page_requested.connect(lambda name, what: opened.append((name, what)))
    page.runs.show_versus(first, second)
    qtbot.addWidget(shown[-1])
    next(each for each in shown[-1].findChildren(QPushButton) if each.text() == "Ask both").click()
    name, what = opened[-1]
    assert name == "compare" and what["lanes"] == ["base", "tuned:tickets-v1", "tuned:tickets-v3"] and what["ask"]


HELD_OUT = {
    "rows": 32, "before": 2.1, "after": 0.52, "change": -1.58, "interval": [-1.8, -1.41], "improved": 0.96875,
    "step": 60, "planned_steps": 184,
}  # fmt: skip
GENERAL = {
    "before": 4.0, "after": 4.4, "change": 0.4, "interval": [0.3, 0.5], "share": 0.1, "worse": True, "questions": 8,
    "words_before": 21.0, "words_after": 9.0, "refused_before": 0.0, "refused_after": 0.125, "same": 0.25,
    "another_manner": False,
}  # fmt: skip


def measure(project: Project, name: str, **general: Any) -> None:
    """Put into a finished run's manifest what it did."""
    path = project.adapters_folder / name / "manifest.json"
    effects = {"held_out": HELD_OUT, "general": {**GENERAL, **general}}
    records.write_json(path, {**records.read_json(path), "effects": effects})


def test_a_finished_run_says_what_it_did(page: FinetunePage, project: Project) -> None:
    view = page.run.effects
    page.shown(run="tickets-v1")
    assert not view.isVisible(), "it was never measured"
    measure(project, "tickets-v1")
    page.read_runs()
    page.shown(run="tickets-v1")
    assert view.isVisible() and view.forgot.isVisible() and not view.manner.isVisible()
    assert view.texts[:3] == (
        "Held-out rows",
        "2.10 \N{RIGHTWARDS ARROW} 0.52",
        "loss -1.58, with 95 % confidence -1.80 to -1.41; 31 of 32 rows got better".replace("-", "\N{MINUS SIGN}")
        + "; they also chose the state that is kept, which flatters it a little",
    )
    assert view.texts[5] == "loss +10.0 %: clearly worse"
    assert view.texts[8] == "2 of 8 answered as before; 9 words each instead of 21; 1 refused, before it 0"
    measure(project, "tickets-v1", words_interval=[-15.0, -9.0], refused_interval=[-0.2, 0.47])
    page.read_runs()
    page.shown(run="tickets-v1")
    assert view.texts[8] == (
        "2 of 8 answered as before; 9 words each instead of 21 (-12, with 95 % confidence -15 to -9); "
        "1 refused, before it 0 (+12 %, with 95 % confidence -20 to +47)"
    ).replace("-", "\N{MINUS SIGN}")
    assert page.run.course.epochs == 1.5  # half of three passes, for it ended early
    measure(project, "tickets-v1", worse=False, share=-0.01, another_manner=True)
    page.read_runs()
    page.shown(run="tickets-v1")
    assert not view.forgot.isVisible() and len(view.texts) == 9 and view.manner.isVisible()
    assert view.texts[5] == "loss \N{MINUS SIGN}1.0 %: little changed"
    page.shown(run="tickets-v2")
    assert not view.isVisible()


def test_a_run_that_fails_says_why_and_can_go_on(
    page: FinetunePage, trainer: Trainer, project: Project, bench: Bench, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    said: list[str] = []
    bench.notices.attach(lambda notice: said.append(notice.message))

    def fails(recipe: Recipe, anew: bool = False) -> Stage:
        make_run(project, recipe.name, 40, 138, "failed")
        yield Step(40, 138, 0.4, None, 268.0, 80.0)
        raise ChildCrashed("The fine-tune ran out of memory.")

    monkeypatch.setattr(source, "start_and_watch", fails)
    page.shown(run="tickets-v2")
    qtbot.mouseClick(page.resume, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(said) and not page.watch.busy, timeout=LONG)
    assert said == ["The fine-tune ran out of memory."]
    assert page.run.course.state == "failed" and page.run.sign.isVisibleTo(page) and page.resume.isVisible()


def test_one_run_at_a_time(page: FinetunePage, trainer: Trainer, bench: Bench, qtbot: QtBot) -> None:
    said: list[str] = []
    bench.notices.attach(lambda notice: said.append(notice.message))
    page.shown(run="tickets-v2")
    page.resume.click()
    qtbot.waitUntil(lambda: page.run.course.step > 0 and page.watch.busy, timeout=LONG)
    page.runs.resume(next(run for run in page.runs.known if run.name == "tickets-v1"))
    assert said == ["tickets-v2 is being trained. Once it is done or stopped, tickets-v1 can go on."]


def test_another_project_leaves_the_run_alone(
    page: FinetunePage, trainer: Trainer, bench: Bench, tmp_path: Path, qtbot: QtBot
) -> None:
    page.shown(run="tickets-v2")
    page.resume.click()
    qtbot.waitUntil(lambda: page.run.course.step > 0, timeout=LONG)
    job = bench.jobs.running("finetune")[0]
    bench.use_project(Project.open(tmp_path / "other"))
    qtbot.waitUntil(lambda: not job.running, timeout=LONG)
    assert trainer.stopped == [] and page.run.course.step == 0 and not page.watch.busy
    assert job.message == "It goes on by itself; its project shows it again."


def test_a_run_that_goes_on_is_followed_from_its_own_start(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run(project, "again", 40, 138, "failed")
    recipe = Recipe("again", Path("m"), (), folder)
    records.write_json(folder / "run.json", {"pid": 7, "started": 0.0})  # the child said who it is, and nothing more
    monkeypatch.setattr(tune, "finished", lambda recipe: None)
    monkeypatch.setattr(tune, "start", lambda recipe, anew: iter(()))
    watched: list[int] = []

    def watch(folder: Path) -> Stage:
        watched.append(len(records.read_lines(folder / "events.jsonl")))
        yield Result(None)

    monkeypatch.setattr(tune, "watch", watch)
    stage = source.start_and_watch(recipe)
    assert isinstance(next(stage), Progress) and not watched
    records.append_line(folder / "events.jsonl", {"kind": "start", "value": {"pid": 7}})
    assert isinstance(list(stage)[-1], Result) and len(watched) == 1


def test_what_a_run_says_is_in_the_words_of_the_window() -> None:
    on = "; start it again under the same name to go on."
    assert outcome_words(f"Stopped. The work up to step 4 of 9 is kept{on}").endswith("Go on continues from there.")
    assert outcome_words(f"Stopped. Nothing was trained yet{on}").endswith("; Go on starts it anew.")
    assert passes_of(2.5, 0.0) == 2.5 and passes_of(2.5, 1.5) == 0.0
    assert question_of("[1] a.md\nText\n\nQuestion: How long?") == "How long?" and question_of(" Hi ") == "Hi"


def test_a_fine_tune_that_differs_in_llama_cpp_is_marked_and_used_only_when_a_person_says_so(
    bench: Bench, trainer: Trainer, project: Project, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(project, "askew", 92, 92, "done")
    manifest = records.read_json(folder / "manifest.json")
    parity = {"ok": False, "verdict": "In llama.cpp 40% of 90 greedy tokens agree with the trained model."}
    records.write_json(folder / "manifest.json", {**manifest, "parity_ok": False, "parity": parity})
    page = FinetunePage(bench)
    qtbot.addWidget(page)
    sheet = RunsSheet(page.runs.known)
    qtbot.addWidget(sheet)
    assert sheet.rows[0].doubt.isVisibleTo(sheet) and sheet.rows[0].doubt.property("kind") == "bad"
    assert page.run.outcome.property("kind") == "bad"
    assert not [name for name in standard_lanes(project) if "tuned" in name]
    with pytest.raises(InputError, match="tuned:askew"):
        find_lane(project, "tuned")

    answers, opened = [False, True], list[Any]()
    monkeypatch.setattr(finetune_run_actions, "confirm_anyway", lambda *_: answers.pop(0))
    monkeypatch.setattr(bench, "open_page", lambda *_, **what: opened.append(what["lanes"]))
    for _ in range(3):  # refused, agreed to, and not asked again
        page.runs.compare(page.runs.known[0])
    assert opened == [["base", "tuned:askew"]] * 2 and not answers
    lane = standard_lanes(project)["tuned:askew"]
    head = LaneHead(lambda *_: None)
    qtbot.addWidget(head)
    for shown, letter in ((lane, ""), (lane, "A"), (standard_lanes(project)["base"], "")):
        head.show_lane(shown, letter)
        assert head.doubt.isVisibleTo(head) == (shown is lane and not letter)
    assert compare_lanes.shown_lanes(project) == [standard_lanes(project)[name] for name in ("base", "prompted", "rag")]


def test_a_run_that_cannot_go_on_starts_anew_only_when_a_person_says_so(
    page: FinetunePage, trainer: Trainer, project: Project, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, asked = [False, True], list[tuple[float, Any]]()

    def confirm(run: Any, other: Any, parent: Any) -> bool:
        asked.append((run.slower, other))
        return answers.pop(0)

    monkeypatch.setattr(finetune_run_actions, "confirm_anew", confirm)
    monkeypatch.setattr(source, "differences", lambda recipe: ("other rows",))
    page.shown(run="tickets-v2")
    page.resume.click()
    assert asked == [(0.0, ("other rows",))] and trainer.started == []

    end = {"state": "failed", "outcome": "The loss rose.", "error": "TooFast", "slower": 1e-4}
    records.append_line(project.adapters_folder / "tickets-v2" / "events.jsonl", {"kind": "end", "value": end})
    page.read_runs()
    page.shown(run="tickets-v2")
    assert page.resume.text() == "Start anew, slower…"
    page.resume.click()
    qtbot.waitUntil(lambda: bool(trainer.started), timeout=LONG)
    assert asked[1:] == [(1e-4, ())] and trainer.anew == [True] and trainer.started[0].learning_rate == 1e-4
