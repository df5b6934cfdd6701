"""How an answer's Markdown looks: what is read before, and what is dressed in the document afterwards."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from PySide6.QtCore import QCoreApplication, QRectF
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
)

from workbench.ui import theme

LINE_HEIGHT = 1.45  # of the type size; Qt's own percentages are of the font's line, which differs by font
CODE_MARGIN = 12  # at the sides of code
CODE_PADDING = 8  # above and under it
PICTURE = "\N{OBJECT REPLACEMENT CHARACTER}"  # stands for one in a block's text
HANG = 2  # characters that the rest of a broken line of code stands further in
MARKDOWN = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML


def fence_json(text: str, growing: bool = False) -> str:
    """JSON answers are shown as code, set out over lines where they parse; anything else stays as it is.

    One that is still `growing` is set out as far as it goes, so that nothing jumps when its end comes.
    """
    bare = text.strip()
    if not bare.startswith(("{", "[{")):
        return text
    bare = _set_out(bare) or (_set_out(_closed(bare)) if growing else "") or bare
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", bare)), default=0))
    return f"{fence}json\n{bare}\n{fence}"


def _set_out(text: str) -> str:
    """JSON over lines, "" where it does not parse."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return ""


def _closed(text: str) -> str:
    """The beginning of a JSON text with everything closed that is open at its end, and a half pair left out."""
    for beginning in (text, text[: _last_comma(text)]):
        closed = beginning + _closing(beginning)
        if _set_out(closed):
            return closed
    return ""


def _closing(text: str) -> str:
    """The quote and brackets that are missing at the end."""
    stack, within, escaped = "", False, False
    for letter in text:
        if within:
            within, escaped = letter != '"' or escaped, letter == "\\" and not escaped
        elif letter == '"':
            within = True
        elif letter in "{[":
            stack = ("}" if letter == "{" else "]") + stack
        elif letter in "}]":
            stack = stack[1:]
    return ('"' if within else "") + stack


def _last_comma(text: str) -> int:
    """The last comma outside of a string, 0 where there is none."""
    found, within, escaped = 0, False, False
    for place, letter in enumerate(text):
        if within:
            within, escaped = letter != '"' or escaped, letter == "\\" and not escaped
        elif letter == '"':
            within = True
        elif letter == ",":
            found = place
    return found


def is_code(block: QTextBlock) -> bool:
    """Whether a block is a line of a code block."""
    form = block.blockFormat()
    return form.hasProperty(QTextBlockFormat.Property.BlockCodeFence) or form.hasProperty(
        QTextBlockFormat.Property.BlockCodeLanguage
    )


def code_areas(document: QTextDocument, width: float) -> Iterator[QRectF]:
    """One rectangle around each run of code lines, as they are laid out."""
    area = QRectF()
    for block in _blocks(document):
        if is_code(block):
            line = block.layout().boundingRect().translated(block.layout().position())
            line.setRect(0, line.y() - CODE_PADDING, width, line.height() + 2 * CODE_PADDING)
            area = line if area.isNull() else area.united(line)
        elif not area.isNull():
            yield area
            area = QRectF()
    if not area.isNull():
        yield area


def dress(document: QTextDocument, start: int = 0) -> None:
    """Line height, quiet headings, code in the monospace font, tables with one line, pictures as their addresses.

    From the block at the position `start` on, where all before it is dressed already.
    """
    root = document.rootFrame().frameFormat()  # a first block's own margin is not honoured
    margins = [CODE_PADDING if is_code(each) else 0 for each in (document.begin(), document.lastBlock())]
    if [root.topMargin(), root.bottomMargin()] != margins:  # setting it lays everything out again
        root.setTopMargin(margins[0])
        root.setBottomMargin(margins[1])
        document.rootFrame().setFrameFormat(root)
    document.setIndentWidth(20)
    mono = theme.mono_font()
    letter = QFontMetricsF(mono).horizontalAdvance("0")
    forms = _text_forms()
    for block in _blocks(document, start):
        if is_code(block):
            _dress_code(block, mono, letter)
        else:
            _dress_text(block, *forms)
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable) and frame.lastPosition() >= start:
            _dress_table(frame)
    _name_pictures(document, start)


