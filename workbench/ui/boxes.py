"""Number boxes, whose text keeps off the edge."""

from __future__ import annotations

from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox

INSET = 7  # pixels before the text: with the line and the editor's own it stands where a line edit's does


def whole_box(low: int, high: int, unit: str = "") -> QSpinBox:
    """A box for a whole number, with its unit behind it."""
    made = QSpinBox()
    made.setSuffix(unit)
    made.setRange(low, high)
    _inset(made)
    return made


def real_box(low: float, high: float, step: float, places: int = 2) -> QDoubleSpinBox:
    """A box for a number with some places after the point."""
    made = QDoubleSpinBox()
    made.setDecimals(places)
    made.setRange(low, high)
    made.setSingleStep(step)
    _inset(made)
    return made


def _inset(box: QSpinBox | QDoubleSpinBox) -> None:
    """A stylesheet's padding makes the box wider but does not move the editor in it (Qt 6.12): its margin does."""
    box.lineEdit().setTextMargins(INSET, 0, INSET, 0)
