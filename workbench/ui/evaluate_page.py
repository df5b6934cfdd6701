"""Evaluate: a suite over lanes, as a matrix; cases edited in place; answers side by side; export."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QFileDialog, QInputDialog, QLineEdit, QMenu, QSplitter, QStackedWidget, QWidget

from workbench.errors import WorkbenchError
from workbench.evaluation.records import CaseResult, Evaluation, Suite
from workbench.evaluation.suite import read_suite
from workbench.events import Event, Note, Progress, Result
from workbench.ui import evaluate_source as source
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.evaluate_answers import AnswersPanel
from workbench.ui.evaluate_editor import SuiteEditor
from workbench.ui.evaluate_lanes import LanesPicker
from workbench.ui.evaluate_matrix import MatrixModel, MatrixView
from workbench.ui.evaluate_rows import CaseRow, MatrixFilter, build_matrix, build_rows, cases_of, lanes_of
from workbench.ui.job import JobHandle
from workbench.ui.lane_names import lane_short
from workbench.ui.page import Page

REDRAW_MS = 400  # while results come in, the matrix is drawn again at most this often


def when(created: str) -> str:
    """An ISO time for people: 21 Nov, 14:05."""
    from PySide6.QtCore import QDateTime

    found = QDateTime.fromString(created[:19], Qt.DateFormat.ISODate)
    return found.toString("d MMM, HH:mm") if found.isValid() else created


class EvaluatePage(Page):
    """Measure lanes on a suite."""

    title = "Evaluate"

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.suite: Suite | None = None
        self.runs: tuple[Evaluation, ...] = ()
        self.shown_run: Evaluation | None = None
        self._earlier: Evaluation | None = None
        self._live: dict[tuple[str, str], CaseResult] = {}
        self._live_lanes: tuple[str, ...] = ()
        self._job: JobHandle | None = None
        self._filter = MatrixFilter()
        self._redraw = QTimer(self, singleShot=True)
        self._redraw.setInterval(REDRAW_MS)
        self._redraw.timeout.connect(self._show_matrix)
        self._build_header()
        self._build_body()
        bench.project_changed.connect(self.reload)
        bench.suite_changed.connect(self.reload)
        for signal in (bench.adapters_changed, bench.lanes_changed, bench.index_changed):
            signal.connect(self._show_lanes)
        find = QShortcut(QKeySequence.StandardKey.Find, self, self._on_find)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.reload()

    # What the page is made of

    def _build_header(self) -> None:
        self._suite_menu, self._run_menu, self._export_menu = QMenu(self), QMenu(self), QMenu(self)
        self.suite_picker = widgets.menu_button("", self._suite_menu, "", self.tr("Suite"))
        self.run_picker = widgets.menu_button(
            "", self._run_menu, "clock-counter-clockwise", self.tr("Which run is shown")
        )
        self.lanes = LanesPicker()
        self.lanes.changed.connect(lambda names: self.bench.remember(evaluate_lanes=list(names)))
        self.edit = widgets.quiet_button(self.tr("Edit cases"), "pencil-simple", self.edit_cases)
        self.export = widgets.menu_button(self.tr("Export"), self._export_menu, "export")
        for text, kind in (
            (self.tr("Report page (HTML)"), "html"),
            (self.tr("Table (CSV)"), "csv"),
            ("JUnit XML", "junit"),
        ):
            widgets.add_action(self._export_menu, text, partial(self._on_export, kind))
        self.run = widgets.primary_button(self.tr("Run"), "", self._on_run_clicked)
        self.stop = widgets.button(self.tr("Stop"), "stop", self._on_stop_clicked)
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
        )
        self.ready = widgets.EmptyState(
            "check-square", self.tr("Nothing measured yet"), "", self.tr("Run"), self._on_run_clicked
        )
        self.editor = SuiteEditor(self.bench.notices.tell)
        self.editor.saved.connect(self._on_suite_saved)
        self.editor.closed.connect(self._show_page)
        self.model = MatrixModel(self)
        self.view = MatrixView(self.model)
        self.view.opened.connect(self.show_answers)
        self.answers = AnswersPanel()
        self.answers.closed.connect(self._on_answers_closed)
        self.answers.edit_wanted.connect(self._on_edit_case)
        self.answers.compare_wanted.connect(lambda question: self.bench.open_page("compare", question=question))
        self.answers.hide()
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setChildrenCollapsible(False)
        top = QWidget()
        top.setLayout(
            widgets.column(self._build_strip(), self._build_tools(), self.view, spacing=12, margins=(24, 12, 24, 12))
        )
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

    def _build_tools(self) -> Any:
        choices = [
            ("all", self.tr("All")),
            ("failures", self.tr("Failures")),
            ("disagreements", self.tr("Disagreements")),
        ]
        self.chips = widgets.ChipRow([*choices, ("changed", self.tr("Changed"))], self.tr("Which cases are shown"))
        self.chips.chosen.connect(lambda key: self._refilter(show=key))
        self.kind, self.tag, self.find_line = QComboBox(), QComboBox(), QLineEdit()
        self.kind.setAccessibleName(self.tr("Kind of case"))
        self.tag.setAccessibleName(self.tr("Tag"))
        self.kind.currentIndexChanged.connect(lambda: self._refilter(kind=self.kind.currentData() or ""))
        self.tag.currentIndexChanged.connect(lambda: self._refilter(tag=self.tag.currentData() or ""))
        self.find_line.setPlaceholderText(self.tr("Find a case"))
        self.find_line.setAccessibleName(self.tr("Find a case"))
        self.find_line.setClearButtonEnabled(True)
        self.find_line.setMaximumWidth(200)
        self.find_line.textChanged.connect(lambda text: self._refilter(text=text))
        self._earlier_menu = QMenu(self)
        self.earlier = widgets.menu_button("", self._earlier_menu, "", self.tr("Compared with an earlier run"))
        line = widgets.row(self.chips, self.earlier, self.kind, self.tag, None, self.find_line)
        return line

    # What it shows

    def reload(self) -> None:
        """Read suites and runs again."""
        files = source.suite_files(self.bench.project)
        wanted = self.bench.recall("suite", "")
        chosen = next((path for path in files if path.name == wanted), files[0] if files else None)
        self.suite = None
        if chosen is not None:
            try:
                self.suite = read_suite(chosen)
            except WorkbenchError as error:
                self.bench.notices.error(error)
        self._fill_suite_menu(files)
        self.runs = source.list_runs(self.bench.project)
        self._choose_run(self.runs_of_suite[-1] if self.runs_of_suite else None)
        self._show_lanes()

    @property
    def runs_of_suite(self) -> tuple[Evaluation, ...]:
        """The runs of the suite shown, of any version of it, oldest first."""
        suite = self.suite
        return tuple(run for run in self.runs if suite is not None and run.suite in (suite.name, suite.path.stem))

    def _fill_suite_menu(self, files: tuple[Path, ...]) -> None:
        self._suite_menu.clear()
        for path in files:
            widgets.add_action(self._suite_menu, path.stem, partial(self._on_suite_chosen, path))
        self._suite_menu.addSeparator()
        widgets.add_action(self._suite_menu, self.tr("New suite…"), self._on_new_suite, "plus")
        widgets.add_action(self._suite_menu, self.tr("Import a suite…"), self._on_import_suite, "upload-simple")
        self.suite_picker.setText(self.suite.name if self.suite is not None else self.tr("No suite"))

    def _choose_run(self, run: Evaluation | None) -> None:
        self.shown_run = run
        runs = self.runs_of_suite
        before = [
            each for each in runs if run is not None and each.created < run.created and set(each.lanes) & set(run.lanes)
        ]
        self._earlier = before[-1] if before else None
        self._run_menu.clear()
        for each in reversed(runs):
            text = self.tr("{0}, {1} lanes").format(when(each.created), len(each.lanes))
            widgets.add_action(self._run_menu, text, partial(self._choose_run, each))
        self.run_picker.setText(when(run.created) if run is not None else "")
        self._fill_earlier_menu(before)
        self._show_page()

    def _fill_earlier_menu(self, before: list[Evaluation]) -> None:
        self._earlier_menu.clear()
        for each in reversed(before):
            text = self.tr("Changed since {0}").format(when(each.created))
            widgets.add_action(self._earlier_menu, text, partial(self._on_earlier, each))
        since = self.tr("since {0}").format(when(self._earlier.created)) if self._earlier is not None else ""
        self.earlier.setText(since)
        self.earlier.setVisible(bool(before))
        self.chips.chip("changed").setVisible(bool(before))

    def _on_earlier(self, run: Evaluation) -> None:
        self._earlier = run
        self.earlier.setText(self.tr("since {0}").format(when(run.created)))
        self._show_matrix()

    def _show_lanes(self) -> None:
        lanes = source.all_lanes(self.bench.project)
        kept = self.bench.recall("evaluate_lanes", None)
        chosen = [lane.name for lane in lanes if lane.context != "full"] if kept is None else kept
        self.lanes.show_lanes(lanes, chosen)

    def _show_page(self) -> None:
        """The editor, the matrix or what is missing for it."""
        busy = self._busy()
        suite, run = self.suite, self.shown_run
        if suite is None and run is None:
            page: QWidget = self.empty
        elif run is None and not busy:
            page = self.ready
            assert suite is not None
            self._say_ready(suite)
        else:
            page = self.split
        self.stack.setCurrentWidget(page)
        self.run.setVisible(not busy and page is self.split)
        self.run.setText(self.tr("Run again") if run is not None else self.tr("Run"))
        widgets.set_kind(self.ready.action, "primary")
        widgets.set_kind(self.empty.action, "primary")
        self.stop.setVisible(busy)
        self.lanes.setVisible(suite is not None and not busy)
        self.edit.setVisible(suite is not None and not busy)
        self.export.setVisible(run is not None and not busy)
        self.run_picker.setVisible(run is not None and not busy)
        self.strip.setVisible(busy)
        self._show_matrix()

    def _say_ready(self, suite: Suite) -> None:
        text = self.ready.findChildren(type(widgets.label()))
        said = self.tr(
            "{0} has {1} cases. Every chosen lane answers each of them; what was answered is kept when you stop, and a "
            "second start goes on from there."
        ).format(suite.name, len(suite.cases))
        text[-1].setText(said)

    def _busy(self) -> bool:
        return self._job is not None and self._job.running

    def _show_matrix(self) -> None:
        busy, run = self._busy(), self.shown_run
        if busy:
            lanes, results = self._live_lanes, tuple(self._live.values())
            cases = self.suite.cases if self.suite is not None else ()
        elif run is not None:
            lanes, results, cases = lanes_of(run), run.results, cases_of(run, self.suite)
        else:
            lanes, results, cases = (), (), ()
        earlier = self._earlier.results if self._earlier is not None and not busy else ()
        rows = build_rows(cases, results, earlier)
        matrix = build_matrix(rows, lanes, self._filter)
        self._fill_combos(rows, matrix.tags)
        self.chips.set_counts(matrix.counts)
        head = self.view.head
        head.lanes = tuple(lanes)
        head.summaries = dict(run.lanes) if run is not None and not busy else {}
        passed = {lane: [each.passed for each in results if each.lane == lane] for lane in lanes}
        head.counts = {lane: (sum(each), len(each)) for lane, each in passed.items()}
        head.caption = self._caption(run, busy, len(cases))
        head.verified = next((said for said in (run.canaries.values() if run is not None else ()) if said != "ok"), "")
        scroll = self.view.verticalScrollBar().value()
        self.model.show_matrix(matrix)
        self.view.verticalScrollBar().setValue(scroll)

    def _caption(self, run: Evaluation | None, busy: bool, cases: int) -> str:
        if busy or run is None:
            return self.tr("Percent of {0} cases, once all of them are answered.").format(cases)
        said = self.tr("Percent of {0} cases, with the range the true rate lies in 95 times of 100.").format(cases)
        if self.suite is not None and run.suite_hash != self.suite.hash:
            said += " " + self.tr("The suite was changed since this run.")
        return said

    def _fill_combos(self, rows: tuple[CaseRow, ...], tags: tuple[str, ...]) -> None:
        kinds = dict.fromkeys(row.kind for row in rows)
        wanted = [(self.tr("Any kind"), ""), *((self.model.kind_title(kind), kind) for kind in kinds)]
        _fill(self.kind, wanted, self._filter.kind)
        _fill(self.tag, [(self.tr("Any tag"), ""), *((tag, tag) for tag in tags)], self._filter.tag)
        self.tag.setVisible(bool(tags))

    def _refilter(self, **changes: str) -> None:
        from dataclasses import replace

        self._filter = replace(self._filter, **changes)
        self._show_matrix()

    def shown(self, **what: Any) -> None:
        """Open with `question` (a case to add), `case` (a case to show), `edit`, `show` (a filter) or `run`."""
        if what.get("question"):
            self.add_question(str(what["question"]))
        elif what.get("edit"):
            self._on_edit_case(str(what["edit"]))
        elif what.get("run"):
            self._on_run_clicked()
        if what.get("show"):
            self.chips.choose(str(what["show"]))
            self._refilter(show=str(what["show"]))
        if what.get("case"):
            self._open_case(str(what["case"]), str(what.get("lane", "")))

    # Suites

    def _on_suite_chosen(self, path: Path) -> None:
        self.bench.remember(suite=path.name)
        self.bench.suite_changed.emit()

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
        filters = self.tr("Suites ({0})").format("*.yaml *.yml *.json *.jsonl")
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Import a suite"), str(Path.home()), filters)
        if chosen:
            self.take_suite(Path(chosen))

    def take_suite(self, file: Path) -> None:
        """Copy a suite into the project and show it."""
        try:
            self._on_suite_chosen(source.import_suite(self.bench.project, file))
        except (WorkbenchError, OSError) as error:
            self.bench.notices.error(error)

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
        if self.suite is None or not self.suite.cases or self._busy():
            return
        if not lanes:
            self.bench.notices.tell(self.tr("Choose at least one lane to run the suite over."), "warning")
            return
        from workbench.evaluation.evaluate import evaluate

        suite, project, knowledge, engine = (
            self.suite,
            self.bench.project.folder,
            self.bench.knowledge,
            self.bench.engine,
        )
        self._live, self._live_lanes = {}, tuple(lane.name for lane in lanes)
        self._job = self.bench.jobs.start(
            self.tr("Evaluating"),
            lambda: evaluate(suite, lanes, project, knowledge, engine),
            self._on_event,
            self._on_done,
            kind="evaluate",
        )
        self._job.finished.connect(self._on_ended)
        self._show_page()

    def _on_stop_clicked(self) -> None:
        if self._job is not None:
            self._job.stop()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Result) and isinstance(event.value, CaseResult):
            self._live[event.value.lane, event.value.case] = event.value
            if not self._redraw.isActive():
                self._redraw.start()
        elif isinstance(event, Progress):
            self._show_progress(event)
        elif isinstance(event, Note):
            self.bench.notices.tell(event.message, event.level)

    def _show_progress(self, progress: Progress) -> None:
        self.progress_text.setText(self.tr("{0:,} of {1:,} answers").format(progress.done, progress.total))
        said = [progress.note]
        if progress.seconds_left is not None:
            said.append(self.tr("{0} left").format(widgets.about_text(progress.seconds_left)))
        self.progress_note.set_text(", ".join(said))
        self.bar.set_share(progress.done / progress.total if progress.total else None)

    def _on_done(self, value: Any) -> None:
        if isinstance(value, Evaluation):
            best = max(value.lanes.values(), key=lambda lane: lane.overall.rate)
            said = self.tr("{0} cases over {1} lanes are measured. {2} has the most right answers.").format(
                best.overall.total, len(value.lanes), lane_short(best.lane)
            )
            self.bench.notices.tell(
                said, "good", action_text=self.tr("See the advice"), action=lambda: self.bench.open_page("advise")
            )

    def _on_ended(self) -> None:
        stopped = self._job is not None and self._job.state == "stopped"
        if stopped:
            said = self.tr("Stopped. {0} answers are kept, and Run goes on from there.").format(len(self._live))
            self.bench.notices.tell(said)
        self.runs = source.list_runs(self.bench.project)
        self._choose_run(self.runs_of_suite[-1] if self.runs_of_suite else None)
        self.bench.results_changed.emit()

    # Answers and export

    def show_answers(self, row: CaseRow, lane: str) -> None:
        """Open the answers of one case under the matrix."""
        case = next(
            (each for each in (self.suite.cases if self.suite is not None else ()) if each.id == row.case), None
        )
        self.answers.show_case(row, self.view.head.lanes, lane, case.checks if case is not None else ())
        if not self.answers.isVisible():
            self.answers.show()
            self.split.setSizes([self.split.height() - 300, 300])
        self.view.scrollTo(self.view.currentIndex())

    def _open_case(self, case: str, lane: str) -> None:
        for group in self.model.matrix.groups:
            for row in group.rows:
                if row.case == case:
                    self.show_answers(row, lane)

    def _on_answers_closed(self) -> None:
        self.answers.hide()
        self.view.setFocus()

    def _on_find(self) -> None:
        self.find_line.setFocus()
        self.find_line.selectAll()

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


def _fill(combo: QComboBox, choices: list[tuple[str, str]], wanted: str) -> None:
    """Offer choices without a word to anybody, keeping what was chosen."""
    if [combo.itemData(place) for place in range(combo.count())] == [key for _, key in choices]:
        return
    combo.blockSignals(True)
    combo.clear()
    for text, key in choices:
        combo.addItem(text, key)
    combo.setCurrentIndex(max(0, combo.findData(wanted)))
    combo.blockSignals(False)
