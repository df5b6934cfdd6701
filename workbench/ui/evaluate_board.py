"""What the Evaluate page shows of a run: how far it is, the matrix with its filters, and the answers under it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QSplitter, QStackedWidget, QWidget

from workbench.evaluation.records import Case, CaseResult, Evaluation, Suite
from workbench.events import Progress
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.evaluate_answers import AnswersPanel
from workbench.ui.evaluate_filters import FilterLine
from workbench.ui.evaluate_marks import Opinions
from workbench.ui.evaluate_matrix import MatrixView
from workbench.ui.evaluate_model import MatrixModel, RowRole
from workbench.ui.evaluate_rows import CaseRow, build_matrix, build_rows
from workbench.ui.lane_names import lane_title
from workbench.ui.splits import KeptSplit

ANSWERS_HEIGHT = 300  # of the answers under the matrix when they are opened


class RunBoard(QSplitter):
    """The matrix of a run; a click on one of its cells opens the answers to that case."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._split = KeptSplit(bench, self, "evaluate_answers_height", ANSWERS_HEIGHT)
        self._cases: tuple[Case, ...] = ()
        self._run: Evaluation | None = None  # whose answers are shown; None while one goes on
        self._opinions: Opinions | None = None  # None: the answers cannot be marked just now
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
        parts = (self._build_strip(), self.filters, self._build_words(), self.matrix)
        top.setLayout(widgets.column(*parts, spacing=12, margins=(24, 12, 24, 12)))
        self.setChildrenCollapsible(False)
        self.addWidget(top)
        self.addWidget(self.answers)
        self.setStretchFactor(0, 1)
        self.view.opened.connect(self.show_answers)
        self.answers.closed.connect(self._on_answers_closed)
        self.view.selectionModel().currentChanged.connect(self._on_current_changed)
        for key, right in (("R", True), ("W", False)):
            short = QShortcut(QKeySequence(key), self, partial(self.answers.mark_chosen, right))
            short.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find = QShortcut(QKeySequence.StandardKey.Find, self, self.filters.start_finding)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

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

    def _build_words(self) -> QWidget:
        """What the figures are, and whether they may be trusted: whole, however long a reason is."""
        self.caption = widgets.label("", "caption", wrap=True, selectable=True)
        self.labels_sign = widgets.IconLabel("check-circle", 14, "good")
        self.labels_said = widgets.label("", "caption", wrap=True, selectable=True)
        self.labels = QWidget()
        line = widgets.row(self.labels_sign, spacing=6)
        line.addWidget(self.labels_said, 1)
        self.labels.setLayout(line)
        made = QWidget()
        made.setLayout(widgets.column(self.caption, self.labels, spacing=4))
        return made

    # How far a run is

    def say_starting(self) -> None:
        self.progress_text.setText(self.tr("Starting"))
        self.progress_note.set_text("")
        self.bar.set_share(None)

    def show_progress(self, progress: Progress) -> None:
        self._say_answers(progress.done, progress.total)
        said = [progress.note]
        if progress.seconds_left is not None:
            said.append(self.tr("{0} left").format(widgets.about_text(progress.seconds_left)))
        self.progress_note.set_text(", ".join(said))
        self.bar.set_share(progress.done / progress.total if progress.total else None)

    def say_stopped(self, done: int, total: int) -> None:
        self._say_answers(done, total)
        self.progress_note.set_text(self.tr("Stopped. What was answered is kept, and Go on asks the rest."))
        self.bar.set_share(done / total if total else 0.0)

    def _say_answers(self, done: int, total: int) -> None:
        self.progress_text.setText(self.tr("{0:,} of {1:,} answers").format(done, total))

    # The matrix

    def show_run(
        self,
        run: Evaluation | None,
        suite: Suite | None,
        matter: tuple[Sequence[str], Sequence[CaseResult], Sequence[Case]],
        earlier: Sequence[CaseResult] = (),
    ) -> None:
        """`matter`: lanes, results and cases; `run` is None while it goes on, `earlier` what it is compared with."""
        lanes, results, cases = matter
        self._cases = suite.cases if suite is not None else ()
        rows = build_rows(cases, results, earlier)
        matrix = build_matrix(rows, lanes, self.filters.filter)
        kinds = [(kind, self.model.kind_title(kind)) for kind in dict.fromkeys(row.kind for row in rows)]
        self.filters.show_choices(matrix.counts, kinds, matrix.tags)
        self._show_head(run, lanes, results)
        self.caption.setText(self._caption(run, suite, len(cases)))
        scroll = self.view.verticalScrollBar().value()
        self.model.show_matrix(matrix)
        self.view.verticalScrollBar().setValue(scroll)
        none_left = bool(rows) and not matrix.groups
        self.nothing.set_text(self.tr("None of the {0:,} cases fits what is asked for above.").format(len(rows)))
        self.matrix.setCurrentWidget(self.nothing if none_left else self.view)
        if run is not self._run:
            self._run = run
            self._show_answers_again(rows)

    def _show_head(self, run: Evaluation | None, lanes: Sequence[str], results: Sequence[CaseResult]) -> None:
        head = self.view.head
        head.lanes = tuple(lanes)
        head.summaries = dict(run.lanes) if run is not None else {}
        passed = {lane: [each.passed for each in results if each.lane == lane] for lane in lanes}
        head.counts = {lane: (sum(each), len(each)) for lane, each in passed.items()}
        doubts = {lane: said for lane, said in (run.canaries.items() if run is not None else ()) if said != "ok"}
        self.labels.setVisible(run is not None)
        self.labels_sign.set_icon(*(("warning", "warning") if doubts else ("check-circle", "good")))
        fine = self.tr("Every lane is what its label says")
        self.labels_said.setText("\n".join(f"{lane_title(each)}: {said}" for each, said in doubts.items()) or fine)

    def _caption(self, run: Evaluation | None, suite: Suite | None, cases: int) -> str:
        if run is None:
            return self.tr("Percent of {0} cases, once all of them are answered.").format(cases)
        said = self.tr("Percent of {0} cases, with the range the true rate lies in 95 times of 100.").format(cases)
        if suite is not None and run.suite_hash != suite.hash:
            said += " " + self.tr("The suite was changed since this run.")
        return said

    # The answers to one case

    def show_answers(self, row: CaseRow, lane: str) -> None:
        """Open the answers of one case under the matrix."""
        case = next((each for each in self._cases if each.id == row.case), None)
        checks = case.checks if case is not None else ()
        self.answers.show_case(row, self.view.head.lanes, lane, checks, self._opinions)
        if not self.answers.isVisible():
            self.answers.show()
            self._split.open()
        self.view.scrollTo(self.view.currentIndex())

    def show_opinions(self, opinions: Opinions | None) -> None:
        """What is thought of the answers of the run that is shown."""
        self._opinions = opinions
        self.answers.show_opinions(opinions)

    def _show_answers_again(self, rows: Sequence[CaseRow]) -> None:
        """Another run is shown: open answers are its own to the same case, or are closed."""
        row = next((each for each in rows if each.case == self.answers.case), None)
        if self.answers.isHidden():
            return
        if row is not None:
            self.show_answers(row, self.answers.chosen)
        else:
            self.answers.hide()

    def _on_current_changed(self, index: QModelIndex) -> None:
        """Open answers follow the arrow keys, so that one after the other is read and marked."""
        row = index.data(RowRole)
        lanes = self.view.head.lanes
        if not self.answers.isHidden() and isinstance(row, CaseRow) and 0 < index.column() <= len(lanes):
            self.show_answers(row, lanes[index.column() - 1])

    def open_case(self, case: str, lane: str) -> None:
        """The same for a case by its id, where the filter lets it through."""
        for group in self.model.matrix.groups:
            for row in group.rows:
                if row.case == case:
                    self.show_answers(row, lane)

    def _on_answers_closed(self) -> None:
        self.answers.hide()
        self.view.setFocus()
