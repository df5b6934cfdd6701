"""The chunks of one file, as the index holds them; what a chunk repeats of the one before is grey."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QUrl, Signal
from PySide6.QtGui import (
    QDesktopServices,
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QTextLength,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from workbench.documents.document import Chunk
from workbench.ui import theme, widgets
from workbench.ui.page import is_theme_change

LINE_BREAK = "\u2028"  # a new line in the same paragraph, as QTextDocument has it
SHOWN_AT_ONCE = 60  # chunks; a book has thousands, and nobody reads them here


class ChunkText(QTextEdit):
    """Chunks as text under each other, written through cursors: a document's own markup stays text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, readOnly=True)
        self.setAccessibleName(self.tr("Chunks of the file"))
        self.setProperty("kind", "bare")
        self.setFrameShape(QTextEdit.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self._chunks: tuple[Chunk, ...] = ()
        self._marked = ""
        self._shown = SHOWN_AT_ONCE

    def show_chunks(self, chunks: Sequence[Chunk], marked: str = "", shown: int = SHOWN_AT_ONCE) -> None:
        """Show chunks in order; the one whose id is `marked` is brought into view."""
        self._chunks, self._marked, self._shown = tuple(chunks), marked, shown
        self._write()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if is_theme_change(event) and self._chunks:
            self._write()

    def _write(self) -> None:
        self.clear()
        cursor = QTextCursor(self.document())
        place, before = 0, None
        for chunk in self._chunks[: self._shown]:
            if chunk.id == self._marked:
                place = cursor.position()
            self._write_chunk(cursor, chunk, before)
            before = chunk
        left = len(self._chunks) - self._shown
        if left > 0:
            cursor.insertBlock(QTextBlockFormat(), self._small())
            cursor.insertText(self.tr("{0} more below").format(left))
        start = QTextCursor(self.document())
        start.setPosition(place)
        self.setTextCursor(start)
        self.ensureCursorVisible()

    def _write_chunk(self, cursor: QTextCursor, chunk: Chunk, before: Chunk | None) -> None:
        if before is not None:
            cursor.insertBlock()
        head = QTextBlockFormat()
        head.setTopMargin(12 if before is not None else 0)
        head.setBottomMargin(4)
        cursor.setBlockFormat(head)
        number, small = self._small(), self._small()
        number.setFontWeight(QFont.Weight.DemiBold)
        number.setForeground(theme.color("text"))
        cursor.insertText(f"{chunk.number + 1}", number)
        place = f"  {chunk.location}" if chunk.location else ""
        cursor.insertText(place + "  \N{MIDDLE DOT}  " + self.tr("{0} tokens").format(chunk.tokens), small)
        body = QTextBlockFormat()
        body.setLineHeight(140.0, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        body.setBottomMargin(10)
        rule = QTextLength(QTextLength.Type.PercentageLength, 100)
        body.setProperty(QTextFormat.Property.BlockTrailingHorizontalRulerWidth, rule)
        body.setProperty(QTextFormat.Property.BackgroundBrush, theme.color("line"))
        cursor.insertBlock(body)
        repeated = repeated_length(chunk, before)
        grey, plain = QTextCharFormat(), QTextCharFormat()
        grey.setForeground(theme.color("muted"))
        grey.setBackground(theme.color("line" if theme.tokens().dark else "sunken"))
        plain.setForeground(theme.color("text"))
        text = chunk.text.replace("\n", LINE_BREAK)  # a chunk stays one block, with one line under it
        cursor.insertText(text[:repeated], grey)
        cursor.insertText(text[repeated:], plain)

    def _small(self) -> QTextCharFormat:
        found = QTextCharFormat()
        found.setForeground(theme.color("muted"))
        found.setProperty(QTextFormat.Property.FontPixelSize, theme.px(theme.SMALL))
        return found


def repeated_length(chunk: Chunk, before: Chunk | None) -> int:
    """How many characters at the start of a chunk the one before already had."""
    if before is None or before.file != chunk.file:
        return 0
    return max(0, min(len(chunk.text), before.end - chunk.start))


class PreviewPanel(QWidget):
    """What stands at the right of the table while a row is chosen."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = Path()
        self._chunks: tuple[Chunk, ...] = ()
        self.name = widgets.ElidedLabel("", "section", middle=True)
        self.open = widgets.quiet_button(self.tr("Open"), "arrow-square-out", self._on_open_clicked)
        self.close_panel = widgets.icon_button("x", self.tr("Close the preview"), self.closed.emit)
        self.caption = widgets.label("", "muted", wrap=True)
        self.text = ChunkText()
        self.more = widgets.link_button(self.tr("Show all chunks"), self._on_more_clicked)
        head = widgets.row(self.name, self.open, self.close_panel, spacing=4)
        head.setStretch(0, 1)
        layout = widgets.column(head, self.caption, widgets.hline(), self.text, self.more, margins=(24, 12, 16, 12))
        self.setLayout(layout)

    def show_file(self, name: str, path: Path, chunks: Sequence[Chunk], caption: str, marked: str = "") -> None:
        """Show a file's chunks; a caption says what is known of it when there are none."""
        self._path, self._chunks = path, tuple(chunks)
        self.name.set_text(name)
        self.open.setEnabled(path.exists())
        self.open.setToolTip(str(path))
        self.caption.setText(caption)
        everything = any(chunk.id == marked for chunk in self._chunks[SHOWN_AT_ONCE:])
        self.text.show_chunks(chunks, marked, len(chunks) if everything else SHOWN_AT_ONCE)
        self.text.setVisible(bool(chunks))
        self.more.setVisible(len(chunks) > SHOWN_AT_ONCE and not everything)

    def _on_open_clicked(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path)))

    def _on_more_clicked(self) -> None:
        self.text.show_chunks(self._chunks, shown=len(self._chunks))
        self.more.hide()
