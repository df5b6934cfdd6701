"""What a person does with a whole suite or run: begin a suite, bring one in, take a run elsewhere as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

from workbench.errors import WorkbenchError
from workbench.evaluation.records import Evaluation, Suite
from workbench.ui import evaluate_source as source
from workbench.ui import widgets
from workbench.ui.bench import Bench

ENDINGS = {"html": "html", "redacted": "html", "json": "json", "csv": "csv", "junit": "xml"}


class SuiteActions(QObject):
    """Asks where and how, does it, and says what was done."""

    named = Signal(str)  # a new suite is wanted under this name
    run_deleted = Signal()
    imported = Signal(object)  # the Path of a suite that is now in the project

    def __init__(self, bench: Bench, page: QWidget) -> None:
        super().__init__(page)
        self._bench, self._page = bench, page

    def ask_name(self) -> None:
        """Ask for the name of a new suite."""
        name, good = QInputDialog.getText(self._page, self.tr("New suite"), self.tr("What is it about?"))
        if good and name.strip():
            self.named.emit(name.strip())

    def ask_file(self) -> None:
        """Ask which file to import, and import it."""
        filters = self.tr("Suites ({0})").format("*.yaml *.yml *.json *.jsonl *.csv *.tsv")
        chosen, _ = QFileDialog.getOpenFileName(self._page, self.tr("Import a suite"), str(Path.home()), filters)
        if chosen:
            self.take(Path(chosen))

    def take(self, file: Path) -> None:
        """Copy a suite into the project."""
        try:
            suite, notes = source.import_suite(self._bench.project, file)
            self.imported.emit(suite)
        except (WorkbenchError, OSError) as error:
            self._bench.notices.error(error)
            return
        if notes:
            self._bench.notices.tell(" ".join(notes))

    def delete_suite(self, suite: Suite | None) -> None:
        """Delete the file of a suite, with a way back; its runs stay."""
        if suite is None:
            return
        bench, project = self._bench, self._bench.project
        try:
            content = suite.path.read_bytes()
            suite.path.unlink()
        except OSError as error:
            bench.notices.error(error)
            return

        def undo() -> None:
            suite.path.write_bytes(content)
            if bench.project is project:
                self.imported.emit(suite.path)

        bench.suite_changed.emit()
        said = self.tr("The suite {0} is deleted; the results of its runs are kept.").format(suite.name)
        bench.notices.tell(said, action_text=self.tr("Undo"), action=undo)

    def ask_delete_run(self, run: Evaluation | None) -> None:
        """Say what goes with a run, and ask."""
        if run is None:
            return
        box = QMessageBox(self._page)
        box.setWindowTitle(self.tr("Delete a run"))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(self.tr("Delete the run of {0}?").format(widgets.when_text(run.created)))
        said = self.tr("Its {0:,} answers over {1} lanes go, with your marks on them and what a model said of them.")
        box.setInformativeText(said.format(len(run.results), len(run.lanes)))
        delete = box.addButton(self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        if box.clickedButton() is delete:
            self.delete_run(run)

    def delete_run(self, run: Evaluation) -> None:
        """Delete a run for good."""
        try:
            source.delete_run(self._bench.project, run)
        except (WorkbenchError, OSError) as error:
            self._bench.notices.error(error)
            return
        self.run_deleted.emit()
        self._bench.results_changed.emit()

    def ask_place(self, kind: str, run: Evaluation, suite: Suite | None) -> None:
        """Ask where to write a run, and write it."""
        ending = ENDINGS[kind]
        start = str(Path.home() / f"{run.name}.{ending}")
        chosen, _ = QFileDialog.getSaveFileName(self._page, self.tr("Export the run"), start, f"*.{ending}")
        if chosen:
            self.export(kind, Path(chosen), run, suite)

    def export(self, kind: str, path: Path, run: Evaluation, suite: Suite | None) -> None:
        """Write a run as one of ENDINGS; without its suite's file with what its results know of the suite."""
        project = self._bench.project
        self._bench.jobs.start(
            self.tr("Exporting"),
            lambda: source.export(kind, path, run, suite or source.suite_of(project, run), project),
            on_done=self._on_exported,
            kind="evaluate",
            quiet=True,
        )

    def _on_exported(self, path: Any) -> None:
        def show() -> None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

        said = self.tr("Written: {0}").format(path)
        self._bench.notices.tell(said, "good", action_text=self.tr("Open"), action=show)
