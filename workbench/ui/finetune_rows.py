"""Mend or leave out a row of a training file, in the project's copy of it; the person's own file is never changed."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QWidget

from workbench import records
from workbench.errors import BadDataset
from workbench.tuning.dataset import Problem
from workbench.tuning.files import decode, has_damaged_text, holds_lines, split_lines
from workbench.ui import theme, widgets
from workbench.ui.leaving import Leaving

LINES = (".jsonl", ".ndjson")
LARGEST = 64 << 20  # bytes; a larger file is too much for a window to edit


def take_in(file: Path, folder: Path) -> Path:
    """The project's copy of a training file; a file that lies in the folder already is its own copy."""
    if file.parent == folder:
        return file
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / file.name
    number = 2
    while copy.exists() and not _same(copy, file):
        copy = folder / f"{file.stem}-{number}{file.suffix}"
        number += 1
    with records.naming_full_disk(copy):
        shutil.copyfile(file, copy)
    return copy


def _same(first: Path, second: Path) -> bool:
    return first.stat().st_size == second.stat().st_size and records.hash_file(first) == records.hash_file(second)


def can_mend(file: Path) -> bool:
    """Whether rows of a file are lines that can be edited one by one, whatever its name says."""
    if file.suffix.lower() not in LINES:
        return False
    try:
        stat = file.stat()
    except OSError:
        return False
    return _holds_lines(file, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=32)
def _holds_lines(file: Path, changed: int, size: int) -> bool:
    """The same, read once until the file changes."""
    try:
        return size <= LARGEST and holds_lines(decode(file.read_bytes(), file.name)[0])
    except (OSError, BadDataset):
        return False


def read_row(file: Path, row: int) -> str:
    """The text of a row, its number counted from 1, as it is read for training. Raises BadDataset."""
    lines = split_lines(decode(file.read_bytes(), file.name)[0])
    return lines[row - 1] if 0 < row <= len(lines) else ""


def replace_row(file: Path, row: int, text: str) -> None:
    """Put another text in place of a row. Raises BadDataset when the text is no JSON object."""
    text, translate = " ".join(text.split("\n")).strip(), QCoreApplication.translate
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadDataset(translate("rows", "The row is not valid JSON yet: {0}.").format(error)) from error
    if not isinstance(found, dict):
        raise BadDataset(translate("rows", "A row is one JSON object, in braces."))
    if has_damaged_text(found):
        said = translate("rows", "The row still has {0}, for what could not be read: write what it was.")
        raise BadDataset(said.format("\N{REPLACEMENT CHARACTER}"))
    put_line(file, row, text)


def put_line(file: Path, row: int, line: str) -> str:
    """Put a line in place of a row's, whatever it says, and give the one that was there; "" leaves the row out.

    All others stay as they are, to the byte in a UTF-8 file: bytes that are none are neither mended nor lost.
    """
    content = file.read_bytes()
    text, encoding = decode(content, file.name)
    if encoding.startswith("UTF-8"):
        text = content.decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")
    lines = split_lines(text)
    before, lines[row - 1] = lines[row - 1], line
    whole = "\n".join(lines).encode("utf-8", errors="surrogateescape")
    records.replace_file(file, lambda out: records.void(out.write(whole)))
    return before


class RowDialog(QDialog):
    """Edit one row; it closes only once the row can be read."""

    def __init__(self, file: Path, problem: Problem, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._file, self._problem = file, problem
        self.setWindowTitle(self.tr("Row {0} of {1}").format(problem.row, file.name))
        self.text = QPlainTextEdit(read_row(file, problem.row))
        self.text.setProperty("kind", "code")
        self.text.setFont(theme.mono_font())
        self.text.setAccessibleName(self.tr("The row"))
        message = problem.message[:1].upper() + problem.message[1:]
        self.said = widgets.label(message, "warning", wrap=True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        save = widgets.primary_button(self.tr("Save row"), "", self._on_save_clicked)
        buttons.addButton(save, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        note = self.tr("Saved in the project's copy; your own file stays as it is.")
        parts = widgets.column(self.said, self.text, widgets.label(note, "caption"), buttons, margins=(24, 24, 24, 16))
        self.setLayout(parts)
        self.resize(640, 320)
        self._before = self.text.toPlainText()
        self.leaving = Leaving(self, self._unsaved, self.reject)

    def _unsaved(self) -> list[str]:
        return [self.windowTitle()] if self.text.toPlainText() != self._before else []

    def reject(self) -> None:
        if self.leaving.may_close():
            super().reject()

    def _on_save_clicked(self) -> None:
        try:
            replace_row(self._file, self._problem.row, self.text.toPlainText())
        except BadDataset as error:
            self.said.setText(str(error))
            return
        self.accept()
