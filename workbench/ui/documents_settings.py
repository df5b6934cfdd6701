"""How documents are read, cut and embedded: changed only on a button that says what it will cost."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QDialogButtonBox, QHBoxLayout, QPlainTextEdit, QWidget

from workbench.bases import Base
from workbench.catalog.embedder_folder import token_limit
from workbench.catalog.embedders import embedders
from workbench.documents.chunk import Cutting
from workbench.documents.left_out import LeftOut, read_patterns
from workbench.errors import InputError
from workbench.index.files import cutting_of, embedder_of, left_out_of
from workbench.ui import theme, widgets
from workbench.ui.boxes import whole_box
from workbench.ui.documents_rows import FileRow
from workbench.ui.leaving import Leaving

LEAST, USUAL_MOST, MOST = 48, 240, 1000  # tokens of a chunk that can be chosen
BESIDE = 16  # tokens that an embedder reads beside a chunk's text, at least: special ones, a line break, a title


class CutSettingsDialog(QDialog):
    """How chunks are cut and what is left out, explained, and the cost of changing them."""

    def __init__(self, base: Base, rows: Sequence[FileRow], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._base = base
        self._before, self._left_out = cutting_of(base), left_out_of(base)
        self._embedder = embedder_of(base)
        self._files = sum(row.state == "indexed" for row in rows)
        self._chunks = sum(row.chunks for row in rows)
        self.setWindowTitle(self.tr("How documents are read"))
        self.embedder_box, self._limits = QComboBox(), dict[str, int]()
        self._fill_embedders()
        self.size_box, self.overlap_box = whole_box(LEAST, USUAL_MOST), whole_box(0, 80)
        self._limit_size()
        self.size_box.setValue(self._before.size)
        self.overlap_box.setValue(self._before.overlap)
        self.patterns = QPlainTextEdit("\n".join(self._left_out.patterns))
        self.patterns.setPlaceholderText("*.log\ndrafts/\n!keep.log")
        self.patterns.setTabChangesFocus(True)
        self.patterns.setFixedHeight(theme.px(72))
        self.hidden = QCheckBox(self.tr("Read hidden files, whose names begin with a dot"))
        self.hidden.setChecked(not self._left_out.hidden)
        self.cost = widgets.label("", "muted", wrap=True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.apply = widgets.primary_button("", "", self._on_apply_clicked)
        buttons.addButton(self.apply, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = widgets.column(spacing=12, margins=(24, 24, 24, 16))
        embedder = self.tr("Embedder")
        why = self.tr("It decides what is found by meaning. More are listed, and taken in, on the Models page.")
        layout.addLayout(self._line(embedder, why, self.embedder_box, 200))
        size = self.tr("Size of a chunk, in tokens")
        why = self.tr("Smaller chunks are found more exactly, larger ones bring more around what was found.")
        layout.addLayout(self._line(size, why, self.size_box))
        overlap = self.tr("Shared with the chunk before, in tokens")
        layout.addLayout(
            self._line(overlap, self.tr("So that a sentence and what it refers to stay together."), self.overlap_box)
        )
        left_out = self.tr("Left out")
        why = self.tr("One pattern a line, as in a .gitignore file. Files that fit are taken out of the index.")
        self.patterns.setAccessibleName(left_out)
        self.patterns.setAccessibleDescription(why)
        words = widgets.column(
            widgets.label(left_out, "strong"), widgets.label(why, "caption", wrap=True), self.patterns, spacing=4
        )
        layout.addLayout(words)
        layout.addWidget(self.hidden)
        layout.addWidget(self.cost)
        layout.addWidget(buttons)
        self.setLayout(layout)
        self.resize(480, 440)
        self.embedder_box.currentIndexChanged.connect(self._on_embedder_chosen)
        for box in (self.size_box, self.overlap_box):
            box.valueChanged.connect(self._say)
        self.patterns.textChanged.connect(self._say)
        self.hidden.toggled.connect(self._say)
        self._say()
        self.leaving = Leaving(self, self._unsaved, self.reject)

    def _unsaved(self) -> list[str]:
        """Only what was typed: a number or a tick is soon set again."""
        before = "\n".join(self._left_out.patterns)
        return [self.tr("The patterns of what is left out")] if self.patterns.toPlainText() != before else []

    def reject(self) -> None:
        if self.leaving.may_close():
            super().reject()

    def _fill_embedders(self) -> None:
        """Those that are here, and the base's own where it is gone."""
        for model in embedders():
            self.embedder_box.addItem(model.title, model.name)
            try:
                self._limits[model.name] = token_limit(model.path) if model.path is not None else 0
            except (OSError, ValueError, KeyError, TypeError):  # damaged: the build says so
                self._limits[model.name] = 0
        if self.embedder_box.findData(self._embedder) < 0:
            self.embedder_box.addItem(self.tr("{0} (not here)").format(self._embedder), self._embedder)
        self.embedder_box.setCurrentIndex(self.embedder_box.findData(self._embedder))

    def _limit_size(self) -> None:
        """A chunk is never longer than what the embedder reads."""
        limit = self._limits.get(self.embedder, 0)
        self.size_box.setMaximum(max(LEAST, min(MOST, limit - BESIDE)) if limit else USUAL_MOST)

    def _on_embedder_chosen(self) -> None:
        self._limit_size()
        self._say()

    def _line(self, name: str, why: str, box: QWidget, width: int = 88) -> QHBoxLayout:
        box.setAccessibleName(name)
        box.setAccessibleDescription(why)
        box.setFixedWidth(width)
        words = widgets.column(widgets.label(name, "strong"), widgets.label(why, "caption", wrap=True), spacing=2)
        line = widgets.row(spacing=16)
        line.addLayout(words, 1)
        line.addWidget(box)
        return line

    @property
    def cutting(self) -> Cutting:
        """What is chosen."""
        return Cutting(self.size_box.value(), min(self.overlap_box.value(), self.size_box.value() // 2))

    @property
    def embedder(self) -> str:
        """The name of the one that is chosen."""
        return str(self.embedder_box.currentData())

    @property
    def left_out(self) -> LeftOut | None:
        """What is to be passed over; None while a pattern means nothing."""
        try:
            return LeftOut(
                read_patterns(self.patterns.toPlainText()), not self.hidden.isChecked(), self._left_out.folders
            )
        except InputError as error:
            self.cost.setText(str(error))
            return None

    def _say(self) -> None:
        left_out = self.left_out
        if left_out is None:  # it has said why
            self.apply.setEnabled(False)
            return
        other = self.embedder != self._embedder
        cut, changed = other or self.cutting != self._before, left_out != self._left_out
        files = self.tr("{0:,} files").format(self._files)
        again = self._files and (cut or not changed)
        self.apply.setText(self.tr("Read {0} again").format(files) if again else self.tr("Use these"))
        self.apply.setEnabled(cut or changed)
        self.cost.setText(self.tr("Only what comes or goes is read; the rest stays as it is.") if not again else "")
        if again:
            chunks = round(self._chunks * self._before.size / self.cutting.size)
            said = self.tr(
                "All {0} are read again, into about {1:,} chunks. Searches use the old ones until each is done."
            )
            if other:
                said = self.tr(
                    "All {0} are read again, into about {1:,} chunks, for vectors of two embedders cannot be compared. "
                    "How long it takes is known once it runs. Searches use the old ones until each is done."
                )
            self.cost.setText(said.format(files, chunks))

    def _on_apply_clicked(self) -> None:
        cutting, left_out = self.cutting, self.left_out
        assert left_out is not None  # the button is off while it is
        options = {**self._base.info.options}
        if cutting != self._before:
            options["cutting"] = {"size": cutting.size, "overlap": cutting.overlap}
        if self.embedder != self._embedder:
            options["embedder"] = self.embedder
        options |= {"left_out": list(left_out.patterns), "hidden_files": not left_out.hidden}
        self._base.change(options=options)
        self.accept()
