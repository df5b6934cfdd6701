"""Take an adapter elsewhere and bring one in: what is chosen, where to, and the jobs that do it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QButtonGroup, QDialog, QDialogButtonBox, QFileDialog, QInputDialog, QRadioButton, QWidget

from workbench.errors import WorkbenchError
from workbench.events import Event, Note
from workbench.project import Project
from workbench.tuning.export import MOST_STRENGTH, Exported, export
from workbench.tuning.importing import import_adapter
from workbench.tuning.recipe import RunInfo
from workbench.ui import finetune_source as source
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.boxes import real_box


class ExportDialog(QDialog):
    """As what an adapter is exported."""

    def __init__(self, run: RunInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export {0}").format(run.name))
        kinds = (
            ("gguf", self.tr("Adapter (GGUF)"), self.tr("One small file, for llama.cpp beside the same model.")),
            ("peft", self.tr("Adapter (PEFT folder)"), self.tr("For transformers and other trainers.")),
            (
                "merged",
                self.tr("Merged model (GGUF)"),
                self.tr("A whole model with the adapter added in; it needs nothing else."),
            ),
        )
        self.buttons: dict[str, QRadioButton] = {}
        group = QButtonGroup(self)
        parts = widgets.column(spacing=8, margins=(24, 24, 24, 16))
        for kind, name, why in kinds:
            made = self.buttons[kind] = QRadioButton(name)
            made.setAccessibleDescription(why)
            group.addButton(made)
            parts.addWidget(made)
            parts.addWidget(widgets.label(why, "caption", wrap=True))
        self.buttons["gguf"].setChecked(True)
        self.buttons["peft"].setEnabled((run.folder / "peft").is_dir())
        self.strength = real_box(0.0, MOST_STRENGTH, 0.1)
        self.strength.setValue(1.0)
        self.strength.setAccessibleName(self.tr("Strength"))
        self.strength.setAccessibleDescription(self.tr("1 is as it was trained, 0 is the base"))
        self.strength_label = widgets.label(self.tr("Strength: 1 is as it was trained, 0 is the base"), "muted")
        self.strength_label.setBuddy(self.strength)
        parts.addLayout(widgets.row(self.strength_label, None, self.strength))
        self.buttons["merged"].toggled.connect(self._on_merged_toggled)
        self._on_merged_toggled(False)
        foot = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.choose = widgets.primary_button(self.tr("Choose a place…"), "", self.accept)
        foot.addButton(self.choose, QDialogButtonBox.ButtonRole.ActionRole)
        foot.rejected.connect(self.reject)
        parts.addSpacing(8)
        parts.addWidget(foot)
        self.setLayout(parts)
        self.resize(440, 0)

    @property
    def kind(self) -> str:
        """What was chosen: "gguf", "peft" or "merged"."""
        return next(kind for kind, button in self.buttons.items() if button.isChecked())

    @property
    def scale(self) -> float:
        """The strength of a merged model, 1 for the others."""
        return self.strength.value() if self.kind == "merged" else 1.0

    def _on_merged_toggled(self, merged: bool) -> None:
        self.strength.setEnabled(merged)
        self.strength_label.setEnabled(merged)


class Exchange(QObject):
    """Exports and imports of adapters, each a job that the tray shows."""

    imported = Signal(object)  # RunInfo

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench

    def ask_export(self, run: RunInfo, parent: QWidget) -> None:
        """Let a person choose kind and place, and write it there."""
        dialog = ExportDialog(run, parent)
        if not dialog.exec():
            return
        target = self._choose_target(run, dialog.kind, parent)
        if target is not None:
            self.export(run, target, dialog.kind, dialog.scale)

    def _choose_target(self, run: RunInfo, kind: str, parent: QWidget) -> Path | None:
        """Where to: a file the person names, or a folder that is made where the person says."""
        if kind == "peft":
            title = self.tr("Choose where the folder {0} is made").format(run.name)
            chosen = QFileDialog.getExistingDirectory(parent, title, str(Path.home()))
            return Path(chosen) / run.name if chosen else None
        ending = "-merged.gguf" if kind == "merged" else ".gguf"
        start = str(Path.home() / f"{run.name}{ending}")
        chosen, _ = QFileDialog.getSaveFileName(parent, self.tr("Export the adapter"), start, "*.gguf")
        return Path(chosen) if chosen else None

    def export(self, run: RunInfo, target: Path, kind: str, scale: float = 1.0) -> None:
        """Write an adapter. A file that is there is replaced, which the person was asked for; a folder never is."""
        project, worker = self._bench.project, self._bench.knowledge
        try:
            model = source.model_of(project) if kind == "merged" else None
        except WorkbenchError as error:
            self._bench.notices.error(error)
            return
        self._bench.jobs.start(
            self.tr("Exporting {0}").format(run.name),
            lambda: worker.run(export, project.folder, run.name, target, kind, scale, kind != "peft", model),
            on_event=self._on_event,
            on_done=self._on_exported,
            kind="export",
        )

    def ask_import(self, folder: bool, taken: set[str], parent: QWidget) -> None:
        """Let a person choose a PEFT folder or a GGUF file and a name, and take it in."""
        title, home = self.tr("Import an adapter"), str(Path.home())
        if folder:
            chosen = QFileDialog.getExistingDirectory(parent, title, home)
        else:
            chosen, _ = QFileDialog.getOpenFileName(parent, title, home, self.tr("Adapters ({0})").format("*.gguf"))
        if not chosen:
            return
        path = Path(chosen)
        wanted = source.free_name(path.name if folder else path.stem, taken)
        name, good = QInputDialog.getText(parent, title, self.tr("What is it to be called?"), text=wanted)
        if good and source.clean_name(name):
            self.take(path, source.clean_name(name))

    def take(self, path: Path, name: str) -> None:
        """Check an adapter, try it and make it one of the project's."""
        project, worker = self._bench.project, self._bench.knowledge
        try:
            model = source.model_of(project)
        except WorkbenchError as error:
            self._bench.notices.error(error)
            return
        self._bench.jobs.start(
            self.tr("Importing {0}").format(path.name),
            lambda: worker.run(import_adapter, path, name, model, project.folder),
            on_event=self._on_event,
            on_done=lambda run: self._on_imported(project, run),
            kind="import",
        )

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Note):
            self._bench.notices.tell(event.message, event.level)

    def _on_exported(self, written: Exported | None) -> None:
        if written is not None:
            said = self.tr("{0} is written to {1} ({2}).")
            size = widgets.bytes_text(written.size)
            self._bench.notices.tell(said.format(written.name, written.path, size), "good")

    def _on_imported(self, project: Project, run: RunInfo | None) -> None:
        if run is not None and project is self._bench.project:
            self.imported.emit(run)
