"""Evaluate: a suite over lanes, as a matrix; cases edited in place; answers side by side; export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QStackedWidget, QWidget

from workbench.errors import WorkbenchError
from workbench.evaluation.records import Evaluation, Suite
from workbench.ui import evaluate_source as source
from workbench.ui.bench import Bench
from workbench.ui.evaluate_board import RunBoard
from workbench.ui.evaluate_changes import UnsavedChanges
from workbench.ui.evaluate_editor import SuiteEditor
from workbench.ui.evaluate_empty import NoSuite, NotMeasured
from workbench.ui.evaluate_header import EvaluateHeader
from workbench.ui.evaluate_running import SuiteRun
from workbench.ui.evaluate_shown import Shown
from workbench.ui.evaluate_suites import SuiteActions
from workbench.ui.evaluate_tests import SuiteTests
from workbench.ui.page import Page

REDRAW_MS = 400  # while results come in, the matrix is drawn again at most this often


class EvaluatePage(Page):
    """Measure lanes on a suite."""

    title = "Evaluate"

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.sight = Shown()
        self._reading = False  # runs that were not looked at yet
        self.suite_run = SuiteRun(bench, self)
        self.suites = SuiteActions(bench, self)
        self._redraw = QTimer(self, singleShot=True)
        self._redraw.setInterval(REDRAW_MS)
        self._redraw.timeout.connect(self._show_matrix)
        self.head = EvaluateHeader(self)
        self.tests = SuiteTests(bench, lambda: self.head.lanes.chosen, self)
        self._build_body()
        self._connect()
        self.reload()

    def _build_body(self) -> None:
        self.empty, self.ready = NoSuite(self.suites.ask_name), NotMeasured(self._on_run_clicked)
        self.editor, self.board = SuiteEditor(self.bench.notices.tell), RunBoard(self.bench)
        self.changes = UnsavedChanges(self.bench, self.editor)
        self.stack = QStackedWidget()
        for each in (self.empty, self.ready, self.editor, self.board):
            self.stack.addWidget(each)
        self.body.addWidget(self.stack)

    def _connect(self) -> None:
        bench, run, head, board = self.bench, self.suite_run, self.head, self.board
        head.suite_chosen.connect(self._on_suite_chosen)
        head.results_chosen.connect(self._on_results_chosen)
        head.new_wanted.connect(self.suites.ask_name)
        head.unsaved_chosen.connect(self.create_suite)
        head.import_wanted.connect(self.suites.ask_file)
        head.run_chosen.connect(self._choose_run)
        head.export_wanted.connect(self._on_export)
        head.delete_suite_wanted.connect(lambda: self.suites.delete_suite(self.sight.suite))
        head.delete_run_wanted.connect(lambda: self.suites.ask_delete_run(self.sight.run))
        self.suites.run_deleted.connect(self.reload)
        head.edit_clicked.connect(self.edit_cases)
        head.run_clicked.connect(self._on_run_clicked)
        head.stop_clicked.connect(run.stop)
        head.drafts_wanted.connect(self._on_drafts_wanted)
        self.tests.accepted.connect(self._on_suite_chosen)
        head.sources_wanted.connect(lambda: self.tests.open_sources(self.sight.suite))
        head.drill_wanted.connect(self.tests.open_drill)
        head.judge_wanted.connect(lambda: self.tests.open_judging(self.sight.suite))
        board.answers.marked.connect(self.tests.marks.toggle)
        self.tests.marks.changed.connect(lambda: board.show_opinions(self.tests.marks.opinions))
        head.lanes.changed.connect(lambda *_: head.lanes.remember(bench))
        head.lanes.changed.connect(self._say_ready)
        self.suites.named.connect(self.create_suite)
        self.suites.imported.connect(self._on_suite_chosen)
        self.editor.saved.connect(self._on_suite_saved)
        self.editor.closed.connect(self._show_page)
        self.changes.shown.connect(self._show_editor)
        board.filters.changed.connect(self._show_matrix)
        board.filters.earlier_chosen.connect(self._on_earlier)
        board.answers.edit_wanted.connect(self._on_edit_case)
        board.answers.compare_wanted.connect(lambda question: bench.open_page("compare", question=question))
        run.answered.connect(self._on_answered)
        run.progressed.connect(board.show_progress)
        run.ended.connect(self._on_ended)
        bench.project_changed.connect(self.reload)
        bench.suite_changed.connect(self.reload)
        for signal in (bench.adapters_changed, bench.lanes_changed, bench.index_changed):
            signal.connect(self._show_lanes)

    # What it shows

    def shown(self, **what: Any) -> None:
        """Open with a `question` to add, a `case` to show, one (or "more") to `edit`, what to `show`, or to `run`."""
        if what.get("question"):
            self.add_question(str(what["question"]))
        elif what.get("edit") == "more":
            self.edit_cases()
        elif what.get("edit"):
            self._on_edit_case(str(what["edit"]))
        elif what.get("run"):
            self._on_run_clicked()
        if what.get("show"):
            self.board.filters.choose(str(what["show"]))
        if what.get("case"):
            self.board.open_case(str(what["case"]), str(what.get("lane", "")))

    def hidden(self) -> None:
        self.editor.finish_cell()

    def reload(self) -> None:
        """Read suites and runs again."""
        self.changes.use_project()
        try:
            self.sight.read_suite(self.bench.project, self.bench.recall("suite", ""))
        except WorkbenchError as error:
            self.bench.notices.error(error)
        self.changes.follow(self.sight.suite)
        self._name_suites()
        self._show_lanes()
        self._start_reading()

    def _start_reading(self) -> None:
        """Have runs that were not looked at yet read in the background; the others are there at once."""
        project = self.bench.project
        self._reading = source.has_unread_runs(project)
        if not self._reading:
            self._read_runs()
            return
        job = self.bench.jobs.start(
            self.tr("Reading results"), lambda: source.read_runs(project), kind="evaluate", quiet=True
        )
        job.finished.connect(lambda: self._read_runs() if project is self.bench.project else None)
        self._show_page()

    def _read_runs(self) -> None:
        """The newest run is shown; one that was stopped before its end goes before it, as it can be gone on with."""
        self._reading = False
        self.sight.show_runs(self.bench.project, source.list_runs(self.bench.project))
        self._name_suites()
        suite, runs = self.sight.suite, self.sight.runs_of_suite
        if not self.suite_run.busy:
            self.suite_run.forget()
            if suite is not None:
                kept = source.stopped_run(self.bench.project, suite)
                chosen = [lane.name for lane in self.head.lanes.chosen]
                self.suite_run.show_stopped(kept, chosen, len(suite.cases))
        self._choose_run(None if self.suite_run.results or not runs else runs[-1])

    def _choose_run(self, run: Evaluation | None) -> None:
        before = self.sight.choose(run)
        self.head.show_runs(self.sight, self.suite_run)
        self.board.filters.show_earlier(before, self.sight.earlier)
        self._show_page()

    def _on_earlier(self, run: Evaluation) -> None:
        self.sight.earlier = run
        self.board.filters.name_earlier(run)
        self._show_matrix()

    def _show_lanes(self) -> None:
        self.head.lanes.recall(self.bench)
        self._say_ready()

    def _show_page(self) -> None:
        """The editor, the matrix or what is missing for it."""
        live, run, suite = self.suite_run, self.sight.run, self.sight.suite
        stopped = not live.busy and run is None and bool(live.results)
        if self.editor.dirty:
            page: QWidget = self.editor  # until they are saved or discarded, changes stay in sight
        elif self._reading:
            page = self.board
        elif suite is None and run is None:
            page = self.empty
        else:
            page = self.ready if run is None and not live.busy and not stopped else self.board
        self._say_ready()
        self.stack.setCurrentWidget(page)
        self.head.arrange(self.sight, live.busy, stopped, page is self.board)
        if page is self.editor:
            self.head.hide_actions()
        self.board.strip.setVisible(live.busy or stopped)
        if stopped:
            self.board.say_stopped(len(live.results), live.total)
        self._show_matrix()

    def _say_ready(self, *_: object) -> None:
        if self.sight.suite is not None:
            self.ready.say(self.sight.suite, len(self.head.lanes.chosen))

    def _show_matrix(self) -> None:
        live, suite = self.suite_run, self.sight.suite
        run = self.sight.run if not live.busy else None
        if run is not self.tests.marks.run:
            self.tests.marks.show_run(run)
        if run is not None:
            earlier = self.sight.earlier.results if self.sight.earlier is not None else ()
            self.board.show_run(run, suite, self.sight.matter(), earlier)
        else:
            self.board.show_run(None, suite, (live.lanes, live.results, suite.cases if suite is not None else ()))

    # Suites

    def _name_suites(self) -> None:
        editing = self.editor.suite.name if self.editor.dirty and self.editor.suite is not None else ""
        self.head.show_suites(self.sight, self.changes.unsaved(self.sight.files), editing)

    def _on_suite_chosen(self, path: Path) -> None:
        self.changes.leave(path)
        self.bench.remember(suite=path.name)
        self.bench.suite_changed.emit()

    def _on_results_chosen(self, name: str) -> None:
        self.changes.leave()
        self.sight.show_results(name)
        self.head.name_suite(name)
        runs = self.sight.runs_of_suite
        self._choose_run(runs[-1] if runs else None)

    def _on_drafts_wanted(self) -> None:
        if self.stack.currentWidget() is self.editor:
            self.bench.notices.tell(self.tr("Save the cases first, or close them: drafts go into the same suite."))
        else:
            self.tests.open_drafts(lambda: self.sight.suite)

    def create_suite(self, name: str) -> None:
        """Begin a suite with one empty case; it is a file once it is saved."""
        file = self.changes.file_of(name) or source.new_suite_file(self.bench.project, name)
        self.changes.leave(file)
        self.sight.suite, self.sight.run = Suite(file, name, (), ""), None
        self.head.name_suite(name)
        self.edit_cases()
        if not self.editor.model.drafts:
            self.editor.add.click()

    def edit_cases(self) -> None:
        """Show the cases of the suite as a table."""
        if self.sight.suite is not None:
            self.tests.close_drafts()  # what is accepted would change the file under the editor
            self.changes.leave(self.sight.suite.path)
            self.changes.open(self.sight.suite)

    def _show_editor(self) -> None:
        self.stack.setCurrentWidget(self.editor)
        self.head.hide_actions()

    def add_question(self, question: str) -> None:
        """Begin a case with a question that was asked elsewhere."""
        if self.sight.suite is None:
            self.create_suite(self.tr("My questions"))
            self.editor.model.setData(self.editor.model.index(0, 0), question)
            return
        self.edit_cases()
        self.editor.add_question(question)

    def _on_edit_case(self, case: str) -> None:
        self.edit_cases()
        ids = [draft.id for draft in self.editor.model.drafts]
        if case in ids:
            self.editor.table.setCurrentIndex(self.editor.model.index(ids.index(case), 0))

    def _on_suite_saved(self, suite: Suite) -> None:
        self.sight.suite = suite
        self._on_suite_chosen(suite.path)

    # Running

    def _on_run_clicked(self) -> None:
        suite, lanes = self.sight.suite, self.head.lanes.chosen
        if suite is None or not suite.cases or self.suite_run.busy:
            return
        if not lanes:
            self.bench.notices.tell(self.tr("Choose at least one lane to run the suite over."), "warning")
            return
        self.board.say_starting()
        self.suite_run.start(suite, lanes, self.head.lanes.measuring)
        self._show_page()

    def _on_answered(self) -> None:
        if not self._redraw.isActive():
            self._redraw.start()

    def _on_ended(self, stopped: bool) -> None:
        if stopped and not self.isVisible():  # the page itself says so
            said = self.tr("Stopped. {0} answers are kept, and Go on asks the rest.")
            self.bench.notices.tell(said.format(len(self.suite_run.results)))
        self._start_reading()
        self.bench.results_changed.emit()

    def _on_export(self, kind: str) -> None:
        if self.sight.run is not None:
            self.suites.ask_place(kind, self.sight.run, self.sight.suite)
