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
from workbench.ui import documents_source as source
from workbench.ui import theme, widgets
from workbench.ui.bench import Bench
from workbench.ui.documents_rows import FileRow
from workbench.ui.page import is_theme_change
from workbench.ui.plain import tooltip

LINE_BREAK = "\u2028"  # a new line in the same paragraph, as QTextDocument has it
SHOWN_AT_ONCE = 40  # chunks; a book has thousands, and laying them out at once would hold up the window
BEFORE_MARKED = 4  # chunks shown above the one that was asked for


class ChunkText(QTextEdit):
    """Chunks as text under each other, written through cursors: a document's own markup stays text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, readOnly=True)
        self.setAccessibleName(self.tr("Chunks of the file"))
        self.setProperty("kind", "bare")
        self.setFrameShape(QTextEdit.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self._chunks: tuple[Chunk, ...] = ()
        self._first = self._end = 0  # which of them are written

    @property
    def above(self) -> int:
        """How many chunks stand before those that are written."""
        return self._first

    @property
    def below(self) -> int:
        """How many chunks follow those that are written."""
        return len(self._chunks) - self._end

    def show_chunks(self, chunks: Sequence[Chunk], marked: str = "") -> None:
        """Show chunks in order; the one whose id is `marked` is brought into view."""
        self._chunks = tuple(chunks)
        place = next((place for place, chunk in enumerate(self._chunks) if chunk.id == marked), 0)
        self._first = max(0, place - BEFORE_MARKED)
        self._end = min(len(self._chunks), self._first + SHOWN_AT_ONCE)
        self._write(place)

    def show_more(self) -> None:
        """Write the next chunks under those that are there."""
        begin, self._end = self._end, min(len(self._chunks), self._end + SHOWN_AT_ONCE)
        self._append(begin, self._end)

    def show_earlier(self) -> None:
        """Write the chunks before those that are there."""
        place, self._first = self._first, max(0, self._first - SHOWN_AT_ONCE)
        self._write(place)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if is_theme_change(event) and self._chunks:
            self._write(self._first)

    def _write(self, place: int) -> None:
        self.clear()
        self._append(self._first, place)
        at = self.document().characterCount() - 1
        self._append(place, self._end)
        start = QTextCursor(self.document())
        start.setPosition(min(at + 1, self.document().characterCount() - 1) if place > self._first else 0)
        self.setTextCursor(start)
        self.ensureCursorVisible()
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() + self.cursorRect().top())

    def _append(self, begin: int, end: int) -> None:
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        for place in range(begin, end):
            before = self._chunks[place - 1] if place else None
            self._write_chunk(cursor, self._chunks[place], before, first=place == self._first)
        cursor.endEditBlock()

    def _write_chunk(self, cursor: QTextCursor, chunk: Chunk, before: Chunk | None, first: bool) -> None:
        if not first:
            cursor.insertBlock()
        head = QTextBlockFormat()
        head.setTopMargin(0 if first else 12)
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

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self.row: FileRow | None = None
        self._path = Path()
        self.name = widgets.ElidedLabel("", "section", middle=True)
        self.open = widgets.quiet_button(self.tr("Open"), "arrow-square-out", self._on_open_clicked)
        self.close_panel = widgets.icon_button("x", self.tr("Close the preview"), self.closed.emit)
        self.caption = widgets.label("", "muted", wrap=True)
        self.earlier = widgets.link_button("", self._on_earlier_clicked)
        self.text = ChunkText()
        self.more = widgets.link_button("", self._on_more_clicked)
        head = widgets.row(self.name, self.open, self.close_panel, spacing=4)
        head.setStretch(0, 1)
        layout = widgets.column(
            head, self.caption, widgets.hline(), self.earlier, self.text, self.more, margins=(24, 12, 16, 12)
        )
        layout.setStretch(4, 1)
        layout.addStretch(0)
        self.setLayout(layout)

    def show_row(self, row: FileRow, marked: str = "") -> None:
        """Show a file's chunks; they are fetched in the background, a book has thousands."""
        self.row, self._path = row, Path(row.folder) / row.file
        self.name.set_text(row.name)
        self.open.setEnabled(row.state != "gone")
        self.open.setToolTip(tooltip(str(self._path)))
        self._show_chunks((), marked)
        self.caption.setText(row.found)
        base = self._bench.base
        self._bench.jobs.start(
            self.tr("Opening a file"),
            lambda: source.chunks_stage(base, row),
            on_done=lambda chunks: self._on_fetched(row, chunks or (), marked),
            on_failed=lambda error: self.caption.setText(str(error)) if self.row is row else None,
            kind="preview",
            quiet=True,
        )

    def _on_fetched(self, row: FileRow, chunks: Sequence[Chunk], marked: str) -> None:
        if self.row is not row:  # another one was chosen meanwhile
            return
        if chunks:
            caption = self.tr("{0:,} chunks. Grey repeats the one before.").format(len(chunks))
            caption = f"{row.found}. {caption}" if row.found and row.state == "indexed" else caption
        else:
            caption = row.found or self.tr("Nothing of this file is in the index yet.")
        self.caption.setText(caption)
        self._show_chunks(chunks, marked)

    def _show_chunks(self, chunks: Sequence[Chunk], marked: str) -> None:
        self.text.show_chunks(chunks, marked)
        self.text.setVisible(bool(chunks))
        self._say_what_is_left()

    def _say_what_is_left(self) -> None:
        self.earlier.setText(self.tr("{0:,} more above").format(self.text.above))
        self.earlier.setVisible(self.text.above > 0)
        self.more.setText(self.tr("{0:,} more below").format(self.text.below))
        self.more.setVisible(self.text.below > 0)

    def _on_open_clicked(self) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path))) or not self._path.exists():
            said = self.tr("{0} could not be opened: it is gone, or no program on this computer opens such a file.")
            self._bench.notices.tell(said.format(self._path.name), "warning")

    def _on_earlier_clicked(self) -> None:
        self.text.show_earlier()
        self._say_what_is_left()

    def _on_more_clicked(self) -> None:
        self.text.show_more()
        self._say_what_is_left()
