"""The header of the Evaluate page: which suite and run are shown, the lanes of the next one, what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu

from workbench.ui import widgets
from workbench.ui.evaluate_lanes import LanesPicker
from workbench.ui.evaluate_running import SuiteRun
from workbench.ui.evaluate_shown import Shown
from workbench.ui.page import Page
from workbench.ui.plain import unmarked


class EvaluateHeader(QObject):
    """Fills the page's header. It tells what is wanted and shows what it is told."""

    suite_chosen = Signal(object)  # the Path of its file
    results_chosen = Signal(str)  # the name of a suite whose file lies elsewhere
    new_wanted = Signal()
    unsaved_chosen = Signal(str)  # the name of a new suite that is not saved yet
    import_wanted = Signal()
    run_chosen = Signal(object)  # an Evaluation; None for the one that was stopped
    export_wanted = Signal(str)  # as `evaluate_source.export` has it
    delete_suite_wanted = Signal()
    delete_run_wanted = Signal()
    edit_clicked = Signal()
    drafts_wanted = Signal()
    sources_wanted = Signal()
    drill_wanted = Signal()
    judge_wanted = Signal()
    run_clicked = Signal()
    stop_clicked = Signal()

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.suite_menu, self.run_menu, self._exports = QMenu(page), QMenu(page), QMenu(page)
        self.suite_picker = widgets.menu_button("", self.suite_menu, "", self.tr("Suite"))
        self.run_picker = widgets.menu_button(
            "", self.run_menu, "clock-counter-clockwise", self.tr("Which run is shown")
        )
        self.lanes = LanesPicker()
        self.edit = widgets.quiet_button(self.tr("Edit cases"), "pencil-simple", self.edit_clicked.emit)
        self.export = widgets.menu_button(self.tr("Export"), self._exports, "export")
        for text, kind in (
            (self.tr("Report page (HTML)"), "html"),
            (self.tr("The same without texts of documents and answers"), "redacted"),
            (self.tr("Dossier (JSON)"), "json"),
            (self.tr("Table (CSV)"), "csv"),
            ("JUnit XML", "junit"),
        ):
            widgets.add_action(self._exports, text, partial(self.export_wanted.emit, kind))
        self.run = widgets.primary_button(self.tr("Run"), "", self.run_clicked.emit)
        self.stop = widgets.button(self.tr("Stop and keep"), "stop", self.stop_clicked.emit)
        page.add_picker(self.suite_picker)
        page.add_picker(self.run_picker)
        for each in (self.edit, self.export, self.lanes, self.stop, self.run):
            page.add_action(each)

    def show_suites(self, shown: Shown, unsaved: Sequence[str] = (), editing: str = "") -> None:
        """Offer the suites of the project and new ones that are `unsaved`; name the one shown, or that is edited."""
        self.suite_menu.clear()
        for path in shown.files:
            widgets.add_action(self.suite_menu, path.stem, partial(self.suite_chosen.emit, path))
        for name in unsaved:
            text = self.tr("{0}, not saved yet").format(name)
            widgets.add_action(self.suite_menu, text, partial(self.unsaved_chosen.emit, name))
        for name in shown.suites_elsewhere():
            text = self.tr("{0}, results only").format(name)
            widgets.add_action(self.suite_menu, text, partial(self.results_chosen.emit, name))
        self.suite_menu.addSeparator()
        widgets.add_action(self.suite_menu, self.tr("New suite…"), self.new_wanted.emit, "plus")
        widgets.add_action(self.suite_menu, self.tr("Import a suite…"), self.import_wanted.emit, "upload-simple")
        widgets.add_action(self.suite_menu, self.tr("Draft questions…"), self.drafts_wanted.emit, "pencil-simple")
        self.suite_menu.addSeparator()
        widgets.add_action(self.suite_menu, self.tr("Documents or weights?…"), self.sources_wanted.emit, "flask")
        widgets.add_action(self.suite_menu, self.tr("Update drill…"), self.drill_wanted.emit, "timer")
        widgets.add_action(self.suite_menu, self.tr("Judge with a model…"), self.judge_wanted.emit, "scales")
        if shown.suite is not None and shown.suite.path in shown.files:
            self.suite_menu.addSeparator()
            delete = self.tr("Delete {0}").format(shown.suite.name)
            widgets.add_action(self.suite_menu, delete, self.delete_suite_wanted.emit, "trash")
        self.name_suite(editing or shown.name or self.tr("No suite"))

    def name_suite(self, name: str) -> None:
        self.suite_picker.setText(unmarked(name))

    def show_runs(self, shown: Shown, live: SuiteRun) -> None:
        """Offer the runs of the suite, the newest first, and say which one is shown."""
        self.run_menu.clear()
        if live.results:
            text = self.tr("Stopped run, {0:,} of {1:,} answers").format(len(live.results), live.total)
            widgets.add_action(self.run_menu, text, partial(self.run_chosen.emit, None))
        for each in reversed(shown.runs_of_suite):
            text = self.tr("{0}, {1} lanes").format(widgets.when_text(each.created), len(each.lanes))
            widgets.add_action(self.run_menu, text, partial(self.run_chosen.emit, each))
        run = shown.run
        if run is not None:
            self.run_menu.addSeparator()
            widgets.add_action(self.run_menu, self.tr("Delete this run…"), self.delete_run_wanted.emit, "trash")
        self.run_picker.setText(widgets.when_text(run.created) if run is not None else self.tr("Stopped run"))

    def arrange(self, shown: Shown, busy: bool, stopped: bool, results: bool) -> None:
        """Show what can be done just now; `results`: whether the matrix is in sight."""
        suite = shown.suite is not None
        self.run.setVisible(not busy and results and suite)
        self.run.setText(self.tr("Go on") if stopped else self.tr("Run again"))
        self.stop.setVisible(busy)
        self.lanes.setVisible(suite and not busy)
        self.edit.setVisible(suite and not busy)
        self.export.setVisible(shown.run is not None and not busy)
        self.run_picker.setVisible(bool(shown.runs_of_suite) and not busy)

    def hide_actions(self) -> None:
        """While cases are edited, only the suite is named."""
        for each in (self.run, self.edit, self.export, self.lanes, self.run_picker):
            each.hide()
