"""What a person does with one answer: ask why, open a source, keep it as a case or as training data, copy a turn."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from workbench.errors import WorkbenchError
from workbench.events import Result, Stage
from workbench.lanes.lane import Answer
from workbench.ui.bench import Bench
from workbench.ui.compare_heads import title_of
from workbench.ui.compare_talk import TalkTurn
from workbench.ui.compare_view import TurnsView

if TYPE_CHECKING:  # sheets are imported when they are first opened: the window opens a tenth of a second sooner
    from workbench.ui.compare_keep import KeptRow
    from workbench.ui.compare_turn import TurnView
    from workbench.ui.compare_why import WhySheet


class AnswerActions(QObject):
    """Opens the sheets that belong to an answer, and marks whose "Why" is open."""

    def __init__(self, bench: Bench, view: TurnsView, parent: QWidget) -> None:
        super().__init__(parent)
        self._bench, self._view, self._window = bench, view, parent
        self._explained: tuple[TalkTurn, str] | None = None
        self._why: WhySheet | None = None  # the sheet that explains it
        self._contexts: dict[Path, int] = {}  # tokens that models hold
        bench.sheet_changed.connect(self._on_sheet_changed)

    def connect_turn(self, view: TurnView) -> None:
        turn = view.turn
        view.why_clicked.connect(partial(self.open_why, turn))
        view.source_clicked.connect(partial(self.open_source, turn))
        view.correct_clicked.connect(partial(self.correct, turn))
        view.suite_clicked.connect(partial(self.add_to_suite, turn))
        view.copied.connect(partial(self.copy, turn))
        view.link_clicked.connect(self.show_link)

    def open_why(self, turn: TalkTurn, name: str) -> None:
        """Explain an answer; a second click closes the sheet again."""
        from workbench.ui.compare_why import WhySheet

        said = turn.answers.get(name)
        if said is None or said.answer is None:
            return
        if self._explained == (turn, name):
            self._bench.show_sheet(None)
            return
        sheet = WhySheet(said.lane, said.answer)
        sheet.source_clicked.connect(self._show_source)
        self._open(sheet, name)
        self._explained, self._why = (turn, name), sheet
        self._mark_explained()
        self._tell_context(sheet)

    def _tell_context(self, sheet: WhySheet) -> None:
        """Say how much the model's context holds; its header is long, so it is read beside, and once."""
        model = sheet.lane.model

        def stage() -> Stage:
            yield Result(context_of(model))

        def told(tokens: int) -> None:
            self._contexts[model] = tokens
            if self._why is sheet:
                sheet.set_context(tokens)

        if model in self._contexts:
            sheet.set_context(self._contexts[model])
        else:
            title = self.tr("Reading the model's header")
            self._bench.jobs.start(title, stage, on_done=told, kind="why", quiet=True)

    def open_source(self, turn: TalkTurn, name: str, number: int) -> None:
        """The passage with this number in its document; not while it would give a lane away."""
        said = turn.answers.get(name)
        view = self._view.view_of(turn)
        if said is not None and said.answer is not None and not (view is not None and view.hidden_names):
            self._show_source(said.answer, number)

    def correct(self, turn: TalkTurn, name: str) -> None:
        from workbench.ui.compare_keep import TrainingSheet

        said = turn.answers[name]
        sheet = TrainingSheet(self._bench.project, said.lane, turn.question, said.text, said.answer)
        sheet.kept.connect(self._on_row_kept)
        self._open(sheet, name)

    def add_to_suite(self, turn: TalkTurn, name: str) -> None:
        """Make the question a case; `name` is the lane whose answer it starts from, "" for the one voted for."""
        from workbench.ui.compare_keep import SuiteSheet

        said = turn.answers.get(name or turn.best)
        text, answer = (said.text, said.answer) if said is not None else ("", None)
        sheet = SuiteSheet(self._bench.project, turn.question, text, answer)
        sheet.kept.connect(self._on_case_kept)
        self._open(sheet, name)

    def copy(self, turn: TalkTurn) -> None:
        QApplication.clipboard().setText(turn_as_text(turn))
        self._bench.notices.tell(self.tr("The question and its answers are copied."))

    def show_link(self, target: str) -> None:
        """A link in an answer: nobody knows where it leads, so it is shown and never followed."""
        box = QMessageBox(self._window)
        box.setWindowTitle(self.tr("A link in the answer"))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(self.tr("The model wrote a link to this address. Workbench does not open it."))
        box.setInformativeText(target[:500])
        copy = box.addButton(self.tr("Copy address"), QMessageBox.ButtonRole.ActionRole)
        box.addButton(QMessageBox.StandardButton.Close)
        copy.clicked.connect(lambda *_: QApplication.clipboard().setText(target))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _show_source(self, answer: Answer, number: int) -> None:
        from workbench.ui.compare_source import SourceSheet

        if 1 <= number <= len(answer.passages):
            passage = answer.passages[number - 1]
            self._open(SourceSheet(self._bench.project.folder, passage, number), answer.lane)

    def _on_row_kept(self, kept: KeptRow) -> None:
        from workbench.ui.compare_keep import take_back

        said = self.tr("Added to {0}.").format(kept.path.name)
        self._bench.notices.tell(said, "good", action_text=self.tr("Undo"), action=partial(take_back, kept))

    def _on_case_kept(self, case: str, path: Path) -> None:
        self._bench.suite_changed.emit()
        said = self.tr("Added to {0} as {1}.").format(path.name, case)
        show = partial(self._bench.open_page, "evaluate")
        self._bench.notices.tell(said, "good", action_text=self.tr("Show the suite"), action=show)

    def _open(self, sheet: QWidget, lane: str = "") -> None:
        self._bench.show_sheet(sheet)
        self._view.bring_into_view(lane)

    def _on_sheet_changed(self, sheet: object) -> None:
        if self._explained is not None and sheet is not self._why:
            self._explained, self._why = None, None
            self._mark_explained()

    def _mark_explained(self) -> None:
        explained = self._explained
        for view in self._view.turns:
            view.explaining(explained[1] if explained is not None and explained[0] is view.turn else "")


def context_of(model: Path) -> int:
    """How many tokens a model's context holds, from its header alone; 0 when that cannot be read."""
    from workbench.catalog.gguf_header import read_header

    try:
        return read_header(model).number("context_length")
    except (WorkbenchError, OSError):
        return 0


def turn_as_text(turn: TalkTurn) -> str:
    """A turn as Markdown, for the clipboard."""
    parts = [f"**{turn.question}**"]
    parts += [f"### {title_of(said.lane)}\n\n{said.text}" for said in turn.answers.values() if said.text]
    return "\n\n".join(parts) + "\n"
