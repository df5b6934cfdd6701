"""The Fine-tune page's frame: its header, its two halves and its foot; what they do is decided in `finetune_page`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QMenu, QSplitter, QWidget

from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.finetune_after import AfterRun
from workbench.ui.finetune_data import DataSection
from workbench.ui.finetune_recipe import RecipeSection
from workbench.ui.finetune_run import RunSection
from workbench.ui.finetune_source import KINDS
from workbench.ui.page import Page, scroll_area

LEFT_WIDTH = 416
LEFT, MOVED = "finetune_left", 400  # the width as it was left, in the project; milliseconds until it is kept
FOOT_HEIGHT = 32


class FinetuneFrame(Page):
    """What the page is made of."""

    title = "Fine-tune"

    files_given = Signal(tuple)  # paths that were chosen or dropped
    earlier_wanted = Signal()
    bring_wanted = Signal(bool)  # a PEFT folder, else a GGUF file
    new_wanted = Signal()
    stop_wanted = Signal()
    start_wanted = Signal()
    resume_wanted = Signal()
    compare_wanted = Signal()
    name_changed = Signal()

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.takes_files = True  # not while a run goes on
        self.setAcceptDrops(True)
        self._build_header()
        self._build_body()

    def _build_header(self) -> None:
        self._menu = QMenu(self)
        self.picker = widgets.menu_button("", self._menu, "", self.tr("Which run is shown"))
        self.add_picker(self.picker)
        self.earlier = widgets.quiet_button(
            self.tr("Earlier runs"), "clock-counter-clockwise", self.earlier_wanted.emit
        )
        self._bring_menu = QMenu(self)
        for text, folder in ((self.tr("From a PEFT folder…"), True), (self.tr("From a GGUF file…"), False)):
            widgets.add_action(self._bring_menu, text, partial(self.bring_wanted.emit, folder))
        self.bring = widgets.menu_button(self.tr("Import an adapter"), self._bring_menu, "upload-simple")
        self.stop = widgets.button(self.tr("Stop and keep"), "stop", self.stop_wanted.emit)
        self.new = widgets.button(self.tr("New fine-tune"), "plus", self.new_wanted.emit)
        for each in (self.bring, self.earlier, self.new, self.stop):
            self.add_action(each)

    def _build_body(self) -> None:
        self.data, self.recipe, self.run = DataSection(), RecipeSection(), RunSection()
        self.data.browse_wanted.connect(self._on_browse_clicked)
        left = QWidget()
        left.setLayout(widgets.column(self.data, 8, widgets.hline(), 8, self.recipe, None, margins=(24, 16, 24, 16)))
        left_area = scroll_area(left)
        left_area.setMinimumWidth(360)
        self.empty = widgets.EmptyState(
            "graduation-cap",
            self.tr("Teach the model from your examples"),
            self.tr(
                "A fine-tune learns how to answer: a format, a tone, a habit. It is an adapter of a few megabytes "
                "beside the model, made on this computer. Facts are better left to documents."
            ),
        )
        right = QWidget()
        self.after = AfterRun(self.bench)
        self.run.put_last(self.after)
        right.setLayout(widgets.column(self.run, margins=(24, 16, 24, 16)))
        self.run_area = scroll_area(right)
        side = QWidget()
        side.setProperty("kind", "surface")
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        layout = widgets.column(self.empty, self.run_area, widgets.hline(), spacing=0)
        layout.addLayout(self._build_foot())
        for place in (0, 1):
            layout.setStretch(place, 1)
        side.setLayout(layout)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(left_area)
        split.addWidget(side)
        split.setStretchFactor(1, 1)
        self.split = split
        self._moved = QTimer(self, singleShot=True, interval=MOVED)
        self._moved.timeout.connect(lambda: self.bench.remember(**{LEFT: split.sizes()[0]}))
        split.splitterMoved.connect(lambda *_: self._moved.start())
        self._place_split()
        self.bench.project_changed.connect(self._place_split)
        self.body.addWidget(split)

    def _place_split(self) -> None:
        """The two halves as they were left in this project."""
        self._moved.stop()
        kept = self.bench.recall(LEFT, LEFT_WIDTH)
        left = kept if isinstance(kept, int) and kept > 0 else LEFT_WIDTH
        self.split.setSizes([left, max(1, self.split.width() - left) if self.split.isVisible() else 800])

    def _build_foot(self) -> QHBoxLayout:
        self.said = widgets.ElidedLabel("", "muted")
        self.name_label = widgets.label(self.tr("Name"), "muted")
        self.name = QLineEdit()
        self.name.setAccessibleName(self.tr("Name of the fine-tune"))
        self.name.setFixedWidth(180)
        self.name.textChanged.connect(self.name_changed)
        self.name_label.setBuddy(self.name)
        self.start = widgets.primary_button(self.tr("Start fine-tune"), "", self.start_wanted.emit)
        self.resume = widgets.primary_button(self.tr("Go on"), "", self.resume_wanted.emit)
        self.compare = widgets.primary_button(self.tr("Compare now"), "", self.compare_wanted.emit)
        line = widgets.row(self.said, self.name_label, self.name, self.resume, self.start, self.compare)
        line.setContentsMargins(24, 10, 16, 10)
        line.setStretch(0, 1)
        line.addStrut(FOOT_HEIGHT)  # so that it stays as high when its buttons come and go
        return line

    # Files

    def _on_browse_clicked(self) -> None:
        chosen_now = self.data.chosen
        start = str(chosen_now[0].parent if chosen_now else Path.home())
        kinds = " ".join(f"*{kind}" for kind in KINDS)
        filters = self.tr("Training files ({0});;All files (*)").format(kinds)
        chosen, _ = QFileDialog.getOpenFileNames(self, self.tr("Choose training files"), start, filters)
        if chosen:
            self.files_given.emit(tuple(Path(each) for each in chosen))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.takes_files and _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        if self.takes_files:
            self.files_given.emit(_dropped(event))


def _dropped(event: QDropEvent) -> tuple[Path, ...]:
    """The files that are dropped."""
    found = (Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
    return tuple(path for path in found if path.is_file())
