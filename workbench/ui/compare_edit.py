"""The sheet for one lane: what it is made of, changed and kept as a person's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from workbench.bases import base_names
from workbench.catalog.rerankers import rerankers
from workbench.lanes.lane import Lane, Sampling
from workbench.project import Project
from workbench.ui import compare_lanes, theme, widgets
from workbench.ui.boxes import real_box, whole_box
from workbench.ui.compare_heads import model_name, title_of
from workbench.ui.compare_strength import StrengthSlider
from workbench.ui.page import Sheet


class ExamplesEdit(QWidget):
    """Worked examples: a message and the answer it should get, as many as wanted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pairs: list[tuple[QPlainTextEdit, QPlainTextEdit]] = []
        self._rows = QVBoxLayout()
        self._rows.setSpacing(8)
        add = widgets.button(self.tr("Add an example"), "plus", partial(self.add, "", ""), "small")
        self.setLayout(widgets.column(self._rows, widgets.row(add, None), spacing=8))

    def set_examples(self, examples: Sequence[tuple[str, str]]) -> None:
        widgets.clear_layout(self._rows)
        self.pairs = []
        for message, answer in examples:
            self.add(message, answer)

    def add(self, message: str, answer: str) -> None:
        edits = (QPlainTextEdit(message), QPlainTextEdit(answer))
        for edit, name in zip(edits, (self.tr("Message"), self.tr("Answer")), strict=True):
            edit.setAccessibleName(name)
            edit.setPlaceholderText(name)
            edit.setTabChangesFocus(True)
            edit.setFixedHeight(56)
        holder = QWidget()
        remove = widgets.icon_button("trash", self.tr("Remove this example"), lambda: self._remove(holder, edits))
        line = widgets.row(spacing=8)
        line.addLayout(widgets.column(*edits, spacing=4), 1)
        line.addWidget(remove)
        holder.setLayout(line)
        self.pairs.append(edits)
        self._rows.addWidget(holder)

    def examples(self) -> tuple[tuple[str, str], ...]:
        """The pairs that have both halves."""
        found = ((first.toPlainText().strip(), second.toPlainText().strip()) for first, second in self.pairs)
        return tuple((message, answer) for message, answer in found if message and answer)

    def _remove(self, holder: QWidget, edits: tuple[QPlainTextEdit, QPlainTextEdit]) -> None:
        self.pairs.remove(edits)
        holder.hide()
        holder.deleteLater()


