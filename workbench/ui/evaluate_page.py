"""Evaluate: a suite over lanes, as a matrix; cases edited in place; answers side by side; export."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMenu, QSplitter, QStackedWidget, QWidget

from workbench.errors import WorkbenchError
from workbench.evaluation.records import Case, CaseResult, Evaluation, Suite
from workbench.evaluation.suite import read_suite, suite_files
from workbench.events import Progress
from workbench.ui import evaluate_source as source
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.evaluate_answers import AnswersPanel
from workbench.ui.evaluate_editor import SuiteEditor
from workbench.ui.evaluate_filters import FilterLine
from workbench.ui.evaluate_lanes import LanesPicker
from workbench.ui.evaluate_matrix import MatrixView
from workbench.ui.evaluate_model import MatrixModel
from workbench.ui.evaluate_rows import CaseRow, build_matrix, build_rows, cases_of, lanes_of
from workbench.ui.evaluate_running import SuiteRun
from workbench.ui.lane_names import lane_short
from workbench.ui.page import Page

REDRAW_MS = 400  # while results come in, the matrix is drawn again at most this often
ANSWERS_HEIGHT = 300  # of the answers under the matrix when they are opened


class EvaluatePage(Page):
    """Measure lanes on a suite."""

    title = "Evaluate"

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.suite: Suite | None = None
        self.runs: tuple[Evaluation, ...] = ()
        self._results_of = ""  # the suite whose results are shown where its file is not in the project
        self.shown_run: Evaluation | None = None  # None: the run under way, or the one that was stopped
        self._earlier: Evaluation | None = None
        self._reading = False  # runs that were not looked at yet
        self.suite_run = SuiteRun(bench, self)
        self._redraw = QTimer(self, singleShot=True)
        self._redraw.setInterval(REDRAW_MS)
        self._redraw.timeout.connect(self._show_matrix)
        self._build_header()
        self._build_body()
        self._connect()
        self.reload()

    # What the page is made of

    def _build_header(self) -> None:
        self._suite_menu, self._run_menu, self._export_menu = QMenu(self), QMenu(self), QMenu(self)
        self.suite_picker = widgets.menu_button("", self._suite_menu, "", self.tr("Suite"))
        self.run_picker = widgets.menu_button(
            "", self._run_menu, "clock-counter-clockwise", self.tr("Which run is shown")
        )
        self.lanes = LanesPicker()
        self.edit = widgets.quiet_button(self.tr("Edit cases"), "pencil-simple", self.edit_cases)
        self.export = widgets.menu_button(self.tr("Export"), self._export_menu, "export")
        for text, kind in (
            (self.tr("Report page (HTML)"), "html"),
            (self.tr("Table (CSV)"), "csv"),
            ("JUnit XML", "junit"),
        ):
            widgets.add_action(self._export_menu, text, partial(self._on_export, kind))
        self.run = widgets.primary_button(self.tr("Run"), "", self._on_run_clicked)
        self.stop = widgets.button(self.tr("Stop and keep"), "stop", self.suite_run.stop)
        self.add_picker(self.suite_picker)
        self.add_picker(self.run_picker)
        for each in (self.edit, self.export, self.lanes, self.stop, self.run):
            self.add_action(each)

    def _build_body(self) -> None:
        self.empty = widgets.EmptyState(
            "check-square",
            self.tr("Questions with known answers"),
            self.tr(
                "A suite is a table of questions, each with the checks its answer must pass. Run over several lanes it "
                "shows what documents and fine-tuning really change. Twenty questions are a start, a hundred tell more."
            ),
            self.tr("New suite"),
            self._on_new_suite,
            primary=True,
        )
        self.ready = widgets.EmptyState(
            "check-square", self.tr("Nothing measured yet"), "", self.tr("Run"), self._on_run_clicked, primary=True
        )
        self.editor = SuiteEditor(self.bench.notices.tell)
        self.model = MatrixModel(self)
        self.view = MatrixView(self.model)
        self.filters = FilterLine()
        self.nothing = widgets.EmptyState(
            "funnel", self.tr("No case is left"), "", self.tr("Show all cases"), self.filters.clear
        )
        self.answers = AnswersPanel()
        self.answers.hide()
        self.matrix = QStackedWidget()
        self.matrix.addWidget(self.view)
        self.matrix.addWidget(self.nothing)
        top = QWidget()
        parts = (self._build_strip(), self.filters, self.matrix)
        top.setLayout(widgets.column(*parts, spacing=12, margins=(24, 12, 24, 12)))
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(top)
        self.split.addWidget(self.answers)
        self.split.setStretchFactor(0, 1)
        self.stack = QStackedWidget()
        for each in (self.empty, self.ready, self.editor, self.split):
            self.stack.addWidget(each)
        self.body.addWidget(self.stack)

    def _build_strip(self) -> QWidget:
        self.strip = QWidget()
        self.progress_text = widgets.label("", "strong")
        self.progress_note = widgets.ElidedLabel("", "muted")
        self.bar = widgets.ProgressLine()
        line = widgets.row(self.progress_text, self.progress_note)
        line.setStretch(1, 1)
        self.strip.setLayout(widgets.column(line, self.bar))
        self.strip.hide()
        return self.strip

    def _connect(self) -> None:
        bench, run = self.bench, self.suite_run
        self.lanes.changed.connect(self._on_lanes_changed)
        self.editor.saved.connect(self._on_suite_saved)
        self.editor.closed.connect(self._show_page)
        self.view.opened.connect(self.show_answers)
        self.filters.changed.connect(self._show_matrix)
        self.filters.earlier_chosen.connect(self._on_earlier)
        self.answers.closed.connect(self._on_answers_closed)
        self.answers.edit_wanted.connect(self._on_edit_case)
        self.answers.compare_wanted.connect(lambda question: bench.open_page("compare", question=question))
        run.answered.connect(self._on_answered)
        run.progressed.connect(self._show_progress)
        run.done.connect(self._on_done)
        run.ended.connect(self._on_ended)
        bench.project_changed.connect(self.reload)
        bench.suite_changed.connect(self.reload)
        for signal in (bench.adapters_changed, bench.lanes_changed, bench.index_changed):
            signal.connect(self._show_lanes)
        find = QShortcut(QKeySequence.StandardKey.Find, self, self.filters.start_finding)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    # What it shows

    def reload(self) -> None:
        """Read suites and runs again."""
        files = suite_files(self.bench.project)
        wanted = self.bench.recall("suite", "")
        chosen = next((path for path in files if path.name == wanted), files[0] if files else None)
        self.suite, self._results_of = None, ""
        if chosen is not None:
            try:
                self.suite = read_suite(chosen)
            except WorkbenchError as error:
                self.bench.notices.error(error)
        self._fill_suite_menu(files)
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
        self.runs = source.list_runs(self.bench.project)
        self._fill_suite_menu(suite_files(self.bench.project))
        suite, runs = self.suite, self.runs_of_suite
        if not self.suite_run.busy:
            self.suite_run.forget()
            if suite is not None:
                kept = source.stopped_run(self.bench.project, suite)
                chosen = [lane.name for lane in self.lanes.chosen]
                self.suite_run.show_stopped(kept, chosen, len(suite.cases))
        self._choose_run(None if self.suite_run.results or not runs else runs[-1])

    @property
    def runs_of_suite(self) -> tuple[Evaluation, ...]:
        """The runs of the suite shown, of any version of it, oldest first."""
        names = {self._results_of} if self.suite is None else {self.suite.name, self.suite.path.stem}
        return tuple(run for run in self.runs if run.suite in names)

    def _fill_suite_menu(self, files: tuple[Path, ...]) -> None:
        self._suite_menu.clear()
        for path in files:
            widgets.add_action(self._suite_menu, path.stem, partial(self._on_suite_chosen, path))
        own = {path.stem for path in files} | ({self.suite.name} if self.suite is not None else set())
        elsewhere = [name for name in dict.fromkeys(run.suite for run in reversed(self.runs)) if name not in own]
        for name in elsewhere:
            text = self.tr("{0}, results only").format(name)
            widgets.add_action(self._suite_menu, text, partial(self._on_results_chosen, name))
        if self.suite is None and elsewhere and not self._results_of:
            self._results_of = elsewhere[0]
        self._suite_menu.addSeparator()
        widgets.add_action(self._suite_menu, self.tr("New suite…"), self._on_new_suite, "plus")
        widgets.add_action(self._suite_menu, self.tr("Import a suite…"), self._on_import_suite, "upload-simple")
        name = self.suite.name if self.suite is not None else self._results_of
        self.suite_picker.setText(name or self.tr("No suite"))

    def _choose_run(self, run: Evaluation | None) -> None:
        self.shown_run = run
        runs = self.runs_of_suite
        before = [
            each for each in runs if run is not None and each.created < run.created and set(each.lanes) & set(run.lanes)
        ]
        self._earlier = before[-1] if before else None
        self._run_menu.clear()
        if self.suite_run.results:
            widgets.add_action(self._run_menu, self._stopped_words(), partial(self._choose_run, None))
        for each in reversed(runs):
            text = self.tr("{0}, {1} lanes").format(widgets.when_text(each.created), len(each.lanes))
            widgets.add_action(self._run_menu, text, partial(self._choose_run, each))
        self.run_picker.setText(widgets.when_text(run.created) if run is not None else self.tr("Stopped run"))
        self.filters.show_earlier(before, self._earlier)
        self._show_page()

    def _stopped_words(self) -> str:
        return self.tr("Stopped run, {0:,} of {1:,} answers").format(len(self.suite_run.results), self.suite_run.total)

    def _on_earlier(self, run: Evaluation) -> None:
        self._earlier = run
        self.filters.earlier.setText(self.tr("since {0}").format(widgets.when_text(run.created)))
        self._show_matrix()

    def _show_lanes(self) -> None:
        lanes = source.all_lanes(self.bench.project)
        kept = self.bench.recall("evaluate_lanes", None)
        chosen = [lane.name for lane in lanes if lane.context != "full"] if kept is None else kept
        self.lanes.show_lanes(lanes, chosen)
        self._say_ready()

    def _on_lanes_changed(self, names: tuple[str, ...]) -> None:
        self.bench.remember(evaluate_lanes=list(names))
        self._say_ready()

    def _show_page(self) -> None:
        """The editor, the matrix or what is missing for it."""
        busy, run, suite = self.suite_run.busy, self.shown_run, self.suite
        stopped = not busy and run is None and bool(self.suite_run.results)
        if self._reading:
            page: QWidget = self.split
        elif suite is None and run is None:
            page = self.empty
        else:
            page = self.ready if run is None and not busy and not stopped else self.split
        self._say_ready()
        self.stack.setCurrentWidget(page)
        self.run.setVisible(not busy and page is self.split and suite is not None)
        self.run.setText(self.tr("Go on") if stopped else self.tr("Run again"))
        self.stop.setVisible(busy)
        self.lanes.setVisible(suite is not None and not busy)
        self.edit.setVisible(suite is not None and not busy)
        self.export.setVisible(run is not None and not busy)
        self.run_picker.setVisible(bool(self.runs_of_suite) and not busy)
        self.strip.setVisible(busy or stopped)
        if stopped:
            self._say_stopped()
        self._show_matrix()

    def _say_stopped(self) -> None:
        done, total = len(self.suite_run.results), self.suite_run.total
        self.progress_text.setText(self.tr("{0:,} of {1:,} answers").format(done, total))
        self.progress_note.set_text(self.tr("Stopped. What was answered is kept, and Go on asks the rest."))
        self.bar.set_share(done / total if total else 0.0)

    def _say_ready(self) -> None:
        suite, lanes = self.suite, len(self.lanes.chosen)
        if suite is None:
            return
        said = self.tr(
            "{0} has {1:,} cases, and {2} lanes are chosen: {3:,} answers. What was answered is kept when you stop, "
            "and a second start goes on from there."
        ).format(suite.name, len(suite.cases), lanes, lanes * len(suite.cases))
        if not suite.cases:
            said = self.tr("{0} has no cases yet: Edit cases adds them.").format(suite.name)
        self.ready.set_text(said)
        self.ready.action.setEnabled(bool(suite.cases) and lanes > 0)

    def _matter(self) -> tuple[tuple[str, ...], tuple[CaseResult, ...], tuple[Case, ...]]:
        """Lanes, results and cases of what is shown."""
        run, suite, live = self.shown_run, self.suite, self.suite_run
        if run is not None and not live.busy:
            return lanes_of(run), run.results, cases_of(run, suite)
        return live.lanes, live.results, suite.cases if suite is not None else ()

    def _show_matrix(self) -> None:
        run = self.shown_run if not self.suite_run.busy else None
        lanes, results, cases = self._matter()
        earlier = self._earlier.results if self._earlier is not None and run is not None else ()
        rows = build_rows(cases, results, earlier)
        matrix = build_matrix(rows, lanes, self.filters.filter)
        kinds = [(kind, self.model.kind_title(kind)) for kind in dict.fromkeys(row.kind for row in rows)]
        self.filters.show_choices(matrix.counts, kinds, matrix.tags)
        self._show_head(run, lanes, results, len(cases))
        scroll = self.view.verticalScrollBar().value()
        self.model.show_matrix(matrix)
        self.view.verticalScrollBar().setValue(scroll)
        none_left = bool(rows) and not matrix.groups
        self.nothing.set_text(self.tr("None of the {0:,} cases fits what is asked for above.").format(len(rows)))
        self.matrix.setCurrentWidget(self.nothing if none_left else self.view)

    def _show_head(
        self, run: Evaluation | None, lanes: tuple[str, ...], results: tuple[CaseResult, ...], cases: int
    ) -> None:
        head = self.view.head
        head.lanes = tuple(lanes)
        head.summaries = dict(run.lanes) if run is not None else {}
        passed = {lane: [each.passed for each in results if each.lane == lane] for lane in lanes}
        head.counts = {lane: (sum(each), len(each)) for lane, each in passed.items()}
        head.caption = self._caption(run, cases)
        head.verified = next((said for said in (run.canaries.values() if run is not None else ()) if said != "ok"), "")

    def _caption(self, run: Evaluation | None, cases: int) -> str:
        if run is None:
            return self.tr("Percent of {0} cases, once all of them are answered.").format(cases)
        said = self.tr("Percent of {0} cases, with the range the true rate lies in 95 times of 100.").format(cases)
        if self.suite is not None and run.suite_hash != self.suite.hash:
            said += " " + self.tr("The suite was changed since this run.")
        return said

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
            self.filters.choose(str(what["show"]))
        if what.get("case"):
            self._open_case(str(what["case"]), str(what.get("lane", "")))

    # Suites

    def _on_suite_chosen(self, path: Path) -> None:
        self.bench.remember(suite=path.name)
        self.bench.suite_changed.emit()

    def _on_results_chosen(self, name: str) -> None:
        """Show the results of a suite whose file lies elsewhere: it can be looked at, and neither edited nor run."""
        self.suite, self._results_of = None, name
        self.suite_picker.setText(name)
        runs = self.runs_of_suite
        self._choose_run(runs[-1] if runs else None)

    def _on_new_suite(self) -> None:
        name, good = QInputDialog.getText(self, self.tr("New suite"), self.tr("What is it about?"))
        if good and name.strip():
            self.create_suite(name.strip())

    def create_suite(self, name: str) -> None:
        """Begin a suite with one empty case; it is a file once it is saved."""
        self.suite = Suite(source.new_suite_file(self.bench.project, name), name, (), "")
        self.shown_run = None
        self.suite_picker.setText(name)
        self.edit_cases()
        self.editor.add.click()

    def _on_import_suite(self) -> None:
        filters = self.tr("Suites ({0})").format("*.yaml *.yml *.json *.jsonl *.csv *.tsv")
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Import a suite"), str(Path.home()), filters)
        if chosen:
            self.take_suite(Path(chosen))

    def take_suite(self, file: Path) -> None:
        """Copy a suite into the project and show it."""
        try:
            suite, notes = source.import_suite(self.bench.project, file)
            self._on_suite_chosen(suite)
        except (WorkbenchError, OSError) as error:
            self.bench.notices.error(error)
            return
        if notes:
            self.bench.notices.tell(" ".join(notes))

    def edit_cases(self) -> None:
        """Show the cases of the suite as a table."""
        if self.suite is not None:
            self.editor.edit(self.suite)
            self.stack.setCurrentWidget(self.editor)
            for each in (self.run, self.edit, self.export, self.lanes, self.run_picker):
                each.hide()

    def add_question(self, question: str) -> None:
        """Begin a case with a question that was asked elsewhere."""
        if self.suite is None:
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
        self.suite = suite
        self.bench.remember(suite=suite.path.name)
        self.bench.suite_changed.emit()

    # Running

    def _on_run_clicked(self) -> None:
        lanes = self.lanes.chosen
        if self.suite is None or not self.suite.cases or self.suite_run.busy:
            return
        if not lanes:
            self.bench.notices.tell(self.tr("Choose at least one lane to run the suite over."), "warning")
            return
        self.progress_text.setText(self.tr("Starting"))
        self.progress_note.set_text("")
        self.bar.set_share(None)
        self.suite_run.start(self.suite, lanes)
        self._show_page()

    def _on_answered(self) -> None:
        if not self._redraw.isActive():
            self._redraw.start()

    def _show_progress(self, progress: Progress) -> None:
        self.progress_text.setText(self.tr("{0:,} of {1:,} answers").format(progress.done, progress.total))
        said = [progress.note]
        if progress.seconds_left is not None:
            said.append(self.tr("{0} left").format(widgets.about_text(progress.seconds_left)))
        self.progress_note.set_text(", ".join(said))
        self.bar.set_share(progress.done / progress.total if progress.total else None)

    def _on_done(self, value: Evaluation) -> None:
        best = max(value.lanes.values(), key=lambda lane: lane.overall.rate)
        said = self.tr("{0} cases over {1} lanes are measured. {2} has the most right answers.").format(
            best.overall.total, len(value.lanes), lane_short(best.lane)
        )
        advice = partial(self.bench.open_page, "advise")
        self.bench.notices.tell(said, "good", action_text=self.tr("See the advice"), action=advice)

    def _on_ended(self, stopped: bool) -> None:
        if stopped and not self.isVisible():  # the page itself says so
            said = self.tr("Stopped. {0} answers are kept, and Go on asks the rest.")
            self.bench.notices.tell(said.format(len(self.suite_run.results)))
        self._start_reading()
        self.bench.results_changed.emit()

    # Answers and export

    def show_answers(self, row: CaseRow, lane: str) -> None:
        """Open the answers of one case under the matrix."""
        cases = self.suite.cases if self.suite is not None else ()
        case = next((each for each in cases if each.id == row.case), None)
        self.answers.show_case(row, self.view.head.lanes, lane, case.checks if case is not None else ())
        if not self.answers.isVisible():
            self.answers.show()
            self.split.setSizes([self.split.height() - ANSWERS_HEIGHT, ANSWERS_HEIGHT])
        self.view.scrollTo(self.view.currentIndex())

    def _open_case(self, case: str, lane: str) -> None:
        for group in self.model.matrix.groups:
            for row in group.rows:
                if row.case == case:
                    self.show_answers(row, lane)

    def _on_answers_closed(self) -> None:
        self.answers.hide()
        self.view.setFocus()

    def _on_export(self, kind: str) -> None:
        run, suite = self.shown_run, self.suite
        if run is None or suite is None:
            return
        ending = {"html": "html", "csv": "csv", "junit": "xml"}[kind]
        start = str(Path.home() / f"{run.name}.{ending}")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Export the run"), start, f"*.{ending}")
        if chosen:
            self.export_run(kind, Path(chosen))

    def export_run(self, kind: str, path: Path) -> None:
        """Write the run that is shown."""
        run, suite, project = self.shown_run, self.suite, self.bench.project
        assert run is not None and suite is not None
        self.bench.jobs.start(
            self.tr("Exporting"),
            lambda: source.export(kind, path, run, suite, project),
            on_done=self._on_exported,
            kind="evaluate",
            quiet=True,
        )

    def _on_exported(self, path: Any) -> None:
        from PySide6.QtCore import QUrl
        from PySide6.QtGui import QDesktopServices

        def show() -> None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

        said = self.tr("Written: {0}").format(path)
        self.bench.notices.tell(said, "good", action_text=self.tr("Open"), action=show)
