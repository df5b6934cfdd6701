"""Small shared widgets: those of `basics`, chips, figures, heads, empty states. Looks live in style.qss, by `kind`"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QComboBox,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from workbench.ui import theme
from workbench.ui.basics import Click as Click
from workbench.ui.basics import add_action as add_action
from workbench.ui.basics import button as button
from workbench.ui.basics import clear_layout as clear_layout
from workbench.ui.basics import column as column
from workbench.ui.basics import hline as hline
from workbench.ui.basics import icon_button as icon_button
from workbench.ui.basics import icon_label as icon_label
from workbench.ui.basics import label as label
from workbench.ui.basics import link_button as link_button
from workbench.ui.basics import menu_button as menu_button
from workbench.ui.basics import named as named
from workbench.ui.basics import panel as panel
from workbench.ui.basics import primary_button as primary_button
from workbench.ui.basics import quiet_button as quiet_button
from workbench.ui.basics import row as row
from workbench.ui.basics import set_kind as set_kind
from workbench.ui.basics import vline as vline
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
