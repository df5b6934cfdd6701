"""Fine-tune: training files and a recipe at the left, the run at the right."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QWidget

from workbench.errors import WorkbenchError
from workbench.tuning.columns import Preview
from workbench.tuning.dataset import DatasetReport
from workbench.tuning.fields import within_context
from workbench.tuning.recipe import Recipe, RunInfo, held_out_count
from workbench.ui import finetune_source as source
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.finetune_frame import FinetuneFrame
from workbench.ui.finetune_intake import Intake
from workbench.ui.finetune_measuring import Measuring
from workbench.ui.finetune_presets import USUAL, Choices, estimate_seconds, like, make_choices, step_count
from workbench.ui.finetune_run import passes_of
from workbench.ui.finetune_run_actions import RunActions
from workbench.ui.finetune_settings import RecipeSheet
from workbench.ui.finetune_watch import RunWatch

IN_MENU = 12  # runs; all of them are in the list of earlier runs


class FinetunePage(FinetuneFrame):
    """Teach the model from files of examples."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._recipe: Recipe | None = None
        self._choices: Choices | None = None
        self._shown: RunInfo | None = None
        self.intake, self.watch, self.measuring = Intake(bench, self), RunWatch(bench, self), Measuring(bench, self)
        self.runs = RunActions(bench, self)
        self._connect()
        self.reload()

    def _connect(self) -> None:
        data, intake, watch, runs = self.data, self.intake, self.watch, self.runs
        self.files_given.connect(self.take_files)
        data.files_chosen.connect(self._on_files_chosen)
        data.again_wanted.connect(intake.read_again)
        data.mend_wanted.connect(lambda problem: intake.mend(problem, self))
        data.leave_out_wanted.connect(intake.leave_out)
        data.columns_wrong.connect(intake.forget_columns)
        data.columns_chosen.connect(intake.name_columns)
        intake.reading.connect(self._on_reading)
        intake.said.connect(data.say)
        intake.read.connect(self._on_read)
        intake.failed.connect(self._on_unreadable)
        intake.unnamed.connect(self._on_unnamed)
        self.recipe.changed.connect(self._on_recipe)
        self.recipe.settings_wanted.connect(self._on_settings)
        self.recipe.measure_wanted.connect(self._measure)
        self.recipe.models_wanted.connect(lambda: self.bench.open_page("models"))
        self.measuring.due.connect(self._on_measure_due)
        self.measuring.changed.connect(self._show_recipe)
        watch.stopping.connect(self._arrange)
        watch.ended.connect(self._on_ended)
        self.earlier_wanted.connect(runs.show_all)
        self.bring_wanted.connect(runs.bring)
        self.new_wanted.connect(self._on_new_clicked)
        self.stop_wanted.connect(watch.stop)
        self.start_wanted.connect(self._on_start_clicked)
        self.resume_wanted.connect(self._on_resume_clicked)
        self.compare_wanted.connect(self._on_compare_clicked)
        self.name_changed.connect(self._arrange)
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
        self.read_runs()
        self.intake.open_kept()
        self.data.show_files(self.intake.known, self.intake.files)
        runs = self.runs.known
        running = [run for run in runs if run.state == "running"]
        if running or runs:
            self.show_run(running[-1] if running else runs[-1])
        self._arrange()

    def read_runs(self) -> None:
        """Read the runs anew, into the header's menu."""
        self.runs.read()
        self._menu.clear()
        for run in self.runs.known[: -IN_MENU - 1 : -1]:
            widgets.add_action(self._menu, run.name, partial(self.show_run, run))
        self._menu.addSeparator()
        widgets.add_action(self._menu, self.tr("New fine-tune"), self._on_new_clicked, "plus")

    def show_run(self, run: RunInfo) -> None:
        """Show how a run went, or goes; not while another one is followed."""
        if self.watch.busy:
            return
        self._shown = run
        self.run.show_run(run)
        if run.state == "running":  # started elsewhere, or before the window was opened
            self.run.go_on()
            self.watch.follow(run)
        self._arrange()

    def forget(self, run: RunInfo) -> None:
        """A run was deleted."""
        if self._shown is not None and self._shown.name == run.name:
            self._shown = None
        self.read_runs()
        self._arrange()

    def _arrange(self) -> None:
        """Show what can be done now."""
        busy, shown = self.watch.busy, self._shown
        fresh = not busy and shown is None
        planned = fresh and self.intake.report is not None
        if planned:
            self._show_plan()
        self.picker.setVisible(bool(self.runs.known) or busy)
        self.picker.setText(self.tr("New fine-tune") if fresh else self.run.course.name)
        self.earlier.setVisible(bool(self.runs.known))
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
        slower = shown is not None and shown.slower
        self.resume.setText(self.tr("Start anew, slower\N{HORIZONTAL ELLIPSIS}") if slower else self.tr("Go on"))
        self.takes_files = not busy
        self.data.set_changeable(not busy)
        self.recipe.set_changeable(not busy)
        self.said.set_text(self.runs.foot_words(shown))
        self.after.show_run(None if busy else shown)

    def _show_plan(self) -> None:
        """What the run will be, before it is started."""
        recipe, report, choices = self._recipe, self.intake.report, self._choices
        if recipe is None or report is None or choices is None:
            return
        basis = self.measuring.basis
        seconds = estimate_seconds(report, recipe, basis) if basis is not None else None
        reasons = choices.reasons.get(choices.key_of(recipe), ())
        self.run.show_plan(step_count(report, recipe), passes_of(recipe.epochs, recipe.minutes), seconds, reasons)

    def shown(self, **what: Any) -> None:
        """Open with `file` (a training file), or `run` (a run's name)."""
        self.data.show_files(self.intake.known, self.intake.files)  # rows may have been collected meanwhile
        if what.get("file"):
            self.take_files((Path(what["file"]),))
        for run in self.runs.known:
            if run.name == what.get("run"):
                self.show_run(run)
        self.measuring.soon()

    def hidden(self) -> None:
        self.measuring.not_now()

    # The data

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
        name = source.free_name(source.name_of(intake.files), self.runs.names)
        folder = self.bench.project.adapters_folder / name
        try:
            self._choices = make_choices(name, intake.model, intake.files, folder, report).of_columns(intake.columns)
        except WorkbenchError as error:
            intake.report = None
            self._on_unreadable(str(error))
            return
        mine = None if self._recipe is None else (self._recipe.datasets, self._recipe.columns)
        if mine != (intake.files, intake.columns):
            self._recipe = self._choices.recipes[USUAL]
            self.name.setText(name)
        self._show_recipe()
        self.measuring.soon()

    def _on_unreadable(self, why: str) -> None:
        self.data.show_nothing(why)
        self._arrange()

    def _on_unnamed(self, preview: Preview) -> None:
        self.data.show_unnamed(preview)
        self._arrange()

    # The recipe

    def _show_recipe(self) -> None:
        recipe, report, choices = self._recipe, self.intake.report, self._choices
        if recipe is None or report is None or choices is None:
            return
        measuring = self.measuring
        measuring.look_up(recipe, report, self.runs.known)
        held = held_out_count(report.examples, recipe.eval_share)
        self.data.show_report(report, held, recipe.max_tokens, self.intake.mendable, bool(recipe.columns))
        self.recipe.show_recipe(recipe, choices, report, measuring.basis, source.free_memory())
        self.recipe.show_measuring(measuring.job is not None)
        if measuring.short:
            self.recipe.show_short(measuring.short)
        self._arrange()

    def _on_recipe(self, recipe: Recipe) -> None:
        with contextlib.suppress(WorkbenchError, OSError):  # a model that cannot be read is said elsewhere
            recipe, why = within_context(recipe)
            if why:
                self.bench.notices.tell(why)
        self._recipe = recipe
        self._show_recipe()

    def _on_settings(self) -> None:
        if self._recipe is not None:
            sheet = RecipeSheet(self._recipe)
            sheet.applied.connect(self._on_recipe)
            self.bench.show_sheet(sheet)

    def _on_jobs_changed(self) -> None:
        if self.isVisible() and not self.measuring.measured and self.intake.report is not None:
            self.measuring.soon()

    def _on_measure_due(self) -> None:
        if self.isVisible():
            self._measure(asked=False)

    def _measure(self, asked: bool = True) -> None:
        """With the usual recipe, from which the others follow; with a person's own where it is computed otherwise."""
        report, choices = self.intake.report, self._choices
        if self._recipe is not None and report is not None and choices is not None and not self.watch.busy:
            self.measuring.start(like(choices.recipes[USUAL], self._recipe), report, asked)

    # The run

    def _on_new_clicked(self) -> None:
        if not self.watch.busy:
            self._shown = None
            if self._recipe is not None:
                self.name.setText(source.free_name(source.name_of(self._recipe.datasets), self.runs.names))
            self._arrange()

    def _on_start_clicked(self) -> None:
        name = source.clean_name(self.name.text())
        if self._recipe is not None and name:
            self.runs.start(self._recipe, name)

    def _on_resume_clicked(self) -> None:
        if self._shown is not None:
            self.runs.resume(self._shown)

    def _on_compare_clicked(self) -> None:
        if self._shown is not None:
            self.runs.compare(self._shown)

    def run_recipe(self, recipe: Recipe, anew: bool = False) -> None:
        """Train, and follow it."""
        self.measuring.stop()
        self.run.go_on()
        self.watch.start(recipe, anew)
        self._arrange()

    def _on_ended(self) -> None:
        """It is over: its folder says how."""
        name = self.run.course.name
        self.read_runs()
        self._shown = None
        for run in self.runs.known:
            if run.name == name:
                self.show_run(run)
        self._show_recipe()
        self._arrange()
        self.bench.adapters_changed.emit()
