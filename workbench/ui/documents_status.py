"""The lines over and under the table of files: what is going on, what has changed, how it is cut."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from workbench.events import Progress
from workbench.ui import icons, widgets
from workbench.ui.documents_source import Changes
from workbench.ui.job import JobHandle


class IndexingStrip(QWidget):
    """Slim progress while a folder is read: which file of how many, chunks a second, time left; pause and stop."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._handle: JobHandle | None = None
        self.what = widgets.label("", "strong")
        self.figures = widgets.ElidedLabel("", "muted")
        self.pause = widgets.button(self.tr("Pause"), "pause", self._on_pause_clicked)
        self.stop = widgets.button(self.tr("Stop"), "stop", self._on_stop_clicked)
        self.bar = widgets.ProgressLine()
        line = widgets.row(self.what, self.figures, self.pause, self.stop)
        line.setStretch(1, 1)
        self.setLayout(widgets.column(line, self.bar, spacing=8))
        self.hide()

    def follow(self, handle: JobHandle) -> None:
        """Show one job until it has ended."""
        self._handle = handle
        handle.changed.connect(self._on_changed)
        self._on_changed()

    def _on_changed(self) -> None:
        handle = self._handle
        if handle is None:
            return
        self.setVisible(handle.state in ("running", "stopping", "paused"))
        paused = handle.state == "paused"
        self.pause.setText(self.tr("Resume") if paused else self.tr("Pause"))
        self.pause.setIcon(icons.icon("play" if paused else "pause"))
        self.pause.setVisible(handle.can_pause)
        for each in (self.pause, self.stop):
            each.setEnabled(handle.state != "stopping")
        self.show_progress(handle.progress, handle.state)

    def show_progress(self, progress: Progress | None, state: str = "running") -> None:
        """Say how far it is."""
        if progress is None or not progress.total:
            self.what.setText(self.tr("Looking through the folder"))
            self.figures.set_text(progress.note if progress is not None else "")
            self.bar.set_share(None)
            return
        doing = self.tr("Comparing") if progress.note.startswith("Comparing") else self.tr("Reading")
        words = {"paused": self.tr("Paused at"), "stopping": self.tr("Stopping at")}.get(state, doing)
        file = min(progress.total, progress.done + 1) if state == "running" else progress.done
        self.what.setText(self.tr("{0} {1:,} of {2:,}").format(words, file, progress.total))
        said = [progress.note] if progress.note else []
        if progress.rate and state == "running":
            said.append(f"{progress.rate:,.0f} {progress.rate_unit}")
        if progress.seconds_left is not None and state == "running":
            said.append(self.tr("{0} left").format(widgets.about_text(progress.seconds_left)))
        if state == "paused":
            said = [self.tr("what was read is searchable")]
        self.figures.set_text(", ".join(said))
        self.bar.set_share(progress.done / progress.total)

    def _on_pause_clicked(self) -> None:
        if self._handle is not None:
            self._handle.resume() if self._handle.state == "paused" else self._handle.pause()

    def _on_stop_clicked(self) -> None:
        if self._handle is not None:
            self._handle.stop()


class ChangesStrip(QFrame):
    """Says what has changed in the folders since they were read, and brings the index level on a click."""

    wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "panel")
        self.said = widgets.label("", "text", wrap=True)
        self.apply = widgets.button(self.tr("Bring up to date"), "arrows-clockwise", self.wanted.emit)
        line = widgets.row(widgets.icon_label("arrow-clockwise", 16, "warning"), self.said, self.apply)
        line.setStretch(1, 1)
        line.setContentsMargins(12, 6, 8, 6)
        self.setLayout(line)
        self.hide()

    def show_changes(self, changes: Changes) -> None:
        """Say how many files are new, changed and gone, and which folders are not there; nothing when all is level."""
        counts = Counter(row.state for row in changes.rows)
        words = (
            ("new", self.tr("{0:,} new")),
            ("changed", self.tr("{0:,} changed")),
            ("gone", self.tr("{0:,} gone")),
        )
        parts = [text.format(counts[state]) for state, text in words if counts[state]]
        said = [self.tr("In the folders since they were read: {0}.").format(", ".join(parts))] if parts else []
        for folder in changes.missing:
            missing = self.tr(
                "{0} is not there: connect the disk that holds it, or remove it from the project. "
                "What was read of it can still be searched."
            )
            said.append(missing.format(folder))
        self.said.setText("\n".join(said))
        self.apply.setVisible(bool(parts))
        self.setVisible(bool(said))


class SettingsFoot(QWidget):
    """One line on how documents are cut and found, with the button that changes it."""

    change_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pageFoot")
        self.said = widgets.ElidedLabel("", "muted")
        self.change = widgets.button(self.tr("Change"), "", self.change_wanted.emit)
        self.change.setAccessibleName(self.tr("Change how documents are cut"))
        line = widgets.row(widgets.icon_label("sliders-horizontal", 16, "muted"), self.said, self.change)
        line.setStretch(1, 1)
        line.setContentsMargins(24, 10, 24, 10)
        self.setLayout(widgets.column(widgets.hline(), line, spacing=0))
