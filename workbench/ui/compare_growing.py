"""An answer that is still being written: what is settled of it stays, and only its last part is read and laid out again

Reading Markdown of two thousand characters, dressing it and laying it out takes 5 to 15 ms, and again with every few
words. A paragraph that a blank line has ended is another one's business no more, so what stands before the last such
place is left as it is in the document.
"""

from __future__ import annotations

import re

from PySide6.QtGui import (
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextDocumentFragment,
)

from workbench.ui.compare_markdown import MARKDOWN, dress
from workbench.ui.compare_parts import open_fence

BLANK = re.compile(r"\n(?:[ \t]*\n)+")
# What surely begins something new after a blank line: no blank, which may go on with an item of a list; no item, rule,
# quote or table; and no number that may yet become an item.
ANEW = re.compile(r"(?![-+>|_])(?!\*{1,2}(?:[\s*]|$))(?!\d{1,9}(?:[.)]|$))\S")
TABLE = "|"  # in every row of one


def settled_end(text: str, known: int = 0) -> int:
    """Before which place nothing changes any more, whatever is written on; at least `known`, where that was found."""
    places = [match.end() for match in BLANK.finditer(text, max(0, known - 1))]
    for place in reversed(places):
        if place > known and ANEW.match(text, place) and not open_fence(text, place):
            return place
    return known


class Growing:
    """Draws a text that grows into a document."""

    def __init__(self, document: QTextDocument) -> None:
        self._document, self._part = document, QTextDocument()
        self._settled = ""  # the text that stays as it is drawn, "" where nothing does
        self._at, self._form = 0, QTextBlockFormat()  # where it ends in the document, and the format of its last block

    def forget(self) -> None:
        """The document shows something else, or what is drawn is to look otherwise."""
        self._settled = ""

    def goes_on(self, text: str) -> bool:
        """Whether a text is what was drawn last, with something behind what is settled of it.

        Not with a table in that: only `setMarkdown` lays one out as it will stand in the end.
        """
        known = len(self._settled)
        return known > 0 and text.startswith(self._settled) and TABLE not in text[known:]

    def draw(self, text: str) -> None:
        """Draw a text, as far as it is not drawn yet."""
        if not self.goes_on(text):
            self._begin(text)
            return
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()  # laid out once, from the first change on
        cursor.setPosition(self._at)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        cursor.setBlockFormat(self._form)  # an empty block has taken that of what was removed behind it
        known = len(self._settled)
        settled = settled_end(text, known)
        if settled > known:
            self._append(cursor, text[known:settled])
            self._settle(text[:settled])
        self._append(cursor, text[settled:])
        cursor.endEditBlock()

    def _begin(self, text: str) -> None:
        self._settled = ""
        settled = settled_end(text)
        settled = 0 if TABLE in text[settled:] else settled
        self._document.setMarkdown(text[:settled] or text, MARKDOWN)
        dress(self._document)
        if settled:
            self._settle(text[:settled])
            self._append(QTextCursor(self._document), text[settled:])

    def _settle(self, text: str) -> None:
        self._settled, self._at = text, self._document.characterCount() - 1
        self._form = self._document.lastBlock().blockFormat()

    def _append(self, cursor: QTextCursor, text: str) -> None:
        last = self._document.lastBlock()
        self._part.setMarkdown(text, MARKDOWN)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        # what is inserted takes the format of the block it is put into
        cursor.insertBlock(self._part.firstBlock().blockFormat(), QTextCharFormat())
        cursor.insertFragment(QTextDocumentFragment(self._part))
        dress(self._document, last.position())
