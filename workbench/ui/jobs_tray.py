"""The jobs tray at the foot of the rail: each running job with a bar, time left and stop; finished ones until seen."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from workbench.ui import widgets
from workbench.ui.job import JobHandle, Jobs
from workbench.ui.plain import tooltip


class JobCard(QFrame):
    """One job. A click, or Enter, opens the page it belongs to."""

    opened = Signal(str)  # the job's kind

    def __init__(self, handle: JobHandle, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("job")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._handle, self._jobs = handle, jobs
        self._state = widgets.IconLabel("check-circle", 16, "good")
        self._title = widgets.ElidedLabel(handle.title, "strong")
        self._pause = widgets.icon_button("pause", self.tr("Pause"), self._on_pause_clicked)
        self._stop = widgets.icon_button("stop", self.tr("Stop"), handle.stop)
        self._seen = widgets.icon_button("x", self.tr("Seen"), lambda: jobs.forget(handle))
        for each in (self._pause, self._stop, self._seen):
            each.setProperty("kind", "icon")
            each.setFixedSize(24, 24)
        self._bar = widgets.ProgressLine()
        self._note = widgets.label("", "caption", wrap=True)
        self._percent = widgets.label("", "small")
        self._percent.setAlignment(Qt.AlignmentFlag.AlignCenter)
        line = widgets.row(self._state, self._title, self._pause, self._stop, self._seen, spacing=4)
        line.setStretch(1, 1)
        self._line = line
        layout = widgets.column(line, self._percent, self._bar, self._note, spacing=6, margins=(12, 8, 8, 10))
        self.setLayout(layout)
        self._folded = False
        handle.changed.connect(self.refresh)
        self.refresh()

    @property
    def handle(self) -> JobHandle:
        return self._handle

    def set_folded(self, folded: bool) -> None:
        self._folded = folded
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(*((0, 8, 0, 8) if folded else (12, 8, 8, 10)))
        self._line.setSpacing(0 if folded else 4)
        for each in (self._pause, self._stop, self._seen):
            each.setFixedSize(19 if folded else 24, 24)  # two of them stand beside each other in the folded rail
        self.refresh()

    def refresh(self) -> None:
        handle, open_ = self._handle, not self._folded
        progress, running = handle.progress, handle.running or handle.state == "paused"
        share = progress.done / progress.total if progress is not None and progress.total else None
        self._bar.set_share(share)
        self._bar.setVisible(running)
        self._percent.setText("…" if share is None else f"{100 * share:.0f} %")
        self._percent.setVisible(self._folded and running)
        for each in (self._title, self._note):
            each.setVisible(open_)
        self._state.setVisible(not running)
        self._state.set_icon(*_state_icon(handle.state))
        self._pause.setVisible(running and handle.can_pause)
        self._pause.setToolTip(self.tr("Go on") if handle.state == "paused" else self.tr("Pause"))
        self._stop.setVisible(running)
        self._stop.setEnabled(handle.state != "stopping")
        self._seen.setVisible(not running)
        self._note.setText(self._sentence())
        said = f"{handle.title}: {self._note.text()}"
        self.setToolTip(tooltip(said))
        self.setAccessibleName(said)

    def _sentence(self) -> str:
        handle, progress = self._handle, self._handle.progress
        if handle.state == "stopping":
            return self.tr("Stopping; what is done is kept")
        if handle.state == "paused":
            return self.tr("Paused")
        if handle.state == "done":
            return handle.message or self.tr("Done, took {0}").format(widgets.seconds_text(handle.seconds))
        if handle.state in ("failed", "stopped"):
            return handle.message or self.tr("Stopped; what was done is kept")
        if progress is None:
            return self.tr("Starting")
        counted = self.tr("{0:,} of {1:,} {2}").format(progress.done, progress.total, progress.unit).strip()
        lines = [counted if progress.total else progress.note]
        if progress.seconds_left is not None:
            lines.append(self.tr("{0} left").format(widgets.about_text(progress.seconds_left)))
        return "\n".join(lines)

    def _on_pause_clicked(self) -> None:
        if self._handle.state == "paused":
            self._handle.resume()
        else:
            self._handle.pause()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.opened.emit(self._handle.kind)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.opened.emit(self._handle.kind)
            return
        super().keyPressEvent(event)


def _state_icon(state: str) -> tuple[str, str]:
    if state == "failed":
        return "warning-circle", "bad"
    return ("stop", "muted") if state == "stopped" else ("check-circle", "good")


class JobsTray(QWidget):
    """The cards, newest at the bottom."""

    opened = Signal(str)

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._folded = jobs, False
        self._cards: dict[JobHandle, JobCard] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self.setAccessibleName(self.tr("Jobs"))
        jobs.added.connect(self._on_added)
        jobs.removed.connect(self._on_removed)

    def set_folded(self, folded: bool) -> None:
        self._folded = folded
        for card in self._cards.values():
            card.set_folded(folded)

    @property
    def cards(self) -> list[JobCard]:
        return list(self._cards.values())

    def _on_added(self, handle: JobHandle) -> None:
        if handle.quiet:
            return
        for old in [
            each for each in self._cards if each.kind == handle.kind and not each.running and each.state != "paused"
        ]:
            self._jobs.forget(old)  # the same kind of work begins anew: its last outcome was seen
        card = self._cards[handle] = JobCard(handle, self._jobs)
        card.set_folded(self._folded)
        card.opened.connect(self.opened)
        self._layout.addWidget(card)

    def _on_removed(self, handle: JobHandle) -> None:
        card = self._cards.pop(handle, None)
        if card is not None:
            handle.changed.disconnect(card.refresh)
            card.hide()
            card.deleteLater()
