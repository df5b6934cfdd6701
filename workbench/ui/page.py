"""Page: the base of everything in the stack; Sheet: what opens beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from workbench.ui import theme, widgets
from workbench.ui.plain import marked_off, tooltip, unmarked

if TYPE_CHECKING:
    from workbench.ui.bench import Bench

SHEET_WIDTH = 448
SHEET_MOST = 560  # beside it two lanes still stand in a window of 1280
LEAST_PICKER = 8  # characters of a picker's text that always stay


class Page(QWidget):
    """A page: a header 56 high (title, picker, actions, the primary one last), and `self.body`, a vertical layout.

    Subclasses set `title`, build in `__init__` after calling it, and may override `shown` and `hidden`.
    """

    title = ""
    fits_itself = False  # whether the page packs its header on its own

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bench = bench
        self.setObjectName("page")
        self.setAccessibleName(QCoreApplication.translate("Window", self.title))
        self.header = widgets.named("pageHeader")
        self.header.setFixedHeight(56)
        self.header.setMinimumWidth(1)  # it packs itself, so that it never makes the window wider
        self.header.installEventFilter(self)
        self._fitted = 0  # the width the header asked for when it was packed last
        self._title = widgets.label(QCoreApplication.translate("Window", self.title), "title")
        self._pickers, self._actions = QHBoxLayout(), QHBoxLayout()
        for each in (self._pickers, self._actions):
            each.setSpacing(8)
        line = widgets.row(self._title, 12, spacing=8, margins=(24, 0, 16, 0))
        line.addLayout(self._pickers)
        line.addStretch(1)
        line.addLayout(self._actions)
        self.header.setLayout(line)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        self.header_line = widgets.hline()
        layout = widgets.column(self.header, self.header_line, spacing=0)
        layout.addLayout(self.body, 1)
        self.setLayout(layout)

    def add_picker(self, widget: QWidget) -> None:
        """What is shown: beside the title."""
        self._pickers.addWidget(widget)

    def add_action(self, widget: QWidget) -> None:
        """A header action; add the primary one last."""
        self._actions.addWidget(widget)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.header and event.type() == QEvent.Type.LayoutRequest and not self.fits_itself:
            layout = self.header.layout()
            if layout is not None and layout.sizeHint().width() != self._fitted:
                QTimer.singleShot(0, self, self.fit_header)
        return super().eventFilter(watched, event)

    def fit_header(self) -> None:
        """Where room is short, take out the title, which the rail shows too, then words: beside icons, of pickers."""
        pickers = _buttons(self._pickers)
        for button in (*self._worded(), *pickers):
            if button.property("words") and button.text() == button.property("short"):
                button.setText(str(button.property("words")))
        self._title.show()
        if self._is_tight():
            self._title.hide()
        if self._is_tight():
            for button in self._worded():
                button.setAccessibleName(button.accessibleName() or marked_off(button.text()))
                button.setToolTip(button.toolTip() or tooltip(marked_off(button.text())))
                _shorten(button, "")
        for button in pickers:
            full, words = button.text(), marked_off(button.text())
            for length in range(len(words) - 2, LEAST_PICKER, -2):
                if not self._is_tight():
                    break
                _shorten(button, unmarked(words[:length].rstrip(" ,") + "…"))
                button.setProperty("words", full)
        self._is_tight()

    def _is_tight(self) -> bool:
        layout = self.header.layout()
        assert layout is not None
        for each in (self._pickers, self._actions, layout):  # each keeps what it worked out of its own
            each.invalidate()
        self._fitted = layout.sizeHint().width()
        return self._fitted > self.width()

    def _worded(self) -> list[QPushButton]:
        """The actions of the header that an icon can stand for alone."""
        found = _buttons(self._actions)
        return [each for each in found if not each.icon().isNull() and each.property("kind") != "primary"]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self.fits_itself:
            self.fit_header()

    def shown(self, **what: Any) -> None:
        """The page came to the front; `what` is what `bench.open_page(name, **what)` was given."""

    def hidden(self) -> None:
        """Another page came to the front, or the window closes: keep drafts."""

    def unsaved(self) -> list[str]:
        """What was typed on it and nothing keeps when the window closes, each in a few words."""
        return []

    def closed(self) -> None:
        """The window closes: let go of what runs beside the jobs, such as a watch on folders."""


def _buttons(line: QHBoxLayout) -> list[QPushButton]:
    items = (line.itemAt(place) for place in range(line.count()))
    found = [item.widget() for item in items if item is not None]
    return [each for each in found if isinstance(each, QPushButton) and not each.isHidden()]


def _shorten(button: QPushButton, text: str) -> None:
    """Show less for now, and remember what was there."""
    button.setProperty("words", button.text())
    button.setProperty("short", text)
    button.setText(text)


def sheet_width() -> int:
    """Pixels of a side sheet: wider with larger text, and never so wide that the page beside it is no page any more."""
    return min(theme.px(SHEET_WIDTH), SHEET_MOST)


class Sheet(QWidget):
    """A side sheet, 448 wide: a head with title and close button, `self.content` in a scroll area, an optional foot."""

    closed = Signal()

    def __init__(self, title: str, lane: str = "", lane_title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lane_title = lane_title
        self._settled: object = None  # what was typed, as it was last kept
        self.setObjectName("sheet")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(sheet_width())
        self.setAccessibleName(title)
        self.rule = widgets.LaneRule(lane)
        self.rule.setVisible(bool(lane))
        self.close_button = widgets.icon_button("x", self.tr("Close"), self.close_sheet)
        self._title = widgets.ElidedLabel(title, "section", hug=True)
        self.head = widgets.row(self._title, spacing=8, margins=(24, 0, 12, 0))
        if lane:
            self.head.addSpacing(8)
            self.head.addWidget(widgets.Dot(lane))
            lane_label = widgets.ElidedLabel(lane_title, "muted")
            self.head.addWidget(lane_label, 1)
        else:
            self.head.addStretch(1)
        self.head.addWidget(self.close_button)
        head = widgets.named("sheetHead")
        head.setFixedHeight(53 if lane else 56)  # the rule above it takes three
        head.setLayout(self.head)
        inner = widgets.named("sheetInner")
        self.content = widgets.column(spacing=8, margins=(24, 16, 24, 24))
        inner.setLayout(self.content)
        self.scroller = scroll_area(inner, horizontal=True)  # with very large text a row may be wider than it
        self.foot = widgets.row(spacing=8, margins=(24, 12, 24, 12))
        parts = (self.rule, head, widgets.hline(), self.scroller)
        self._layout = widgets.column(*parts, spacing=0, margins=(1, 0, 0, 0))  # beside the line at its edge
        self._layout.addLayout(self.foot)
        self.setLayout(self._layout)
        self.foot.setContentsMargins(0, 0, 0, 0)

    def set_title(self, title: str) -> None:
        self._title.set_text(title)
        self.setAccessibleName(title)

    def add_foot(self, *parts: QWidget | None) -> None:
        """Actions that stay in sight under what scrolls."""
        self.foot.setContentsMargins(24, 12, 24, 12)
        for part in parts:
            if part is None:
                self.foot.addStretch(1)
            else:
                self.foot.addWidget(part)

    @property
    def title(self) -> str:
        """What its head says, the lane it is about included."""
        return f"{self._title.full_text()} {self._lane_title}".strip()

    def typed(self) -> object:
        """What a person put in, as a value that can be compared; None where there is nothing to lose."""
        return None

    def settle(self) -> None:
        """What was typed is kept, or was there from the start: there is nothing to lose."""
        self._settled = self.typed()

    @property
    def dirty(self) -> bool:
        """Whether closing would lose something that was typed."""
        return self.typed() != self._settled

    def close_sheet(self) -> None:
        self.closed.emit()

    def close_kept(self) -> None:
        """What was typed is kept now: close."""
        self.settle()
        self.close_sheet()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_sheet()
            return
        super().keyPressEvent(event)


def scroll_area(inner: QWidget, horizontal: bool = False) -> QScrollArea:
    """A plain scroll area without a frame."""
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    if not horizontal:
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(inner)
    area.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
    return area


def is_theme_change(event: QEvent) -> bool:
    """Whether a changeEvent says that colours changed, for what keeps rendered text."""
    return event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)
