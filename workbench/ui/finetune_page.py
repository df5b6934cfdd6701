"""Fine-tune: a training file and a recipe at the left, the run at the right."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu, QMessageBox, QSplitter, QWidget

from workbench.errors import WorkbenchError
from workbench.events import Event, Note, Progress, Step
from workbench.tuning.dataset import DatasetReport, Problem
from workbench.tuning.recipe import Recipe, RunInfo, held_out_count
from workbench.ui import finetune_source as source
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.finetune_data import DataSection
from workbench.ui.finetune_presets import USUAL, Choices, Speed, last_speed, make_choices
from workbench.ui.finetune_recipe import RecipeSection, RecipeSheet
from workbench.ui.finetune_rows import RowDialog, can_mend, replace_row, take_in
from workbench.ui.finetune_run import RunSection
from workbench.ui.finetune_runs import RunsSheet
from workbench.ui.job import JobHandle
from workbench.ui.page import Page, scroll_area

LEFT_WIDTH = 416
KINDS = "*.jsonl *.ndjson *.json *.csv *.tsv *.parquet"


class FinetunePage(Page):
    """Teach the model from a file of examples."""

    title = "Fine-tune"

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._file: Path | None = None
        self._report: DatasetReport | None = None
        self._recipe: Recipe | None = None
        self._choices: Choices | None = None
        self._speed: Speed | None = None
        self._inspecting: JobHandle | None = None
        self._job: JobHandle | None = None
        self._shown: RunInfo | None = None
        self._folder = Path()  # of the run that is watched
        self.runs: tuple[RunInfo, ...] = ()
        self.setAcceptDrops(True)
        self._build_header()
        self._build_body()
        bench.project_changed.connect(self.reload)
        self.reload()

    # What the page is made of

    def _build_header(self) -> None:
        self._menu = QMenu(self)
        self.picker = widgets.menu_button("", self._menu, "", self.tr("Which run is shown"))
        self.add_picker(self.picker)
        self.earlier = widgets.quiet_button(self.tr("Earlier runs"), "clock-counter-clockwise", self._on_runs_clicked)
        self.stop = widgets.button(self.tr("Stop and keep"), "stop", self._on_stop_clicked)
        self.new = widgets.button(self.tr("New fine-tune"), "plus", self._on_new_clicked)
        self.add_action(self.earlier)
        self.add_action(self.new)
        self.add_action(self.stop)

    def _build_body(self) -> None:
        self.data, self.recipe, self.run = DataSection(), RecipeSection(), RunSection()
        self.data.choose_wanted.connect(self._on_choose_clicked)
        self.data.mend_wanted.connect(self._on_mend)
        self.data.leave_out_wanted.connect(self._on_leave_out)
        self.recipe.changed.connect(self._on_recipe)
        self.recipe.settings_wanted.connect(self._on_settings)
        self.recipe.measure_wanted.connect(self._on_measure)
        left = QWidget()
        parts = widgets.column(self.data, 8, widgets.hline(), 8, self.recipe, None, margins=(24, 16, 24, 16))
        left.setLayout(parts)
        left_area = scroll_area(left)
        left_area.setMinimumWidth(340)
        self.empty = widgets.EmptyState(
            "graduation-cap",
            self.tr("Teach the model from your examples"),
            self.tr(
                "A fine-tune learns how to answer: a format, a tone, a habit. It is an adapter of a few megabytes "
                "beside the model, made on this computer. Facts are better left to documents."
            ),
        )
        right = QWidget()
        right.setLayout(widgets.column(self.run, margins=(24, 16, 24, 16)))
        self.run_area = scroll_area(right)
        side = QWidget()
        side.setProperty("kind", "surface")
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        layout = widgets.column(self.empty, self.run_area, widgets.hline(), spacing=0)
        layout.addLayout(self._build_foot())
        layout.setStretch(0, 1)
        layout.setStretch(1, 1)
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
        self.name.textChanged.connect(self._on_name_changed)
        self.name_label.setBuddy(self.name)
        self.start = widgets.primary_button(self.tr("Start fine-tune"), "", self._on_start_clicked)
        self.resume = widgets.button(self.tr("Go on"), "play", self._on_resume_clicked)
        self.compare = widgets.primary_button(self.tr("Compare now"), "", self._on_compare_clicked)
        line = widgets.row(self.said, self.name_label, self.name, self.resume, self.start, self.compare)
        line.setContentsMargins(24, 10, 16, 10)
        line.setStretch(0, 1)
        return line

    # What it shows

    def reload(self) -> None:
        """Another project is open: its file, its runs, and the run that is still going on."""
        self._report, self._recipe, self._job, self._shown = None, None, None, None
        self.data.show_nothing()
        self.recipe.show_nothing()
        self.run.begin("", 0, "")
        self._read_runs()
        kept = self.bench.recall("training_file", "")
        if kept and Path(kept).is_file():
            self.take_file(Path(kept))
        running = [run for run in self.runs if run.state == "running"]
        if running:
            self._watch(running[-1])
        elif self.runs:
            self._show_run(max(self.runs, key=lambda run: run.created))
        self._arrange()

    def _read_runs(self) -> None:
        self.runs = source.list_runs(self.bench.project)
        self._menu.clear()
        for run in sorted(self.runs, key=lambda run: run.created, reverse=True)[:12]:
            widgets.add_action(self._menu, run.name, partial(self._show_run, run))
        self._menu.addSeparator()
        widgets.add_action(self._menu, self.tr("New fine-tune"), self._on_new_clicked, "plus")

    def _show_run(self, run: RunInfo) -> None:
        if self._busy():
            return
        if run.state == "running":  # started elsewhere, or before the window was opened
            self._watch(run)
            return
        self._shown = run
        self.run.show_run(run)
        self._arrange()

    def _busy(self) -> bool:
        return self._job is not None and self._job.running

    def _arrange(self) -> None:
        """Show what can be done now."""
        busy, shown = self._busy(), self._shown
        has_run = busy or shown is not None
        self.picker.setVisible(bool(self.runs))
        self.picker.setText(self.run.course.name if has_run else self.tr("New fine-tune"))
        self.earlier.setVisible(bool(self.runs))
        self.stop.setVisible(busy)
        self.new.setVisible(not busy and shown is not None)
        self.run_area.setVisible(has_run)
        self.empty.setVisible(not has_run)
        fresh = not busy and shown is None
        for each in (self.name, self.name_label, self.start):
            each.setVisible(fresh)
        self.start.setEnabled(self._report is not None and bool(self.name.text().strip()))
        self.compare.setVisible(not busy and shown is not None and shown.state == "done")
        self.resume.setVisible(not busy and shown is not None and shown.state in ("stopped", "failed"))
        self.data.choose.setEnabled(not busy)
        self.said.set_text(self._foot_words(busy, shown))

    def _foot_words(self, busy: bool, shown: RunInfo | None) -> str:
        if busy:
            return self.tr("The run goes on when Workbench is closed, and is shown again when it is opened.")
        if shown is not None and shown.state == "done":
            return self.tr("Opens Base and {0} beside each other, with a held-out question already asked").format(
                shown.name
            )
        if shown is not None:
            return self.tr("What was learnt up to the last checkpoint is kept.")
        if self._report is None:
            return self.tr("Choose a training file to begin")
        return self.tr("{0} steps over {1:,} rows").format(
            source.steps(self._report, self._recipe), self._report.examples
        )

    def shown(self, **what: Any) -> None:
        """Open with `file` (a training file), or `run` (a run's name)."""
        if what.get("file"):
            self.take_file(Path(what["file"]))
            self._on_new_clicked()
        for run in self.runs:
            if run.name == what.get("run"):
                self._show_run(run)

    # The data

    def _on_choose_clicked(self) -> None:
        start = str(self._file.parent if self._file is not None else Path.home())
        filters = self.tr("Training files ({0});;All files (*)").format(KINDS)
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Choose a training file"), start, filters)
        if chosen:
            self.take_file(Path(chosen))
            self._on_new_clicked()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(Path(url.toLocalFile()).is_file() for url in event.mimeData().urls() if url.isLocalFile()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if Path(url.toLocalFile()).is_file()]
        event.acceptProposedAction()
        if files and not self._busy():
            self.take_file(files[0])
            self._on_new_clicked()

    def take_file(self, file: Path) -> None:
        """Copy a training file into the project and look at it."""
        try:
            self._file = take_in(file, self.bench.project.datasets_folder)
        except (OSError, WorkbenchError) as error:
            self.bench.notices.error(error)
            return
        self.bench.remember(training_file=str(self._file))
        self._inspect()

    def _inspect(self) -> None:
        from workbench.tuning.dataset import inspect

        assert self._file is not None
        if self._inspecting is not None and self._inspecting.running:
            self._inspecting.stop()
        self._report = None
        try:
            model = source.model_of(self.bench.project)
        except WorkbenchError as error:
            self.data.show_nothing(str(error))
            return
        files, worker = (self._file,), self.bench.knowledge
        self.data.show_reading(files)
        self.recipe.show_nothing()
        self._arrange()
        self._inspecting = self.bench.jobs.start(
            self.tr("Reading the training file"),
            lambda: worker.run(inspect, files, model),
            on_done=lambda report: self._on_inspected(files, model, report),
            on_failed=lambda error: self._on_inspect_failed(files, error),
            kind="finetune",
            quiet=True,
        )

    def _on_inspected(self, files: tuple[Path, ...], model: Path, report: DatasetReport | None) -> None:
        if files != (self._file,) or report is None:
            return
        name = free_name(files[0].stem, {run.name for run in self.runs})
        folder = self.bench.project.adapters_folder / name
        try:
            self._choices = make_choices(name, model, files, folder, report)
        except WorkbenchError as error:
            self._on_inspect_failed(files, error)
            return
        self._report = report
        if self._recipe is None or self._recipe.datasets != files:
            self._recipe = self._choices.recipes[USUAL]
            self.name.setText(name)
        self._show_recipe()

    def _on_inspect_failed(self, files: tuple[Path, ...], error: Exception) -> None:
        if files == (self._file,):
            self.data.show_nothing(str(error))
            self._arrange()

    def _on_mend(self, problem: Problem) -> None:
        if self._file is not None and RowDialog(self._file, problem, self).exec():
            self._inspect()

    def _on_leave_out(self, problem: Problem) -> None:
        from workbench.ui.finetune_rows import read_row

        file = self._file
        assert file is not None
        text = read_row(file, problem.row)
        replace_row(file, problem.row, "")
        self._inspect()

        def undo() -> None:
            replace_row(file, problem.row, text)
            self._inspect()

        said = self.tr("Row {0} is left out of the project's copy.").format(problem.row)
        self.bench.notices.tell(said, action_text=self.tr("Undo"), action=undo)

    # The recipe

    def _show_recipe(self) -> None:
        if self._recipe is None or self._report is None or self._file is None or self._choices is None:
            return
        if self._speed is None:
            self._speed = last_speed(self.runs, self._recipe)
        held = held_out_count(self._report.examples, self._recipe.eval_share)
        self.data.show_report(self._report, held, self._recipe.max_tokens, can_mend(self._file))
        self.recipe.show_recipe(self._recipe, self._choices, self._report, self._speed, source.free_memory())
        self._arrange()

    def _on_recipe(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._show_recipe()

    def _on_settings(self) -> None:
        if self._recipe is not None:
            sheet = RecipeSheet(self._recipe)
            sheet.applied.connect(self._on_recipe)
            self.bench.show_sheet(sheet)

    def _on_measure(self) -> None:
        """A short trial of the real thing, thrown away afterwards."""
        if self._recipe is None or self._report is None or self._busy():
            return
        recipe, rows = self._recipe, self._report.examples
        self.recipe.measure.setEnabled(False)
        self.recipe.source.setText(self.tr("Measuring with a short trial…"))
        handle = self.bench.jobs.start(
            self.tr("Measuring speed"),
            lambda: source.measure(recipe, rows),
            on_done=self._on_measured,
            kind="finetune",
        )
        handle.finished.connect(lambda: self.recipe.measure.setEnabled(True))
        handle.finished.connect(self._show_recipe)

    def _on_measured(self, speed: Speed | None) -> None:
        if speed is not None:
            self._speed = speed
        self._show_recipe()

    # The run

    def _on_name_changed(self) -> None:
        self._arrange()

    def _on_new_clicked(self) -> None:
        if not self._busy():
            self._shown = None
            if self._recipe is not None:
                self.name.setText(free_name(self._recipe.datasets[0].stem, {run.name for run in self.runs}))
            self._arrange()

    def _on_start_clicked(self) -> None:
        name = clean_name(self.name.text())
        if self._recipe is None or not name:
            return
        if any(run.name == name for run in self.runs):
            said = self.tr("There is a fine-tune named {0} already: choose another name, so that it stays.").format(
                name
            )
            self.bench.notices.tell(said, "warning")
            self.name.setFocus()
            return
        self._run(replace(self._recipe, name=name, folder=self.bench.project.adapters_folder / name), again=False)

    def _on_resume_clicked(self) -> None:
        if self._shown is not None:
            self._resume(self._shown)

    def _resume(self, run: RunInfo) -> None:
        try:
            recipe = source.recipe_of(run)
        except (WorkbenchError, TypeError, ValueError, OSError) as error:
            self.bench.notices.error(error)
            return
        self._shown = run
        self.run.show_run(run)
        self._run(recipe, again=True)

    def _run(self, recipe: Recipe, again: bool) -> None:
        self._begin(recipe.name, recipe.epochs, again)
        self._folder = recipe.folder
        self._job = self._start_job(recipe.name, lambda: source.start_and_watch(recipe))
        self._arrange()

    def _watch(self, run: RunInfo) -> None:
        """A run that goes on from before the window was opened."""
        self._shown = run
        self.run.show_run(run)
        self._folder = run.folder
        self._job = self._start_job(run.name, lambda: source.watch(run.folder))
        self._arrange()

    def _begin(self, name: str, epochs: float, again: bool) -> None:
        if not again:
            self.run.begin(name, epochs, time.strftime("%H:%M"))
        self.run.course.state = "running"
        self.run.course.outcome = ""
        self.run.show_course(self.run.course)

    def _start_job(self, name: str, factory: Any) -> JobHandle:
        handle = self.bench.jobs.start(
            self.tr("Fine-tuning {0}").format(name),
            factory,
            self._on_event,
            self._on_done,
            self._on_failed,
            kind="finetune",
        )
        handle.finished.connect(self._on_ended)
        return handle

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Step):
            self.run.course.memory = source.memory_of(self._folder)
            self.run.add(event)
        elif isinstance(event, Note) and event.level == "warning":
            self.bench.notices.tell(event.message, "warning")
        elif isinstance(event, Progress) and not self.run.course.total:
            self.said.set_text(event.note)

    def _on_done(self, run: RunInfo | None) -> None:
        if run is not None and run.state == "done":
            said = self.tr("The fine-tune {0} is done.").format(run.name)
            self.bench.notices.tell(said, "good", action_text=self.tr("Compare now"), action=lambda: self._compare(run))

    def _on_failed(self, error: Exception) -> None:
        self.run.course.outcome = str(error)
        self.bench.notices.error(error)

    def _on_ended(self) -> None:
        """The job is over. One a person stopped only let go of the run: the run itself is told to stop now."""
        if self._job is not None and self._job.state == "stopped":
            folder = self._folder
            self.said.set_text(self.tr("Stopping: what was learnt so far is being kept…"))
            self.stop.setEnabled(False)
            self._stopping = self.bench.jobs.start(
                self.tr("Stopping the fine-tune"), lambda: source.stop_run(folder), kind="finetune", quiet=True
            )
            self._stopping.finished.connect(self._settle)
        else:
            self._settle()

    def _settle(self) -> None:
        name = self.run.course.name
        self.stop.setEnabled(True)
        self._read_runs()
        self._speed = None
        self._shown = next((run for run in self.runs if run.name == name), self._shown)
        if self._shown is not None:
            self.run.show_run(self._shown)
        self._show_recipe()
        self._arrange()
        self.bench.adapters_changed.emit()

    def _on_stop_clicked(self) -> None:
        if self._job is not None:
            self._job.stop()

    def _on_compare_clicked(self) -> None:
        if self._shown is not None:
            self._compare(self._shown)

    def _compare(self, run: RunInfo) -> None:
        """Open Compare with base and tuned beside each other and a held-out question asked."""
        from workbench.ui.finetune_run import read_samples

        samples = read_samples(run.folder)
        asked = samples[max(samples)][0].prompt if samples else ""
        self.bench.adapters_changed.emit()
        self.bench.open_page("compare", lanes=["base", f"tuned:{run.name}"], question=asked)

    def _on_runs_clicked(self) -> None:
        self._read_runs()
        sheet = RunsSheet(self.runs)
        sheet.opened.connect(self._show_run)
        sheet.compare_wanted.connect(self._compare)
        sheet.resume_wanted.connect(self._resume)
        sheet.delete_wanted.connect(lambda run: self._on_delete(run, sheet))
        sheet.noted.connect(source.keep_note)
        self.bench.show_sheet(sheet)

    def _on_delete(self, run: RunInfo, sheet: RunsSheet) -> None:
        box = QMessageBox(self)
        box.setWindowTitle(self.tr("Delete a run"))
        box.setText(self.tr("Delete the run {0}?").format(run.name))
        box.setInformativeText(
            self.tr(
                "Its adapter, checkpoints and log in {0} go, {1} in all. Results that were measured with it stay. "
                "This cannot be undone."
            ).format(run.folder, widgets.bytes_text(source.folder_size(run.folder)))
        )
        delete = box.addButton(self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        if box.clickedButton() is delete:
            try:
                source.delete_run(self.bench.project, run)
            except (WorkbenchError, OSError) as error:
                self.bench.notices.error(error)
                return
            self._shown = None if self._shown is not None and self._shown.name == run.name else self._shown
            self._read_runs()
            sheet.show_runs(self.runs)
            self._arrange()
            self.bench.adapters_changed.emit()


def clean_name(text: str) -> str:
    """A name as a folder and a lane can bear it."""
    return re.sub(r"[^\w.-]+", "-", text.strip()).strip("-.")[:60]


def free_name(wanted: str, taken: set[str]) -> str:
    """A name that is not taken: the wanted one, or with -v2, -v3 behind it."""
    wanted = clean_name(wanted) or "fine-tune"
    number, name = 2, wanted
    while name in taken:
        name, number = f"{re.sub(r'-v[0-9]+$', '', wanted)}-v{number}", number + 1
    return name
