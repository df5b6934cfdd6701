"""The sheet with a passage in its document: the text as it was read, the passage marked, and a PDF's own page."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QPixmap, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QLabel, QTextEdit, QWidget

from workbench.errors import WorkbenchError
from workbench.retrieval.passage import Passage
from workbench.ui import theme, widgets
from workbench.ui.page import Sheet, is_theme_change, sheet_width

AROUND = 40_000  # characters shown on each side of the passage: a whole book would take seconds to lay out


class SourceSheet(Sheet):
    """Shows where a passage comes from. The document is read only when the sheet is opened."""

    def __init__(self, project: Path, passage: Passage, number: int, parent: QWidget | None = None) -> None:
        super().__init__("", parent=parent)
        self.set_title(passage.file.rsplit("/", 1)[-1])
        self.passage = passage
        self._path = Path(passage.folder) / passage.file if passage.folder else Path(passage.file)
        where = ", ".join(part for part in (passage.file, passage.location) if part)
        self.content.addWidget(widgets.label(where, "muted", wrap=True, selectable=True))
        self.text = QTextEdit(readOnly=True)
        self.text.setProperty("kind", "bare")
        self.text.setAccessibleName(self.tr("Text of {0}").format(passage.file))
        self.text.setTabChangesFocus(True)
        self.text.document().setDocumentMargin(0)
        self.page = QLabel()
        self.page.setAccessibleName(self.tr("Page of the document"))
        self.page.hide()
        self.content.addWidget(self.page)
        self._note = widgets.label("", "caption", wrap=True)
        self.content.addWidget(self._note)
        self.content.addWidget(self.text, 1)
        self.text.setMinimumHeight(320)
        opener = widgets.button(self.tr("Open the file"), "arrow-square-out", self._on_open)
        opener.setEnabled(self._path.exists())
        self.add_foot(widgets.label(self.tr("Passage {0}").format(number), "caption"), None, opener)
        self._before, self._found, self._after = self._read(project)
        self._note.setVisible(bool(self._note.text()))
        self._write()
        self._draw_page()

    def _read(self, project: Path) -> tuple[str, str, str]:
        """The text before, of and after the passage; the passage alone where the index no longer holds the file."""
        from workbench.bases import home_of
        from workbench.index.files import document_text

        passage = self.passage
        try:
            whole = document_text(home_of(project, passage.base), passage.file, passage.folder)
        except (WorkbenchError, OSError) as error:
            self._note.setText(str(error) + " " + self.tr("The passage itself was kept with the answer:"))
            return "", passage.text, ""
        start, end = passage.start, passage.end
        if whole[start:end].strip() != passage.text.strip():
            start = whole.find(passage.text)
            end = start + len(passage.text)
        if start < 0 or end <= start:
            self._note.setText(self.tr("The document has changed since: this is the passage as it was read."))
            return "", passage.text, ""
        return whole[max(0, start - AROUND) : start], whole[start:end], whole[end : end + AROUND]

    def _write(self) -> None:
        self.text.clear()
        cursor = QTextCursor(self.text.document())
        lines = QTextBlockFormat()
        lines.setLineHeight(theme.px(round(1.45 * theme.TEXT)), QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
        cursor.setBlockFormat(lines)
        plain, marked = QTextCharFormat(), QTextCharFormat()
        plain.setForeground(theme.color("muted"))
        marked.setForeground(theme.color("text"))
        marked.setBackground(theme.color("selected"))
        cursor.insertText(self._before, plain)
        place = cursor.position()
        cursor.insertText(self._found[: 2 * AROUND], marked)
        end = cursor.position()
        cursor.insertText(self._after, plain)
        self._show(end)
        self._show(place)

    def _show(self, position: int) -> None:
        cursor = QTextCursor(self.text.document())
        cursor.setPosition(position)
        self.text.setTextCursor(cursor)
        self.text.ensureCursorVisible()

    def _draw_page(self) -> None:
        """A PDF's page as a picture, where the location names one and the file is still there."""
        page = re.match(r"p\. (\d+)", self.passage.location)
        if self._path.suffix.lower() != ".pdf" or page is None or not self._path.is_file():
            return
        picture = pdf_page(self._path, int(page.group(1)), sheet_width() - 48, self.devicePixelRatioF())
        if picture is not None:
            self.page.setPixmap(picture)
            self.page.show()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if is_theme_change(event) and hasattr(self, "_found"):
            self._write()

    def _on_open(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path)))


def pdf_page(path: Path, page: int, width: int, ratio: float = 1.0) -> QPixmap | None:
    """A 1-based page of a PDF as a picture, `width` pixels wide; None where it cannot be drawn."""
    from PySide6.QtPdf import QPdfDocument

    document = QPdfDocument()
    if document.load(str(path)) != QPdfDocument.Error.None_ or not 1 <= page <= document.pageCount():
        return None
    size = document.pagePointSize(page - 1)
    if size.width() <= 0 or size.height() > 4 * size.width():  # a page that is a ribbon would be drawn without end
        return None
    scale = width * ratio / size.width()
    image = document.render(page - 1, QSize(round(size.width() * scale), round(size.height() * scale)))
    if image.isNull():
        return None
    flat = QPixmap(image.size())
    flat.fill(Qt.GlobalColor.white)
    from PySide6.QtGui import QPainter

    painter = QPainter(flat)
    painter.drawImage(0, 0, image)
    painter.end()
    flat.setDevicePixelRatio(ratio)
    return flat
