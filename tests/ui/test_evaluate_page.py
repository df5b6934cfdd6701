"""The Evaluate page as a person uses it: look, filter, click, run, stop, compare, export."""

from __future__ import annotations

import csv
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_up_project import RIGHT, make_cases, make_evaluation, make_results, make_suite
from PySide6.QtCore import QModelIndex, QRect, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from workbench.evaluation.records import CaseResult, CheckOutcome, Measuring
from workbench.evaluation.results import open_run
from workbench.events import Note, Progress, Result, Stage
from workbench.project import Project
from workbench.ui import evaluate_source
from workbench.ui.bench import Bench
from workbench.ui.compare_keep import add_case
from workbench.ui.evaluate_model import MatrixModel
from workbench.ui.evaluate_page import EvaluatePage
from workbench.ui.evaluate_rows import MatrixFilter, build_matrix, build_rows, short_reason

LANES = tuple(RIGHT)


@pytest.fixture
def lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    from conftest import make_lane

    monkeypatch.setattr(
        evaluate_source, "all_lanes", lambda project: tuple(make_lane(name) for name in ("base", "rag"))
    )


@pytest.fixture
def page(bench: Bench, lanes: None, qtbot: QtBot, project: Project) -> Iterator[EvaluatePage]:
    suite = make_suite(project, copies=1)
    make_evaluation(project, suite, "earlier", "2026-11-18T10:00:00", seed=3)
    make_evaluation(project, suite, "later", "2026-11-20T21:00:00", seed=7)
    made = EvaluatePage(bench)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    qtbot.waitUntil(lambda: len(made.sight.runs) == 2, timeout=30_000)
    yield made


def shown_cases(page: EvaluatePage) -> int:
    return sum(len(group.rows) for group in page.board.model.matrix.groups)


def test_the_matrix_keeps_the_rules_of_models(qtbot: QtBot, project: Project) -> None:
    model = MatrixModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    suite = make_suite(project, copies=1)
    rows = build_rows(suite.cases, make_results(suite.cases))
    for wanted in (MatrixFilter(), MatrixFilter(show="failures", kind="fact"), MatrixFilter(text="nothing like it")):
        model.show_matrix(build_matrix(rows, LANES, wanted))
    assert model.rowCount() == 0


def test_without_a_suite_the_page_teaches_with_one_action(bench: Bench, lanes: None, qtbot: QtBot) -> None:
    page = EvaluatePage(bench)
    qtbot.addWidget(page)
    page.show()
    assert page.stack.currentWidget() is page.empty
    page.create_suite("Warranty")
    assert page.stack.currentWidget() is page.editor and page.editor.model.rowCount() == 1


def test_the_newest_run_is_shown_with_rates_in_the_heads(page: EvaluatePage) -> None:
    assert page.sight.run is not None and page.sight.run.name == "later"
    assert page.board.view.head.lanes == LANES
    assert page.board.view.head.summaries["base"].overall.total == 16
    assert "16 cases" in page.board.caption.text() and page.board.labels_said.text().startswith("Every lane")
    why = "The adapter differs from the one that was measured, " + "and so on. " * 30
    page.sight.run = replace(page.sight.run, canaries={"rag": why})
    page._show_matrix()
    assert page.board.labels_said.text() == f"Documents (RAG): {why}" and page.board.labels_said.wordWrap()
    group = page.board.model.index(0, 1)
    assert group.data() == "{} of {}".format(*page.board.model.matrix.groups[0].passed["base"])
    assert not page.grab().isNull()


def test_chips_kinds_and_words_filter(page: EvaluatePage, qtbot: QtBot) -> None:
    counts = page.board.model.matrix.counts
    for name in ("failures", "disagreements", "changed", "all"):
        qtbot.mouseClick(page.board.filters.chips.chip(name), Qt.MouseButton.LeftButton)
        assert shown_cases(page) == counts[name]
    page.board.filters.kind.setCurrentIndex(page.board.filters.kind.findData("behaviour"))
    assert shown_cases(page) == 5
    qtbot.keyClicks(page.board.filters.find_line, "polish")
    assert shown_cases(page) == 1


def test_a_click_opens_the_answers_side_by_side(page: EvaluatePage, bench: Bench, qtbot: QtBot) -> None:
    index = page.board.model.index(0, 2, page.board.model.index(0, 0))
    page.board.view.setCurrentIndex(index)
    page.board.view.setFocus()
    qtbot.keyClick(page.board.view, Qt.Key.Key_Return)
    assert page.board.answers.isVisible()
    assert page.board.answers._lanes.count() == len(LANES)
    asked: list[dict[str, Any]] = []
    bench.page_requested.connect(lambda name, what: asked.append({name: what}))
    page.board.answers._on_ask_clicked()
    assert asked == [{"compare": {"question": "How long is the warranty on the X2?"}}]
    page.board.answers._on_edit_clicked()
    assert page.stack.currentWidget() is page.editor


