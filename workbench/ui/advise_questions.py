"""The questionnaire: five questions of the published guides, answered before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QRadioButton, QWidget

from workbench.advice.questionnaire import QUESTIONS, RULES, SOURCES, SYMPTOMS, Suggestion, known_answers, suggest
from workbench.ui import widgets
from workbench.ui.page import Sheet


class Questionnaire(QWidget):
    """The questions with their options, and what the answers speak for."""

    answered = Signal(dict)  # question key -> option key

    def __init__(self, answers: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._answers = dict(answers)
        self.groups: dict[str, QButtonGroup] = {}
        self.headline = widgets.label("", "section", wrap=True)
        self.reasons = widgets.label("", "muted", wrap=True)
        layout = widgets.column(spacing=8)
        for number, question in enumerate(QUESTIONS, start=1):
            layout.addWidget(widgets.label(f"{number}. {question.text}", "strong", wrap=True))
            group = self.groups[question.key] = QButtonGroup(self)
            for option in question.options:
                button = QRadioButton(option.text)
                button.setToolTip(option.why)
                button.setAccessibleDescription(question.text)
                button.setProperty("option", option.key)
                button.setChecked(self._answers.get(question.key) == option.key)
                button.clicked.connect(lambda *_, q=question.key, o=option.key: self._on_answered(q, o))
                group.addButton(button)
                layout.addWidget(button)
            layout.addSpacing(8)
        layout.addWidget(widgets.hline())
        layout.addWidget(self.headline)
        layout.addWidget(self.reasons)
        self.setLayout(layout)
        self._say()

    @property
    def suggestion(self) -> Suggestion:
        """What the answers speak for."""
        return suggest(known_answers(self._answers))

    def _on_answered(self, question: str, option: str) -> None:
        self._answers[question] = option
        self._say()
        self.answered.emit(dict(self._answers))

    def _say(self) -> None:
        found = self.suggestion
        self.headline.setText(found.headline)
        widgets.set_kind(self.headline, "muted" if found.recommendation == "cannot-tell" else "section")
        self.reasons.setText("\n".join(found.reasons))
        self.reasons.setVisible(bool(found.reasons))


class QuestionnaireSheet(Sheet):
    """The same beside a verdict."""

    def __init__(self, answers: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__("", parent=parent)
        self.set_title(self.tr("Questionnaire"))
        self.questions = Questionnaire(answers)
        said = self.tr("What published guides say without measuring. Where a measured verdict exists, it goes first.")
        self.content.addWidget(widgets.label(said, "muted", wrap=True))
        self.content.addWidget(self.questions)
        self.content.addSpacing(8)
        self.content.addWidget(widgets.label(self.tr("What people notice, and what to try first"), "strong"))
        for symptom in SYMPTOMS:
            first, then = (each[:1].lower() + each[1:] for each in (symptom.first, symptom.then))
            line = self.tr("{0}: {1}; then {2}").format(symptom.text, first, then)
            self.content.addWidget(widgets.label(line, "caption", wrap=True))
        self.content.addSpacing(8)
        self.content.addWidget(widgets.label(self.tr("Rules of thumb"), "strong"))
        for rule in RULES:
            shown = widgets.label(f"{rule.when}: {rule.then[:1].lower()}{rule.then[1:]}", "caption", wrap=True)
            shown.setToolTip(SOURCES[rule.source])
            self.content.addWidget(shown)
        self.content.addStretch(1)
