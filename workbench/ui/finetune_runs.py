"""Earlier runs: what each was, how it ended, a person's notes; compare, go on, delete."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from workbench.tuning.recipe import RunInfo
from workbench.ui import widgets
from workbench.ui.page import Sheet

STATES = {
    "done": ("check-circle", "good"),
    "running": ("circle-dashed", "accent"),
    "stopped": ("pause-circle", "warning"),
    "failed": ("x-circle", "bad"),
}


class RunRow(QWidget):
    """One run."""

    opened = Signal(object)
    compare_wanted = Signal(object)
    resume_wanted = Signal(object)
    delete_wanted = Signal(object)
    noted = Signal(object, str)

    def __init__(self, run: RunInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        words = {
            "done": self.tr("Done"),
            "running": self.tr("Running"),
            "stopped": self.tr("Stopped"),
            "failed": self.tr("Failed"),
        }
        sign = STATES.get(run.state, STATES["failed"])
        name = widgets.link_button(run.name, lambda: self.opened.emit(run))
        name.setAccessibleName(self.tr("Show the run {0}").format(run.name))
        state = widgets.label(words.get(run.state, run.state), "text")
        when = widgets.label(run.created.replace("T", " ")[:16], "caption")
        head = widgets.row(name, None, widgets.icon_label(sign[0], 16, sign[1]), state)
        self.note = QLineEdit(run.note)
        self.note.setPlaceholderText(self.tr("Your notes on this run"))
        self.note.setAccessibleName(self.tr("Notes on {0}").format(run.name))
        self.note.editingFinished.connect(lambda: self._on_noted(run))
        actions = widgets.row(spacing=12)
        if run.state == "done":
            actions.addWidget(widgets.link_button(self.tr("Compare"), lambda: self.compare_wanted.emit(run)))
        if run.state in ("stopped", "failed"):
            actions.addWidget(widgets.link_button(self.tr("Go on"), lambda: self.resume_wanted.emit(run)))
        if run.state != "running":
            actions.addWidget(widgets.link_button(self.tr("Delete"), lambda: self.delete_wanted.emit(run)))
        actions.addStretch(1)
        parts = widgets.column(head, widgets.label(self._figures(run), "muted", wrap=True), when, spacing=4)
        if run.outcome and run.state != "done":
            parts.addWidget(widgets.label(run.outcome, "text", wrap=True))
        for each in (self.note, actions):
            parts.addWidget(each) if isinstance(each, QWidget) else parts.addLayout(each)
        parts.addWidget(widgets.hline())
        self.setLayout(parts)
        self._last = run.note

    def _figures(self, run: RunInfo) -> str:
        said = [self.tr("{0:,} rows").format(run.examples)] if run.examples else []
        said.append(self.tr("step {0:,} of {1:,}").format(run.step, run.total))
        if run.eval_loss:
            said.append(self.tr("held-out loss {0:.2f}").format(run.eval_loss[-1][1]))
        if run.seconds:
            said.append(widgets.seconds_text(run.seconds))
        return ", ".join(said)

    def _on_noted(self, run: RunInfo) -> None:
        if self.note.text() != self._last:
            self._last = self.note.text()
            self.noted.emit(run, self._last)


class RunsSheet(Sheet):
    """All runs of the project, the newest first."""

    opened = Signal(object)
    compare_wanted = Signal(object)
    resume_wanted = Signal(object)
    delete_wanted = Signal(object)
    noted = Signal(object, str)

    def __init__(self, runs: Sequence[RunInfo], parent: QWidget | None = None) -> None:
        super().__init__("Earlier runs", parent=parent)
        self.rows: list[RunRow] = []
        self.show_runs(runs)

    def show_runs(self, runs: Sequence[RunInfo]) -> None:
        """Show these runs in place of what was shown."""
        widgets.clear_layout(self.content)
        self.rows = []
        for run in sorted(runs, key=lambda run: run.created, reverse=True):
            row = RunRow(run)
            for name in ("opened", "compare_wanted", "resume_wanted", "delete_wanted", "noted"):
                getattr(row, name).connect(getattr(self, name))
            self.rows.append(row)
            self.content.addWidget(row)
        if not runs:
            self.content.addWidget(
                widgets.label(self.tr("There are no runs yet. The first one will be listed here."), "muted", wrap=True)
            )
        self.content.addStretch(1)
