"""What is done with runs: start one, go on with one, compare, list, note and delete them, bring one in."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from workbench.errors import WorkbenchError
from workbench.events import Event, Note, Progress, Step
from workbench.project import ANYWAY
from workbench.tuning.recipe import Recipe, RunInfo
from workbench.ui import finetune_source as source
from workbench.ui.bench import Bench
from workbench.ui.finetune_exchange import Exchange
from workbench.ui.finetune_run import passes_of, read_samples
from workbench.ui.finetune_runs import RunsSheet, confirm_anew, confirm_anyway, confirm_delete
from workbench.ui.finetune_samples import question_of
from workbench.ui.finetune_versus import VersusSheet
from workbench.ui.reader import Reader

if TYPE_CHECKING:
    from workbench.ui.finetune_page import FinetunePage


class RunActions(QObject):
    """The runs of a project, done with as a person asks on the Fine-tune page."""

    def __init__(self, bench: Bench, page: FinetunePage) -> None:
        super().__init__(page)
        self._bench, self._page, self.exchange = bench, page, Exchange(bench, self)
        self.known: tuple[RunInfo, ...] = ()  # oldest first
        watch = page.watch
        watch.came.connect(self._on_event)
        watch.done.connect(self._on_done)
        watch.failed.connect(bench.notices.error)
        self.exchange.imported.connect(self._on_imported)

    def read(self) -> None:
        """Read the runs anew."""
        self.known = source.list_runs(self._bench.project)

    @property
    def names(self) -> set[str]:
        """The names that are taken."""
        return {run.name for run in self.known}

    def foot_words(self, shown: RunInfo | None) -> str:
        """What a person should know of what the page's foot offers; `shown` is a run that is over."""
        page = self._page
        if page.watch.ending:
            return self.tr("Stopping: what was learnt so far is being kept…")
        if page.watch.busy:
            return self.tr("The run goes on when Workbench is closed, and is shown again when it is opened.")
        if shown is not None and shown.state == "done":
            return self.tr("Opens Base and {0} side by side, on a held-out question").format(shown.name)
        if shown is not None and shown.slower:
            return self.tr("Going on would end in the same way: it can start anew with a lower learning rate")
        if shown is not None:
            return self.tr("Go on continues from what was kept")
        if page.intake.report is None:
            return "" if page.intake.files else self.tr("Choose a training file to begin")
        return self.tr("Stopping keeps what was learnt")

    # One run

    def start(self, recipe: Recipe, name: str) -> None:
        """Start a fine-tune under a name."""
        if name in self.names:
            said = self.tr("There is a fine-tune named {0} already: choose another name, so that it stays.")
            self._bench.notices.tell(said.format(name), "warning")
            self._page.name.setFocus()
            return
        recipe = replace(recipe, name=name, folder=self._bench.project.adapters_folder / name)
        total = source.steps(self._page.intake.report, recipe)
        self._page.run.begin(name, passes_of(recipe.epochs, recipe.minutes), time.strftime("%H:%M"), total)
        self._page.run_recipe(recipe)

    def resume(self, run: RunInfo) -> None:
        """Go on with a run that was stopped or failed."""
        page = self._page
        if page.watch.busy:
            said = self.tr("{0} is being trained. Once it is done or stopped, {1} can go on.")
            self._bench.notices.tell(said.format(page.run.course.name, run.name))
            return
        try:
            recipe = source.recipe_of(run)
            other = () if run.slower else source.differences(recipe)
        except (WorkbenchError, TypeError, ValueError, OSError) as error:
            self._bench.notices.error(error)
            return
        if (run.slower or other) and not confirm_anew(run, other, page):
            return
        page.show_run(run)
        if run.slower or other:
            recipe = replace(recipe, learning_rate=run.slower or recipe.learning_rate)
            page.run.begin(run.name, passes_of(recipe.epochs, recipe.minutes), time.strftime("%H:%M"), run.total)
        page.run_recipe(recipe, anew=bool(run.slower or other))

    def _on_event(self, event: Event) -> None:
        section = self._page.run
        if isinstance(event, Step):
            section.course.memory = max(section.course.memory, source.memory_of(self._page.watch.folder))
            section.add(event)
        elif isinstance(event, Note) and event.level == "warning":
            self._bench.notices.tell(event.message, "warning")
        elif isinstance(event, Progress):
            section.say(event.note, event.seconds_left if event.unit == "%" else None)

    def _on_done(self, run: RunInfo | None) -> None:
        if run is not None and run.state == "done":
            self._offer(run, self.tr("The fine-tune {0} is done.").format(run.name))

    def _offer(self, run: RunInfo, said: str) -> None:
        if not run.sound:
            doubt = self.tr("It does not answer in llama.cpp as it did in training, so no lane is made of it.")
            self._bench.notices.tell(f"{said} {doubt}", "warning")
            return
        compare = partial(self.compare, run)
        self._bench.notices.tell(said, "good", action_text=self.tr("Compare now"), action=compare)

    def compare(self, run: RunInfo, other: RunInfo | None = None) -> None:
        """Open Compare with base and tuned beside each other and a held-out question asked."""
        if not all(self._may_use(each) for each in (run, other) if each is not None):
            return
        samples = read_samples(run.folder)
        asked = [each.prompt for each in samples.get(max(samples, default=0), ())]
        bare = [prompt for prompt in asked if question_of(prompt) == prompt.strip()]
        question = question_of((bare or asked or [""])[0])
        lanes = ["base", *(f"tuned:{each.name}" for each in (run, other) if each is not None)]
        if asked and not bare:  # it only learnt to read passages: without them it has nothing to answer from
            lanes += [f"rag+{lane}" for lane in lanes[1:]]
        self._bench.adapters_changed.emit()
        self._bench.open_page("compare", lanes=lanes, question=question, ask=bool(question), anew=True)

    def _may_use(self, run: RunInfo) -> bool:
        """Whether lanes may be made of a run: it is sound, or a person says so once for all."""
        project = self._bench.project
        if run.sound or any(each.name == run.name for each in project.offered_adapters()):
            return True
        if not confirm_anyway(run, self._page):
            return False
        marks = [each.mark for each in project.adapters() if each.name == run.name]
        self._bench.remember(**{ANYWAY: [*(project.info.options.get(ANYWAY) or ()), *marks]})
        return True

    # All of them

    def show_all(self) -> None:
        """The list of earlier runs, beside the page."""
        self._page.read_runs()
        sheet = RunsSheet(self.known)
        sheet.opened.connect(self._page.show_run)
        sheet.compare_wanted.connect(self.compare)
        sheet.versus_wanted.connect(self.show_versus)
        sheet.resume_wanted.connect(self.resume)
        sheet.export_wanted.connect(lambda run: self.exchange.ask_export(run, self._page))
        sheet.delete_wanted.connect(lambda run: self._on_delete(run, sheet))
        sheet.noted.connect(source.keep_note)
        project, reader = self._bench.project, Reader(self._bench, self.tr("Looking for stale fine-tunes"), sheet)
        reader.ready.connect(sheet.show_stale)
        reader.read(lambda: source.stale_adapters(project))
        self._bench.show_sheet(sheet)

    def show_versus(self, first: RunInfo, second: RunInfo) -> None:
        """Two runs beside each other."""
        sheet = VersusSheet(first, second)
        sheet.both_wanted.connect(self.compare)
        self._bench.show_sheet(sheet)

    def bring(self, folder: bool) -> None:
        """Bring in an adapter from elsewhere: a PEFT folder, else a GGUF file."""
        self.exchange.ask_import(folder, self.names, self._page)

    def _on_imported(self, run: RunInfo) -> None:
        self._page.read_runs()
        self._page.show_run(run)
        self._bench.adapters_changed.emit()
        self._offer(run, self.tr("The adapter {0} is imported.").format(run.name))

    def _on_delete(self, run: RunInfo, sheet: RunsSheet) -> None:
        if not confirm_delete(run, self._page):
            return
        try:
            source.delete_run(self._bench.project, run)
        except (WorkbenchError, OSError) as error:
            self._bench.notices.error(error)
            return
        self._page.forget(run)
        sheet.show_runs(self.known)
        self._bench.adapters_changed.emit()
