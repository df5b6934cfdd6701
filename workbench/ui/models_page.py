"""Models: what is here, what fits this machine, what a download would cost; import, fetch, use, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from workbench import paths
from workbench.bases import all_bases
from workbench.catalog.records import Model
from workbench.errors import WorkbenchError
from workbench.events import Progress, Result, Stage
from workbench.index.files import embedder_of
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.job import JobHandle
from workbench.ui.models_row import ModelRow
from workbench.ui.page import Page, scroll_area


def import_stage(path: Path) -> Stage:
    """Take in a GGUF file, or an embedder's or reranker's folder, as a stage: hashing some gigabytes takes a while."""
    from workbench.catalog.models import import_model

    yield Progress(0, 0, QCoreApplication.translate("Models", "reading {0}").format(path.name))
    yield Result(import_model(path))


class ModelsPage(Page):
    """The chat and embedding models."""

    title = "Models"

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.models: tuple[Model, ...] = ()
        self.rows: dict[str, ModelRow] = {}
        self._jobs: dict[str, JobHandle] = {}  # by model, or by the path of what is imported
        self.setAcceptDrops(True)
        self.take_folder = widgets.button(self.tr("Import a folder"), "upload-simple", self._on_folder_clicked)
        said = self.tr(
            "An embedder as sentence-transformers saves one, or a cross-encoder that reranks: config.json, "
            "tokenizer.json and weights in safetensors"
        )
        self.take_folder.setToolTip(said)
        self.take_folder.setAccessibleDescription(said)
        self.add_action(self.take_folder)
        self.take = widgets.primary_button(self.tr("Import a GGUF file"), "upload-simple", self._on_import_clicked)
        self.add_action(self.take)
        choices = (("all", self.tr("All")), ("here", self.tr("Here")), ("fits", self.tr("Fit this computer")))
        self.chips = widgets.ChipRow(choices, self.tr("Which models are shown"))
        self.chips.chosen.connect(self._fill)
        self.memory = widgets.label("", "muted")
        self._list = widgets.column(spacing=8)
        inner = QWidget()
        inner.setLayout(widgets.column(self._list, None, margins=(24, 0, 24, 24)))
        head = widgets.row(self.chips, None, self.memory, margins=(24, 12, 24, 12))
        self.body.addLayout(head)
        self.body.addWidget(scroll_area(inner), 1)
        for signal in (bench.project_changed, bench.settings_changed):
            signal.connect(self._fill)
        self.reload()

    def shown(self, **what: Any) -> None:
        """Open with `import_file` to take one in at once."""
        self.reload()
        if what.get("import_file"):
            self.import_file(Path(what["import_file"]))

    def reload(self) -> None:
        """Look again at what is here."""
        from workbench.catalog.models import list_models

        try:
            self.models = list_models()
        except (OSError, WorkbenchError) as error:
            self.bench.notices.error(error)
        self._fill()

    def _fill(self, *_: object) -> None:
        from workbench.catalog import memory

        widgets.clear_layout(self._list)
        self.rows = {}
        self._jobs = {each: job for each, job in self._jobs.items() if job.running or job.state == "paused"}
        free, shown = memory.free(), self.chips.current
        offline = self.bench.settings.downloads_are_off
        said = self.tr("{0} of {1} memory free").format(widgets.bytes_text(free), widgets.bytes_text(memory.total()))
        self.memory.setText(said)
        for model in self.models:
            if shown == "here" and model.path is None or shown == "fits" and not model.fits:
                continue
            row = self.rows[model.name] = ModelRow(
                model, self._is_used(model), free, offline, self._jobs.get(model.name)
            )
            row.use_wanted.connect(self._on_use)
            row.fetch_wanted.connect(self._on_fetch)
            row.remove_wanted.connect(self._on_remove)
            self._list.addWidget(row)
        here = sum(model.path is not None for model in self.models)
        fits = sum(model.fits for model in self.models)
        self.chips.set_counts({"all": len(self.models), "here": here, "fits": fits})

    def _is_used(self, model: Model) -> bool:
        wanted = self.bench.project.info.chat_model
        if model.kind == "embedding":
            return model.name in {embedder_of(each) for each in all_bases(self.bench.project)}
        if model.kind != "chat":
            return False
        if not wanted:
            return model.path is not None and model.source == "included"
        return wanted in (model.name, str(model.path))

    # What a person does

    def _on_use(self, model: Model) -> None:
        before = self.bench.project.info.chat_model
        self._use("" if model.source == "included" else str(model.path))
        said = self.tr("{0} answers in this project from now on. Fine-tunes of another model cannot be used with it.")
        action = self.tr("Undo")
        self.bench.notices.tell(said.format(model.title), action_text=action, action=lambda: self._use(before))

    def _use(self, name: str) -> None:
        self.bench.project.change(chat_model=name)
        self._fill()
        self.bench.lanes_changed.emit()

    def _on_import_clicked(self) -> None:
        filters = self.tr("Models ({0})").format("*.gguf")
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Import a GGUF file"), str(Path.home()), filters)
        if chosen:
            self.import_file(Path(chosen))

    def _on_folder_clicked(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Import a folder"), str(Path.home()))
        if chosen:
            self.import_file(Path(chosen))

    def import_file(self, path: Path) -> None:
        """Take in a model of the person's own."""
        if self._is_busy(str(path), path.name):
            return
        self._jobs[str(path)] = self.bench.jobs.start(
            self.tr("Importing {0}").format(path.name),
            lambda: import_stage(path),
            on_done=self._on_imported,
            kind="models",
        )

    def _on_imported(self, model: Model | None) -> None:
        self.reload()
        if model is not None:
            self.bench.notices.tell(self.tr("{0} is here.").format(model.title), "good")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.toLocalFile().lower().endswith(".gguf") for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        for url in event.mimeData().urls():
            if url.toLocalFile().lower().endswith(".gguf"):
                self.import_file(Path(url.toLocalFile()))

    def _on_fetch(self, model: Model) -> None:
        box = QMessageBox(self)
        box.setWindowTitle(self.tr("Fetch a model"))
        box.setText(self.tr("Fetch {0}?").format(model.title))
        box.setInformativeText(
            self.tr(
                "{0} are downloaded from the hub ({1}) and checked against the known hash. The hub sees your address "
                "and which model you fetch, and nothing else. It goes to {2}; a stopped download goes on where it was."
            ).format(widgets.bytes_text(model.size), model.source, paths.model_folder())
        )
        fetch = box.addButton(self.tr("Fetch"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        if box.clickedButton() is fetch:
            self.fetch(model)

    def fetch(self, model: Model) -> None:
        """Download a model of the catalogue."""
        from workbench.catalog.fetch import fetch

        if self._is_busy(model.name, model.title):
            return
        job = self._jobs[model.name] = self.bench.jobs.start(
            self.tr("Fetching {0}").format(model.title),
            lambda: fetch(model.name),
            on_done=self._on_imported,
            kind="models",
            can_pause=True,
        )
        if model.name in self.rows:
            self.rows[model.name].follow(job)

    def _is_busy(self, key: str, title: str) -> bool:
        """Whether a model is on its way already, which is said: two jobs would write one file."""
        self._jobs = {each: job for each, job in self._jobs.items() if job.running or job.state == "paused"}
        if key in self._jobs:
            self.bench.notices.tell(self.tr("{0} is on its way already.").format(title))
        return key in self._jobs

    def _on_remove(self, model: Model) -> None:
        box = QMessageBox(self)
        box.setWindowTitle(self.tr("Remove a model"))
        box.setText(self.tr("Remove {0}?").format(model.title))
        said = self.tr("{0} in {1} go. Fine-tunes made from it stay on disk, and work again once it is back.")
        if model.kind == "embedding" and self._is_used(model):
            said = self.tr("{0} in {1} go. This project's documents cannot be searched until another one reads them.")
        elif model.kind != "chat":
            said = self.tr("{0} in {1} go.")
        box.setInformativeText(said.format(widgets.bytes_text(model.size), model.path.parent if model.path else ""))
        remove = box.addButton(self.tr("Remove"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        if box.clickedButton() is remove:
            self.remove(model)

    def remove(self, model: Model) -> None:
        """Delete a fetched or imported model; a project that used it goes back to the starter."""
        from workbench.catalog.models import remove_model

        try:
            remove_model(model.name)
        except (OSError, WorkbenchError) as error:
            self.bench.notices.error(error)
            return
        if model.kind == "chat" and self._is_used(model):
            self._use("")
        self.reload()
        self.bench.notices.tell(self.tr("{0} is removed.").format(model.title))
