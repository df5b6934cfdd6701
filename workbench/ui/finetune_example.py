"""One example as the model reads it, with what the loss is taken on marked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QTextEdit, QWidget

from workbench.tuning.dataset import Span
from workbench.ui import theme
from workbench.ui.page import is_theme_change

EXAMPLE_SHOWN = 1200  # characters of the rendered example


class ExampleText(QTextEdit):
    """One example as the model reads it; the tokens the loss is taken on are marked by colour and underline."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, readOnly=True)
        self.setAccessibleName(self.tr("One example as the model sees it"))
        self.setProperty("kind", "code")
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTabChangesFocus(True)
        self._spans: tuple[Span, ...] = ()

    def show_spans(self, spans: Sequence[Span]) -> None:
        """Show a rendered example."""
        self._spans = tuple(spans)
        self.clear()
        self.setFont(theme.mono_font(theme.SMALL + 1))
        cursor = QTextCursor(self.document())
        room = EXAMPLE_SHOWN
        for span in self._spans:
            ink = QTextCharFormat()
            ink.setForeground(theme.color("text" if span.trained else "muted"))
            if span.trained:
                ink.setBackground(theme.color("selected"))
                ink.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
                ink.setUnderlineColor(theme.color("accent"))
            text = span.text if span.trained or len(span.text) <= room else span.text[:room] + " … "
            cursor.insertText(text, ink)
            room = max(80, room - len(text))
        self.updateGeometry()
        self._show_trained()

    def _show_trained(self) -> None:
        """Bring the trained part into view: it is what the box is for, and comes last."""
        self.moveCursor(QTextCursor.MoveOperation.End)
        self.ensureCursorVisible()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_trained()

    def sizeHint(self) -> QSize:
        self.document().setTextWidth(max(200, self.viewport().width()))
        return QSize(300, min(190, int(self.document().size().height()) + 18))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if is_theme_change(event) and self._spans:
            self.show_spans(self._spans)
