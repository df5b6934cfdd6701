"""Every setting of a recipe with a line on what it does, in a side sheet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSpinBox, QWidget

from workbench.errors import WorkbenchError
from workbench.tuning import fields
from workbench.tuning.base import read_base
from workbench.tuning.recipe import Recipe
from workbench.ui import widgets
from workbench.ui.boxes import real_box, whole_box
from workbench.ui.page import Sheet

# field, name, what it does; what each may be is in tuning.fields
NUMBERS: tuple[tuple[str, Any, Any], ...] = (  # the marking function is typed as giving an object; it gives its text
    (
        "epochs",
        QT_TRANSLATE_NOOP("settings", "Passes over the data"),
        QT_TRANSLATE_NOOP("settings", "More learn more, and sooner or later by heart."),
    ),
    (
        "minutes",
        QT_TRANSLATE_NOOP("settings", "At most, in minutes"),
        QT_TRANSLATE_NOOP("settings", "The run is shortened to fit. 0: it takes what it takes."),
    ),
    (
        "learning_rate",
        QT_TRANSLATE_NOOP("settings", "Learning rate"),
        QT_TRANSLATE_NOOP("settings", "How big a step is. Halve it if the loss jumps."),
    ),
    (
        "b_rate",
        QT_TRANSLATE_NOOP("settings", "Rate of B"),
        QT_TRANSLATE_NOOP("settings", "LoRA's second matrix learns so many times as fast as its first."),
    ),
    (
        "warmup",
        QT_TRANSLATE_NOOP("settings", "Warm-up"),
        QT_TRANSLATE_NOOP("settings", "Share of the steps over which the rate rises to its height."),
    ),
    (
        "rank",
        QT_TRANSLATE_NOOP("settings", "Rank"),
        QT_TRANSLATE_NOOP("settings", "How much the adapter can hold; 8 to 32 for a small model."),
    ),
    (
        "alpha",
        QT_TRANSLATE_NOOP("settings", "Alpha"),
        QT_TRANSLATE_NOOP("settings", "How strongly it is added; twice the rank is usual."),
    ),
    (
        "batch_size",
        QT_TRANSLATE_NOOP("settings", "Rows per step"),
        QT_TRANSLATE_NOOP("settings", "More are steadier, fewer learn faster from few rows."),
    ),
    (
        "max_tokens",
        QT_TRANSLATE_NOOP("settings", "Longest row, in tokens"),
        QT_TRANSLATE_NOOP("settings", "What is over is cut from the question, never the answer."),
    ),
    (
        "tokens_at_once",
        QT_TRANSLATE_NOOP("settings", "Tokens at once"),
        QT_TRANSLATE_NOOP("settings", "Fewer take less memory and more time; 0: as is fastest."),
    ),
    (
        "patience",
        QT_TRANSLATE_NOOP("settings", "Patience"),
        QT_TRANSLATE_NOOP("settings", "Ends once the held-out loss was clearly worse so often in a row. 0: never."),
    ),
    (
        "eval_share",
        QT_TRANSLATE_NOOP("settings", "Held out"),
        QT_TRANSLATE_NOOP("settings", "Share of rows kept aside to see what is really learnt."),
    ),
    (
        "seed",
        QT_TRANSLATE_NOOP("settings", "Seed"),
        QT_TRANSLATE_NOOP("settings", "The same seed splits and shuffles the rows in the same way."),
    ),
    (
        "threads",
        QT_TRANSLATE_NOOP("settings", "Threads"),
        QT_TRANSLATE_NOOP("settings", "0 takes all cores; fewer leave some for answering meanwhile."),
    ),
)
CHOICES: tuple[tuple[str, Any, Any], ...] = (
    (
        "precision",
        QT_TRANSLATE_NOOP("settings", "Precision"),
        QT_TRANSLATE_NOOP("settings", "Auto measures which is faster on this processor."),
    ),
    (
        "backend",
        QT_TRANSLATE_NOOP("settings", "Backend"),
        QT_TRANSLATE_NOOP("settings", "Auto takes an NVIDIA card where there is one, with Unsloth if it is installed."),
    ),
)


def setting_name(field: str) -> str:
    """What a setting is called."""
    name = next(name for key, name, _ in (*NUMBERS, *CHOICES) if key == field)
    return QCoreApplication.translate("settings", name)


class RecipeSheet(Sheet):
    """Every setting of the recipe with a line on what it does."""

    applied = Signal(object)  # Recipe

    def __init__(self, recipe: Recipe, parent: QWidget | None = None) -> None:
        super().__init__("", parent=parent)
        self.set_title(self.tr("All settings"))
        self._recipe = recipe
        self._fields: dict[str, Callable[[], Any]] = {}
        translate = QCoreApplication.translate
        for field, name, why in NUMBERS:
            self._number(field, translate("settings", name), translate("settings", why))
        self._layers()
        self._targets()
        for field, name, why in CHOICES:
            self._choice(field, translate("settings", name), translate("settings", why), fields.CHOICES[field])
        self.content.addStretch(1)
        self.add_foot(None, widgets.primary_button(self.tr("Use these"), "", self._on_use_clicked))
        self.settle()

    def typed(self) -> object:
        return self._values()

    def _values(self) -> dict[str, Any]:
        return {field: value() for field, value in self._fields.items()}

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

    def _number(self, field: str, name: str, why: str) -> None:
        value, (low, high) = getattr(self._recipe, field), fields.BOUNDS[field]
        editor: QSpinBox | QDoubleSpinBox
        if isinstance(value, int):
            editor = whole_box(int(low), int(high))
        else:
            step = 1e-4 if high < 0.1 else (0.05 if high < 1 else 0.5)
            editor = real_box(low, high, step, 5 if high < 0.1 else 2)
        editor.setValue(value)
        self._fields[field] = editor.value
        self._add(name, why, editor)

    def _layers(self) -> None:
        """How many up to the last trained one; not where the model cannot be read, or there are gaps."""
        try:
            count = read_base(self._recipe.model).layers
        except (WorkbenchError, OSError):
            return
        layers = self._recipe.layers or tuple(range(count))
        end = layers[-1] + 1
        if layers != fields.upper(len(layers), end):
            return
        editor = whole_box(1, end)
        editor.setValue(len(layers))
        self._fields["layers"] = lambda: fields.upper(editor.value(), end)
        why = self.tr("Of {0}, the uppermost ones. More learn more, take longer and answer more slowly.")
        if end < count:
            why = self.tr("Of {0}, below the last {1}. More learn more, take longer and answer more slowly.")
        self._add(self.tr("Layers"), why.format(count, count - end), editor)

    def _targets(self) -> None:
        editor = QComboBox()
        for text, targets in (
            (self.tr("all"), fields.TARGETS["all"]),
            (self.tr("attention"), fields.TARGETS["attention"]),
            (self.tr("MLP"), fields.TARGETS["mlp"]),
        ):
            editor.addItem(text, targets)
        if self._recipe.targets not in fields.TARGETS.values():
            editor.addItem(self.tr("{0} of them").format(len(self._recipe.targets)), self._recipe.targets)
        kept = [tuple(editor.itemData(place)) for place in range(editor.count())]
        editor.setCurrentIndex(kept.index(self._recipe.targets))
        self._fields["targets"] = lambda: kept[editor.currentIndex()]
        why = self.tr("Which of a layer's are trained. Fewer answer faster; attention alone holds less.")
        self._add(self.tr("Matrices"), why, editor)

    def _choice(self, field: str, name: str, why: str, choices: tuple[str, ...]) -> None:
        editor = QComboBox()
        editor.addItems(list(choices))
        editor.setCurrentText(getattr(self._recipe, field))
        self._fields[field] = editor.currentText
        self._add(name, why, editor)

    def _on_use_clicked(self) -> None:
        self.applied.emit(replace(self._recipe, **self._values()))
        self.close_kept()
