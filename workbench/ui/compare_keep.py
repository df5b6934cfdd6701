"""What an answer can become: a case of a suite, or a row of training data; sheets and the functions behind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPlainTextEdit, QWidget

from workbench import records
from workbench.errors import WorkbenchError
from workbench.lanes.lane import Answer, Lane
from workbench.project import Project
from workbench.ui import widgets
from workbench.ui.compare_heads import title_of
from workbench.ui.page import Sheet

COLLECTED = "collected.jsonl"  # rows of messages
LONGEST = 20_000  # characters of an answer that are put in a box to edit: more would be no example, and hold the box up
COLLECTED_READING = "collected-reading.jsonl"  # rows with passages: the two kinds do not share a file
KINDS: tuple[tuple[str, Any], ...] = (
    ("fact", QT_TRANSLATE_NOOP("SuiteSheet", "A fact from the documents")),
    ("behaviour", QT_TRANSLATE_NOOP("SuiteSheet", "A format or a manner")),
    ("unanswerable", QT_TRANSLATE_NOOP("SuiteSheet", "Not in the documents")),
)


@dataclass(frozen=True, slots=True)
class KeptRow:
    """Where a row of training data went, so that it can be taken back."""

    path: Path
    row: dict[str, Any]


def add_case(path: Path, question: str, kind: str, check: dict[str, Any], source: str | None) -> str:
    """Add a case at the end of a suite, making the file when it is new; the case's id.

    Raises BadSuite as the suite's reader and writer do; the file is as it was then.
    """
    from workbench.evaluation.records import Case
    from workbench.evaluation.suite import read_suite, write_suite

    known = read_suite(path) if path.exists() else None
    cases = known.cases if known is not None else ()
    name = known.name if known is not None else path.stem.replace("-", " ").capitalize()
    taken = {case.id for case in cases}
    base = "-".join(re.findall(r"\w+", question.casefold())[:6])[:40] or "case"
    made, number = base, 2
    while made in taken:
        made, number = f"{base}-{number}", number + 1
    write_suite(path, name, (*cases, Case(made, question, kind, (check,), source, ("from-compare",))))
    return made


def training_row(question: str, answer: str, lane: Lane, passages: tuple[Any, ...]) -> dict[str, Any]:
    """One example in the shape of the lane it came from: with the passages it read, or as plain messages."""
    if passages:
        read = [{"file": each.file, "location": each.location, "text": each.text} for each in passages]
        return {"question": question, "passages": read, "answer": answer}
    system = [{"role": "system", "content": lane.system}] if lane.system else []
    said = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": [*system, *said]}


def keep_row(project: Project, row: dict[str, Any]) -> KeptRow:
    """Append a row to the project's collected training data."""
    path = project.datasets_folder / (COLLECTED_READING if "passages" in row else COLLECTED)
    records.append_line(path, row)
    return KeptRow(path, row)


def take_back(kept: KeptRow) -> None:
    """Take the last such row out of the file again."""
    import json

    lines = kept.path.read_text(encoding="utf-8").splitlines()
    wanted = json.dumps(records.to_plain(kept.row), ensure_ascii=False)
    for place in range(len(lines) - 1, -1, -1):
        if lines[place] == wanted:
            del lines[place]
            break
    records.write_text(kept.path, "".join(f"{line}\n" for line in lines))


def guess_check(text: str, kind: str) -> tuple[str, str]:
    """A check to start from: its name and value. A person decides; nothing is kept unseen."""
    if kind == "unanswerable":
        return "refuses", ""
    if text[:2].strip().startswith(("{", "[")) and len(text) <= LONGEST:
        return "json_equals", text.strip()
    return "contains", text.strip() if len(text) <= 60 else ""


class TrainingSheet(Sheet):
    """Correct an answer in place and keep it as an example to train on."""

    kept = Signal(object)  # KeptRow

    def __init__(self, project: Project, lane: Lane, question: str, text: str, answer: Answer | None) -> None:
        super().__init__("", lane.name, title_of(lane))
        self.set_title(self.tr("Training example"))
        self._project, self._lane = project, lane
        self._passages = answer.passages if answer is not None else ()
        self.question, self.answer = _editor(question, 84), _editor(text[:LONGEST], 220)
        self.with_passages = QCheckBox(self.tr("With the {0} passages it read").format(len(self._passages)))
        self.with_passages.setChecked(bool(self._passages))
        self.with_passages.setVisible(bool(self._passages))
        _field(self, self.tr("Question"), self.question)
        _field(self, self.tr("The answer it should have given"), self.answer)
        self.content.addWidget(self.with_passages)
        self.trouble = widgets.label("", "bad", wrap=True)
        self.content.addWidget(self.trouble)
        if len(text) > LONGEST:
            cut = self.tr("The answer is very long: its first {0:,} characters stand here.").format(LONGEST)
            self.content.addWidget(widgets.label(cut, "caption", wrap=True))
        note = self.tr("A lane learns from some dozens of such examples. They wait in {0} until you fine-tune.")
        self.content.addWidget(
            widgets.label(note.format(self._project.datasets_folder.name + "/"), "caption", wrap=True)
        )
        self.content.addStretch(1)
        self.save = widgets.primary_button(self.tr("Add to training data"), "", self._on_save)
        self.add_foot(None, widgets.button(self.tr("Cancel"), "", self.close_sheet), self.save)
        self.answer.textChanged.connect(lambda: self.save.setEnabled(bool(self.answer.toPlainText().strip())))
        self.settle()

    def typed(self) -> object:
        return self.question.toPlainText(), self.answer.toPlainText()

    def _on_save(self) -> None:
        passages = self._passages if self.with_passages.isChecked() else ()
        row = training_row(self.question.toPlainText().strip(), self.answer.toPlainText().strip(), self._lane, passages)
        try:
            kept = keep_row(self._project, row)
        except (OSError, WorkbenchError) as error:
            self.trouble.setText(str(error))
            return
        self.kept.emit(kept)
        self.close_kept()


