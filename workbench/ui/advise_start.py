"""What the Advise page shows until something is measured: what will stand there, and the questionnaire"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from workbench.ui import widgets
from workbench.ui.advise_questions import Questionnaire

MOST_WIDTH = 560  # of either half


class NotMeasuredYet(QWidget):
    """One action, `measure`, at the left, the questions of the guides at the right."""

    def __init__(self, answers: Mapping[str, str], on_measure: Callable[[], object]) -> None:
        super().__init__()
        self.questions = Questionnaire(answers)
        self.measure = widgets.primary_button(self.tr("Measure it"), "", on_measure)
        said = self.tr(
            "Once a suite has run over at least two lanes, the verdict stands here, with how firm it is and what would "
            "change it. Until then, five questions give what published guides would say."
        )
        title = widgets.label(self.tr("Nothing is measured yet"), "verdict", wrap=True)
        lead = widgets.label(said, "lead", wrap=True)
        left, right = QWidget(), widgets.panel()
        left.setLayout(widgets.column(title, lead, 8, widgets.row(self.measure, None), None))
        guides = widgets.label(self.tr("What published guides would say"), "section")
        right.setLayout(widgets.column(guides, 4, self.questions, margins=(24, 20, 24, 20)))
        left.setMaximumWidth(MOST_WIDTH)
        right.setMaximumWidth(MOST_WIDTH)
        beside = widgets.row(spacing=48, margins=(24, 24, 24, 24))
        beside.addWidget(left, 5)
        beside.addWidget(right, 6, Qt.AlignmentFlag.AlignTop)
        beside.addStretch(1)  # on a wide window the two stay beside each other at the left
        self.setLayout(widgets.column(beside, None, spacing=0))
