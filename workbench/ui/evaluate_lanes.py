"""Choose the lanes of a run and how it measures: a menu that stays open while its entries are ticked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from workbench import records
from workbench.evaluation.records import Measuring
from workbench.lanes.lane import Lane
from workbench.ui import evaluate_source, widgets
from workbench.ui.bench import Bench
from workbench.ui.lane_names import lane_title
from workbench.ui.tick_menu import TickMenu

CHOSEN, MEASURING = "evaluate_lanes", "evaluate_measuring"  # the options of the project that hold them
REPEATS = 3  # times each question is asked when chance is to be seen: the least that has a majority
REPEATED, COLD = ("repeats",), ("cold",)  # no lane's name: those are texts


class LanesPicker(QWidget):
    """Says how many lanes are chosen; `changed` brings their names."""

    changed = Signal(tuple)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lanes: tuple[Lane, ...] = ()
        self.menu = TickMenu(self)
        self.button: QPushButton = widgets.menu_button("", self.menu, "columns", self.tr("Lanes of the next run"))
        self.setLayout(widgets.row(self.button))

    def show_lanes(self, lanes: Sequence[Lane], chosen: Sequence[str], measuring: Measuring | None = None) -> None:
        """Offer these lanes, with some of them ticked, and the ways to measure."""
        measuring = measuring or Measuring()
        self._lanes = tuple(lanes)
        self.menu.clear()
        for lane in lanes:
            action = self.menu.add_tick(lane.title or lane_title(lane.name), lane.name, lane.name in chosen)
            action.toggled.connect(self._on_toggled)
        self.menu.addSection(self.tr("How it is measured"))
        often = self.tr("Each question {0} times, with other seeds: shows chance").format(REPEATS)
        cold = self.tr("Forget what was read before each question: times of a first question")
        for text, way, ticked in ((often, REPEATED, measuring.repeats > 1), (cold, COLD, measuring.cold)):
            self.menu.add_tick(text, way, ticked).toggled.connect(self._on_toggled)
        self._say()

    def recall(self, bench: Bench) -> None:
        """Offer the lanes of the project that is open, chosen and measured as they were last."""
        lanes = evaluate_source.all_lanes(bench.project)
        kept = bench.recall(CHOSEN, None)
        usual = [lane.name for lane in lanes if lane.context != "full"]
        measuring = records.from_plain(Measuring, bench.recall(MEASURING, {}))
        self.show_lanes(lanes, usual if kept is None else kept, measuring)

    def remember(self, bench: Bench) -> None:
        """Keep what is chosen with the project."""
        names = [lane.name for lane in self.chosen]
        bench.remember(**{CHOSEN: names, MEASURING: records.to_plain(self.measuring)})

    @property
    def chosen(self) -> tuple[Lane, ...]:
        """The ticked lanes, in their order."""
        return tuple(lane for lane in self._lanes if lane.name in self.menu.ticked)

    @property
    def measuring(self) -> Measuring:
        """How the next run measures."""
        ticked = self.menu.ticked
        return Measuring(REPEATS if REPEATED in ticked else 1, COLD in ticked)

    def _say(self) -> None:
        count = len(self.chosen)
        self.button.setText(self.tr("1 lane") if count == 1 else self.tr("{0} lanes").format(count))
        self.button.setEnabled(bool(self._lanes))

    def _on_toggled(self) -> None:
        self._say()
        self.changed.emit(tuple(lane.name for lane in self.chosen))
