"""Advise: the verdict of the last run in one sentence, what it rests on, what it costs; a questionnaire until then."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFileDialog, QGridLayout, QMenu, QStackedWidget, QWidget

from workbench import records
from workbench.advice.beside import judge_beside
from workbench.advice.cost import Assumptions, Cost, cost_table
from workbench.advice.further import kept_answers, kept_assumptions, kept_prices
from workbench.advice.projection import project_costs, set_prices
from workbench.evaluation.records import Evaluation
from workbench.project import Project
from workbench.ui import evaluate_source, theme, widgets
from workbench.ui.advise_money import BreakEvenPanel, CostPanel, PricesSheet
from workbench.ui.advise_questions import QuestionnaireSheet
from workbench.ui.advise_source import Advice, advise
from workbench.ui.advise_start import NotMeasuredYet
from workbench.ui.advise_verdict import NEXT, EffectsPanel, FailuresPanel, VerdictHead
from workbench.ui.bench import Bench
from workbench.ui.page import Page, scroll_area

CURRENCY = "€"
AROUND = 24 + 16 + 24 + 12  # pixels beside and between two panels, and a scroll bar
START, VERDICT, READING = range(3)  # in the stack: nothing measured, the verdict, blank until it is known which
SIDE_BY_SIDE = 1000  # pixels from which two panels fit beside each other


def _least_width(widget: QWidget) -> int:
    return max(widget.minimumSizeHint().width(), widget.minimumWidth())


class AdvisePage(Page):
    """What to use, by how much, or that it cannot be told yet."""

    title = "Advise"

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.advice: Advice | None = None
        self.runs: tuple[Evaluation, ...] = ()
        self._judged: Evaluation | None = None  # the run whose verdict is wanted
        self._menu = QMenu(self)
        self.picker = widgets.menu_button("", self._menu, "", self.tr("Which run is judged"))
        self.add_picker(self.picker)
        self.questions = widgets.quiet_button(self.tr("Questionnaire"), "check-square", self._on_questions_clicked)
        self.save = widgets.primary_button(self.tr("Save dossier"), "export", self._on_save_clicked)
        self.add_action(self.questions)
        self.add_action(self.save)
        self.stack = QStackedWidget()
        start = NotMeasuredYet(self._answers(), lambda: bench.open_page("evaluate"))
        self.start_questions, self.to_evaluate = start.questions, start.measure
        self.start_questions.answered.connect(self._on_answered)
        self.stack.addWidget(scroll_area(start))
        self.stack.addWidget(self._build_verdict())
        self.stack.addWidget(QWidget())
        self.body.addWidget(self.stack)
        for signal in (bench.project_changed, bench.results_changed):
            signal.connect(self.reload)
        self.reload()

    def _build_verdict(self) -> QWidget:
        self.head = VerdictHead()
        self.effects, self.failures = EffectsPanel(), FailuresPanel()
        self.costs, self.even = CostPanel(), BreakEvenPanel()
        self.failures.next_wanted.connect(self._on_next)
        self.costs.prices_wanted.connect(self._on_prices_clicked)
        self.even.prices_wanted.connect(self._on_prices_clicked)
        self.head.questions_wanted.connect(lambda: self.bench.open_page("evaluate", edit="more"))
        self._grid = QGridLayout()
        self._grid.setSpacing(16)
        self._columns = 0
        self._arrange(2)
        inner = QWidget()
        inner.setLayout(widgets.column(self.head, self._grid, None, spacing=16, margins=(24, 20, 24, 24)))
        return scroll_area(inner, horizontal=True)  # the table of costs is wide where the text is large

    def _arrange(self, columns: int) -> None:
        """Put the four panels beside each other, or under each other where room is short."""
        if columns != self._columns:
            self._columns = columns
            for place, panel in enumerate((self.effects, self.failures, self.costs, self.even)):
                self._grid.addWidget(panel, place // columns, place % columns)
            self._grid.setColumnStretch(0, 17)
            self._grid.setColumnStretch(1, 10 if columns == 2 else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_panels()

    def _fit_panels(self) -> None:
        """Side by side where the page is wide enough, and wide enough for what stands in the panels just now."""
        panels = (self.effects, self.failures, self.costs, self.even)
        left, right = (max(_least_width(each) for each in panels[side::2]) for side in range(2))
        wanted = max(theme.px(SIDE_BY_SIDE), left + right + AROUND)
        self._arrange(2 if self.width() >= wanted else 1)

    # What it shows

    def reload(self) -> None:
        """Read the runs again, those that were not looked at yet in the background, and judge the newest one."""
        project = self.bench.project
        if not evaluate_source.has_unread_runs(project):
            self._show_runs()
            return
        self.stack.setCurrentIndex(READING)
        job = self.bench.jobs.start(
            self.tr("Reading results"), lambda: evaluate_source.read_runs(project), kind="advise", quiet=True
        )
        job.finished.connect(lambda: self._show_runs() if project is self.bench.project else None)

    def _show_runs(self) -> None:
        self.runs = evaluate_source.list_runs(self.bench.project)
        self._menu.clear()
        for run in reversed(self.runs):
            text = f"{run.suite}, {widgets.when_text(run.created)}"
            widgets.add_action(self._menu, text, partial(self.judge, run))
        self.picker.setVisible(bool(self.runs))
        self.save.setVisible(False)
        self.questions.setVisible(bool(self.runs))
        self.advice = None
        if self.runs:
            self.judge(self.runs[-1])
        else:
            self.stack.setCurrentIndex(START)

    def judge(self, run: Evaluation) -> None:
        """Work out the verdict on a run, in the background."""
        self.picker.setText(f"{run.suite}, {widgets.when_text(run.created)}")
        self._judged = run
        if self.advice is None:
            self.stack.setCurrentIndex(READING)
        project = self.bench.project
        self.bench.jobs.start(
            self.tr("Weighing the results"),
            lambda: advise(project, run),
            on_done=lambda advice: self._on_advice(project, run, advice),
            kind="advise",
            quiet=True,
        )

    def _on_advice(self, project: Project, run: Evaluation, advice: Advice | None) -> None:
        if project is self.bench.project and advice is not None and run is self._judged:
            self.show_advice(advice)

    def show_advice(self, advice: Advice) -> None:
        """Show a verdict with everything it rests on."""
        self.advice = advice
        self.stack.setCurrentIndex(VERDICT)
        self.save.setVisible(True)
        self.head.show_verdict(advice.verdict, *self._beside_lines(advice))
        self.effects.show_effects(advice.evaluation, advice.verdict)
        self.failures.show_failures(advice.verdict, tuple(advice.evaluation.lanes))
        self._show_costs()
        self._fit_panels()

    def _beside_lines(self, advice: Advice) -> tuple[str, tuple[str, ...]]:
        """How the questionnaire compares, "" where it says nothing; and what is doubtful about what was measured."""
        found = judge_beside(
            advice.evaluation, advice.suite, advice.verdict, kept_answers(self.bench.project), advice.facts.examples
        )
        doubts = list(found.notes)
        for lane in advice.evaluation.lanes:
            files = advice.stale.get(lane.partition(":")[2], ()) if lane.startswith("tuned:") else ()
            if files:
                one = self.tr("Stale: {0} was trained before {2} was changed")
                many = self.tr("Stale: {0} was trained before {1:,} documents were changed, such as {2}")
                said = one if len(files) == 1 else many
                doubts.append(said.format(lane.partition(":")[2], len(files), files[0]))
        return ("" if found.suggestion.recommendation == "cannot-tell" else found.sentence), tuple(doubts)

    def _show_costs(self) -> None:
        if self.advice is None:
            return
        advice, given = self.advice, self._assumptions()
        costs = cost_table(
            advice.evaluation,
            given,
            index_seconds=advice.index_seconds,
            train_seconds=advice.train_seconds,
            index_bytes=advice.index_bytes,
            adapter_bytes=advice.adapter_bytes,
        )
        self.costs.show_costs(costs, given, advice.verdict.lane, CURRENCY)
        prices = set_prices(kept_prices(self.bench.project))
        self.costs.show_elsewhere(project_costs(advice.evaluation, advice.facts, given, prices), advice.verdict.lane)
        chosen = next((cost for cost in costs if cost.lane == advice.verdict.lane), None)
        self.even.show_pair(self._other(costs, chosen), chosen, CURRENCY)

    def _other(self, costs: tuple[Cost, ...], chosen: Cost | None) -> Cost | None:
        """The lane with the most right answers among those that cost less to set up."""
        assert self.advice is not None
        rates = self.advice.evaluation.lanes
        cheaper = [cost for cost in costs if chosen is not None and cost.setup_price < chosen.setup_price]
        return max(cheaper, key=lambda cost: rates[cost.lane].overall.rate) if cheaper else None

    def _assumptions(self) -> Assumptions:
        return kept_assumptions(self.bench.project)

    def _answers(self) -> dict[str, str]:
        return kept_answers(self.bench.project)

    # What a person does

    def _on_answered(self, answers: dict[str, str]) -> None:
        self.bench.remember(questionnaire=answers)

    def _on_questions_clicked(self) -> None:
        sheet = QuestionnaireSheet(self._answers())
        sheet.questions.answered.connect(self._on_sheet_answered)
        self.bench.show_sheet(sheet)

    def _on_sheet_answered(self, answers: dict[str, str]) -> None:
        self._on_answered(answers)
        self.start_questions._answers = dict(answers)
        if self.advice is not None:
            self.head.show_verdict(self.advice.verdict, *self._beside_lines(self.advice))

    def _on_prices_clicked(self) -> None:
        sheet = PricesSheet(self._assumptions(), kept_prices(self.bench.project), CURRENCY)
        sheet.changed.connect(self._on_prices_changed)
        sheet.published_changed.connect(self._on_published_changed)
        self.bench.show_sheet(sheet)

    def _on_prices_changed(self, given: Assumptions) -> None:
        self.bench.remember(assumptions=records.to_plain(given))
        self._show_costs()

    def _on_published_changed(self, own: dict[str, float]) -> None:
        self.bench.remember(prices=own)
        self._show_costs()

    def _on_next(self, reason: str, lane: str) -> None:
        """The next thing to try, where it is done."""
        page = NEXT.get(reason, ("evaluate", ""))[0]
        assert self.advice is not None
        cases = [each.case for each in self.advice.verdict.failed_cases if each.lane == lane and each.reason == reason]
        case = cases[0] if cases else ""
        if page == "documents" and reason == "not-retrieved":
            questions = {each.id: each.question for each in self.advice.suite.cases}
            self.bench.open_page("documents", search=questions.get(case, ""))
        elif page == "documents":
            self.bench.open_page("documents", **({"state": "skipped"} if reason == "not-indexed" else {}))
        elif page == "evaluate":
            self.bench.open_page("evaluate", show="failures", case=case, lane=lane)
        else:
            self.bench.open_page(page)

    def _on_save_clicked(self) -> None:
        if self.advice is None:
            return
        start = str(Path.home() / f"{self.advice.evaluation.name}.html")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save the dossier"), start, "*.html")
        if chosen:
            self.save_dossier(Path(chosen))

    def save_dossier(self, path: Path) -> None:
        """Write the report page, whole in one file, to be read without Workbench."""
        assert self.advice is not None
        advice, project = self.advice, self.bench.project
        self.bench.jobs.start(
            self.tr("Saving the dossier"),
            lambda: evaluate_source.export("html", path, advice.evaluation, advice.suite, project),
            on_done=self._on_saved,
            kind="advise",
            quiet=True,
        )

    def _on_saved(self, path: Any) -> None:
        from PySide6.QtCore import QUrl
        from PySide6.QtGui import QDesktopServices

        def show() -> None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

        self.bench.notices.tell(self.tr("Written: {0}").format(path), "good", action_text=self.tr("Open"), action=show)
