"""The reading of a project's folders: starts and stops it, lists what is known, finds what changed. No widgets here."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from workbench.bases import Base, base_names
from workbench.errors import WorkbenchError
from workbench.events import Event, Note, Progress, Stage
from workbench.ui import documents_source as source
from workbench.ui.bench import Bench
from workbench.ui.documents_rows import FileRow
from workbench.ui.job import JobHandle

REFRESH_MS = 1000  # how often the list is read again while files are coming in
REST = 8  # times as long as a listing took is what comes between two: a long list is read less often


class Reading(QObject):
    """What happens to the files of the knowledge base that is shown; all of it runs as jobs.

    One base is read at a time; its reading goes on while another base is shown."""

    listed = Signal(object)  # list[FileRow], sorted by name
    started = Signal(object)  # JobHandle of a reading
    moved_on = Signal(str)  # the file that is read now
    changes_found = Signal(object)  # source.Changes
    changes_elsewhere = Signal(object)  # dict of other bases' names to how many files differ
    ended = Signal()

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._job: JobHandle | None = None
        self._base: Base = bench.base  # the base the job reads
        self._next: Base | None = None  # the base to be read after it
        self._looking: JobHandle | None = None
        self._looking_elsewhere: JobHandle | None = None
        self._listing: JobHandle | None = None
        self._list_again = False
        self._waiting: tuple[FileRow, ...] = ()  # files known to change, or that the running build has not come to yet
        self._at = ""  # the file that is read now
        self._look_again = False
        self._follow = False  # what is being looked for has just changed
        self._quiet = False  # the reading began by itself
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self.read_list)

    @property
    def busy(self) -> bool:
        """Whether folders are being read just now, of whatever base."""
        return self._job is not None and self._job.running

    @property
    def here(self) -> bool:
        """Whether what is read, or paused, is the base that is shown."""
        return self._base.folder == self._bench.base.folder

    @property
    def paused(self) -> bool:
        return self._job is not None and self._job.state == "paused"

    def forget(self) -> None:
        """Another base is shown: nothing that was found holds any more."""
        self._waiting, self._at = (), ""
        self._again.stop()

    # The list

    def read_list(self) -> None:
        """Read the list of files, in the background; `listed` tells it. One asked for meanwhile is read after it."""
        if self._listing is not None and self._listing.running:
            self._list_again = True
            return
        self._list_again, began = False, time.monotonic()
        base, waiting, busy = self._bench.base, self._waiting, self.busy and self.here
        self._listing = self._bench.jobs.start(
            self.tr("Listing the files"),
            lambda: source.list_stage(base, waiting, busy),
            on_done=lambda found: self._on_listed(base, waiting, found),
            on_failed=lambda error: self._on_not_listed(base, error),
            kind="list",
            quiet=True,
        )
        self._listing.finished.connect(lambda: self._on_list_ended(time.monotonic() - began))

    def _on_listed(self, base: Base, waiting: tuple[FileRow, ...], found: source.Listing | None) -> None:
        if base is not self._bench.base or found is None:
            return
        if self._waiting is waiting:
            self._waiting = found.waiting
        self.listed.emit(source.with_reading(found.rows, self._at))

    def _on_not_listed(self, base: Base, error: Exception) -> None:
        if base is self._bench.base and not (self.busy and self.here):  # while it is being made, an index may not open
            self.listed.emit([])
            self._bench.notices.error(error)

    def _on_list_ended(self, took: float) -> None:
        if self._list_again:
            QTimer.singleShot(0, self.read_list)
        elif self.busy:
            self._again.start(max(REFRESH_MS, round(REST * took * 1000)))

    # Reading

    def start(self) -> None:
        """Bring the index level with the folders; a reading that is paused goes on, one that runs is left alone.

        While another base is read, this one comes after it.
        """
        if (self.busy or self.paused) and not self.here:
            self._next = self._bench.base
            said = self.tr("{0} is read next: the reading of {1} has to end first.")
            self._bench.notices.tell(said.format(*map(source.base_title, (self._next, self._base))))
        elif self._job is not None and self._job.state == "paused":
            self._job.resume()
            self._on_started()
        elif not self.busy:
            self._build(self._bench.base)

    def _build(self, base: Base) -> None:
        worker, title = self._bench.knowledge, self.tr("Indexing")
        if base_names(self._bench.project):
            title = self.tr("Indexing {0}").format(source.base_title(base))
        self._run(title, base, lambda: source.build_stage(base, worker))

    def read_one(self, row: FileRow) -> None:
        """Read one file again, or take it out where it is gone; what else has changed waits."""
        if self.busy or self.paused:
            self._bench.notices.tell(self.tr("Let the reading end first: it comes to this file as well."))
            return
        base, worker = self._bench.base, self._bench.knowledge
        if row.state == "skipped":
            try:
                source.forget(base, row)
            except WorkbenchError as error:
                self._bench.notices.error(error)
                return
        self._waiting = (row,)
        title = self.tr("Taking out {0}") if row.state == "gone" else self.tr("Reading {0}")
        self._run(title.format(row.file), base, lambda: source.build_stage(base, worker, (row.key,)))

    def take_out(self, folder: Path) -> None:
        """Take a folder's files out of the index."""
        base, worker = self._bench.base, self._bench.knowledge
        self._waiting = ()
        self._run(self.tr("Taking out a folder"), base, lambda: source.take_out_stage(base, worker, folder))

    def audit(self) -> None:
        """Prove that the index holds just what the folders hold, and mend what differs."""
        base, worker = self._bench.base, self._bench.knowledge
        self._waiting = ()
        title = self.tr("Index check")  # short: it stands in the tray
        self._run(title, base, lambda: source.audit_stage(base, worker), self._on_audited, can_pause=False)

    def _run(
        self,
        title: str,
        base: Base,
        factory: Callable[[], Stage],
        on_done: Callable[[Any], None] | None = None,
        can_pause: bool = True,
    ) -> None:
        self._base = base
        self._job = self._bench.jobs.start(
            title, factory, self._on_event, on_done or self._on_done, kind="documents", can_pause=can_pause
        )
        self._job.finished.connect(self._on_ended)
        self._on_started()

    def _on_started(self) -> None:
        self.started.emit(self._job)
        self.read_list()
        if not self._waiting:
            self._look()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Progress):
            file = source.file_of(event)
            if file and file != self._at and self.here:
                self._at = file
                self.moved_on.emit(file)
        elif isinstance(event, Note) and event.level == "warning":
            self._bench.notices.tell(event.message, "warning")

    def _on_done(self, report: Any) -> None:
        if report is not None and not self._quiet:  # nobody asked for it; the list shows what it did
            line = source.report_line(report)
            if not self.here:
                line = f"{source.base_title(self._base)}: {line}"
            self._bench.notices.tell(line, "good")

    def _on_audited(self, report: Any) -> None:
        if report is not None:
            line, level, details = source.audit_line(report)
            self._bench.notices.tell(line, level, details)

    def _on_ended(self) -> None:
        self._at, self._quiet = "", False
        if self._job is not None and self._job.state == "stopped":
            self._follow = False  # a person wants none of it now
        self._again.stop()
        if not self.paused:
            if self.here:
                self._waiting = ()
            self._go_on()
        self.ended.emit()

    def _go_on(self) -> None:
        """Read the base that had to wait, if its project is still the one that is open."""
        base, self._next = self._next, None
        if base is not None and base.root == self._bench.project.folder:
            self._build(base)

    # What changed

    def follow_changes(self) -> None:
        """Something changed in the folders just now: look what it is, and read it where it is little."""
        self._follow = True
        self.look_for_changes()

    def look_for_changes(self) -> None:
        """Compare the folders with the index, in the background; what is found waits for a click."""
        if self._bench.base.info.folders and not (self.here and (self.busy or self.paused)):
            self._look()
        if base_names(self._bench.project):
            self._look_elsewhere()

    def _look(self) -> None:
        if self._looking is not None and self._looking.running:
            self._look_again = True  # what it has passed already may be what changed
            return
        self._look_again = False
        base = self._bench.base
        self._looking = self._bench.jobs.start(
            self.tr("Looking for changes"),
            lambda: source.find_changes(base),
            on_done=lambda found: self._on_changes(base, found),
            kind="changes",
            quiet=True,
        )
        self._looking.finished.connect(lambda: self._on_looked(base))

    def _on_looked(self, base: Base) -> None:
        if base is not self._bench.base or self._look_again:  # another one is shown since, or more has changed
            QTimer.singleShot(0, self, self.look_for_changes)

    def _on_changes(self, base: Base, found: source.Changes | None) -> None:
        follow, self._follow = self._follow, self._look_again
        if base is self._bench.base and found is not None:
            self._waiting = found.rows
            if follow and found.small and source.keeps_itself(base) and not (self.busy or self.paused):
                self._quiet = True
                self._build(base)
                return
            self.read_list()
            self.changes_found.emit(found)

    def _look_elsewhere(self) -> None:
        if self._looking_elsewhere is not None and self._looking_elsewhere.running:
            return
        base = self._bench.base
        self._looking_elsewhere = self._bench.jobs.start(
            self.tr("Looking for changes"),
            lambda: source.find_changes_elsewhere(base),
            on_done=lambda found: self._on_changes_elsewhere(base, found),
            kind="changes elsewhere",
            quiet=True,
        )

    def _on_changes_elsewhere(self, base: Base, found: dict[str, int] | None) -> None:
        if base is self._bench.base and found is not None:
            self.changes_elsewhere.emit(found)
