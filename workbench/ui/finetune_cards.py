"""The cards of the three presets: beside each other, or under each other where room is short"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QBoxLayout, QGridLayout, QSizePolicy, QWidget

from workbench.ui import theme, widgets
from workbench.ui.charts import draw_glyph

NARROWEST = 108  # pixels of a card, at the usual size of text: under that its words would be cut
SPACING = 6
TICK = 22  # pixels at the end of a card that the tick of the chosen one takes


class PresetCard(QAbstractButton):
    """A preset with its name, how long it will take and what it does."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._name = name
        self._lines = [
            widgets.ElidedLabel(text, kind)
            for text, kind in ((name, "strong"), ("", "text"), ("", "caption"), ("", "caption"))
        ]
        for line in self._lines:
            line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._grid = QGridLayout()
        self._grid.setVerticalSpacing(2)
        self.setLayout(self._grid)
        self.set_flat(False)
        self.setAccessibleName(name)

    def set_flat(self, flat: bool) -> None:
        """Wide and two lines high, or all lines under each other."""
        for place, line in enumerate(self._lines):
            self._grid.removeWidget(line)
            self._grid.addWidget(line, *((place % 2, place // 2) if flat else (place, 0)))
        self._grid.setColumnStretch(1, 1 if flat else 0)
        self._grid.setColumnStretch(0, 1)
        self._grid.setHorizontalSpacing(8 if flat else 0)
        self._grid.setContentsMargins(8, 8, 8 + TICK if flat else 8, 8)

    def say(self, time: str, note: str, memory: str = "") -> None:
        """Say what it takes."""
        for line, text in zip(self._lines[1:], (time, note, memory), strict=True):
            line.set_text(text)
        self.setAccessibleName(", ".join(filter(None, (self._name, time, note, memory))))

    def sizeHint(self) -> QSize:
        return self._grid.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self.isChecked()
        edge = (
            "accent" if chosen or self.hasFocus() else ("strong" if self.underMouse() and self.isEnabled() else "line")
        )
        painter.setPen(QPen(theme.color(edge), 2 if self.hasFocus() else 1))
        painter.setBrush(theme.color("selected" if chosen else "surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        if chosen:
            end = TICK if not self.isRightToLeft() else self.width() - TICK
            draw_glyph(painter, "check-circle", "accent", self.width() - end, 17, 14)


class PresetCards(QWidget):
    """A card for each preset."""

    chosen = Signal(str)  # a key

    def __init__(self, names: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards = {key: PresetCard(name) for key, name in names.items()}
        self._row = widgets.row(*self.cards.values(), spacing=SPACING)
        for place, (key, card) in enumerate(self.cards.items()):
            self._row.setStretch(place, 1)
            card.clicked.connect(partial(self._on_clicked, key))
        self.setLayout(self._row)

    @property
    def flat(self) -> bool:
        """Whether the cards stand under each other."""
        return self._row.direction() == QBoxLayout.Direction.TopToBottom

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        each = (event.size().width() + SPACING) // max(1, len(self.cards)) - SPACING
        flat = each < theme.px(NARROWEST)
        if flat != self.flat:
            self._row.setDirection(QBoxLayout.Direction.TopToBottom if flat else QBoxLayout.Direction.LeftToRight)
            for card in self.cards.values():
                card.set_flat(flat)

    def _on_clicked(self, key: str, *_: object) -> None:
        self.chosen.emit(key)
