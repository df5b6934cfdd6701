"""The simplest parts a page is made of: buttons, texts, lines, rows and columns. Looks live in style.qss, by `kind`"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QMargins, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QPushButton,
    QStyleOptionButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workbench.ui import icons
from workbench.ui.drawn import IconLabel
from workbench.ui.plain import tooltip, unmarked

Click = Callable[[], object] | None
Margins = tuple[int, int, int, int]  # left, top, right, bottom
NO_MARGINS = (0, 0, 0, 0)
ICON_GAP = 4  # pixels between icon and text, beside the four that Qt leaves


class _Button(QPushButton):
    """A button whose icon stands 8 pixels off its text: Qt's own space is 4, so the icon is drawn that much wider."""

    def initStyleOption(self, option: QStyleOptionButton) -> None:
        super().initStyleOption(option)
        if option.text and not option.icon.isNull():
            option.iconSize = option.iconSize.grownBy(QMargins(0, 0, ICON_GAP, 0))


def button(text: str, icon: str = "", on_click: Click = None, kind: str = "plain") -> QPushButton:
    """A button 32 high with a border."""
    made = _Button(unmarked(text))
    made.setProperty("kind", kind)
    made.setAutoDefault(False)
    made.setCursor(Qt.CursorShape.ArrowCursor)
    if icon:
        made.setIcon(icons.icon(icon, {"primary": "on_accent", "danger": "bad"}.get(kind, "text")))
        made.setIconSize(QSize(16, 16))
    if on_click is not None:
        made.clicked.connect(lambda *_: on_click())
    return made


def primary_button(text: str, icon: str = "", on_click: Click = None) -> QPushButton:
    """The one action of a page, in the accent."""
    return button(text, icon, on_click, "primary")


def quiet_button(text: str, icon: str = "", on_click: Click = None) -> QPushButton:
    """A button without a border, until it is pointed at."""
    return button(text, icon, on_click, "quiet")


def link_button(text: str, on_click: Click = None) -> QPushButton:
    """A button that reads as a link in the accent."""
    return button(text, "", on_click, "link")


def icon_button(icon: str, name: str, on_click: Click = None, size: int = 16, role: str = "text") -> QToolButton:
    """An icon alone, 28 square; `name` is its tooltip and its accessible name."""
    made = QToolButton()
    made.setProperty("kind", "icon")
    made.setIcon(icons.icon(icon, role, "accent"))
    made.setIconSize(QSize(size, size))
    made.setToolTip(tooltip(name))
    made.setAccessibleName(name)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if on_click is not None:
        made.clicked.connect(lambda *_: on_click())
    return made


def menu_button(text: str, menu: QMenu, icon: str = "", name: str = "") -> QPushButton:
    """A quiet button that opens a menu, with a caret after its text: the picker of a page header."""
    made = quiet_button(text, icon)
    made.setProperty("kind", "picker")
    made.setMenu(menu)
    made.setAccessibleName(name or text)
    return made


def add_action(
    menu: QMenu, text: str, on_click: Callable[[], object], icon: str = "", shortcut: str = "", enabled: bool = True
) -> QAction:
    """An entry of a menu."""
    action = menu.addAction(unmarked(text))
    if icon:
        action.setIcon(icons.icon(icon))
    if shortcut:
        action.setShortcut(shortcut)
    action.setEnabled(enabled)
    action.triggered.connect(lambda *_: on_click())
    return action


def label(text: str = "", kind: str = "text", wrap: bool = False, selectable: bool = False) -> QLabel:
    """A text; `kind` is one of text, strong, muted, caption, question, section, title, verdict, good, warning, bad."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)  # documents and answers are not trusted with markup
    made.setProperty("kind", kind)
    made.setWordWrap(wrap)
    if wrap:
        made.setMinimumWidth(1)  # else its longest word, a path or a hash, would widen what it stands in
    if selectable:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def set_kind(widget: QWidget, kind: str) -> None:
    """Change a widget's kind and have the stylesheet look again."""
    if widget.property("kind") != kind:
        widget.setProperty("kind", kind)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def icon_label(icon: str, size: int = 16, role: str = "text") -> QWidget:
    """An icon that is no button; it follows the theme."""
    return IconLabel(icon, size, role)


def named(name: str, widget: QWidget | None = None) -> QWidget:
    """A widget (a plain one when none is given) with the name the stylesheet knows it by, its background drawn."""
    made = widget or QWidget()
    made.setObjectName(name)
    made.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    return made


def hline() -> QFrame:
    """A 1-pixel line across."""
    made = QFrame()
    made.setProperty("kind", "hline")
    made.setFixedHeight(1)
    return made


def vline() -> QFrame:
    """A 1-pixel line down."""
    made = QFrame()
    made.setProperty("kind", "vline")
    made.setFixedWidth(1)
    return made


def row(*parts: QWidget | int | None, spacing: int = 8, margins: Margins = NO_MARGINS) -> QHBoxLayout:
    """Widgets beside each other; an int is a space, None takes what is left."""
    made = QHBoxLayout()
    made.setSpacing(spacing)
    made.setContentsMargins(*margins)
    for part in parts:
        if part is None:
            made.addStretch(1)
        elif isinstance(part, int):
            made.addSpacing(part)
        else:
            made.addWidget(part)
    return made


def column(*parts: QWidget | QLayout | int | None, spacing: int = 8, margins: Margins = NO_MARGINS) -> QVBoxLayout:
    """Widgets and layouts under each other; an int is a space, None takes what is left."""
    made = QVBoxLayout()
    made.setSpacing(spacing)
    made.setContentsMargins(*margins)
    for part in parts:
        if part is None:
            made.addStretch(1)
        elif isinstance(part, int):
            made.addSpacing(part)
        elif isinstance(part, QLayout):
            made.addLayout(part)
        else:
            made.addWidget(part)
    return made


def panel(layout: QLayout | None = None) -> QFrame:
    """A surface with a line around and corners of 8."""
    made = QFrame()
    made.setProperty("kind", "panel")
    if layout is not None:
        made.setLayout(layout)
    return made


def clear_layout(layout: QLayout) -> None:
    """Take everything out of a layout and let go of it."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear_layout(inner)