class SuiteSheet(Sheet):
    """Make a question a case of a suite: its kind, and what a right answer must hold."""

    kept = Signal(str, object)  # the case's id, the file

    def __init__(self, project: Project, question: str, text: str, answer: Answer | None) -> None:
        super().__init__("")
        from workbench.evaluation.suite import suite_files

        self.set_title(self.tr("Add to suite"))
        self._project = project
        self.suite = widgets.Choice()
        for path in suite_files(project):
            self.suite.addItem(path.stem, path)
        if not self.suite.count():
            self.suite.addItem(self.tr("A new suite"), project.suites_folder / "suite.yaml")
        self.question = _editor(question, 84)
        self.kind = widgets.Choice()
        for key, title in KINDS:
            self.kind.addItem(QCoreApplication.translate("SuiteSheet", title), key)
        self.check = widgets.Choice()
        for name, title in (
            ("contains", self.tr("contains one of these, a line each")),
            ("contains_all", self.tr("contains all of these, a line each")),
            ("equals", self.tr("is exactly this")),
            ("json_equals", self.tr("is this JSON")),
            ("refuses", self.tr("says that it cannot be found")),
        ):
            self.check.addItem(title, name)
        self.value = _editor("", 120)
        self.source = QLineEdit()
        self.trouble = widgets.label("", "bad", wrap=True)
        self._answer_text = text
        cited = [answer.passages[number - 1].file for number in answer.cited] if answer is not None else []
        self.source.setText(cited[0] if cited else "")
        self.source.setPlaceholderText(self.tr("file that holds the answer"))
        for name, widget in (
            (self.tr("Suite"), self.suite),
            (self.tr("Question"), self.question),
            (self.tr("What it asks for"), self.kind),
            (self.tr("A right answer"), self.check),
            (self.tr("What it must hold"), self.value),
            (self.tr("Source"), self.source),
        ):
            _field(self, name, widget)
        self.content.addWidget(self.trouble)
        self.content.addStretch(1)
        self.save = widgets.primary_button(self.tr("Add case"), "", self._on_save)
        self.add_foot(None, widgets.button(self.tr("Cancel"), "", self.close_sheet), self.save)
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.check.currentIndexChanged.connect(self._on_check)
        self._on_kind()
        self.settle()

    def typed(self) -> object:
        return self.question.toPlainText(), self.value.toPlainText(), self.source.text()

    def _on_kind(self, *_: object) -> None:
        name, value = guess_check(self._answer_text, self.kind.currentData())
        self.check.setCurrentIndex(self.check.findData(name))
        self.value.setPlainText(value)
        self._on_check()

    def _on_check(self, *_: object) -> None:
        self.value.setEnabled(self.check.currentData() != "refuses")

    def _check(self) -> dict[str, Any]:
        name, text = self.check.currentData(), self.value.toPlainText().strip()
        if name == "refuses":
            return {"refuses": True}
        if name in ("contains", "contains_all"):
            return {name: [line.strip() for line in text.splitlines() if line.strip()]}
        if name == "json_equals":
            import json

            return {name: json.loads(text)}
        return {name: text}

    def _on_save(self) -> None:
        path = self.suite.currentData()
        if self.check.currentData() != "refuses" and not self.value.toPlainText().strip():
            self.trouble.setText(self.tr("Write what a right answer must hold: without it nothing can be checked."))
            self.value.setFocus()
            return
        try:
            check = self._check()
            source = self.source.text().strip() or None
            made = add_case(path, self.question.toPlainText().strip(), self.kind.currentData(), check, source)
        except ValueError as error:
            self.trouble.setText(self.tr("This is not valid JSON: {0}").format(error))
            return
        except (WorkbenchError, OSError) as error:
            self.trouble.setText(str(error))
            return
        self.kept.emit(made, path)
        self.close_kept()


def _editor(text: str, height: int) -> QPlainTextEdit:
    made = QPlainTextEdit(text)
    made.setTabChangesFocus(True)
    made.setFixedHeight(height)
    return made


def _field(sheet: Sheet, name: str, widget: QWidget) -> None:
    """A labelled field; the label is the widget's accessible name as well."""
    head = widgets.label(name, "caption")
    head.setBuddy(widget)
    widget.setAccessibleName(name)
    sheet.content.addSpacing(4)
    sheet.content.addWidget(head)
    sheet.content.addWidget(widget)
