"""What a person does with lanes: show one more, move, duplicate, change, take out, delete; undo for what goes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QWidget

from workbench.errors import WorkbenchError
from workbench.lanes.lane import Lane
from workbench.ui import compare_lanes, widgets
from workbench.ui.bench import Bench
from workbench.ui.compare_heads import title_of
from workbench.ui.compare_view import TurnsView
from workbench.ui.page import Sheet


class LaneActions(QObject):
    """Which lanes stand beside each other, and what each is made of; the project keeps both."""

    changed = Signal()  # other lanes are to be shown

    def __init__(self, bench: Bench, view: TurnsView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench, self._view = bench, view

    def read(self) -> list[Lane]:
        """The lanes to show; where the model of the project is missing, none, and it is said why."""
        try:
            return compare_lanes.shown_lanes(self._bench.project)
        except WorkbenchError as error:
            self._bench.notices.error(error)
            return []

    def show(self, names: Sequence[str]) -> None:
        """Show these lanes in this order."""
        self._bench.remember(compare_lanes=list(names))
        self.changed.emit()

    def put_first(self, names: Sequence[str]) -> list[str]:
        """Show these lanes before those that are shown already, as far as there is room; those that exist."""
        known = compare_lanes.known_lanes(self._bench.project)
        wanted = [name for name in names if name in known]
        rest = [name for name in self._names() if name not in wanted]
        self.show([*wanted, *rest][: compare_lanes.MOST_LANES])
        return wanted

    def fill_lane_menu(self, menu: QMenu, lane: Lane) -> None:
        menu.clear()
        names = self._names()
        place = names.index(lane.name) if lane.name in names else 0
        widgets.add_action(menu, self.tr("Change…"), partial(self.edit, lane), "sliders-horizontal")
        widgets.add_action(menu, self.tr("Duplicate"), partial(self.duplicate, lane), "copy")
        menu.addSeparator()
        left, right = partial(self.move, lane.name, -1), partial(self.move, lane.name, 1)
        widgets.add_action(menu, self.tr("Move left"), left, "arrow-left", enabled=place > 0)
        widgets.add_action(menu, self.tr("Move right"), right, "arrow-right", enabled=place < len(names) - 1)
        menu.addSeparator()
        widgets.add_action(menu, self.tr("Take out"), partial(self.take_out, lane.name), "x", enabled=len(names) > 1)
        if compare_lanes.is_own(self._bench.project, lane):
            widgets.add_action(menu, self.tr("Delete this lane"), partial(self.delete, lane), "trash")

    def fill_add_menu(self, menu: QMenu) -> None:
        menu.clear()
        shown = self._names()
        known = compare_lanes.known_lanes(self._bench.project)
        room = len(shown) < compare_lanes.MOST_LANES
        for name, lane in known.items():
            if name not in shown:
                widgets.add_action(menu, title_of(lane), partial(self.show_one_more, name), enabled=room)
        if not menu.isEmpty():
            menu.addSeparator()
        start = known.get("prompted") or next(iter(known.values()))
        widgets.add_action(menu, self.tr("A lane of my own…"), partial(self.edit, start), "plus", enabled=room)
        widgets.add_action(menu, self.tr("All lanes…"), self.open_all, "sliders-horizontal")

    def show_one_more(self, name: str) -> None:
        self.show([*self._names(), name])
        self._view.bring_into_view(name)

    def move(self, name: str, by: int) -> None:
        names = self._names()
        place = names.index(name)
        names.insert(place + by, names.pop(place))
        self.show(names)
        self._view.bring_into_view(name)

    def take_out(self, name: str) -> None:
        names = self._names()
        self.show([each for each in names if each != name])
        said = self.tr("The lane is out of sight; its answers are kept.")
        self._bench.notices.tell(said, action_text=self.tr("Undo"), action=partial(self.show, names))

    def duplicate(self, lane: Lane) -> None:
        known = compare_lanes.known_lanes(self._bench.project)
        copy = compare_lanes.copy_of(lane, self.tr("{0}, copy").format(title_of(lane)), list(known))
        compare_lanes.keep_lane(self._bench.project, copy)
        self._show_beside(lane.name, copy.name)

    def delete(self, lane: Lane) -> None:
        names = self._names()
        compare_lanes.drop_lane(self._bench.project, lane.name)
        self.show([each for each in names if each != lane.name])
        self._bench.lanes_changed.emit()

        def undo() -> None:
            compare_lanes.keep_lane(self._bench.project, lane)
            self.show(names)
            self._bench.lanes_changed.emit()

        said = self.tr("{0} is deleted; its answers are kept.").format(title_of(lane))
        self._bench.notices.tell(said, action_text=self.tr("Undo"), action=undo)

    def edit(self, lane: Lane) -> None:
        from workbench.ui.compare_edit import LaneSheet

        sheet = LaneSheet(self._bench.project, lane)
        sheet.saved.connect(partial(self._on_saved, sheet))
        self._open(sheet, lane.name)

    def open_all(self) -> None:
        """The sheet with every lane: order, which are shown, which there are besides."""
        from workbench.ui.compare_lane_list import LanesSheet

        sheet = LanesSheet(self._view.lanes, list(compare_lanes.known_lanes(self._bench.project).values()))
        sheet.changed.connect(self.show)
        sheet.edit_clicked.connect(self.edit)
        self._open(sheet)

    def _on_saved(self, sheet: Sheet, before: Lane, after: Lane) -> None:
        """The sheet closes once the lane is kept, and not before."""
        try:
            compare_lanes.keep_lane(self._bench.project, after)
        except (OSError, WorkbenchError) as error:
            self._bench.notices.error(error)
            return
        sheet.close_kept()
        self._show_beside(before.name, after.name)

    def _show_beside(self, name: str, new: str) -> None:
        """Show a lane at the right of another, where there is room for one more."""
        names = self._names()
        if new not in names and len(names) < compare_lanes.MOST_LANES:
            names.insert(names.index(name) + 1 if name in names else len(names), new)
        self.show(names)
        self._bench.lanes_changed.emit()
        self._view.bring_into_view(new)

    def _names(self) -> list[str]:
        return [lane.name for lane in self._view.lanes]

    def _open(self, sheet: QWidget, lane: str = "") -> None:
        self._bench.show_sheet(sheet)
        self._view.bring_into_view(lane)
