"""The sheet for all lanes: which are shown and in what order, and which others there are"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.lanes.lane import Lane
from workbench.ui import compare_lanes, widgets
from workbench.ui.compare_heads import made_of, title_of
from workbench.ui.page import Sheet


class LanesSheet(Sheet):
    """The lanes beside each other: their order, and which others there are."""

    changed = Signal(list)  # names, in order
    edit_clicked = Signal(object)  # Lane

    def __init__(self, shown: Sequence[Lane], known: Sequence[Lane], parent: QWidget | None = None) -> None:
        super().__init__("", parent=parent)
        self.set_title(self.tr("Lanes"))
        self._known = {lane.name: lane for lane in (*known, *shown)}
        self._names = [lane.name for lane in shown]
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self.content.addLayout(self._rows)
        self.content.addStretch(1)
        self._fill()

    def _fill(self) -> None:
        widgets.clear_layout(self._rows)
        for place, name in enumerate(self._names):
            self._rows.addWidget(self._row(self._known[name], place))
        others = [lane for name, lane in self._known.items() if name not in self._names]
        if others:
            self._rows.addSpacing(16)
            self._rows.addWidget(widgets.SectionHead(self.tr("Not shown"), self.tr("six fit beside each other")))
        for lane in others:
            self._rows.addWidget(self._row(lane, -1))

    def _row(self, lane: Lane, place: int) -> QWidget:
        made = QWidget()
        title = title_of(lane)
        words = widgets.column(
            widgets.ElidedLabel(title, "strong"), widgets.ElidedLabel(made_of(lane), "caption"), spacing=2
        )
        line = widgets.row(widgets.Dot(lane.name), spacing=8, margins=(0, 8, 0, 8))
        line.addLayout(words, 1)
        if place >= 0:
            up = widgets.icon_button(
                "arrow-up", self.tr("Move {0} to the left").format(title), partial(self._move, place, -1)
            )
            down = widgets.icon_button(
                "arrow-down", self.tr("Move {0} to the right").format(title), partial(self._move, place, 1)
            )
            up.setEnabled(place > 0)
            down.setEnabled(place < len(self._names) - 1)
            for each in (up, down):
                line.addWidget(each)
        line.addWidget(
            widgets.icon_button(
                "sliders-horizontal", self.tr("Change {0}").format(title), partial(self.edit_clicked.emit, lane)
            )
        )
        if place >= 0:
            hide = widgets.icon_button("x", self.tr("Take {0} out").format(title), partial(self._hide_lane, lane.name))
            hide.setEnabled(len(self._names) > 1)
            line.addWidget(hide)
        else:
            add = widgets.icon_button("plus", self.tr("Show {0}").format(title), partial(self._show_lane, lane.name))
            add.setEnabled(len(self._names) < compare_lanes.MOST_LANES)
            line.addWidget(add)
        made.setLayout(widgets.column(line, widgets.hline(), spacing=0))
        return made

    def _move(self, place: int, by: int) -> None:
        self._names.insert(place + by, self._names.pop(place))
        self._tell()

    def _hide_lane(self, name: str) -> None:
        self._names.remove(name)
        self._tell()

    def _show_lane(self, name: str) -> None:
        self._names.append(name)
        self._tell()

    def _tell(self) -> None:
        self._fill()
        self.changed.emit(list(self._names))
