"""The header of the Compare page: which conversation, lanes out of sight, blind mode, one more lane, a menu."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from workbench.lanes.lane import Lane
from workbench.ui import widgets
from workbench.ui.compare_heads import title_of
from workbench.ui.compare_talk import Talk
from workbench.ui.page import Page
from workbench.ui.plain import tooltip, unmarked

ROOM_FOR_WORDS = 1040  # a narrower page has icons without words in its header
NAME_SHARE = 4  # a conversation's name takes at most this part of the page's width
LEAST_NAME = 120  # pixels it may always have


class MoreLanes(QPushButton):
    """Lanes out of sight at one side: a caret towards them, their dots, how many."""

    def __init__(self, left: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoDefault(False)
        self.setVisible(False)
        self._caret = widgets.IconLabel("caret-left" if left else "caret-right", 16, "text")
        self._dots: list[widgets.Dot] = []
        self.words = widgets.label("")
        self._line = widgets.row(self.words, spacing=6, margins=(8, 0, 10, 0))
        self._line.insertWidget(0 if left else 1, self._caret)
        if not left:
            self._line.setContentsMargins(10, 0, 8, 0)
        self.setLayout(self._line)
        for each in (self._caret, self.words):
            each.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_lanes(self, lanes: Sequence[Lane], named: bool, short: bool = False) -> None:
        """`named`: their colours and names may be shown (not in blind mode); `short`: in as few words as can be."""
        for dot in self._dots:
            self._line.removeWidget(dot)
            dot.hide()
            dot.deleteLater()
        self._dots = [widgets.Dot(lane.name) for lane in lanes] if named else []
        for dot in self._dots:
            dot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            self._line.insertWidget(self._line.indexOf(self.words), dot)
            dot.show()
        one = self.tr("{0} more lane") if len(lanes) == 1 else self.tr("{0} more lanes")
        whole = one.format(len(lanes))
        self.words.setText(self.tr("{0} more").format(len(lanes)) if short else whole)
        names = ", ".join(title_of(lane) for lane in lanes) if named else ""
        self.setToolTip(tooltip(names))
        self.setAccessibleName(f"{whole}: {names}" if names else whole)
        self.setVisible(bool(lanes))
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(self._line.sizeHint().width() + 2, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class CompareHeader(QObject):
    """Fills the page's header. It tells what is wanted and shows what it is told."""

    columns_wanted = Signal(int)  # so many columns to the right

    def __init__(self, page: Page, fill_talks: Callable[[QMenu], None], fill_lanes: Callable[[QMenu], None]) -> None:
        super().__init__(page)
        self._page, self._name = page, ""
        line = page.header.layout()
        assert line is not None
        line.setContentsMargins(16, 0, 16, 0)  # in line with the text of the first column
        self._talks, self._lanes, self._menu = QMenu(page), QMenu(page), QMenu(page)
        self._talks.aboutToShow.connect(lambda: fill_talks(self._talks))
        self._lanes.aboutToShow.connect(lambda: fill_lanes(self._lanes))
        self.picker = widgets.menu_button("", self._talks, "clock-counter-clockwise", self.tr("Conversation"))
        page.add_picker(self.picker)
        self.left, self.right = MoreLanes(left=True), MoreLanes(left=False)
        self.left.clicked.connect(lambda *_: self.columns_wanted.emit(-1))
        self.right.clicked.connect(lambda *_: self.columns_wanted.emit(1))
        self.blind = widgets.quiet_button(self.tr("Blind"), "eye-slash")
        self.blind.setCheckable(True)
        self.blind.setToolTip(self.tr("Hide which lane is which until you voted"))
        self.add = widgets.button(self.tr("Add lane"), "plus")
        self.add.setMenu(self._lanes)
        self.more = widgets.icon_button("dots-three", self.tr("More"))
        self.more.clicked.connect(lambda: self._menu.exec(self.more.mapToGlobal(self.more.rect().bottomLeft())))
        for each in (self.left, self.right, self.blind, self.add, self.more):
            page.add_action(each)

    def add_entry(self, text: str, icon: str, on_click: Callable[[], object]) -> None:
        """An entry of the menu behind the three dots."""
        widgets.add_action(self._menu, text, on_click, icon)

    def show_talk(self, talk: Talk) -> None:
        """Name the conversation that is open."""
        self._name = talk.name or self.tr("New conversation")
        self.fit()

    def show_sides(self, left: Sequence[Lane], right: Sequence[Lane]) -> None:
        """Say which lanes are out of sight."""
        named, both = not self.blind.isChecked(), bool(left and right)
        self.left.set_lanes(left, named, both)
        self.right.set_lanes(right, named, both)
        self.fit()

    def fit(self) -> None:
        """Take words out of the buttons where room is short."""
        room = max(LEAST_NAME, self._page.width() // NAME_SHARE)
        name = self.picker.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideRight, room)
        self.picker.setText(unmarked(name))
        self.picker.setAccessibleName(self.tr("Conversation: {0}").format(self._name))
        narrow = self._page.width() < ROOM_FOR_WORDS
        for button, text in ((self.blind, self.tr("Blind")), (self.add, self.tr("Add lane"))):
            button.setText("" if narrow else text)
            button.setAccessibleName(text)
            widgets.set_kind(button, "quiet" if narrow or button is self.blind else "plain")
