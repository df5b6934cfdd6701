"""The answers of a turn beside each other: each column has its place at once, and its cell as soon as there is time"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from workbench.ui import widgets
from workbench.ui.compare_cell import AnswerCell
from workbench.ui.gradual import Gradual


class TurnColumns(QObject):
    """Lays out the cells of a turn; `make` makes the one of a lane, in a width."""

    came = Signal(str)  # the lane whose cell stands in its place now, where they come one after the other

    def __init__(self, make: Callable[[str, int], AnswerCell], parent: QObject) -> None:
        super().__init__(parent)
        self.layout = QHBoxLayout()
        self.layout.setSpacing(0)
        self.cells: dict[str, AnswerCell] = {}
        self.order: list[str] = []
        self._make = make
        self._places: dict[str, QWidget] = {}  # what stands in a column until its cell does
        self._to_come = Gradual(self._add, self, at_a_time=0)

    def show(self, order: Sequence[str], widths: Sequence[int], gradually: bool = False) -> bool:
        """Show these lanes, in this order, this wide; whether they are others than before.

        Cells are kept where the lanes are the same. `gradually`: they come in the event loop's next turns, for all of
        them together take longer than a person should wait for the window.
        """
        new = list(order) != self.order
        if new:
            self._keep_places(order)
        for place, name in enumerate(order):
            width = widths[place] - (1 if place else 0)
            if name in self._places:
                self._places[name].setFixedWidth(width)
            else:
                self.cells[name].set_width(width)
        if new and gradually:
            self._to_come.begin_later(order)
        elif new:
            for name in order:
                self._fill(name)
        return new

    def _keep_places(self, order: Sequence[str]) -> None:
        """An empty column for each lane, with a line between two."""
        self._to_come.stop()
        widgets.clear_layout(self.layout)
        self.cells, self.order, self._places = {}, list(order), {}
        for place, name in enumerate(order):
            empty = self._places[name] = QWidget()
            empty.setProperty("kind", "surface")
            empty.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
            for part in (widgets.vline(), empty)[0 if place else 1 :]:
                self.layout.addWidget(part)
                part.show()  # a layout counts no widget that waits to be shown

    def _fill(self, name: str) -> None:
        """Put a cell where its place was kept; made as wide as that, its text is laid out once."""
        empty = self._places.pop(name)
        cell = self._make(name, empty.width())
        self.layout.replaceWidget(empty, cell)
        empty.hide()  # until it is gone it would lie over the question, where it was not laid out yet
        empty.deleteLater()
        cell.show()
        self.cells[name] = cell

    def _add(self, name: str) -> None:
        self._fill(name)
        self.came.emit(name)
