"""The recipe of a fine-tune: three presets with what they will take, and all settings behind a button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from workbench.tuning.dataset import DatasetReport
from workbench.tuning.recipe import Recipe
from workbench.ui import theme, widgets
from workbench.ui.boxes import real_box, whole_box
from workbench.ui.charts import draw_glyph
from workbench.ui.finetune_data import StepBadge
from workbench.ui.finetune_presets import KEYS, Choices, Speed, estimate_seconds, renamed
from workbench.ui.page import Sheet


class PresetCard(QAbstractButton):
    """A preset with its name, how long it will take and what it does."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(100)
        self._name, self._time = name, ""
        self._lines = [widgets.label(name, "strong"), widgets.label("", "text"), widgets.label("", "caption")]
        for line in self._lines:
            line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setLayout(widgets.column(*self._lines, spacing=2, margins=(10, 8, 10, 8)))
        self.setAccessibleName(name)

    def say(self, time: str, note: str) -> None:
        """Say what it takes."""
        self._lines[1].setText(time)
        self._lines[2].setText(note)
        self.setAccessibleName(f"{self._name}, {time}, {note}")

    def sizeHint(self) -> QSize:
        layout = self.layout()
        hint = layout.sizeHint() if layout is not None else QSize(100, 76)
        return QSize(max(100, hint.width()), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self.isChecked()
        edge = (
            "accent" if chosen or self.hasFocus() else ("strong" if self.underMouse() and self.isEnabled() else "line")
        )
        painter.setPen(QPen(theme.color(edge), 2 if self.hasFocus() else 1))
        painter.setBrush(theme.color("selected" if chosen else "surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        if chosen:
            draw_glyph(painter, "check-circle", "accent", self.width() - 26, 18, 14)


class RecipeSection(QWidget):
    """Step 2: how it is trained."""

    changed = Signal(object)  # Recipe
    settings_wanted = Signal()
    measure_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recipe: Recipe | None = None
        self._choices: Choices | None = None
        self.badge = StepBadge(2)
        self.settings = widgets.quiet_button(self.tr("All settings"), "sliders-horizontal", self.settings_wanted.emit)
        names = {"quick": self.tr("Quick"), "balanced": self.tr("Balanced"), "thorough": self.tr("Thorough")}
        self.cards = {key: PresetCard(names[key]) for key in KEYS}
        self._group = QButtonGroup(self)
        cards = widgets.row(spacing=8)
        for key in KEYS:
            card = self.cards[key]
            self._group.addButton(card)
            cards.addWidget(card, 1)
            card.clicked.connect(lambda *_, key=key: self._on_preset_clicked(key))
        self._group.setExclusive(False)
        self.source = widgets.label("", "caption", wrap=True)
        self.measure = widgets.link_button(self.tr("Measure on this computer"), self.measure_wanted.emit)
        head = widgets.row(self.badge, widgets.label(self.tr("Recipe"), "section"), None, self.settings)
        foot = widgets.column(self.source, widgets.row(self.measure, None), spacing=2)
        self.setLayout(widgets.column(head, cards, foot))
        self.show_nothing()

    def show_nothing(self) -> None:
        """No file is chosen: the presets wait, and no time is claimed."""
        self._recipe = None
        self.badge.set_done(False)
        for key in KEYS:
            card = self.cards[key]
            card.setEnabled(False)
            card.setChecked(False)
            card.say("", "")
        self.settings.setEnabled(False)
        self.measure.hide()
        self.source.setText(self.tr("Choose a file first: how long each takes depends on it."))

    def show_recipe(
        self, recipe: Recipe, choices: Choices, report: DatasetReport, speed: Speed | None, memory_free: int
    ) -> None:
        """Show the presets for a dataset; without a speed no time is claimed."""
        self._recipe, self._choices = recipe, choices
        self.badge.set_done(True)
        chosen = choices.key_of(recipe)
        for key in KEYS:
            card = self.cards[key]
            card.setEnabled(True)
            card.setChecked(chosen == key)
            each = choices.recipes[key]
            card.setToolTip(" ".join(choices.reasons[key]))
            passes = self.tr("1 pass") if each.epochs == 1 else self.tr("{0:g} passes").format(each.epochs)
            if speed is None:
                card.say(self.tr("not measured"), passes)
            else:
                seconds = estimate_seconds(report, each, speed)
                memory = f", {widgets.bytes_text(speed.memory)}" if speed.memory else ""
                card.say(widgets.about_text(seconds), passes + memory)
        self.settings.setEnabled(True)
        self.measure.show()
        self.measure.setText(self.tr("Measure again") if speed is not None else self.tr("Measure on this computer"))
        said = [speed.source] if speed is not None else []
        if memory_free:
            said.append(self.tr("Free memory: {0}.").format(widgets.bytes_text(memory_free)))
        if not chosen:
            said.insert(0, self.tr("Your own settings: {0:g} passes, rank {1}.").format(recipe.epochs, recipe.rank))
        self.source.setText(" ".join(said))

    def _on_preset_clicked(self, key: str) -> None:
        if self._recipe is not None and self._choices is not None:
            self.changed.emit(renamed(self._choices.recipes[key], self._recipe))
            self.cards[key].setChecked(True)


class RecipeSheet(Sheet):
    """Every setting of the recipe with a line on what it does."""

    applied = Signal(object)  # Recipe

    def __init__(self, recipe: Recipe, parent: QWidget | None = None) -> None:
        super().__init__("All settings", parent=parent)
        self._recipe = recipe
        self._fields: dict[str, Callable[[], Any]] = {}
        self._whole(
            "epochs",
            self.tr("Passes over the data"),
            self.tr("More learn more, and sooner or later by heart."),
            0.25,
            20,
        )
        self._whole(
            "learning_rate",
            self.tr("Learning rate"),
            self.tr("How big a step is. Halve it if the loss jumps."),
            1e-5,
            5e-3,
        )
        self._whole(
            "rank", self.tr("Rank"), self.tr("How much the adapter can hold; 8 to 32 for a small model."), 1, 128
        )
        self._whole("alpha", self.tr("Alpha"), self.tr("How strongly it is added; twice the rank is usual."), 1, 256)
        self._whole(
            "batch_size",
            self.tr("Rows per step"),
            self.tr("More are steadier, fewer learn faster from few rows."),
            1,
            64,
        )
        self._whole(
            "max_tokens",
            self.tr("Longest row, in tokens"),
            self.tr("What is over is cut from the question, never the answer."),
            64,
            8192,
        )
        self._whole(
            "eval_share",
            self.tr("Held out"),
            self.tr("Share of rows kept aside to see what is really learnt."),
            0.0,
            0.5,
        )
        self._whole(
            "seed",
            self.tr("Seed"),
            self.tr("The same seed splits and shuffles the rows in the same way."),
            0,
            2**31 - 1,
        )
        self._whole(
            "threads",
            self.tr("Threads"),
            self.tr("0 takes all cores; fewer leave some for answering meanwhile."),
            0,
            64,
        )
        self._choice(
            "precision",
            self.tr("Precision"),
            self.tr("Auto measures which is faster on this processor."),
            ("auto", "fp32", "bf16"),
        )
        self._choice(
            "backend",
            self.tr("Backend"),
            self.tr("Auto takes a graphics card where Unsloth can use it."),
            ("auto", "cpu", "unsloth"),
        )
        self.content.addStretch(1)
        self.add_foot(None, widgets.primary_button(self.tr("Use these"), "", self._on_use_clicked))

    def _add(self, name: str, why: str, editor: QWidget) -> None:
        title = widgets.label(name, "strong")
        title.setBuddy(editor)
        editor.setAccessibleName(name)
        editor.setAccessibleDescription(why)
        editor.setFixedWidth(120)
        line = widgets.row(spacing=16)
        line.addLayout(widgets.column(title, widgets.label(why, "caption", wrap=True), spacing=2), 1)
        line.addWidget(editor)
        self.content.addLayout(line)
        self.content.addWidget(widgets.hline())

    def _whole(self, field: str, name: str, why: str, low: float, high: float) -> None:
        value = getattr(self._recipe, field)
        editor: QSpinBox | QDoubleSpinBox
        if isinstance(value, int):
            editor = whole_box(int(low), int(high))
        else:
            step = 1e-4 if high < 0.1 else (0.05 if high < 1 else 0.5)
            editor = real_box(low, high, step, 5 if high < 0.1 else 2)
        editor.setValue(value)
        self._fields[field] = editor.value
        self._add(name, why, editor)

    def _choice(self, field: str, name: str, why: str, choices: tuple[str, ...]) -> None:
        editor = QComboBox()
        editor.addItems(list(choices))
        editor.setCurrentText(getattr(self._recipe, field))
        self._fields[field] = editor.currentText
        self._add(name, why, editor)

    def _on_use_clicked(self) -> None:
        self.applied.emit(replace(self._recipe, **{field: value() for field, value in self._fields.items()}))
        self.close_sheet()