def _blocks(document: QTextDocument, start: int = 0) -> Iterator[QTextBlock]:
    block = document.findBlock(start)
    while block.isValid():
        yield block
        block = block.next()


def _text_forms() -> tuple[QTextBlockFormat, QTextBlockFormat, QTextBlockFormat]:
    """Of an item of a list, of a paragraph, and of one that is the last: made once for all blocks."""
    item, between, last = QTextBlockFormat(), QTextBlockFormat(), QTextBlockFormat()
    for form, room in ((item, None), (between, 8), (last, 0)):
        form.setLineHeight(_line(theme.px(theme.TEXT)), QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
        if room is not None:
            form.setTopMargin(0)
            form.setBottomMargin(room)
    return item, between, last


def _dress_text(block: QTextBlock, item: QTextBlockFormat, between: QTextBlockFormat, last: QTextBlockFormat) -> None:
    form, letters = item, QTextCharFormat()
    if not block.textList():
        form = between if block.next().isValid() else last
    if block.blockFormat().headingLevel():
        form = QTextBlockFormat(form)
        letters.setProperty(QTextCharFormat.Property.FontPixelSize, theme.px(theme.QUESTION))
        letters.setProperty(QTextCharFormat.Property.FontSizeAdjustment, 0)
        letters.setFontWeight(QFont.Weight.DemiBold)
        form.setTopMargin(6)
    _merge(block, form, letters)


def _dress_code(block: QTextBlock, mono: QFont, letter: float) -> None:
    first, last = not is_code(block.previous()), not is_code(block.next())
    text = block.text()
    hang = (len(text) - len(text.lstrip(" ")) + HANG) * letter  # a long line goes on under its own beginning
    form, letters = QTextBlockFormat(), QTextCharFormat()
    form.setLineHeight(_line(mono.pixelSize()), QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
    form.setLeftMargin(CODE_MARGIN + hang)
    form.setTextIndent(-hang)
    form.setRightMargin(CODE_MARGIN)
    form.setTopMargin((CODE_PADDING + 8 if block.previous().isValid() else CODE_PADDING + 1) if first else 0)
    form.setBottomMargin(CODE_PADDING + 8 if last and block.next().isValid() else 0)
    form.setNonBreakableLines(False)
    letters.setFontFamilies([mono.family()])
    letters.setProperty(QTextCharFormat.Property.FontPixelSize, mono.pixelSize())
    _merge(block, form, letters)


def _line(size: int) -> int:
    return round(LINE_HEIGHT * size)


def _merge(block: QTextBlock, form: QTextBlockFormat, letters: QTextCharFormat) -> None:
    cursor = QTextCursor(block)
    cursor.mergeBlockFormat(form)
    if letters.properties():
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        cursor.mergeCharFormat(letters)


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


def _name_pictures(document: QTextDocument, start: int) -> None:
    """A picture is never loaded, from the net or from this disk: its address stands in its place, as a link."""
    for begin, end, form in reversed(list(_pictures(document, start))):
        cursor = QTextCursor(document)
        cursor.setPosition(begin)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        link = QTextCharFormat()
        link.setAnchor(True)
        link.setAnchorHref(form)
        link.setForeground(theme.color("accent"))
        cursor.insertText(QCoreApplication.translate("compare", "[picture, not loaded: {0}]").format(form), link)


def _pictures(document: QTextDocument, start: int) -> Iterator[tuple[int, int, str]]:
    """Where pictures stand, and their addresses."""
    for block in _blocks(document, start):
        if PICTURE not in block.text():
            continue
        iterator = block.begin()
        while not iterator.atEnd():
            fragment = iterator.fragment()
            if fragment.charFormat().isImageFormat():
                address = fragment.charFormat().toImageFormat().name()
                yield fragment.position(), fragment.position() + fragment.length(), address
            iterator += 1
