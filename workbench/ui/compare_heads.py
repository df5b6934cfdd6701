"""The heads of the lanes, pinned over the turns, and how wide the columns under them are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from workbench.lanes.lane import Lane
from workbench.project import is_sound
from workbench.ui import widgets
from workbench.ui.lane_names import lane_short, lane_title
from workbench.ui.plain import tooltip

NARROWEST = 264  # a lane's least width: four fit at 1280
HEAD_HEIGHT = 62
LETTERS = "ABCDEF"


def columns_that_fit(width: int, lanes: int) -> int:
    """How many whole columns are shown."""
    return max(1, min(lanes, width // NARROWEST))


def column_widths(width: int, columns: int) -> list[int]:
    """The widths of the columns, which fill the page to the pixel."""
    each, rest = divmod(width, max(1, columns))
    return [each + (place < rest) for place in range(columns)]


def made_of(lane: Lane) -> str:
    """What a lane is made of, in one line."""
    translate = QCoreApplication.translate
    parts = []
    if lane.adapter is not None:
        strength = translate("lanes", "{0} at {1:g}").format(adapter_name(lane), lane.adapter_scale)
        parts.append(strength if lane.adapter_scale != 1 else adapter_name(lane))
    if lane.context == "passages":
        parts.append(translate("lanes", "up to {0} passages").format(lane.passages))
    elif lane.context == "sections":
        parts.append(translate("lanes", "up to {0} sections").format(lane.passages))
    elif lane.context == "full":
        parts.append(translate("lanes", "the whole document"))
    if lane.base and lane.context != "none":
        parts[-1] = translate("lanes", "{0} of {1}").format(parts[-1], lane.base)
    if lane.reranker is not None and lane.context != "none":
        parts[-1] = translate("lanes", "{0}, reranked").format(parts[-1])
    if len(lane.examples) == 1:
        parts.append(translate("lanes", "your prompt, 1 example"))
    elif lane.examples:
        parts.append(translate("lanes", "your prompt, {0} examples").format(len(lane.examples)))
    elif lane.system and lane.adapter is None:
        parts.append(translate("lanes", "your prompt"))
    if lane.sampling.temperature:
        parts.append(translate("lanes", "temperature {0:g}").format(lane.sampling.temperature))
    if not parts:
        return translate("lanes", "{0}, nothing added").format(model_name(lane))
    line = ", ".join(parts)
    return line if lane.adapter is not None else line[0].upper() + line[1:]


def adapter_name(lane: Lane) -> str:
    """The fine-tune's name: the folder of its adapter, or what follows the colon."""
    if ":" in lane.name:
        return lane.name.split(":", 1)[1]
    return lane.adapter.parent.name if lane.adapter is not None else ""


def model_name(lane: Lane) -> str:
    """A model's file name without what repeats."""
    return lane.model.stem.replace("-Instruct", "").replace(".Q", " Q").replace("-", " ")


def title_of(lane: Lane) -> str:
    return lane.title or lane_title(lane.name)


def short_of(lane: Lane) -> str:
    return lane.short or lane_short(lane.name)


class LaneHead(QWidget):
    """One lane's rule, dot, name and what it is made of; its menu edits it."""

    def __init__(self, fill_menu: Callable[[QMenu, Lane], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEAD_HEIGHT)
        self._lane: Lane | None = None
        self.rule, self.dot = widgets.LaneRule(), widgets.Dot()
        self.name = widgets.ElidedLabel("", "strong")
        self.note = widgets.ElidedLabel("", "caption")
        self.menu = QMenu(self)
        self._fill_menu = fill_menu
        self.menu.aboutToShow.connect(self._on_menu)
        self.more = widgets.icon_button("dots-three", self.tr("Lane"))
        self.more.clicked.connect(lambda: self.menu.exec(self.more.mapToGlobal(self.more.rect().bottomLeft())))
        keep = self.more.sizePolicy()
        keep.setRetainSizeWhenHidden(True)  # blind mode hides the menu, and the names must not move
        self.more.setSizePolicy(keep)
        top = widgets.row(self.dot, self.name, self.more, spacing=8, margins=(16, 6, 8, 0))
        top.setStretch(1, 1)
        self.doubt = widgets.label(self.tr("Differs in llama.cpp"), "bad")
        self.doubt.setToolTip(self.tr("This fine-tune does not answer here as it did in training"))
        under = widgets.row(self.note, self.doubt, margins=(32, 0, 16, 0))
        under.setStretch(0, 1)
        layout = widgets.column(self.rule, spacing=0)
        layout.addLayout(top)
        layout.addLayout(under)
        layout.addStretch(1)
        self.setLayout(layout)

    def _on_menu(self) -> None:
        if self._lane is not None:
            self._fill_menu(self.menu, self._lane)

    def show_lane(self, lane: Lane, letter: str = "") -> None:
        """Show a lane, or in blind mode only its letter."""
        self._lane = lane
        self.rule.set_lane("" if letter else lane.name)
        self.dot.set_lane("" if letter else lane.name)
        self.name.set_text(self.tr("Answer {0}").format(letter) if letter else title_of(lane))
        self.note.set_text(self.tr("shown after your vote") if letter else made_of(lane))
        self.note.setToolTip("" if letter else tooltip(f"{made_of(lane)}\n{lane.model.name}"))
        self.doubt.setVisible(not letter and lane.adapter is not None and not is_sound(lane.adapter))
        self.more.setVisible(not letter)
        self.more.setAccessibleName(self.tr("Change lane {0}").format(title_of(lane)))


class LaneHeads(QWidget):
    """The heads in a row, with the widths of the columns."""

    lane_menu_wanted = Signal(object, object)  # QMenu, Lane

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heads: list[LaneHead] = []
        self.setFixedHeight(HEAD_HEIGHT)
        self.setProperty("kind", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addStretch(1)

    def show_lanes(self, lanes: Sequence[Lane], widths: Sequence[int], blind: bool, first: int = 0) -> None:
        """Show these lanes; `first` is the place of the first among all of them, for the letters of blind mode."""
        while len(self.heads) < len(lanes):
            head = LaneHead(self.lane_menu_wanted.emit)
            self._layout.insertWidget(len(self.heads), head)
            self.heads.append(head)
        for place, head in enumerate(self.heads):
            head.setVisible(place < len(lanes))
            if place < len(lanes):
                head.show_lane(lanes[place], LETTERS[first + place] if blind else "")
                head.setFixedWidth(widths[place])
        self._layout.activate()  # at once, as the columns under them
