"""Columns whose names are not known: a person says which hold question and answer, with the first rows before them."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from workbench.tuning.columns import Columns, Preview, plain_name
from workbench.ui import theme, widgets
from workbench.ui.tables import Column, RecordModel, make_table

FEW, WIDE = 4, 150  # columns; pixels of one where there are more
SCROLLBAR = 16  # pixels


class ColumnChooser(QWidget):
    """A box for each part of a row, a guess in it that nothing uses before it is agreed to."""

    chosen = Signal(str, object)  # the file's name, Columns

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preview: Preview | None = None
        self.title = widgets.label(self.tr("Which columns hold questions and answers?"), "strong", wrap=True)
        self.note = widgets.label("", "muted", wrap=True)
        titles = {
            "question": self.tr("Question"),
            "answer": self.tr("Answer"),
            "system": self.tr("System prompt"),
            "context": self.tr("Text to read"),
        }
        self.boxes = {role: widgets.Choice() for role in titles}
        lines = []
        for role, box in self.boxes.items():
            box.setAccessibleName(self.tr("Column of: {0}").format(titles[role]))
            box.currentIndexChanged.connect(self._on_changed)
            head = widgets.label(titles[role], "text")
            head.setFixedWidth(theme.px(110))
            line = widgets.row(head, box)
            line.setStretch(1, 1)
            lines.append(line)
        self.use = widgets.primary_button(self.tr("Use these columns"), "", self._on_use_clicked)
        self._place = widgets.column(spacing=0)
        layout = widgets.column(self.title, self.note, *lines, widgets.row(self.use, None))
        layout.insertLayout(2, self._place)
        self.setLayout(layout)
        self.hide()

    def show_preview(self, preview: Preview) -> None:
        """Show a file's columns and first rows, with the guess chosen in the boxes."""
        self._preview = preview
        guessed = self.tr(
            "The columns of {0} have names that are not known here. The boxes hold a guess: look at the first rows and "
            "set what is wrong."
        )
        open_ones = self.tr("The columns of {0} have names that are not known here: choose them.")
        self.note.setText((guessed if all(preview.guess) else open_ones).format(preview.file))
        for role, box in self.boxes.items():
            box.blockSignals(True)
            box.clear()
            box.addItem(self.tr("Choose…") if role in ("question", "answer") else self.tr("None"), "")
            for name in preview.names:
                box.addItem(name, name)
            box.blockSignals(False)
        for role, name in zip(("question", "answer"), preview.guess, strict=True):
            self.boxes[role].setCurrentIndex(max(0, self.boxes[role].findData(name)))
        self._show_rows(preview)
        self._on_changed()
        self.show()

    def _show_rows(self, preview: Preview) -> None:
        widgets.clear_layout(self._place)
        width = WIDE if len(preview.names) > FEW else 0  # a few share the room; more are scrolled to
        columns = [Column(name, partial(_cell, place=place), width=width) for place, name in enumerate(preview.names)]
        model = RecordModel(columns)
        model.set_records(preview.rows)
        view = make_table(model, self.tr("The first rows of {0}").format(preview.file), columns)
        model.setParent(view)
        view.setFixedHeight(theme.px(32 * (len(preview.rows) + 1)) + SCROLLBAR)
        self._place.addWidget(view)

    def _named(self) -> dict[str, str]:
        return {role: str(box.currentData() or "") for role, box in self.boxes.items()}

    def _on_changed(self) -> None:
        named = [plain_name(name) for name in self._named().values() if name]
        whole = all(self.boxes[role].currentData() for role in ("question", "answer"))
        self.use.setEnabled(whole and len(set(named)) == len(named))
        self.use.setToolTip("" if self.use.isEnabled() else self.tr("Each part needs a column of its own."))

    def _on_use_clicked(self) -> None:
        if self._preview is not None:
            self.chosen.emit(self._preview.file, Columns(**self._named()))


def _cell(row: tuple[str, ...], place: int) -> str:
    return " ".join(row[place].split())