def test_groups_fold_by_a_click(page: EvaluatePage) -> None:
    group = page.board.model.index(0, 0)
    assert page.board.view.isExpanded(group)
    page.board.view.clicked.emit(group)
    assert not page.board.view.isExpanded(group)


def test_a_failure_says_what_was_said_where_that_is_short() -> None:
    def reason(text: str, check: str = "contains") -> str:
        answer = replace(make_results(make_cases(1))[0].answer, text=text, stopped="end")
        return short_reason(
            CaseResult("a", "fact", "rag", False, answer, (CheckOutcome(check, False, "expects “36”"),))
        )

    assert reason("12 months [1].") == "says 12 months"
    assert reason("I could not find this in the documents.") == "no answer" == reason("  ")
    assert reason("The warranty is usually twelve months, but it depends on the seller.") == "expects “36”"
    assert reason("12 months", "max_words") == "expects “36”", "what another check says is not about the text"


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_question_begins_beside_its_fold_also_from_right_to_left(page: EvaluatePage, mirrored: bool) -> None:
    """The room a level is indented by is at the side the text begins at: nothing is written over the lanes."""
    view = page.board.view
    view.setLayoutDirection(Qt.LayoutDirection.RightToLeft if mirrored else Qt.LayoutDirection.LeftToRight)
    rect = view.visualRect(page.board.model.index(0, 0, page.board.model.index(0, 0)))
    edge = 8  # pixels at the side of the question that is next to the lanes
    strip = QRect(rect.left() if mirrored else rect.right() - edge + 1, rect.top() + 4, edge, rect.height() - 8)
    seen = view.viewport().grab(strip).toImage()
    ground = seen.pixel(0, 0)
    assert {seen.pixel(x, y) for x in range(seen.width()) for y in range(seen.height())} == {ground}


