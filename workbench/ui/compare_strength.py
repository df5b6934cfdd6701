"""How strongly a fine-tune is added to its model: a slider from 0, the bare model, over 1, as trained, to 1.5."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QSlider, QWidget

from workbench.tuning.export import MOST_STRENGTH
from workbench.ui import widgets

STEPS = 10  # of the slider for a strength of 1


class StrengthSlider(QWidget):
    """A strength in tenths. One between or beyond them, as a project file may say, stays until it is moved."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        name = self.tr("Strength of the fine-tune")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, round(MOST_STRENGTH * STEPS))
        self.slider.setFixedHeight(20)  # with less its handle is cut off
        self.slider.setPageStep(STEPS // 2)
        self.slider.setAccessibleName(name)
        self.slider.setAccessibleDescription(self.tr("0 switches it off, 1 is as it was trained"))
        self.said = widgets.label("", "text")
        self.hint = widgets.label("", "caption")
        self.slider.valueChanged.connect(lambda step: self._take(step / STEPS))
        head = widgets.row(widgets.label(name, "caption"), None, self.hint, self.said)
        self.setLayout(widgets.column(head, self.slider, spacing=4, margins=(0, 4, 0, 4)))
        self.value = 1.0
        self.set_value(1.0)

    def set_value(self, value: float) -> None:
        """Show a strength as it is."""
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(value * STEPS))
        self._take(value)

    def _take(self, value: float) -> None:
        self.value = value
        self.said.setText(f"{value:g}" if round(value, 1) != value else f"{value:.1f}")
        hints = {0.0: self.tr("switched off"), 1.0: self.tr("as trained")}
        self.hint.setText(hints.get(value, self.tr("weaker") if value < 1 else self.tr("stronger")))
