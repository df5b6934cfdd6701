"""An answer as text: Markdown with tables and code, citations as links, nothing loaded from anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QWidget

from workbench.ui import theme
from workbench.ui.compare_diff import Span

LINE_HEIGHT = 1.45  # of the type size; Qt's own percentages are of the font's line, which differs by font
WIDEST = 72  # characters of a line
CODE_MARGIN = 12  # at the sides of code
CODE_PADDING = 8  # above and under it
MARKER = re.compile(r"\[(\d{1,2})\]")
MARKDOWN = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML


class AnswerText(QTextBrowser):
    """Read-only, as high as its text; it never scrolls by itself and never opens a link or loads a picture."""

    cited = Signal(int)  # a citation was clicked
    link_clicked = Signal(str)  # a link of the answer was clicked; nobody follows it unasked

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source, self._numbers = "", 0
        self._marks: Sequence[Span] = ()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.document().setDocumentMargin(0)
        self.viewport().setAutoFillBackground(False)
        self.anchorClicked.connect(self._on_anchor)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Never load anything: an answer or a document may name a picture anywhere."""
        return None

    def set_answer(self, text: str, citations: int = 0) -> None:
        """Show Markdown; markers up to `citations` become links."""
        if (text, citations) != (self._source, self._numbers):
            self._source, self._numbers = text, citations
            self._render()

    def plain(self) -> str:
        """The text as it is shown."""
        return self.document().toPlainText()

    def set_marks(self, spans: Sequence[Span]) -> None:
        """Mark stretches of the shown text (offsets in `plain()`); none takes the marks away."""
        self._marks = tuple(spans)
        self._render()

    def _render(self) -> None:
        document = self.document()
        document.setDefaultFont(self.font())
        document.setMarkdown(fence_json(self._source), MARKDOWN)
        _dress(document)
        for match in self._markers():
            self._link(match.start(), match.end(), int(match.group(1)))
        for start, end in self._marks:
            self._mark(start, end)
        self._fit()

    def _markers(self) -> Iterator[re.Match[str]]:
        for match in MARKER.finditer(self.plain()):
            if 1 <= int(match.group(1)) <= self._numbers:
                yield match

    def _link(self, start: int, end: int, number: int) -> None:
        form = QTextCharFormat()
        form.setAnchor(True)
        form.setAnchorHref(f"cite:{number}")
        form.setForeground(theme.color("accent"))
        form.setFontWeight(QFont.Weight.DemiBold)
        form.setFontUnderline(False)
        form.setToolTip(self.tr("Show passage {0} in its document").format(number))
        self._cursor(start, end).mergeCharFormat(form)

    def _mark(self, start: int, end: int) -> None:
        form = QTextCharFormat()
        form.setBackground(theme.color("warning_tint"))
        form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
        form.setUnderlineColor(theme.color("warning"))
        self._cursor(start, end).mergeCharFormat(form)

    def _cursor(self, start: int, end: int) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _on_anchor(self, url: QUrl) -> None:
        if url.scheme() == "cite":
            self.cited.emit(int(url.path()))
        else:
            self.link_clicked.emit(url.toString())

    def _fit(self) -> None:
        widest = QFontMetrics(self.font()).averageCharWidth() * WIDEST
        self.document().setTextWidth(min(self.viewport().width(), widest))
        wanted = round(self.document().size().height()) + 2
        if self.height() != wanted:
            self.setFixedHeight(wanted)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange) and self._source:
            self._render()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the page scrolls, all lanes together

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("sunken"))
        for area in self._code_areas():
            painter.drawRoundedRect(area, 6, 6)
        painter.end()
        super().paintEvent(event)

    def _code_areas(self) -> Iterator[QRectF]:
        """One rectangle around each run of code lines."""
        area = QRectF()
        block = self.document().begin()
        width = float(self.viewport().width())
        while block.isValid():
            if is_code(block):
                line = block.layout().boundingRect().translated(block.layout().position())
                line.setRect(0, line.y() - CODE_PADDING, width, line.height() + 2 * CODE_PADDING)
                area = line if area.isNull() else area.united(line)
            elif not area.isNull():
                yield area
                area = QRectF()
            block = block.next()
        if not area.isNull():
            yield area


def is_code(block: QTextBlock) -> bool:
    """Whether a block is a line of a code block."""
    form = block.blockFormat()
    return form.hasProperty(QTextBlockFormat.Property.BlockCodeFence) or form.hasProperty(
        QTextBlockFormat.Property.BlockCodeLanguage
    )


def fence_json(text: str) -> str:
    """JSON answers are shown as code, set out over lines where they parse; anything else stays as it is."""
    bare = text.strip()
    if not bare.startswith(("{", "[{")):
        return text
    try:
        bare = json.dumps(json.loads(bare), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        pass
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", bare)), default=0))
    return f"{fence}json\n{bare}\n{fence}"


def _dress(document: QTextDocument) -> None:
    """Line height, quiet headings, code in the monospace font, tables with one line."""
    root = document.rootFrame().frameFormat()  # a first block's own margin is not honoured
    root.setTopMargin(CODE_PADDING if is_code(document.begin()) else 0)
    root.setBottomMargin(CODE_PADDING if is_code(document.lastBlock()) else 0)
    document.rootFrame().setFrameFormat(root)
    mono = theme.mono_font()
    document.setIndentWidth(20)
    block = document.begin()
    while block.isValid():
        cursor = QTextCursor(block)
        form, letters = QTextBlockFormat(), QTextCharFormat()
        code = is_code(block)
        size = mono.pixelSize() if code else theme.px(theme.TEXT)
        form.setLineHeight(round(LINE_HEIGHT * size), QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
        cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
        if code:
            first, last = not is_code(block.previous()), not is_code(block.next())
            form.setLeftMargin(CODE_MARGIN)
            form.setRightMargin(CODE_MARGIN)
            form.setTopMargin(CODE_PADDING + 1 if first else 0)
            form.setBottomMargin(CODE_PADDING + 8 if last and block.next().isValid() else 0)
            form.setNonBreakableLines(False)
            letters.setFontFamilies([mono.family()])
            letters.setProperty(QTextCharFormat.Property.FontPixelSize, mono.pixelSize())
        elif not block.textList():
            form.setTopMargin(0)
            form.setBottomMargin(8 if block.next().isValid() else 0)
        if block.blockFormat().headingLevel():
            letters.setProperty(QTextCharFormat.Property.FontPixelSize, theme.px(theme.QUESTION))
            letters.setProperty(QTextCharFormat.Property.FontSizeAdjustment, 0)
            letters.setFontWeight(QFont.Weight.DemiBold)
            form.setTopMargin(6)
        QTextCursor(block).mergeBlockFormat(form)
        whole = QTextCursor(block)
        whole.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        whole.mergeCharFormat(letters)
        block = block.next()
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            _dress_table(frame)


def _dress_table(table: QTextTable) -> None:
    form = table.format()
    form.setCellPadding(4)
    form.setCellSpacing(0)
    form.setBorder(1)
    form.setBorderCollapse(True)
    form.setBorderBrush(theme.color("line"))
    form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
    form.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
    form.setTopMargin(4)
    form.setBottomMargin(4)
    table.setFormat(form)
