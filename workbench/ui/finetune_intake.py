"""Take training files into the project and have them read: which files, what is in them, or why they cannot be used."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from workbench import records
from workbench.errors import BadDataset, WorkbenchError
from workbench.events import Event, Progress
from workbench.tuning.columns import Columns, Preview, look
from workbench.tuning.dataset import DatasetReport, Problem
from workbench.ui import finetune_source as source
from workbench.ui.bench import Bench
from workbench.ui.finetune_rows import RowDialog, can_mend, put_line, take_in
from workbench.ui.job import JobHandle


class Intake(QObject):
    """The training files that are chosen, and their report once they were read."""

    reading = Signal(tuple)  # the files
    said = Signal(str)  # how the reading goes
    read = Signal(object)  # DatasetReport
    failed = Signal(str)  # why they cannot be used
    unnamed = Signal(object)  # Preview of a file whose columns have names that are not known

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._job: JobHandle | None = None
        self.files: tuple[Path, ...] = ()
        self.model = Path()  # that will be tuned
        self.report: DatasetReport | None = None

    @property
    def known(self) -> tuple[Path, ...]:
        """The training files that lie in the project."""
        return source.training_files(self._bench.project)

    @property
    def mendable(self) -> tuple[str, ...]:
        """The names of the files whose rows can be edited one by one."""
        return tuple(path.name for path in self.files if can_mend(path))

    @property
    def columns(self) -> tuple[Columns | None, ...]:
        """What a person said the columns of each file are; empty where that was said of none."""
        kept = self._kept_columns()
        found = tuple(kept.get(path.name) for path in self.files)
        return found if any(found) else ()

    def _kept_columns(self) -> dict[str, Columns]:
        kept = self._bench.recall("columns", {})
        found = {}
        with contextlib.suppress(TypeError, ValueError, AttributeError, WorkbenchError):  # a person may edit that file
            found = {str(name): Columns(**each) for name, each in kept.items()}
        return found

    def name_columns(self, file: str, columns: Columns) -> None:
        """A person said what the columns of a file are: it is kept in the project, and the files are read so."""
        kept = {**self._kept_columns(), file: columns}
        known = {path.name for path in self.known}
        self._bench.remember(columns={name: records.to_plain(each) for name, each in kept.items() if name in known})
        self.read_again()

    def forget_columns(self) -> None:
        """What a person said of the columns of these files does not hold: they are asked for again."""
        names = {path.name for path in self.files}
        kept = {name: records.to_plain(each) for name, each in self._kept_columns().items() if name not in names}
        self._bench.remember(columns=kept)
        self.read_again()

    def open_kept(self) -> None:
        """Choose what was chosen last; in a project where nothing was, its only training file."""
        self._job, self.files, self.report = None, (), None
        kept = self._bench.recall("training_files", [])
        names = [str(each) for each in kept] if isinstance(kept, list) else []
        known = self.known
        wanted = tuple(path for path in known if path.name in names)
        if wanted or len(known) == 1:
            self.choose(wanted or known)

    def take(self, files: Sequence[Path]) -> bool:
        """Copy files into the project and read them; whether that could be done."""
        try:
            copies = tuple(take_in(file, self._bench.project.datasets_folder) for file in files)
        except (OSError, WorkbenchError) as error:
            self._bench.notices.error(error)
            return False
        self.choose(tuple(dict.fromkeys(copies)))
        return True

    def choose(self, files: tuple[Path, ...]) -> None:
        """Train on these files of the project."""
        self.files = files
        self._bench.remember(training_files=[path.name for path in files])
        self.read_again()

    def read_again(self) -> None:
        """Have the files read; news of an earlier reading is not listened to any more, and it ends by itself."""
        from workbench.evaluation.suite import asked_questions
        from workbench.tuning.dataset import inspect

        self.report = None
        try:
            self.model = source.model_of(self._bench.project)
        except WorkbenchError as error:
            self.failed.emit(str(error))
            return
        files, model, worker, project = self.files, self.model, self._bench.knowledge, self._bench.project
        columns = self.columns
        self.reading.emit(files)
        job: JobHandle | None = None
        job = self._job = self._bench.jobs.start(
            self.tr("Reading the training file"),
            lambda: worker.run(inspect, files, model, asked_questions(project), columns, project.folder),
            on_event=lambda event: self._on_event(job, event),
            on_done=lambda report: self._on_read(job, report),
            on_failed=lambda error: self._on_failed(job, error),
            kind="finetune",
            quiet=True,
        )

    def _on_event(self, job: JobHandle | None, event: Event) -> None:
        if job is self._job and isinstance(event, Progress):
            self.said.emit(event.note)

    def _on_read(self, job: JobHandle | None, report: DatasetReport | None) -> None:
        if job is self._job and report is not None:
            self.report = report
            self.read.emit(report)

    def _on_failed(self, job: JobHandle | None, error: Exception) -> None:
        if job is self._job and isinstance(error, BadDataset):
            self._look(str(error))
        elif job is self._job:
            self.failed.emit(str(error))

    def _look(self, why: str) -> None:
        """Whether it is the names of the columns for which they cannot be used; if not, it is said `why`."""
        kept, worker = self._kept_columns(), self._bench.knowledge
        files = tuple(sorted(self.files, key=lambda path: path.name in kept))  # those of which nothing was said first
        job: JobHandle | None = None
        job = self._job = self._bench.jobs.start(
            self.tr("Looking at the columns"),
            lambda: worker.run(look, files),
            on_done=lambda preview: self._on_looked(job, preview, why),
            on_failed=lambda error: self._on_looked(job, None, why),
            kind="finetune",
            quiet=True,
        )

    def _on_looked(self, job: JobHandle | None, preview: Preview | None, why: str) -> None:
        if job is not self._job:
            return
        if preview is None:
            self.failed.emit(why)
        else:
            self.unnamed.emit(preview)

    # Rows

    def mend(self, problem: Problem, parent: QWidget) -> None:
        """Let a person edit a row of the project's copy."""
        if RowDialog(self._file_of(problem), problem, parent).exec():
            self.read_again()

    def leave_out(self, problem: Problem) -> None:
        """Leave a row out of the project's copy, with a way back."""
        file = self._file_of(problem)
        try:
            line = put_line(file, problem.row, "")
        except (OSError, WorkbenchError) as error:
            self._bench.notices.error(error)
            return
        self.read_again()

        def undo() -> None:
            put_line(file, problem.row, line)
            self.read_again()

        said = self.tr("Row {0} is left out of the project's copy.").format(problem.row)
        self._bench.notices.tell(said, action_text=self.tr("Undo"), action=undo)

    def _file_of(self, problem: Problem) -> Path:
        return next((path for path in self.files if path.name == problem.file), self.files[0])
