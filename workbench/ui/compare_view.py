"""The middle of the Compare page: lane heads, the turns under them in aligned columns, one scroll bar for all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.lanes.lane import Lane
from workbench.ui import widgets
from workbench.ui.compare_heads import LaneHeads, column_widths, columns_that_fit
from workbench.ui.compare_talk import Talk, TalkTurn
from workbench.ui.gradual import Gradual
from workbench.ui.page import scroll_area

if TYPE_CHECKING:
    from workbench.ui.compare_turn import TurnView

TURNS_SHOWN = 8  # of a long conversation; earlier ones are shown on demand


class TurnsView(QWidget):
    """Shows a Talk in the columns of its lanes. What does not fit is reached by whole columns."""

    turn_added = Signal(object)  # TurnView, to be connected
    columns_changed = Signal(list, list)  # the lanes out of sight at the left and at the right

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heads = LaneHeads()
        self.turns: list[TurnView] = []
        self._lanes: list[Lane] = []
        self._talk = Talk()
        self._first, self._blind = 0, False
        self._laying = self._lay_again = self._following = False
        self._empty: QWidget | None = None
        self._inside = QVBoxLayout()
        self._inside.setContentsMargins(0, 0, 0, 0)
        self._inside.setSpacing(0)
        self._earlier_turns = Gradual(self._add_above, self)
        self._out_of_sight = Gradual(self._lay_out_late, self)
        self.earlier = widgets.quiet_button(self.tr("Show earlier turns"), "arrow-up", self._on_earlier)
        self.earlier.hide()
        inner = QWidget()
        layout = widgets.column(self.earlier, self._inside, None, spacing=0)
        inner.setLayout(layout)
        self.scroller = scroll_area(inner)
        self.scroller.viewport().installEventFilter(self)
        self._bar = self.scroller.verticalScrollBar()
        self._at_end = True
        self._bar.valueChanged.connect(self._on_scrolled)
        self._bar.rangeChanged.connect(self._on_range)
        self.setLayout(widgets.column(self.heads, widgets.hline(), self.scroller, spacing=0))

    @property
    def lanes(self) -> list[Lane]:
        return list(self._lanes)

    def show_talk(self, talk: Talk, lanes: Sequence[Lane], blind: bool, empty: QWidget | None = None) -> None:
        """Show a conversation from its end; `empty` stands there while it has no turns."""
        self._talk, self._lanes, self._blind = talk, list(lanes), blind
        self._out_of_sight.stop()
        widgets.clear_layout(self._inside)
        self.turns, self._empty, self._at_end = [], None, True
        if not talk.turns and empty is not None:
            self._empty = empty
            self._inside.addWidget(empty)
        self.lay_out()
        self._show_above(talk.turns[-TURNS_SHOWN:])

    def add_turn(self, turn: TalkTurn) -> TurnView:
        """Show a new turn at the end and go there."""
        if self._empty is not None:
            self._empty.hide()
            self._empty.deleteLater()
            self._empty = None
        view = self._make(turn, len(self._talk.turns))
        self.turns.append(view)
        self._inside.addWidget(view)
        view.show()
        self._at_end = True
        self._lay_out_turn(view, gradually=True)
        return view

    def view_of(self, turn: TalkTurn) -> TurnView | None:
        return next((each for each in self.turns if each.turn is turn), None)

    def unsaved(self) -> list[str]:
        """Questions that are being changed in place."""
        changed = [str(view.number) for view in self.turns if view.changed]
        return [self.tr("The changed question of turn {0}").format(number) for number in changed]

    def scroll_columns(self, by: int) -> None:
        """Go some columns to the right (or left)."""
        self._first += by
        self.lay_out()

    def bring_into_view(self, lane: str) -> None:
        """Have the column of a lane shown."""
        place = next((number for number, each in enumerate(self._lanes) if each.name == lane), None)
        if place is None:
            return
        fit = columns_that_fit(self.scroller.viewport().width(), len(self._lanes))
        if not self._first <= place < self._first + fit:
            self._first = place if place < self._first else place - fit + 1
        self.lay_out()

    def lay_out(self) -> None:
        """Give every column its lane and its width."""
        if self._laying:  # widths of cells change the scroll bar, and that changes the room: once more, from the start
            self._lay_again = True
            return
        self._laying = True
        for _ in range(3):  # a scroll bar that comes and goes with the widths would never settle
            self._lay_again = False
            self._lay_out_once()
            if not self._lay_again:
                break
        self._laying = False

    def _lay_out_once(self) -> None:
        lanes = self._lanes
        if not lanes:
            self.heads.show_lanes([], [], False)
            self.columns_changed.emit([], [])
            return
        width = self.scroller.viewport().width()
        fit = columns_that_fit(width, len(lanes))
        self._first = max(0, min(self._first, len(lanes) - fit))
        widths, visible = column_widths(width, fit), lanes[self._first : self._first + fit]
        self.heads.show_lanes(visible, widths, self._blind, self._first)
        in_sight = [view for view in self.turns if self._in_sight(view)]
        for view in in_sight:
            self._lay_out_turn(view)
        self._out_of_sight.begin(view for view in reversed(self.turns) if view not in in_sight)
        self._settle()
        self.columns_changed.emit(lanes[: self._first], lanes[self._first + fit :])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The columns follow the room beside the scroll bar, which is known only once the scroll area was laid out."""
        if event.type() == QEvent.Type.Resize and watched is self.scroller.viewport():
            self.lay_out()
        return super().eventFilter(watched, event)

    def _lay_out_turn(self, view: TurnView, gradually: bool = False) -> None:
        lanes, width = self._lanes, self.scroller.viewport().width()
        fit = columns_that_fit(width, len(lanes))
        order = blind_order(view.turn, lanes) if self._blind and view.turn.blind else [lane.name for lane in lanes]
        shown = order[self._first : self._first + fit]
        view.show_columns(shown, column_widths(width, fit), self._blind, gradually)

    def _make(self, turn: TalkTurn, number: int) -> TurnView:
        from workbench.ui.compare_turn import TurnView  # here: a window without a conversation opens sooner

        view = TurnView(turn, number)
        view.settled.connect(self._on_settled)
        self.turn_added.emit(view)
        return view

    def _show_above(self, turns: Sequence[TalkTurn]) -> None:
        """Show turns over those that are shown, the latest first, a few at a time."""
        self._earlier_turns.begin(reversed(turns))

    def _add_above(self, turn: TalkTurn) -> None:
        place = next(number for number, each in enumerate(self._talk.turns) if each is turn)
        view = self._make(turn, place + 1)
        self.turns.insert(0, view)
        self._inside.insertWidget(0, view)
        view.show()  # a layout counts no widget that waits to be shown
        self._lay_out_late(view)
        self.earlier.setVisible(not self._earlier_turns.busy and place > 0)

    def _lay_out_late(self, view: TurnView) -> None:
        """Lay out a turn that is out of sight: what is being read stays where it is."""
        if view not in self.turns:  # another conversation was opened meanwhile
            return
        value, below = self._bar.value(), self._bar.maximum() - self._bar.value()
        above = view.y() < value
        self._lay_out_turn(view)
        if above and not self._at_end:
            self._bar.setValue(self._bar.maximum() - below)

    def _in_sight(self, view: TurnView) -> bool:
        top = view.y() - self._bar.value()
        return top < self.scroller.viewport().height() and top + view.height() > 0

    def _on_earlier(self) -> None:
        self.earlier.hide()
        self._show_above(self._talk.turns[: len(self._talk.turns) - len(self.turns)])

    def _on_settled(self) -> None:
        if not self._laying:  # once is enough when all turns are laid out
            self._settle()

    def _settle(self) -> None:
        """Have what scrolls as high as the turns in it, at once."""
        inner = self.scroller.widget()
        layout = inner.layout() if inner is not None else None
        if layout is not None:
            layout.activate()
            QCoreApplication.sendEvent(self.scroller, QEvent(QEvent.Type.LayoutRequest))

    def _end(self) -> int:
        """Where following stops: at the end, but never past the last question.

        One lane that goes on and on would otherwise push the short answers beside it out of sight.
        """
        inner = self.scroller.widget()
        if not self.turns or inner is None:
            return self._bar.maximum()
        return min(self._bar.maximum(), self.turns[-1].mapTo(inner, QPoint(0, 0)).y())

    def _on_scrolled(self, value: int) -> None:
        if not self._following:
            self._at_end = value >= self._end() - 4

    def _on_range(self, *_: int) -> None:
        """The view follows the end only while it is at the end."""
        if self._at_end:
            self._follow()
            QTimer.singleShot(0, self, self._follow)  # once more when the new heights are in place

    def _follow(self) -> None:
        if self._at_end:
            self._following = True
            self._bar.setValue(self._end())
            self._following = False


def blind_order(turn: TalkTurn, lanes: Sequence[Lane]) -> list[str]:
    """The lanes' names mixed, in the same way each time a turn is drawn: its id is the seed."""
    names = [lane.name for lane in lanes]
    random.Random(turn.id).shuffle(names)
    return names
