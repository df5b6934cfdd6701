"""Every setting of a recipe with a line on what it does, in a side sheet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSpinBox, QWidget

from workbench.tuning.recipe import BACKENDS, Recipe
from workbench.ui import widgets
from workbench.ui.boxes import real_box, whole_box
from workbench.ui.page import Sheet

# field, name, what it does, lowest, highest
NUMBERS = (
    ("epochs", "Passes over the data", "More learn more, and sooner or later by heart.", 0.25, 20),
    ("minutes", "At most, in minutes", "The run is shortened to fit. 0: it takes what it takes.", 0.0, 600),
    ("learning_rate", "Learning rate", "How big a step is. Halve it if the loss jumps.", 1e-5, 5e-3),
    ("b_rate", "Rate of B", "LoRA's second matrix learns so many times as fast as its first.", 1.0, 32),
    ("rank", "Rank", "How much the adapter can hold; 8 to 32 for a small model.", 1, 128),
    ("alpha", "Alpha", "How strongly it is added; twice the rank is usual.", 1, 256),
    ("batch_size", "Rows per step", "More are steadier, fewer learn faster from few rows.", 1, 64),
    ("max_tokens", "Longest row, in tokens", "What is over is cut from the question, never the answer.", 64, 8192),
    ("tokens_at_once", "Tokens at once", "Fewer take less memory and more time; 0: as is fastest.", 0, 16384),
    ("patience", "Patience", "Ends once the held-out loss was clearly worse so often in a row. 0: never.", 0, 20),
    ("eval_share", "Held out", "Share of rows kept aside to see what is really learnt.", 0.0, 0.5),
    ("seed", "Seed", "The same seed splits and shuffles the rows in the same way.", 0, 2**31 - 1),
    ("threads", "Threads", "0 takes all cores; fewer leave some for answering meanwhile.", 0, 64),
)
CHOICES = (
    ("precision", "Precision", "Auto measures which is faster on this processor.", ("auto", "fp32", "bf16")),
    ("backend", "Backend", "Auto takes an NVIDIA card where there is one, with Unsloth if it is installed.", BACKENDS),
)


class RecipeSheet(Sheet):
    """Every setting of the recipe with a line on what it does."""

    applied = Signal(object)  # Recipe

    def __init__(self, recipe: Recipe, parent: QWidget | None = None) -> None:
        super().__init__("All settings", parent=parent)
        self._recipe = recipe
        self._fields: dict[str, Callable[[], Any]] = {}
        for field, name, why, low, high in NUMBERS:
            self._number(field, name, why, low, high)
        for field, name, why, choices in CHOICES:
            self._choice(field, name, why, choices)
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

    def _number(self, field: str, name: str, why: str, low: float, high: float) -> None:
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
