"""Earlier runs: what each was, how it ended, a person's notes; two beside each other, ask, go on, export, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QMessageBox, QWidget

from workbench.tuning.recipe import RunInfo
from workbench.ui import finetune_source as source
from workbench.ui import widgets
from workbench.ui.finetune_run import SIGNS, outcome_words
from workbench.ui.page import Sheet


class RunRow(QWidget):
    """One run."""

    opened = Signal(object)
    compare_wanted = Signal(object)
    resume_wanted = Signal(object)
    export_wanted = Signal(object)
    delete_wanted = Signal(object)
    noted = Signal(object, str)
    ticked = Signal()

    def __init__(self, run: RunInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.run = run
        words = {
            "done": self.tr("Done"),
            "running": self.tr("Running"),
            "stopped": self.tr("Stopped"),
            "failed": self.tr("Failed"),
        }
        sign = SIGNS.get(run.state, SIGNS["failed"])
        name = widgets.link_button(run.name, lambda: self.opened.emit(run))
        name.setAccessibleName(self.tr("Show the run {0}").format(run.name))
        state = widgets.label(words.get(run.state, run.state), "text")
        when = widgets.label(widgets.when_text(run.created), "caption")
        self.tick = QCheckBox()
        self.tick.setToolTip(self.tr("Tick two runs to see them beside each other"))
        self.tick.setAccessibleName(self.tr("Choose {0}, to see two runs beside each other").format(run.name))
        self.tick.toggled.connect(lambda *_: self.ticked.emit())
        self.doubt = widgets.label(self.tr("Differs in llama.cpp"), "bad")
        self.doubt.setToolTip(self.tr("It does not answer in llama.cpp as it did in training"))
        self.doubt.setVisible(not run.sound)
        head = widgets.row(self.tick, name, None, self.doubt, widgets.icon_label(sign[0], 16, sign[1]), state)
        self.note = QLineEdit(run.note)
        self.note.setPlaceholderText(self.tr("Your notes on this run"))
        self.note.setAccessibleName(self.tr("Notes on {0}").format(run.name))
        self.note.editingFinished.connect(lambda: self._on_noted(run))
        actions = widgets.row(spacing=12)
        if run.state == "done":
            actions.addWidget(widgets.link_button(self.tr("Ask in Compare"), lambda: self.compare_wanted.emit(run)))
        if run.state in ("stopped", "failed"):
            words_on = self.tr("Start anew, slower…") if run.slower else self.tr("Go on")
            actions.addWidget(widgets.link_button(words_on, lambda: self.resume_wanted.emit(run)))
        if run.adapter is not None:
            actions.addWidget(widgets.link_button(self.tr("Export…"), lambda: self.export_wanted.emit(run)))
        if run.state != "running":
            actions.addWidget(widgets.link_button(self.tr("Delete"), lambda: self.delete_wanted.emit(run)))
        actions.addStretch(1)
        self.stale = widgets.label("", "warning", wrap=True)
        self.stale.hide()
        parts = widgets.column(head, widgets.label(self._figures(run), "muted", wrap=True), when, self.stale, spacing=4)
        if run.outcome and run.state != "done":
            parts.addWidget(widgets.label(outcome_words(run.outcome), "text", wrap=True))
        for each in (self.note, actions):
            parts.addWidget(each) if isinstance(each, QWidget) else parts.addLayout(each)
        parts.addSpacing(8)
        parts.addWidget(widgets.hline())
        self.setLayout(parts)
        self._last = run.note

    def show_stale(self, files: Sequence[str]) -> None:
        """Say that documents were changed after the adapter was trained; nothing where none was."""
        one, many = (
            self.tr("Stale: {1} was changed since"),
            self.tr("Stale: {0:,} documents were changed since, such as {1}"),
        )
        said = one if len(files) == 1 else many
        self.stale.setText(said.format(len(files), files[0]) if files else "")
        self.stale.setVisible(bool(files))

    def _figures(self, run: RunInfo) -> str:
        said = [self.tr("{0:,} rows").format(run.examples)] if run.examples else []
        if run.backend == "imported":
            said.append(self.tr("imported, rank {0}").format(run.recipe.get("rank")))
        if run.total:
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
    export_wanted = Signal(object)
    delete_wanted = Signal(object)
    noted = Signal(object, str)
    versus_wanted = Signal(object, object)

    def __init__(self, runs: Sequence[RunInfo], parent: QWidget | None = None) -> None:
        super().__init__("", parent=parent)
        self.set_title(self.tr("Earlier runs"))
        self.rows: list[RunRow] = []
        self._stale: Mapping[str, Sequence[str]] = {}  # adapter -> documents that are newer
        self.hint = widgets.label(self.tr("Tick two to see them beside each other"), "caption")
        self.versus = widgets.button(self.tr("Beside each other"), "columns", self._on_versus_clicked)
        self.add_foot(self.hint, None, self.versus)
        self.show_runs(runs)

    def show_runs(self, runs: Sequence[RunInfo]) -> None:
        """Show these runs in place of what was shown."""
        widgets.clear_layout(self.content)
        self.rows = []
        for run in sorted(runs, key=lambda run: run.created, reverse=True):
            row = RunRow(run)
            for name in ("opened", "compare_wanted", "resume_wanted", "export_wanted", "delete_wanted", "noted"):
                getattr(row, name).connect(getattr(self, name))
            row.ticked.connect(self._on_ticked)
            row.show_stale(self._stale.get(run.name, ()))
            self.rows.append(row)
            self.content.addWidget(row)
        if not runs:
            self.content.addWidget(
                widgets.label(self.tr("There are no runs yet. The first one will be listed here."), "muted", wrap=True)
            )
        self.content.addStretch(1)
        self._on_ticked()

    def show_stale(self, stale: Mapping[str, Sequence[str]]) -> None:
        """Mark the adapters that are older than a document."""
        self._stale = stale
        for row in self.rows:
            row.show_stale(stale.get(row.run.name, ()))

    @property
    def chosen(self) -> tuple[RunInfo, ...]:
        """The ticked runs, the older first."""
        return tuple(sorted((row.run for row in self.rows if row.tick.isChecked()), key=lambda run: run.created))

    def _on_ticked(self) -> None:
        for each in (self.hint, self.versus):
            each.setVisible(len(self.rows) > 1)
        self.versus.setEnabled(len(self.chosen) == 2)

    def _on_versus_clicked(self) -> None:
        self.versus_wanted.emit(*self.chosen)


def confirm_anyway(run: RunInfo, parent: QWidget) -> bool:
    """Say that an adapter is not what was trained, and ask whether it is to be used all the same."""
    box = QMessageBox(parent)
    box.setWindowTitle(box.tr("A fine-tune that differs"))
    box.setText(box.tr("Use {0} all the same?").format(run.name))
    said = box.tr("It does not answer in llama.cpp as it did in training, so its answers say little about it.")
    box.setInformativeText(f"{said} {run.parity.get('verdict', '')}".strip())
    use = box.addButton(box.tr("Use it anyway"), QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    return box.clickedButton() is use


def confirm_anew(run: RunInfo, other: Sequence[str], parent: QWidget) -> bool:
    """Say why a run cannot go on from what it learnt, and ask whether it is to begin anew."""
    box = QMessageBox(parent)
    box.setWindowTitle(box.tr("Start anew"))
    box.setText(box.tr("Start {0} anew?").format(run.name))
    if run.slower:
        why = box.tr("Going on would end in the same way. Anew it learns at a third of the rate, {0:g}.")
        why = why.format(run.slower)
    else:
        why = box.tr("It cannot go on, for it was begun with {0}.").format(", ".join(other))
    box.setInformativeText(why + " " + box.tr("What it learnt so far, {0} steps, is given up.").format(run.step))
    anew = box.addButton(box.tr("Start anew"), QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    return box.clickedButton() is anew


def confirm_delete(run: RunInfo, parent: QWidget) -> bool:
    """Say exactly what goes with a run, and ask."""
    box = QMessageBox(parent)
    box.setWindowTitle(box.tr("Delete a run"))
    box.setText(box.tr("Delete the run {0}?").format(run.name))
    box.setInformativeText(
        box.tr(
            "Its adapter, checkpoints and log in {0} go, {1} in all. Results that were measured with it stay. "
            "This cannot be undone."
        ).format(run.folder, widgets.bytes_text(source.folder_size(run.folder)))
    )
    delete = box.addButton(box.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    return box.clickedButton() is delete
