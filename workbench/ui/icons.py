"""Icons: Phosphor regular, the font that qtawesome ships, drawn in the colour of the theme at the moment of painting.

Only the font file of qtawesome is used. Importing the package itself costs 0.6 s, through qtpy, which is more than the
whole window takes to open; and an icon that asks for its colour when it paints follows light and dark with no wiring.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QIcon,
    QIconEngine,
    QPainter,
    QPixmap,
    QPixmapCache,
)

from workbench.ui import theme


@lru_cache(maxsize=1)
def _phosphor() -> tuple[str, dict[str, str]]:
    """The font's family and its names with their code points; empty when qtawesome is not installed."""
    spec = find_spec("qtawesome")
    if spec is None or spec.origin is None:
        return "", {}
    folder = Path(spec.origin).parent / "fonts"
    fonts, maps = sorted(folder.glob("phosphor-*.ttf")), sorted(folder.glob("phosphor-charmap-*.json"))
    if not fonts or not maps:
        return "", {}
    families = QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(fonts[-1])))
    return (families[0] if families else ""), json.loads(maps[-1].read_text(encoding="utf-8"))


class _Glyph(QIconEngine):
    """Paints one glyph; `role` is a token's name, and `on_role` the one while a button is checked."""

    def __init__(self, name: str, role: str, on_role: str) -> None:
        super().__init__()
        self._name, self._role, self._on_role = name, role, on_role

    def clone(self) -> QIconEngine:
        return _Glyph(self._name, self._role, self._on_role)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        family, codes = _phosphor()
        font = QFont(family)
        font.setPixelSize(max(1, rect.height()))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.setFont(font)
        painter.setPen(self._color(mode, state))
        square = QRect(rect.topLeft(), QSize(rect.height(), rect.height()))
        if rect.width() <= rect.height():
            square = rect
        elif QGuiApplication.isRightToLeft():
            square.moveRight(rect.right())  # what is wider leaves room towards the text
        painter.drawText(square, Qt.AlignmentFlag.AlignCenter, chr(int(codes[self._name], 16)))
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Drawn once for each size and colour: a page with many buttons asks for the same few again and again."""
        side = "rtl" if QGuiApplication.isRightToLeft() else "ltr"
        key = f"icon {self._name} {self._color(mode, state).name()} {size.width()}x{size.height()} {side}"
        made = QPixmap()
        if QPixmapCache.find(key, made):
            return made
        made = QPixmap(size)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        QPixmapCache.insert(key, made)
        return made

    def _color(self, mode: QIcon.Mode, state: QIcon.State) -> QColor:
        if mode == QIcon.Mode.Disabled:
            return QColor(theme.tokens().strong)
        return theme.color(self._on_role if state == QIcon.State.On else self._role)


def icon(name: str, role: str = "text", on_role: str = "") -> QIcon:
    """A Phosphor icon by name ("columns", "check-circle"), in a token's colour.

    Raises KeyError for a name the font does not have, so that a slip shows in the first test that draws it.
    """
    family, codes = _phosphor()
    if not family:
        return QIcon()
    if name not in codes:
        raise KeyError(f"Phosphor has no icon named {name}")
    return QIcon(_Glyph(name, role, on_role or role))


def pixmap(name: str, size: int = 16, role: str = "text", ratio: float = 2.0) -> QPixmap:
    """The same as a pixmap, for labels; `ratio` is the screen's device pixel ratio."""
    return icon(name, role).pixmap(QSize(size, size), ratio)
