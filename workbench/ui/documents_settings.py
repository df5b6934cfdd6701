"""How documents are cut: changed only on a button that says what reading everything again will cost."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QSpinBox, QWidget

from workbench.documents.chunk import Cutting
from workbench.index.files import cutting_of
from workbench.project import Project
from workbench.ui import widgets
from workbench.ui.boxes import whole_box
from workbench.ui.documents_rows import FileRow


class CutSettingsDialog(QDialog):
    """Two figures, explained, and the cost of changing them."""

    def __init__(self, project: Project, rows: Sequence[FileRow], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._before = cutting_of(project)
        self._files = sum(row.state == "indexed" for row in rows)
        self._chunks = sum(row.chunks for row in rows)
        self.setWindowTitle(self.tr("How documents are cut"))
        self.size_box, self.overlap_box = whole_box(48, 240), whole_box(0, 80)
        self.size_box.setValue(self._before.size)
        self.overlap_box.setValue(self._before.overlap)
        self.cost = widgets.label("", "muted", wrap=True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.apply = widgets.primary_button("", "", self._on_apply_clicked)
        buttons.addButton(self.apply, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = widgets.column(spacing=12, margins=(24, 24, 24, 16))
        size = self.tr("Size of a chunk, in tokens")
        why = self.tr("Smaller chunks are found more exactly, larger ones bring more around what was found.")
        layout.addLayout(self._line(size, why, self.size_box))
        overlap = self.tr("Shared with the chunk before, in tokens")
        layout.addLayout(
            self._line(overlap, self.tr("So that a sentence and what it refers to stay together."), self.overlap_box)
        )
        layout.addWidget(self.cost)
        layout.addWidget(buttons)
        self.setLayout(layout)
        self.resize(460, 240)
        for box in (self.size_box, self.overlap_box):
            box.valueChanged.connect(self._say)
        self._say()

    def _line(self, name: str, why: str, box: QSpinBox) -> QHBoxLayout:
        box.setAccessibleName(name)
        box.setAccessibleDescription(why)
        box.setFixedWidth(88)
        words = widgets.column(widgets.label(name, "strong"), widgets.label(why, "caption", wrap=True), spacing=2)
        line = widgets.row(spacing=16)
        line.addLayout(words, 1)
        line.addWidget(box)
        return line

    @property
    def cutting(self) -> Cutting:
        """What is chosen."""
        return Cutting(self.size_box.value(), min(self.overlap_box.value(), self.size_box.value() // 2))

    def _say(self) -> None:
        changed = self.cutting != self._before
        files = self.tr("{0:,} files").format(self._files)
        self.apply.setText(self.tr("Read {0} again").format(files) if self._files else self.tr("Use these"))
        self.apply.setEnabled(changed)
        if self._files:
            chunks = round(self._chunks * self._before.size / self.cutting.size)
            said = self.tr(
                "All {0} are read again, into about {1:,} chunks. Searches use the old ones until each is done."
            )
            self.cost.setText(said.format(files, chunks))

    def _on_apply_clicked(self) -> None:
        cutting = self.cutting
        kept = {"size": cutting.size, "overlap": cutting.overlap}
        self._project.change(options={**self._project.info.options, "cutting": kept})
        self.accept()