class ScriptedRun:
    """An evaluation that answers when it is let."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.measuring: Measuring | None = None

    def stage(self, suite: Any, lanes: Any, project: Path, knowledge: Any, engine: Any, measuring: Measuring) -> Stage:
        self.measuring = measuring
        results = make_results(suite.cases, lanes=("base", "rag"))
        kept = open_run(project, suite, lanes)
        yield Note("3 of 32 answers are kept from before; going on with the rest.")
        for done, result in enumerate(results[:5], start=1):
            kept.keep(result)
            yield Result(result)
            yield Progress(done, len(results), "Base: case 5 of 16", "cases", seconds_left=40.0)
        while not self.go.wait(0.02):
            yield Progress(5, len(results), "Base: case 6 of 16", "cases")
        evaluation = make_evaluation(Project.open(project), suite, "newest", "2026-11-21T09:00:00", seed=9)
        shutil.rmtree(kept.folder)  # the real one finishes this very folder
        yield Result(evaluation)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> ScriptedRun:
    made = ScriptedRun()
    monkeypatch.setattr("workbench.evaluation.evaluate.evaluate", made.stage)
    return made


def test_a_run_fills_the_matrix_as_it_goes_and_is_shown_at_its_end(
    page: EvaluatePage, scripted: ScriptedRun, bench: Bench, qtbot: QtBot
) -> None:
    qtbot.mouseClick(page.head.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.board.progress_text.text() == "5 of 32 answers", timeout=30_000)
    qtbot.waitUntil(lambda: page.board.view.head.counts.get("base", (0, 0))[1] == 5, timeout=30_000)
    assert page.head.stop.isVisible() and not page.head.run.isVisible()
    with qtbot.waitSignal(bench.results_changed, timeout=30_000):
        scripted.go.set()
    qtbot.waitUntil(lambda: page.sight.run is not None and page.sight.run.name == "newest", timeout=30_000)
    assert page.head.run.isVisible() and not page.board.strip.isVisible()


def test_a_run_that_is_stopped_stays_in_sight_and_goes_on(
    page: EvaluatePage, scripted: ScriptedRun, bench: Bench, qtbot: QtBot
) -> None:
    page.head.run.click()
    qtbot.waitUntil(lambda: page.board.progress_text.text() == "5 of 32 answers", timeout=30_000)
    with qtbot.waitSignal(bench.results_changed, timeout=30_000):
        qtbot.mouseClick(page.head.stop, Qt.MouseButton.LeftButton)
    assert page.board.progress_text.text() == "5 of 32 answers" and page.board.strip.isVisible()
    assert page.board.view.head.lanes == ("base", "rag") and page.board.view.head.counts["base"][1] == 5
    assert page.sight.run is None and page.head.run.text() == "Go on"
    menu = page.head.run_menu.actions()
    assert menu[0].text() == "Stopped run, 5 of 32 answers"
    menu[1].trigger()
    assert page.sight.run is not None and page.sight.run.name == "later" and not page.board.strip.isVisible()
    page.reload()  # as at the next start
    assert page.head.run.text() == "Go on" and page.board.progress_text.text() == "5 of 32 answers"
    with qtbot.waitSignal(bench.results_changed, timeout=30_000):
        scripted.go.set()
        qtbot.mouseClick(page.head.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.sight.run is not None and page.sight.run.name == "newest", timeout=30_000)


def test_a_run_stopped_behind_another_page_says_so(
    page: EvaluatePage, scripted: ScriptedRun, bench: Bench, qtbot: QtBot
) -> None:
    said: list[str] = []
    bench.notices.attach(lambda notice: said.append(notice.message))
    page.head.run.click()
    qtbot.waitUntil(lambda: page.board.progress_text.text() == "5 of 32 answers", timeout=30_000)
    page.hide()
    with qtbot.waitSignal(bench.results_changed, timeout=30_000):
        page.suite_run.stop()
    assert said[-1] == "Stopped. 5 answers are kept, and Go on asks the rest."


def test_how_a_run_measures_is_chosen_beside_its_lanes_and_kept(
    page: EvaluatePage, scripted: ScriptedRun, bench: Bench, qtbot: QtBot
) -> None:
    assert page.head.lanes.measuring == Measuring() and page.head.lanes.button.text() == "2 lanes"
    for action in page.head.lanes.menu.actions():
        if action.text().startswith(("Each question 3 times", "Forget")):
            action.trigger()
    assert page.head.lanes.button.text() == "2 lanes"
    page.reload()  # as at the next start
    scripted.go.set()
    with qtbot.waitSignal(bench.results_changed, timeout=30_000):
        page.head.run.click()
    assert scripted.measuring == Measuring(repeats=3, cold=True)


def test_a_suite_is_deleted_with_a_way_back_and_a_run_for_good(page: EvaluatePage, bench: Bench) -> None:
    suite, run, said = page.sight.suite, page.sight.run, list[Any]()
    assert suite is not None and run is not None
    bench.notices.attach(said.append)
    page.head.delete_suite_wanted.emit()
    assert not suite.path.exists() and page.sight.suite is None
    said[-1].action()
    assert page.sight.suite is not None and page.sight.suite.hash == suite.hash
    page.suites.delete_run(run)
    assert [each.name for each in page.sight.runs] == ["earlier"] and not run.folder.exists()
    page.suites.delete_run(replace(run, folder=bench.project.folder))
    assert said[-1].level == "error" and bench.project.folder.exists()


def test_a_filter_that_leaves_nothing_says_so_and_can_be_taken_off(page: EvaluatePage, qtbot: QtBot) -> None:
    qtbot.keyClicks(page.board.filters.find_line, "no such words anywhere")
    assert page.board.matrix.currentWidget() is page.board.nothing
    qtbot.mouseClick(page.board.nothing.action, Qt.MouseButton.LeftButton)
    assert page.board.matrix.currentWidget() is page.board.view and shown_cases(page) == 16


def test_no_lane_chosen_is_said_in_place_of_running(page: EvaluatePage, bench: Bench, qtbot: QtBot) -> None:
    said: list[str] = []
    bench.notices.attach(lambda notice: said.append(notice.message))
    for action in page.head.lanes.menu.actions():
        action.setChecked(False)
    page.head.run.click()
    assert said == ["Choose at least one lane to run the suite over."]
    assert bench.recall("evaluate_lanes") == []


def test_a_run_is_exported_as_a_table(page: EvaluatePage, tmp_path: Path, bench: Bench, qtbot: QtBot) -> None:
    said: list[str] = []
    bench.notices.attach(lambda notice: said.append(notice.message))
    assert page.sight.run is not None
    page.suites.export("csv", tmp_path / "run.csv", page.sight.run, page.sight.suite)
    qtbot.waitUntil(lambda: bool(said))
    assert said == [f"Written: {tmp_path / 'run.csv'}"]
    assert len(list(csv.reader((tmp_path / "run.csv").open(encoding="utf-8-sig")))) == 1 + 16 * len(LANES)


def test_a_dossier_is_exported_with_all_texts_or_without_them(
    page: EvaluatePage, tmp_path: Path, bench: Bench, qtbot: QtBot
) -> None:
    said: list[str] = []
    bench.notices.attach(lambda notice: said.append(notice.message))
    assert page.sight.run is not None
    texts = {}
    for kind in ("json", "html", "redacted"):
        page.suites.export(kind, tmp_path / kind, page.sight.run, page.sight.suite)
        qtbot.waitUntil(lambda: f"Written: {tmp_path / kind}" in said, timeout=20_000)  # noqa: B023 - waited for at once
        texts[kind] = (tmp_path / kind).read_text(encoding="utf-8")
    answer = "The warranty is usually twelve months."
    assert [answer in text for text in texts.values()] == [True, True, False]
    assert json.loads(texts["json"])["tests"] == {"left_out": [], "sources": None, "drill": None}


def test_a_question_from_compare_becomes_a_case(page: EvaluatePage) -> None:
    page.shown(question="Is it waterproof?")
    assert page.stack.currentWidget() is page.editor
    assert any(draft.question == "Is it waterproof?" for draft in page.editor.model.drafts)


def test_unsaved_changes_to_a_suite_stay_whatever_happens_beside_them(
    page: EvaluatePage, bench: Bench, project: Project, qtbot: QtBot
) -> None:
    page.edit_cases()
    page.editor.model.setData(page.editor.model.index(0, 0), "Changed?")
    file = page.sight.suite.path if page.sight.suite is not None else Path()
    add_case(file, "From Compare?", "unanswerable", {"refuses": True}, None)
    bench.suite_changed.emit()  # as "Add to suite" does
    page._on_ended(stopped=False)
    page.shown(question="Is it waterproof?")
    questions = [draft.question for draft in page.editor.model.drafts]
    assert page.stack.currentWidget() is page.editor and page.head.run.isHidden()
    assert {"Changed?", "From Compare?", "Is it waterproof?"} <= set(questions)
    page.create_suite("Returns")
    assert page.head.suite_picker.text() == "Returns" and page.editor.model.rowCount() == 1
    again = EvaluatePage(bench)  # as after a restart
    qtbot.addWidget(again)
    assert [entry.text() for entry in again.head.suite_menu.actions()][1] == "Returns, not saved yet"
    again.edit_cases()
    assert [draft.question for draft in again.editor.model.drafts] == questions and again.editor.dirty
    again.editor.cancel.click()
    again.edit_cases()
    assert not again.editor.dirty and again.editor.model.drafts[0].question != "Changed?"


def test_an_index_of_nothing_has_no_parent(page: EvaluatePage) -> None:
    assert not page.board.model.parent(QModelIndex()).isValid()


def test_a_run_is_read_once_in_the_background_and_a_damaged_one_is_left_out(
    bench: Bench, lanes: None, project: Project, qtbot: QtBot
) -> None:
    suite = make_suite(project, copies=1)
    good = make_evaluation(project, suite, "good", "2026-11-18T10:00:00")
    bad = make_evaluation(project, suite, "bad", "2026-11-19T10:00:00")
    (bad.folder / "evaluation.json").write_text("{", encoding="utf-8")
    assert evaluate_source.has_unread_runs(project)
    page = EvaluatePage(bench)
    qtbot.addWidget(page)
    page.show()
    assert page.stack.currentWidget() is page.board and page.sight.run is None, "nothing is claimed while it is read"
    qtbot.waitUntil(lambda: page.sight.run is not None, timeout=30_000)
    assert [run.name for run in page.sight.runs] == ["good"] and not evaluate_source.has_unread_runs(project)
    assert evaluate_source.list_runs(project)[0] is page.sight.runs[0]
    make_evaluation(project, suite, good.name, "2026-11-20T10:00:00", seed=8)
    assert evaluate_source.has_unread_runs(project)


def test_results_of_a_suite_that_lies_elsewhere_are_shown_under_its_name(
    bench: Bench, lanes: None, project: Project, qtbot: QtBot
) -> None:
    suite = make_suite(project, copies=1)
    make_evaluation(project, suite, "only", "2026-11-18T10:00:00")
    suite.path.unlink()
    page = EvaluatePage(bench)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: page.sight.run is not None, timeout=30_000)
    assert page.head.suite_picker.text() == suite.name and page.sight.suite is None
    assert page.stack.currentWidget() is page.board and shown_cases(page) == 16
    assert page.head.export.isVisible() and not page.head.run.isVisible() and not page.head.edit.isVisible()
    assert any(suite.name in action.text() for action in page.head.suite_menu.actions())
    assert page.sight.run is not None
    page.suites.export("html", project.folder / "run.html", page.sight.run, page.sight.suite)
    qtbot.waitUntil(lambda: (project.folder / "run.html").is_file(), timeout=30_000)
    qtbot.waitUntil(lambda: not bench.jobs.running(), timeout=30_000)


def test_a_table_of_questions_becomes_a_suite(page: EvaluatePage, tmp_path: Path) -> None:
    table = tmp_path / "questions.csv"
    table.write_text("question,expected\nWhat is the capital of France?,Paris\nHow many legs has a horse?,four|4\n")
    page.suites.take(table)
    assert page.sight.suite is not None and [case.question for case in page.sight.suite.cases] == [
        "What is the capital of France?",
        "How many legs has a horse?",
    ]
    assert page.sight.suite.cases[1].checks == ({"contains": ["four", "4"]},)
