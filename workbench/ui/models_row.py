"""One model of the Models page: what it is, what it needs, what can be done with it, how far its fetch is."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from workbench.catalog.records import Model
from workbench.ui import widgets
from workbench.ui.job import JobHandle


class ModelRow(QFrame):
    """One model: what it is, what it needs, what can be done with it."""

    use_wanted = Signal(object)
    fetch_wanted = Signal(object)
    remove_wanted = Signal(object)

    def __init__(
        self,
        model: Model,
        used: bool,
        free: int,
        offline: bool = False,
        job: JobHandle | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`job`: what is bringing the model here just now."""
        super().__init__(parent)
        self.model = model
        self.setProperty("kind", "panel")
        here = model.path is not None
        title = widgets.ElidedLabel(model.title, "strong")
        head = widgets.row(title, spacing=8)
        head.setStretch(0, 1)
        self.state = widgets.label(self._state_words(here, used), "good" if here else "muted")
        if not here:
            self.state.hide()  # the button that fetches it says so
        words = widgets.column(head, widgets.label(self._facts(), "muted", wrap=True), spacing=4)
        if model.note:
            words.addWidget(widgets.label(model.note, "caption", wrap=True))
        if not model.fits:
            needs, has = widgets.bytes_text(model.memory), widgets.bytes_text(free)
            said = self.tr("Takes about {0} of memory, and {1} are free: it would be slow or not load at all.").format(
                needs, has
            )
            line = widgets.row(widgets.icon_label("warning", 14, "warning"), widgets.label(said, "caption", wrap=True))
            line.setStretch(1, 1)
            words.addLayout(line)
        self.use = widgets.button(self.tr("Use in this project"), "", lambda: self.use_wanted.emit(model), "small")
        size = widgets.bytes_text(model.size)
        self.fetch = widgets.button(
            self.tr("Fetch {0}").format(size), "download-simple", lambda: self.fetch_wanted.emit(model)
        )
        if offline:
            said = self.tr("Downloads are switched off: see Stay offline in the settings, and WORKBENCH_OFFLINE.")
            self.fetch.setEnabled(False)
            self.fetch.setToolTip(said)
            self.fetch.setAccessibleDescription(said)
        self.remove = widgets.icon_button(
            "trash", self.tr("Remove {0}").format(model.title), lambda: self.remove_wanted.emit(model)
        )
        wanted = {
            self.use: here and model.kind == "chat" and not used,
            self.fetch: not here,
            self.remove: here and model.source != "included",
        }
        for part in (part for part, shown in wanted.items() if not shown):
            part.hide()
        sign = widgets.icon_label("check-circle" if here else "cloud-arrow-down", 20, "good" if here else "muted")
        line = widgets.row(sign, 4, spacing=8, margins=(16, 12, 12, 12))
        line.addLayout(words, 1)
        for each in (self.state, self.use, self.fetch, self.remove):
            line.addWidget(each)
        self.bar = widgets.ProgressLine()
        self.stop = widgets.button(self.tr("Stop"), "stop", self._on_stop)
        self.stop.setAccessibleName(self.tr("Stop fetching {0}").format(model.title))
        line.addWidget(self.stop)
        self.setLayout(widgets.column(line, self.bar, spacing=0))
        self._job: JobHandle | None = None
        self.follow(job)
        self.setAccessibleName(f"{model.title}, {self.state.text()}, {self._facts()}")

    def follow(self, job: JobHandle | None) -> None:
        """Show the job that brings this model here, for as long as it runs or is paused."""
        self._job = job
        if job is not None:
            job.changed.connect(self._on_moved)
        self._on_moved()

    def _on_moved(self) -> None:
        job = self._job
        running = job is not None and (job.running or job.state == "paused")
        for part in (self.bar, self.stop):
            part.setVisible(running)
        self.fetch.setVisible(not running and self.model.path is None)
        if running and job is not None:
            self.stop.setEnabled(job.state != "stopping")
            progress = job.progress
            known = progress is not None and progress.total > 0
            self.bar.set_share(progress.done / progress.total if progress is not None and known else None)

    def _on_stop(self) -> None:
        if self._job is not None:
            self._job.stop()

    def _state_words(self, here: bool, used: bool) -> str:
        if used:
            return self.tr("Used in this project")
        return self.tr("Here") if here else self.tr("Not on this computer")

    def _facts(self) -> str:
        model = self.model
        kinds = {"chat": self.tr("chat"), "reranker": self.tr("reranking, for a lane that reads documents")}
        said = [kinds.get(model.kind, self.tr("embedding, for documents"))]
        if model.parameters:
            said.append(self.tr("{0} parameters").format(model.parameters))
        about = self.tr("about ") if model.about else ""
        said.append(self.tr("{0}{1} on disk").format(about, widgets.bytes_text(model.size)))
        said.append(self.tr("about {0} of memory").format(widgets.bytes_text(model.memory)))
        if model.context:
            said.append(self.tr("reads {0:,} tokens").format(model.context))
        said.append(self.tr("licence {0}").format(model.license))
        return " \N{MIDDLE DOT} ".join(said)
