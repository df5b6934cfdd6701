"""Bench: what a page is given. It holds the project, the workers, the jobs and the notices, and decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from workbench.bases import Base
from workbench.children import Child, Worker
from workbench.errors import WorkbenchError
from workbench.priority import ANSWERING, READING
from workbench.project import Project
from workbench.settings import Settings, change_recent, change_settings, load_settings
from workbench.ui.job import Jobs
from workbench.ui.notices import Notices


class Bench(QObject):
    """What pages share. Pages hear of each other's work only through its signals."""

    project_changed = Signal()  # another project is open: read everything again
    adapters_changed = Signal()
    index_changed = Signal()
    base_changed = Signal()  # another knowledge base is shown, or there are others
    suite_changed = Signal()
    results_changed = Signal()
    lanes_changed = Signal()  # the lanes a person keeps, or the prompts they are made of
    settings_changed = Signal()
    index_requested = Signal()  # bring the index level with the project's folders
    page_requested = Signal(str, dict)
    sheet_requested = Signal(object)  # a page.Sheet to show beside the page, or None to close the one that is open
    sheet_changed = Signal(object)  # the sheet that is open now, None when there is none

    def __init__(
        self,
        project: Project,
        settings: Settings | None = None,
        knowledge: Worker | None = None,
        engine: Worker | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.project = project
        self.base: Base = project  # the knowledge base that the Documents page shows
        self.settings = settings or load_settings()
        self.jobs = Jobs(self)
        self.notices = Notices(self)
        self._not_kept = ""  # why `remember` could not write, as it was told
        self.jobs.failed.connect(self.notices.error)
        # Neither child has a process until the first stage is run in it.
        reader, kept = self.tr("The document reader"), self.tr("The index keeps every file that was finished.")
        self.knowledge: Worker = knowledge or Child(reader, kept, niceness=READING)
        kept = self.tr("Your questions and the answers so far are kept.")
        self.engine: Worker = engine or Child(self.tr("The model engine"), kept, niceness=ANSWERING)

    def open_page(self, name: str, **what: Any) -> None:
        """Bring a page to the front: "compare", "documents", "finetune", "evaluate", "advise", "models", "settings",
        "help"; `what` reaches its `shown`."""
        self.page_requested.emit(name, what)

    def show_sheet(self, sheet: QWidget | None) -> None:
        """Open a side sheet in place of the one that is open; None closes it."""
        self.sheet_requested.emit(sheet)

    def open_project(self, folder: Path) -> None:
        """Switch to another project folder, making it when it is new. Raises as Project.open does."""
        self.use_project(Project.open(folder))

    def use_project(self, project: Project) -> None:
        """Switch to a project that is open already."""
        self.project = self.base = project
        self._keep_opened(last_project=str(project.folder), welcomed=True)
        self.project_changed.emit()

    def forget_projects(self, folders: Iterable[Path]) -> None:
        """Take projects off the list of those opened last; nothing of theirs is touched."""
        self._keep_opened(gone=folders)

    def _keep_opened(self, **changes: Any) -> None:
        """The project that is open is the newest of those opened last."""
        self.settings = change_recent(self.project.folder, **changes)
        self.settings_changed.emit()

    def use_base(self, base: Base) -> None:
        """Show another knowledge base of the project on the Documents page."""
        self.base = base
        self.base_changed.emit()

    def change_settings(self, **changes: Any) -> None:
        """Change preferences, keep them and tell everybody."""
        self.settings = change_settings(**changes)
        self.settings_changed.emit()

    def remember(self, **options: Any) -> None:
        """Keep what a page wants back at the next start, in the project. It is never worth failing for: where it cannot
        be written it holds until the window closes, and that is told once."""
        kept = {**self.project.info.options, **options}
        if kept == self.project.info.options:
            return
        try:
            self.project.change(options=kept)
            self._not_kept = ""
        except (OSError, WorkbenchError) as error:
            self.project.info = replace(self.project.info, options=kept)
            if str(error) != self._not_kept:
                self._not_kept = str(error)
                self.notices.error(error)

    def recall(self, key: str, default: Any = None) -> Any:
        """What `remember` kept."""
        return self.project.info.options.get(key, default)

    def close(self) -> None:
        """Stop every job and end the workers, within about three seconds at worst."""

        def end_workers() -> None:
            for worker in (self.knowledge, self.engine):
                worker.close()

        self.jobs.close(end_workers)