class LaneSheet(Sheet):
    """Edits one lane. A standard lane stays what its name says: a changed one is kept as a person's own."""

    saved = Signal(object, object)  # the lane as it was, the lane as it is now: whoever keeps it closes the sheet

    def __init__(self, project: Project, lane: Lane, parent: QWidget | None = None) -> None:
        super().__init__("", lane.name, title_of(lane), parent)
        self._project, self.lane = project, lane
        self._own = compare_lanes.is_own(project, lane)
        self.set_title(self.tr("Lane") if self._own else self.tr("Your own copy of"))
        self._known = compare_lanes.known_lanes(project)
        self._build()
        self._fill(lane)
        self.save = widgets.primary_button(
            self.tr("Save lane") if self._own else self.tr("Save as my own"), "", self._on_save
        )
        self.add_foot(None, widgets.button(self.tr("Cancel"), "", self.close_sheet), self.save)
        self.settle()

    def typed(self) -> object:
        pairs = [(first.toPlainText(), second.toPlainText()) for first, second in self.examples.pairs]
        return self.edited(), [each for each in pairs if any(each)]

    def _build(self) -> None:
        self.name = QLineEdit()
        self.model, self.adapter, self.context = widgets.Choice(), widgets.Choice(), widgets.Choice()
        self.base, self.reranker = widgets.Choice(), widgets.Choice()
        ranked = [self.reranker] if self.lane.reranker or rerankers() else []
        named = [self.base] if self.lane.base or base_names(self._project) else []
        self.scale = StrengthSlider()
        self.passages = whole_box(1, 20)
        self.worked = QCheckBox(self.tr("Show it how passages are read and cited first"))
        self.system = QPlainTextEdit()
        self.system.setTabChangesFocus(True)
        self.system.setFixedHeight(104)
        self.examples = ExamplesEdit()
        self.temperature, self.top_p = real_box(0.0, 2.0, 0.1), real_box(0.05, 1.0, 0.05)
        self.seed, self.most, self.repeat = whole_box(0, 2**31 - 1), whole_box(8, 4096), real_box(1.0, 2.0, 0.05)
        for widget, name in (
            (self.name, self.tr("Name")),
            (self.model, self.tr("Model")),
            (self.adapter, self.tr("Fine-tune")),
            (self.context, self.tr("Documents")),
            (self.system, self.tr("System prompt")),
        ):
            self._field(name, widget)
            if widget is self.adapter:
                self.content.addWidget(self.scale)
            if widget is self.context:
                for each in named:
                    self._field(self.tr("Knowledge base"), each)
                for each in ranked:
                    self._field(self.tr("Reranker"), each)
                self._pair((self.tr("Passages at most"), self.passages))
                self.content.addWidget(self.worked)
        self.content.addWidget(widgets.label(self.tr("Examples"), "caption"))
        self.content.addWidget(self.examples)
        self.content.addSpacing(8)
        self.content.addWidget(
            widgets.SectionHead(self.tr("Sampling"), self.tr("temperature 0 gives the same answer each time"))
        )
        self._pair(
            (self.tr("Temperature"), self.temperature),
            (self.tr("Top p"), self.top_p),
            (self.tr("Repeat penalty"), self.repeat),
            (self.tr("Seed"), self.seed),
            (self.tr("Tokens at most"), self.most),
        )
        self.content.addStretch(1)
        self.model.currentIndexChanged.connect(self._fill_adapters)
        self.adapter.currentIndexChanged.connect(lambda *_: self.scale.setVisible(bool(self.adapter.currentData())))
        self.context.currentIndexChanged.connect(lambda *_: self._enable_reading(str(self.context.currentData())))

    def _fill(self, lane: Lane) -> None:
        self.name.setText(title_of(lane) if self._own else self.tr("{0}, changed").format(title_of(lane)))
        for path, title in chat_models(self._known):
            self.model.addItem(title, path)
        if place_of(self.model, lane.model) < 0:
            self.model.addItem(model_name(lane), lane.model)
        self.model.setCurrentIndex(place_of(self.model, lane.model))
        self._fill_adapters()
        self.adapter.setCurrentIndex(max(0, place_of(self.adapter, lane.adapter)))
        for key, title in (
            ("none", self.tr("None")),
            ("passages", self.tr("The passages found for the question")),
            ("sections", self.tr("The sections these passages stand in")),
            ("full", self.tr("Whole documents, as far as they fit")),
        ):
            self.context.addItem(title, key)
        self.context.setCurrentIndex(max(0, self.context.findData(lane.context)))
        self._fill_bases(lane.base)
        self._fill_rerankers(lane.reranker)
        self.scale.set_value(lane.adapter_scale)
        self.passages.setValue(lane.passages)
        self.system.setPlainText(lane.system)
        self.examples.set_examples(lane.examples)
        sampling = lane.sampling
        self.temperature.setValue(sampling.temperature)
        self.top_p.setValue(sampling.top_p)
        self.seed.setValue(sampling.seed)
        self.most.setValue(sampling.max_tokens)
        self.repeat.setValue(sampling.repeat_penalty)
        self.worked.setChecked(lane.grounded_examples)
        self._enable_reading(lane.context)

    def _fill_bases(self, chosen: str) -> None:
        """The knowledge bases; also one that a lane still names after it was deleted."""
        self.base.addItem(self.tr("Main"), "")
        names = base_names(self._project)
        for name in names:
            self.base.addItem(name, name)
        if chosen and chosen not in names:
            self.base.addItem(self.tr("{0}, which is deleted").format(chosen), chosen)
        self.base.setCurrentIndex(max(0, self.base.findData(chosen)))

    def _fill_rerankers(self, chosen: Path | None) -> None:
        """The rerankers that are here; also one that a lane still names after it was removed."""
        self.reranker.addItem(self.tr("None"), None)
        for model in rerankers():
            self.reranker.addItem(model.title, model.path)
        if chosen is not None and place_of(self.reranker, chosen) < 0:
            self.reranker.addItem(self.tr("{0}, which is removed").format(chosen.name), chosen)
        self.reranker.setCurrentIndex(max(0, place_of(self.reranker, chosen)))

    def _enable_reading(self, context: str) -> None:
        self.passages.setEnabled(context in ("passages", "sections"))
        self.worked.setEnabled(context != "none")
        self.base.setEnabled(context != "none")
        self.reranker.setEnabled(context != "none")

    def _fill_adapters(self, *_: object) -> None:
        """The fine-tunes; whether one belongs to the model is said by the engine, which reads both files."""
        chosen = self.adapter.currentData()
        with QSignalBlocker(self.adapter):
            self.adapter.clear()
            self.adapter.addItem(self.tr("None"), None)
            for each in self._project.adapters():
                said = each.name if each.parity_ok else self.tr("{0}, differs in llama.cpp").format(each.name)
                self.adapter.addItem(said, each.path)
            self.adapter.setCurrentIndex(max(0, place_of(self.adapter, chosen)))
        self.scale.setVisible(bool(self.adapter.currentData()))

    def edited(self) -> Lane:
        """The lane as the fields say."""
        title = self.name.text().strip() or title_of(self.lane)
        taken = [name for name in self._known if name != self.lane.name or not self._own]
        sampling = Sampling(
            temperature=round(self.temperature.value(), 3),
            top_p=round(self.top_p.value(), 3),
            seed=self.seed.value(),
            max_tokens=self.most.value(),
            repeat_penalty=round(self.repeat.value(), 3),
        )
        return replace(
            self.lane,
            name=self.lane.name if self._own else compare_lanes.own_name(title, taken),
            title=title,
            short=title,
            model=Path(self.model.currentData()),
            adapter=self.adapter.currentData(),
            adapter_scale=self.scale.value if self.adapter.currentData() else 1.0,
            context=self.context.currentData(),
            base=str(self.base.currentData()),
            reranker=self.reranker.currentData(),
            passages=self.passages.value(),
            grounded_examples=self.worked.isChecked(),
            system=self.system.toPlainText().strip(),
            examples=self.examples.examples(),
            sampling=sampling,
        )

    def _on_save(self) -> None:
        self.saved.emit(self.lane, self.edited())

    def _field(self, name: str, widget: QWidget) -> None:
        head = widgets.label(name, "caption")
        head.setBuddy(widget)
        widget.setAccessibleName(name)
        self.content.addSpacing(4)
        self.content.addWidget(head)
        self.content.addWidget(widget)

    def _pair(self, *fields: tuple[str, QWidget]) -> None:
        """Short fields under each other, names at the left."""
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 4)
        grid.setColumnStretch(0, 1)
        for place, (name, widget) in enumerate(fields):
            widget.setAccessibleName(name)
            widget.setFixedWidth(theme.px(128))
            grid.addWidget(widgets.label(name), place, 0)
            grid.addWidget(widget, place, 1)
        self.content.addLayout(grid)


def place_of(box: QComboBox, value: object) -> int:
    """Where a box has a value, -1 where it has not; Qt's findData knows no path but the very same object."""
    return next((place for place in range(box.count()) if box.itemData(place) == value), -1)


def chat_models(known: dict[str, Lane]) -> list[tuple[Path, str]]:
    """The chat models that are here: those of the catalogue and those a lane has already."""
    from workbench.catalog.models import list_models

    found = {model.path: model.title for model in list_models() if model.kind == "chat" and model.path is not None}
    for lane in known.values():
        found.setdefault(lane.model, model_name(lane))
    return list(found.items())
