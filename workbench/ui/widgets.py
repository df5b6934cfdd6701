"""Small shared widgets: buttons, texts, chips, figures, lines, empty states. Looks live in style.qss, by `kind`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QMargins, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStyleOptionButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workbench.ui import icons, theme
from workbench.ui.drawn import Dot as Dot
from workbench.ui.drawn import IconLabel as IconLabel
from workbench.ui.drawn import LaneRule as LaneRule
from workbench.ui.drawn import ProgressLine as ProgressLine
from workbench.ui.drawn import TokenBar as TokenBar
from workbench.ui.drawn import tint as tint
from workbench.ui.flow_layout import FlowLayout as FlowLayout
from workbench.ui.plain import tooltip, unmarked
from workbench.ui.words import about_short as about_short
from workbench.ui.words import about_text as about_text
from workbench.ui.words import bytes_text as bytes_text
from workbench.ui.words import path_text as path_text
from workbench.ui.words import seconds_text as seconds_text
from workbench.ui.words import when_text as when_text

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


class ClickRow(QAbstractButton):
    """A row of anything that can be clicked as one: hover, focus and keys of a button, the size of its layout."""

    def __init__(self, name: str, layout: QLayout, on_click: Click = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        policy = self.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Preferred)  # a button's own never shrinks: a long name in it may
        self.setSizePolicy(policy)
        self.setLayout(layout)
        for each in self.findChildren(QWidget):
            each.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        if on_click is not None:
            self.clicked.connect(lambda *_: on_click())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.underMouse() and self.isEnabled():
            painter.fillRect(self.rect(), theme.color("sunken"))
        if self.hasFocus():
            painter.setPen(theme.color("accent"))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))


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


class ElidedLabel(QLabel):
    """One line that ends in an ellipsis where room is short; the whole text is its tooltip."""

    def __init__(self, text: str = "", kind: str = "text", middle: bool = False, hug: bool = False) -> None:
        """`middle` keeps both ends of a path; `hug` takes no more room than the text, so that something may follow."""
        super().__init__()
        self._full = self._shorter = ""
        self._mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("kind", kind)
        policy = QSizePolicy.Policy.Maximum if hug else QSizePolicy.Policy.Ignored
        self.setSizePolicy(policy, QSizePolicy.Policy.Preferred)
        self.set_text(text)

    def set_text(self, text: str, shorter: str = "") -> None:
        """`shorter` is shown where the whole text has no room, before anything is left out."""
        self._full, self._shorter = " ".join(text.split()), shorter
        self.setAccessibleName(self._full)
        self.updateGeometry()
        self._elide()

    def full_text(self) -> str:
        return self._full

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(QFontMetrics(self.font()).horizontalAdvance(self._full) + 2, hint.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(min(32, self.sizeHint().width()), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        metrics = QFontMetrics(self.font())
        fits = not self._shorter or metrics.horizontalAdvance(self._full) <= self.width()
        shown = metrics.elidedText(self._full if fits else self._shorter, self._mode, max(0, self.width()))
        if shown != self.text():
            super().setText(shown)
        self.setToolTip(tooltip(self._full) if shown != self._full else "")


class Choice(QComboBox):
    """A box to choose from, no wider than its place, however long a choice is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)


class KeyFigure(QWidget):
    """A figure with what it counts underneath."""

    def __init__(self, value: str = "", caption: str = "", explained: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value, self._caption = label(value, "figure"), label(caption, "caption")
        self.setLayout(column(self._value, self._caption, spacing=2))
        self.setToolTip(tooltip(explained))

    def set_value(self, value: str, caption: str | None = None) -> None:
        self._value.setText(value)
        if caption is not None:
            self._caption.setText(caption)
        self.setAccessibleName(f"{value} {self._caption.text()}")


class SectionHead(QWidget):
    """A section's name, semibold 15, a caption beside it and room for actions at the right."""

    def __init__(self, title: str, note: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.note = label(title, "section"), ElidedLabel(note, "caption", hug=True)
        self._layout = row(self.title, self.note, None, spacing=8)
        self.setLayout(self._layout)

    def add_action(self, widget: QWidget) -> None:
        self._layout.addWidget(widget)

    def set_note(self, note: str) -> None:
        self.note.set_text(note)


class Chip(QPushButton):
    """A filter that is on or off, with a count."""

    def __init__(self, text: str, count: int | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = text
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setProperty("kind", "chip")
        self.set_count(count)

    def set_count(self, count: int | None) -> None:
        said = self._name if count is None else f"{self._name}  {count:,}"
        self.setText(unmarked(said))
        self.setAccessibleName(said)


class ChipRow(QWidget):
    """Chips of which one is on; `chosen` gives its key."""

    chosen = Signal(str)

    def __init__(self, choices: Sequence[tuple[str, str]], name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chips: dict[str, Chip] = {}
        self._group = QButtonGroup(self)
        layout = FlowLayout(self, centred=True)
        for key, text in choices:
            chip = self._chips[key] = Chip(text)
            self._group.addButton(chip)
            layout.addWidget(chip)
            chip.clicked.connect(lambda *_, key=key: self.chosen.emit(key))
        self.setAccessibleName(name)
        if choices:
            self.choose(choices[0][0])

    def choose(self, key: str) -> None:
        """Turn one on without telling anybody."""
        self._chips[key].setChecked(True)

    @property
    def current(self) -> str:
        return next((key for key, chip in self._chips.items() if chip.isChecked()), "")

    def chip(self, key: str) -> Chip:
        return self._chips[key]

    def set_counts(self, counts: dict[str, int]) -> None:
        for key, chip in self._chips.items():
            chip.set_count(counts.get(key, 0))


class EmptyState(QWidget):
    """What a list shows while it is empty: what will be here, why, and the one thing to do."""

    def __init__(
        self,
        icon: str,
        title: str,
        text: str,
        action_text: str = "",
        on_action: Click = None,
        primary: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.action = button(action_text, "", on_action, "primary" if primary else "plain")
        if not action_text:
            self.action.hide()  # and never shown before it stands in its place: it would be a window for a moment
        title_label, body = label(title, "section"), label(text, "muted", wrap=True)
        self._body = body
        body.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        body.setFixedWidth(theme.px(420))
        layout = column(None, spacing=8, margins=(24, 24, 24, 24))
        for each, space in ((icon_label(icon, 32, "muted"), 8), (title_label, 0), (body, 8), (self.action, 0)):
            layout.addLayout(row(None, each, None))  # a row asks a wrapped text for its height, an alignment does not
            layout.addSpacing(space)
        layout.addStretch(1)
        self.setLayout(layout)

    def set_text(self, text: str) -> None:
        """Say something else under the title."""
        self._body.setText(text)
