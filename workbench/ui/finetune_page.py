"""Fine-tune: training files and a recipe at the left, the run at the right."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu, QSplitter, QWidget

from workbench.errors import WorkbenchError
from workbench.events import Event, Note, Progress, Step
from workbench.tuning.dataset import DatasetReport
from workbench.tuning.recipe import Recipe, RunInfo, held_out_count
from workbench.ui import finetune_source as source
from workbench.ui import finetune_trial as trial
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.finetune_after import AfterRun
from workbench.ui.finetune_data import DataSection
from workbench.ui.finetune_exchange import Exchange
from workbench.ui.finetune_intake import Intake
from workbench.ui.finetune_presets import USUAL, Choices, Speed, estimate_seconds, last_speed, make_choices, step_count
from workbench.ui.finetune_recipe import RecipeSection
from workbench.ui.finetune_run import RunSection, passes_of, read_samples
from workbench.ui.finetune_runs import RunsSheet, confirm_delete
from workbench.ui.finetune_samples import question_of
from workbench.ui.finetune_settings import RecipeSheet
from workbench.ui.finetune_versus import VersusSheet
from workbench.ui.finetune_watch import RunWatch
from workbench.ui.job import JobHandle
from workbench.ui.page import Page, scroll_area

LEFT_WIDTH = 416
QUIET_MS = 1500  # a page that was only passed through has no speed measured
FOOT_HEIGHT = 32
IN_MENU = 12  # runs; all of them are in the list of earlier runs


class FinetunePage(Page):
    """Teach the model from files of examples."""

    title = "Fine-tune"

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._recipe: Recipe | None = None
        self._choices: Choices | None = None
        self._speed: Speed | None = None
        self._trial: JobHandle | None = None
        self._measured = False  # once is enough: one that was stopped or failed is not tried again unasked
        self._shown: RunInfo | None = None
        self.runs: tuple[RunInfo, ...] = ()
        self.intake, self.watch, self.exchange = Intake(bench, self), RunWatch(bench, self), Exchange(bench, self)
        self._quiet = QTimer(self, singleShot=True, interval=QUIET_MS)
        self._quiet.timeout.connect(self._measure_unasked)
        self.setAcceptDrops(True)
        self._build_header()
        self._build_body()
        self._connect()
        self.reload()

    # What the page is made of

    def _build_header(self) -> None:
        self._menu = QMenu(self)
        self.picker = widgets.menu_button("", self._menu, "", self.tr("Which run is shown"))
        self.add_picker(self.picker)
        self.earlier = widgets.quiet_button(self.tr("Earlier runs"), "clock-counter-clockwise", self._on_runs_clicked)
        self._bring_menu = QMenu(self)
        for text, folder in ((self.tr("From a PEFT folder…"), True), (self.tr("From a GGUF file…"), False)):
            widgets.add_action(self._bring_menu, text, partial(self._on_bring, folder))
        self.bring = widgets.menu_button(self.tr("Import an adapter"), self._bring_menu, "upload-simple")
        self.stop = widgets.button(self.tr("Stop and keep"), "stop", self.watch.stop)
        self.new = widgets.button(self.tr("New fine-tune"), "plus", self._on_new_clicked)
        for each in (self.bring, self.earlier, self.new, self.stop):
            self.add_action(each)

    def _build_body(self) -> None:
        self.data, self.recipe, self.run = DataSection(), RecipeSection(), RunSection()
        left = QWidget()
        left.setLayout(widgets.column(self.data, 8, widgets.hline(), 8, self.recipe, None, margins=(24, 16, 24, 16)))
        left_area = scroll_area(left)
        left_area.setMinimumWidth(360)
        self.empty = widgets.EmptyState(
            "graduation-cap",
            self.tr("Teach the model from your examples"),
            self.tr(
                "A fine-tune learns how to answer: a format, a tone, a habit. It is an adapter of a few megabytes "
                "beside the model, made on this computer. Facts are better left to documents."
            ),
        )
        right = QWidget()
        self.after = AfterRun(self.bench)
        self.run.put_last(self.after)
        right.setLayout(widgets.column(self.run, margins=(24, 16, 24, 16)))
        self.run_area = scroll_area(right)
        side = QWidget()
        side.setProperty("kind", "surface")
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        layout = widgets.column(self.empty, self.run_area, widgets.hline(), spacing=0)
        layout.addLayout(self._build_foot())
        for place in (0, 1):
            layout.setStretch(place, 1)
        side.setLayout(layout)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(left_area)
        split.addWidget(side)
        split.setSizes([LEFT_WIDTH, 800])
        split.setStretchFactor(1, 1)
        self.body.addWidget(split)

    def _build_foot(self) -> Any:
        self.said = widgets.ElidedLabel("", "muted")
        self.name_label = widgets.label(self.tr("Name"), "muted")
        self.name = QLineEdit()
        self.name.setAccessibleName(self.tr("Name of the fine-tune"))
        self.name.setFixedWidth(180)
        self.name.textChanged.connect(self._arrange)
        self.name_label.setBuddy(self.name)
        self.start = widgets.primary_button(self.tr("Start fine-tune"), "", self._on_start_clicked)
        self.resume = widgets.primary_button(self.tr("Go on"), "", self._on_resume_clicked)
        self.compare = widgets.primary_button(self.tr("Compare now"), "", self._on_compare_clicked)
        line = widgets.row(self.said, self.name_label, self.name, self.resume, self.start, self.compare)
        line.setContentsMargins(24, 10, 16, 10)
        line.setStretch(0, 1)
        line.addStrut(FOOT_HEIGHT)  # so that it stays as high when its buttons come and go
        return line

    def _connect(self) -> None:
        data, intake, watch = self.data, self.intake, self.watch
        data.browse_wanted.connect(self._on_browse_clicked)
        data.files_chosen.connect(self._on_files_chosen)
        data.again_wanted.connect(intake.read_again)
        data.mend_wanted.connect(lambda problem: intake.mend(problem, self))
        data.leave_out_wanted.connect(intake.leave_out)
        intake.reading.connect(self._on_reading)
        intake.said.connect(data.say)
        intake.read.connect(self._on_read)
        intake.failed.connect(self._on_unreadable)
        self.recipe.changed.connect(self._on_recipe)
        self.recipe.settings_wanted.connect(self._on_settings)
        self.recipe.measure_wanted.connect(self._on_measure)
        watch.came.connect(self._on_event)
        watch.done.connect(self._on_done)
        watch.failed.connect(self._on_failed)
        watch.stopping.connect(self._on_stopping)
        watch.ended.connect(self._on_ended)
        self.exchange.imported.connect(self._on_imported)
        self.bench.project_changed.connect(self.reload)
        self.bench.jobs.changed.connect(self._on_jobs_changed)

    # What it shows

    def reload(self) -> None:
        """Another project is open: its files, its runs, and the run that is still going on."""
        self.watch.let_go()
        self._recipe, self._choices, self._shown = None, None, None
        self.data.show_nothing()
        self.recipe.show_nothing()
        self.run.begin("", 0, "")
        self._read_runs()
        self.intake.open_kept()
        self.data.show_files(self.intake.known, self.intake.files)
        running = [run for run in self.runs if run.state == "running"]
        if running or self.runs:
            self._show_run(running[-1] if running else self.runs[-1])
        self._arrange()

    def _read_runs(self) -> None:
        self.runs = source.list_runs(self.bench.project)
        self._menu.clear()
        for run in self.runs[: -IN_MENU - 1 : -1]:
            widgets.add_action(self._menu, run.name, partial(self._show_run, run))
        self._menu.addSeparator()
        widgets.add_action(self._menu, self.tr("New fine-tune"), self._on_new_clicked, "plus")

    def _show_run(self, run: RunInfo) -> None:
        if self.watch.busy:
            return
        self._shown = run
        self.run.show_run(run)
        if run.state == "running":  # started elsewhere, or before the window was opened
            self.run.go_on()
            self.watch.follow(run)
        self._arrange()

    def _arrange(self) -> None:
        """Show what can be done now."""
        busy, shown = self.watch.busy, self._shown
        fresh = not busy and shown is None
        planned = fresh and self.intake.report is not None
        if planned:
            self._show_plan()
        self.picker.setVisible(bool(self.runs) or busy)
        self.picker.setText(self.tr("New fine-tune") if fresh else self.run.course.name)
        self.earlier.setVisible(bool(self.runs))
        self.stop.setVisible(busy)
        self.stop.setEnabled(not self.watch.ending)
        self.new.setVisible(not busy and shown is not None)
        self.run_area.setVisible(not fresh or planned)
        self.empty.setVisible(fresh and not planned)
        for each in (self.name, self.name_label, self.start):
            each.setVisible(fresh)
        self.start.setEnabled(planned and bool(self.name.text().strip()))
        self.compare.setVisible(not busy and shown is not None and shown.state == "done")
        self.resume.setVisible(not busy and shown is not None and shown.state in ("stopped", "failed"))
        self.data.set_changeable(not busy)
        self.recipe.set_changeable(not busy)
        self.said.set_text(self._foot_words(busy, shown))
        self.after.show_run(None if busy else shown)

    def _show_plan(self) -> None:
        """What the run will be, before it is started."""
        recipe, report, choices = self._recipe, self.intake.report, self._choices
        if recipe is None or report is None or choices is None:
            return
        seconds = estimate_seconds(report, recipe, self._speed) if self._speed is not None else None
        reasons = choices.reasons.get(choices.key_of(recipe), ())
        self.run.show_plan(step_count(report, recipe), passes_of(recipe.epochs, recipe.minutes), seconds, reasons)

    def _foot_words(self, busy: bool, shown: RunInfo | None) -> str:
        if self.watch.ending:
            return self.tr("Stopping: what was learnt so far is being kept…")
        if busy:
            return self.tr("The run goes on when Workbench is closed, and is shown again when it is opened.")
        if shown is not None and shown.state == "done":
            return self.tr("Opens Base and {0} side by side, on a held-out question").format(shown.name)
        if shown is not None:
            return self.tr("Go on continues from what was kept")
        if self.intake.report is None and self.intake.files:
            return ""
        if self.intake.report is None:
            return self.tr("Choose a training file to begin")
        return self.tr("Stopping keeps what was learnt")

    def shown(self, **what: Any) -> None:
        """Open with `file` (a training file), or `run` (a run's name)."""
        self.data.show_files(self.intake.known, self.intake.files)  # rows may have been collected meanwhile
        if what.get("file"):
            self.take_files((Path(what["file"]),))
        for run in self.runs:
            if run.name == what.get("run"):
                self._show_run(run)
        self._quiet.start()

    def hidden(self) -> None:
        self._quiet.stop()

    # The data

    def _on_browse_clicked(self) -> None:
        start = str(self.intake.files[0].parent if self.intake.files else Path.home())
        kinds = " ".join(f"*{kind}" for kind in source.KINDS)
        filters = self.tr("Training files ({0});;All files (*)").format(kinds)
        chosen, _ = QFileDialog.getOpenFileNames(self, self.tr("Choose training files"), start, filters)
        if chosen:
            self.take_files(tuple(Path(each) for each in chosen))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if not self.watch.busy and _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        if not self.watch.busy:
            self.take_files(_dropped(event))

    def take_files(self, files: tuple[Path, ...]) -> None:
        """Take files into the project, for a new fine-tune."""
        if files and self.intake.take(files):
            self._on_new_clicked()

    def _on_files_chosen(self, files: tuple[Path, ...]) -> None:
        self.intake.choose(files)
        self._on_new_clicked()

    def _on_reading(self, files: tuple[Path, ...]) -> None:
        self.data.show_files(self.intake.known, files)
        self.data.show_reading(files)
        self.recipe.show_nothing(self.tr("How long each takes is said once the rows are read."))
        self._arrange()

    def _on_read(self, report: DatasetReport) -> None:
        intake = self.intake
        name = source.free_name(source.name_of(intake.files), {run.name for run in self.runs})
        folder = self.bench.project.adapters_folder / name
        try:
            self._choices = make_choices(name, intake.model, intake.files, folder, report)
        except WorkbenchError as error:
            intake.report = None
            self._on_unreadable(str(error))
            return
        if self._recipe is None or self._recipe.datasets != intake.files:
            self._recipe = self._choices.recipes[USUAL]
            self.name.setText(name)
        self._show_recipe()
        self._quiet.start()

    def _on_unreadable(self, why: str) -> None:
        self.data.show_nothing(why)
        self._arrange()

    # The recipe

    def _show_recipe(self) -> None:
        recipe, report, choices = self._recipe, self.intake.report, self._choices
        if recipe is None or report is None or choices is None:
            return
        self._speed = trial.kept_speed(recipe.model) or last_speed(self.runs, recipe)
        held = held_out_count(report.examples, recipe.eval_share)
        self.data.show_report(report, held, recipe.max_tokens, self.intake.mendable)
        self.recipe.show_recipe(recipe, choices, report, self._speed, source.free_memory())
        self.recipe.show_measuring(self._trial is not None)
        self._arrange()

    def _on_recipe(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._show_recipe()

    def _on_settings(self) -> None:
        if self._recipe is not None:
            sheet = RecipeSheet(self._recipe)
            sheet.applied.connect(self._on_recipe)
            self.bench.show_sheet(sheet)

    def _on_jobs_changed(self) -> None:
        if self.isVisible() and self._speed is None and self.intake.report is not None:
            self._quiet.start()

    def _measure_unasked(self) -> None:
        """Measure the speed once, while nothing else goes on, so that the presets can say what they take."""
        if self.isVisible() and self._speed is None and not self._measured and not self.bench.jobs.running():
            self._on_measure()

    def _on_measure(self) -> None:
        """A short trial of the real thing, thrown away afterwards."""
        recipe, report = self._recipe, self.intake.report
        if recipe is None or report is None or self.watch.busy or self._trial is not None:
            return
        self._measured = True
        self._trial = self.bench.jobs.start(
            self.tr("Measuring speed"),
            lambda: trial.measure(recipe, report.examples),
            on_done=partial(self._on_measured, recipe.model),
            kind="finetune",
        )
        self._trial.finished.connect(self._on_trial_ended)
        self.recipe.show_measuring(True)

    def _on_measured(self, model: Path, speed: Speed | None) -> None:
        if speed is not None:
            trial.keep_speed(model, speed)

    def _on_trial_ended(self) -> None:
        self._trial = None
        self._show_recipe()

    # The run

    def _on_new_clicked(self) -> None:
        if not self.watch.busy:
            self._shown = None
            if self._recipe is not None:
                self.name.setText(
                    source.free_name(source.name_of(self._recipe.datasets), {run.name for run in self.runs})
                )
            self._arrange()

    def _on_start_clicked(self) -> None:
        name = source.clean_name(self.name.text())
        if self._recipe is None or not name:
            return
        if any(run.name == name for run in self.runs):
            said = self.tr("There is a fine-tune named {0} already: choose another name, so that it stays.")
            self.bench.notices.tell(said.format(name), "warning")
            self.name.setFocus()
            return
        recipe = replace(self._recipe, name=name, folder=self.bench.project.adapters_folder / name)
        total = step_count(self.intake.report, recipe) if self.intake.report is not None else 0
        self.run.begin(name, passes_of(recipe.epochs, recipe.minutes), time.strftime("%H:%M"), total)
        self._run(recipe)

    def _on_resume_clicked(self) -> None:
        if self._shown is not None:
            self._resume(self._shown)

    def _resume(self, run: RunInfo) -> None:
        if self.watch.busy:
            said = self.tr("{0} is being trained. Once it is done or stopped, {1} can go on.")
            self.bench.notices.tell(said.format(self.run.course.name, run.name))
            return
        try:
            recipe = source.recipe_of(run)
        except (WorkbenchError, TypeError, ValueError, OSError) as error:
            self.bench.notices.error(error)
            return
        self._shown = run
        self.run.show_run(run)
        self._run(recipe)

    def _run(self, recipe: Recipe) -> None:
        if self._trial is not None:  # it would make the run slow, and is not needed any more
            self._trial.stop()
        self.run.go_on()
        self.watch.start(recipe)
        self._arrange()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Step):
            self.run.course.memory = max(self.run.course.memory, source.memory_of(self.watch.folder))
            self.run.add(event)
        elif isinstance(event, Note) and event.level == "warning":
            self.bench.notices.tell(event.message, "warning")
        elif isinstance(event, Progress):
            self.run.say(event.note)

    def _on_done(self, run: RunInfo | None) -> None:
        if run is None or run.state != "done":
            return
        self._keep_speed(run)
        said = self.tr("The fine-tune {0} is done.").format(run.name)
        self.bench.notices.tell(said, "good", action_text=self.tr("Compare now"), action=partial(self._compare, run))

    def _keep_speed(self, run: RunInfo) -> None:
        """What the run itself took is the best estimate for the next one."""
        if run.model is not None and run.tokens_per_second and self.run.course.memory:
            before = trial.kept_speed(run.model)
            said = self.tr("From the run {0} on this computer.").format(run.name)
            start = before.start_seconds if before is not None else 0.0
            trial.keep_speed(run.model, Speed(run.tokens_per_second, self.run.course.memory, said, start))

    def _on_failed(self, error: Exception) -> None:
        self.bench.notices.error(error)

    def _on_stopping(self) -> None:
        self._arrange()

    def _on_ended(self) -> None:
        """It is over: its folder says how."""
        name = self.run.course.name
        self._read_runs()
        self._shown = None
        for run in self.runs:
            if run.name == name:
                self._show_run(run)
        self._show_recipe()
        self._arrange()
        self.bench.adapters_changed.emit()

    def _on_compare_clicked(self) -> None:
        if self._shown is not None:
            self._compare(self._shown)

    def _compare(self, run: RunInfo, other: RunInfo | None = None) -> None:
        """Open Compare with base and tuned beside each other and a held-out question asked."""
        samples = read_samples(run.folder)
        asked = [each.prompt for each in samples.get(max(samples, default=0), ())]
        bare = [prompt for prompt in asked if question_of(prompt) == prompt.strip()]
        question = question_of((bare or asked or [""])[0])
        lanes = ["base", *(f"tuned:{each.name}" for each in (run, other) if each is not None)]
        if asked and not bare:  # it only learnt to read passages: without them it has nothing to answer from
            lanes += [f"rag+{lane}" for lane in lanes[1:]]
        self.bench.adapters_changed.emit()
        self.bench.open_page("compare", lanes=lanes, question=question, ask=bool(question))

    def _on_runs_clicked(self) -> None:
        self._read_runs()
        sheet = RunsSheet(self.runs)
        sheet.opened.connect(self._show_run)
        sheet.compare_wanted.connect(self._compare)
        sheet.versus_wanted.connect(self._show_versus)
        sheet.resume_wanted.connect(self._resume)
        sheet.export_wanted.connect(lambda run: self.exchange.ask_export(run, self))
        sheet.delete_wanted.connect(lambda run: self._on_delete(run, sheet))
        sheet.noted.connect(source.keep_note)
        self.bench.show_sheet(sheet)

    def _show_versus(self, first: RunInfo, second: RunInfo) -> None:
        sheet = VersusSheet(first, second)
        sheet.both_wanted.connect(self._compare)
        self.bench.show_sheet(sheet)

    def _on_bring(self, folder: bool) -> None:
        self.exchange.ask_import(folder, {run.name for run in self.runs}, self)

    def _on_imported(self, run: RunInfo) -> None:
        self._read_runs()
        self._show_run(run)
        self._arrange()
        self.bench.adapters_changed.emit()
        said = self.tr("The adapter {0} is imported.").format(run.name)
        self.bench.notices.tell(said, "good", action_text=self.tr("Compare now"), action=partial(self._compare, run))

    def _on_delete(self, run: RunInfo, sheet: RunsSheet) -> None:
        if not confirm_delete(run, self):
            return
        try:
            source.delete_run(self.bench.project, run)
        except (WorkbenchError, OSError) as error:
            self.bench.notices.error(error)
            return
        if self._shown is not None and self._shown.name == run.name:
            self._shown = None
        self._read_runs()
        sheet.show_runs(self.runs)
        self._arrange()
        self.bench.adapters_changed.emit()


def _dropped(event: QDropEvent) -> tuple[Path, ...]:
    """The files that are dropped."""
    found = (Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
    return tuple(path for path in found if path.is_file())
