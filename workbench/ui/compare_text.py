"""An answer as text: Markdown with tables and code, citations as links, nothing loaded from anywhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, ClassVar

from PySide6.QtCore import QEvent, QRectF, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QWidget

from workbench.ui import theme
from workbench.ui.compare_diff import Span
from workbench.ui.compare_growing import Growing
from workbench.ui.compare_markdown import MARKDOWN, code_areas, dress, fence_json
from workbench.ui.compare_parts import BUDGET, part_end, part_of, part_start

Doubts = Callable[[str], Sequence[Span]]

WIDEST = 72  # characters of a line
MOST_LINKS = 200  # citations that are made links in one part; more are no longer read one by one
MARKER = re.compile(r"\[(\d{1,2})\]")
CHEAP = 0.004  # seconds of drawing that are done as often as there is news
EACH = 4.5e-6  # seconds that a character is expected to take, before a text was drawn once: lists and tables, measured
ENOUGH = 400  # characters from which a text tells how long one takes here
SHARE = 5  # a text that takes longer is drawn at most once in so many times its own cost
BREATH = 0.010  # seconds the window has for itself between two texts that take longer


class AnswerText(QTextBrowser):
    """Read-only, as high as its text; it never scrolls by itself and never opens a link or loads a picture.

    A long answer is shown a part at a time, and one that grows is drawn less often the longer drawing takes.
    """

    cited = Signal(int)  # a citation was clicked
    link_clicked = Signal(str)  # a link of the answer was clicked; nobody follows it unasked
    drawn = Signal()  # other text, or another height

    _breath: ClassVar[float] = 0.0  # when the window has had time for itself since the last costly text
    _each: ClassVar[float] = EACH  # seconds a character took here of late

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._numbers, self._growing = "", 0, False
        self._shown, self._start, self._end = "", 0, 0  # the whole text as it is shown, and the part of it
        self._marks: Sequence[Span] = ()
        self._doubted: Doubts | None = None
        self._room = 0  # width there is for the text, before this is laid out
        self._cost, self._due = 0.0, 0.0
        self._grown = Growing(self.document())
        self._areas: list[QRectF] | None = None  # of code, None until they are drawn with this layout
        self._later = QTimer(self, singleShot=True)
        self._later.timeout.connect(self._draw_when_due)  # of several that wait, one after the other
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

    def set_answer(self, text: str, citations: int = 0, growing: bool = False) -> None:
        """Show Markdown; markers up to `citations` become links. One that is `growing` is shown at its end."""
        if (text, citations, growing) == (self._text, self._numbers, self._growing):
            return
        went_on = text.startswith(self._text) and bool(self._text)
        self._text, self._numbers, self._growing = text, citations, growing
        self._shown = fence_json(text, growing) if len(text) <= BUDGET else _as_code(text)
        if growing:
            self._end = len(self._shown)
            self._start = part_start(self._shown, self._end)
        elif not went_on or not self._start:
            self._start, self._end = 0, part_end(self._shown, 0)
        else:  # it was followed to its end, and there it stays
            self._start = part_start(self._shown, len(self._shown))
            self._end = len(self._shown)
        self._marks = ()
        self._draw_when_due()

    def set_room(self, width: int) -> None:
        """Tell how wide the text will be, before it is laid out: its height is known at once then."""
        if width != self._room:
            self._room = width
            self._fit()

    @property
    def part(self) -> tuple[int, int, int]:
        """Which characters are shown: from, to, and of how many."""
        return self._start, self._end, len(self._shown)

    def turn_to(self, by: int) -> None:
        """Show the part before (-1) or after (1)."""
        if by > 0 and self._end < len(self._shown):
            self._start, self._end = self._end, part_end(self._shown, self._end)
        elif by < 0 and self._start > 0:
            self._start, self._end = part_start(self._shown, self._start), self._start
        self._marks = ()
        self._render()

    def plain(self) -> str:
        """The text as it is shown."""
        if self._later.isActive():
            self._render()
        return self.document().toPlainText()

    def set_marks(self, spans: Sequence[Span]) -> None:
        """Mark stretches of the shown text (offsets in `plain()`); none takes the marks away."""
        if tuple(spans) != self._marks:
            self._marks = tuple(spans)
            self._render()

    def set_doubts(self, doubted: Doubts | None) -> None:
        """What of the shown text nothing supports, as offsets in `plain()`: underlined with dots; None: not asked."""
        if doubted is not self._doubted:
            self._doubted = doubted
            if self._text:
                self._render()

    def _draw_when_due(self) -> None:
        expected = self._expected()
        wait = max(self._due, AnswerText._breath if expected > CHEAP else 0.0) - time.monotonic()
        if wait <= 0:
            self._render()
        elif not self._later.isActive():
            self._later.start(max(1, round(1000 * wait)))

    def _expected(self) -> float:
        """Seconds that drawing will take, as far as can be known."""
        if self._only_grew(part_of(self._shown, self._start, self._end)):
            return self._cost
        return max(self._cost, AnswerText._each * (self._end - self._start))

    def _render(self) -> None:
        self._later.stop()
        began, document = time.thread_time(), self.document()  # what other programs take is not our cost
        text = part_of(self._shown, self._start, self._end)
        whole = not self._only_grew(text)
        if whole:
            self._draw_whole(document, text)
        else:
            self._grown.draw(text)
        self._areas = None
        self._fit()
        self._pay(time.thread_time() - began, whole)
        self.drawn.emit()

    def _only_grew(self, text: str) -> bool:
        """Whether it is drawn already, but for its end."""
        return self._growing and self._is_bare and self._grown.goes_on(text)

    @property
    def _is_bare(self) -> bool:
        """Whether nothing is to be marked in the text."""
        return not self._numbers and not self._marks and self._doubted is None

    def _draw_whole(self, document: QTextDocument, text: str) -> None:
        if document.defaultFont() != self.font():  # setting it lays out what is shown until now
            document.setDefaultFont(self.font())
        document.setLayoutEnabled(False)  # else every change of a format lays everything out again
        self._grown.forget()
        if self._growing and self._is_bare:
            self._grown.draw(text)
        else:
            document.setMarkdown(text, MARKDOWN)
            dress(document)
            self._mark_all(document)
        document.setLayoutEnabled(True)

    def _mark_all(self, document: QTextDocument) -> None:
        """Citations as links, what nothing supports, and the differences that a person asked for."""
        for match in islice(self._markers(), MOST_LINKS):
            self._link(match.start(), match.end(), int(match.group(1)))
        for start, end in self._doubted(document.toPlainText()) if self._doubted is not None else ():
            self._doubt(start, end)
        for start, end in self._marks:
            self._mark(start, end)

    def _pay(self, cost: float, whole: bool) -> None:
        """Remember what drawing took, and when it may be done again."""
        self._cost, length = cost, self._end - self._start
        if whole and length >= ENOUGH:
            AnswerText._each += (cost / length - AnswerText._each) / 4
        if cost > CHEAP:
            self._due = time.monotonic() + (SHARE - 1) * cost
            AnswerText._breath = time.monotonic() + BREATH

    def _markers(self) -> Iterator[re.Match[str]]:
        for match in MARKER.finditer(self.document().toPlainText()):
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

    def _doubt(self, start: int, end: int) -> None:
        form = QTextCharFormat()
        form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
        form.setUnderlineColor(theme.color("warning"))
        form.setToolTip(self.tr("No passage this lane read says this in its words"))
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
        document, width = self.document(), min(self._room or self.viewport().width(), widest)
        if document.textWidth() != width:  # setting it lays everything out again, also where it is the same
            document.setTextWidth(width)
            self._areas = None
        wanted = round(document.size().height()) + 2
        if self.height() != wanted:
            self.setFixedHeight(wanted)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width() and event.size().width() != self._room:
            self._room = 0
            self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange) and self._text:
            self._grown.forget()
            self._later.start(0)  # several such events come at once, and to every text of the page

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the page scrolls, all lanes together

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("sunken"))
        if self._areas is None:
            self._areas = self._code_areas()
        for area in self._areas:
            painter.drawRoundedRect(area, 6, 6)
        painter.end()
        super().paintEvent(event)

    def _code_areas(self) -> list[QRectF]:
        return list(code_areas(self.document(), self.viewport().width()))


def _as_code(text: str) -> str:
    """A long JSON text as code, as it stands: setting it out would take as long as it is."""
    return f"``````````\n{text}" if text.lstrip()[:2] in ('{"', "[{", "{\n") else text
