"""One turn: the question across all lanes, the answers in columns, and what concerns the whole turn underneath."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QWidget

from workbench.ui import theme, widgets
from workbench.ui.compare_cell import AnswerCell
from workbench.ui.compare_columns import TurnColumns
from workbench.ui.compare_diff import differing_spans
from workbench.ui.compare_heads import title_of
from workbench.ui.compare_talk import TalkTurn
from workbench.ui.words import in_words


class QuestionEdit(QPlainTextEdit):
    """The question while it is changed in place: Ctrl+Enter sends it again, Esc leaves it as it was."""

    sent = Signal(str)
    left = Signal()

    def event(self, event: QEvent) -> bool:
        """Its two keys are shortcuts of the page as well: while it has the focus they are its own."""
        own = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in own:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.KeypadModifier
        ):
            self.sent.emit(self.toPlainText().strip())
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class TurnView(QWidget):
    """Draws a TalkTurn; `order` says which lane stands in which column."""

    retry_clicked = Signal()
    resent = Signal(str)  # the question, changed
    lane_retry_clicked = Signal(str)  # lane name
    lane_stop_clicked = Signal(str)
    why_clicked = Signal(str)
    source_clicked = Signal(str, int)
    voted = Signal(str)
    correct_clicked = Signal(str)
    suite_clicked = Signal(str)  # lane name, "" for the whole turn
    copied = Signal()
    link_clicked = Signal(str)
    settled = Signal()  # its height may be another now

    def __init__(self, turn: TalkTurn, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.turn, self.number = turn, number
        self._columns = TurnColumns(self._cell, self)
        self._columns.came.connect(self.refresh_lane)
        self._differ: tuple[str, str] | None = None
        self._lettered = self._drawing = False
        self._waiting = False  # answers to another question are coming: nothing else can be asked meanwhile
        self.setAccessibleName(self.tr("Turn {0}: {1}").format(number, turn.question))
        layout = widgets.column(self._question_band(), widgets.hline(), spacing=0)
        layout.addLayout(self._columns.layout)
        layout.addWidget(widgets.hline())
        layout.addWidget(self._foot())
        layout.addWidget(widgets.hline())
        self.setLayout(layout)

    def _question_band(self) -> QWidget:
        band = widgets.named("questionBand")
        band.setProperty("kind", "sunken")
        self.question = widgets.label(self.turn.question, "question", wrap=True, selectable=True)
        self.edit = QuestionEdit()
        self.edit.setAccessibleName(self.tr("Change the question"))
        self.edit.hide()
        self.edit.sent.connect(self._on_sent)
        self.edit.left.connect(self._leave_edit)
        self.edit_button = widgets.icon_button(
            "pencil-simple", self.tr("Change the question and ask again"), self._on_edit
        )
        self.retry = widgets.icon_button("arrow-clockwise", self.tr("Ask again"), self.retry_clicked.emit)
        line = widgets.row(self.question, self.edit, self.edit_button, self.retry, spacing=8, margins=(16, 12, 16, 12))
        line.setStretch(0, 1)
        line.setStretch(1, 1)
        for each in (self.edit_button, self.retry):
            line.setAlignment(each, Qt.AlignmentFlag.AlignTop)
        band.setLayout(line)
        return band

    def _foot(self) -> QWidget:
        foot = widgets.named("turnFoot")
        foot.setProperty("kind", "surface")
        self.note = widgets.ElidedLabel("", "caption")
        self.differences = widgets.quiet_button(self.tr("Differences"), "arrows-left-right", self._on_differences)
        self.differences.setCheckable(True)
        self.suite = widgets.quiet_button(self.tr("Add to suite"), "check-square", partial(self.suite_clicked.emit, ""))
        self.copy = widgets.quiet_button(self.tr("Copy turn"), "copy", self.copied.emit)
        line = widgets.row(self.note, self.differences, self.suite, self.copy, spacing=8, margins=(16, 0, 16, 0))
        foot.setFixedHeight(42)  # as high while answers come: nothing jumps
        line.setStretch(0, 1)
        foot.setLayout(line)
        return foot

    @property
    def cells(self) -> dict[str, AnswerCell]:
        """By lane, those that are there already."""
        return self._columns.cells

    @property
    def order(self) -> list[str]:
        return list(self._columns.order)

    def show_columns(
        self, order: Sequence[str], widths: Sequence[int], lettered: bool = False, gradually: bool = False
    ) -> None:
        """Show these lanes, in this order, this wide, `gradually` one after the other.

        `lettered` means that the heads do not name the lanes: a turn that may be named does so in its cells.
        """
        new, self._lettered = lettered != self._lettered, lettered
        if self._columns.show(order, widths, gradually) or new:
            self.refresh()
        else:
            self.settle()

    def settle(self) -> None:
        """Have every cell, and then the turn, as high as it must be now."""
        for cell in self.cells.values():
            cell.settle()
        layout = self.layout()
        if layout is not None:
            layout.activate()
        self.settled.emit()

    def refresh(self) -> None:
        """Draw everything again: answers, the note, what can be clicked now."""
        self._draw_lanes(list(self.cells))
        turn, busy = self.turn, self.turn.busy
        self.note.set_text(self._note())
        answered = [name for name, said in turn.answers.items() if said.text and not said.busy]
        self.differences.setVisible(len(answered) > 1 and not busy and not self.hidden_names)
        self.suite.setVisible(not busy)
        self.copy.setVisible(bool(answered) and not busy and not self.hidden_names)
        self._enable_asking()
        self.settle()

    def set_waiting(self, waiting: bool) -> None:
        """Whether answers are coming, here or in another turn: only then can this one not be asked again."""
        self._waiting = waiting
        self._enable_asking()

    def _enable_asking(self) -> None:
        waits = self._waiting or self.turn.busy
        why = self.tr("Answers are still coming: wait for them, or stop them with Esc")
        for each in (self.retry, self.edit_button):
            each.setEnabled(not waits)
            each.setToolTip(why if waits else each.accessibleName())
            each.setAccessibleDescription(why if waits else "")

    def refresh_lane(self, name: str) -> None:
        """Draw one lane's answer again."""
        self._draw_lanes([name])
        self.settle()

    def _draw_lanes(self, names: Sequence[str]) -> None:
        self._drawing = True
        for name in names:
            self._draw_lane(name)
        self._drawing = False

    def _draw_lane(self, name: str) -> None:
        cell, turn = self.cells.get(name), self.turn
        if cell is None:
            return
        cell.said = turn.answers.get(name)
        hidden = self.hidden_names
        revealed = title_of(cell.said.lane) if self._lettered and not hidden and cell.said is not None else ""
        cell.set_hidden(hidden, turn.best == name, revealed)

    @property
    def hidden_names(self) -> bool:
        """Whether this turn keeps quiet about its lanes: in blind mode, until the vote."""
        return self._lettered and self.turn.hidden

    def explaining(self, name: str) -> None:
        """Mark whose "Why" is open beside the page ("" for nobody's)."""
        for each, cell in self.cells.items():
            cell.why.setChecked(each == name)

    def _cell(self, name: str, width: int) -> AnswerCell:
        cell = AnswerCell(self.turn.answers.get(name), width)
        cell.why_clicked.connect(partial(self.why_clicked.emit, name))
        cell.source_clicked.connect(partial(self.source_clicked.emit, name))
        cell.vote_clicked.connect(partial(self.voted.emit, name))
        cell.correct_clicked.connect(partial(self.correct_clicked.emit, name))
        cell.keep_clicked.connect(partial(self.suite_clicked.emit, name))
        cell.stop_clicked.connect(partial(self.lane_stop_clicked.emit, name))
        cell.retry_clicked.connect(partial(self.lane_retry_clicked.emit, name))
        cell.link_clicked.connect(self.link_clicked)
        cell.drawn.connect(self._on_drawn)
        return cell

    def _on_drawn(self) -> None:
        """A text was drawn late, or turned to another part."""
        if not self._drawing:
            self.settle()

    def _note(self) -> str:
        turn = self.turn
        if turn.busy:
            left = sum(said.busy for said in turn.answers.values())
            return self.tr("Turn {0}. {1} of {2} answers to come").format(self.number, left, len(turn.answers))
        if self.hidden_names:
            return self.tr("Turn {0}. Vote for the best answer to see whose it is.").format(self.number)
        states = [said.state for said in turn.answers.values()]
        count = states.count("done")
        what = self.tr("answers") if count != 1 else self.tr("answer")
        took = widgets.seconds_text(turn.seconds)
        said = self.tr("Turn {0}. {1} {2} in {3}").format(self.number, in_words(count).capitalize(), what, took)
        for state, text in (("stopped", self.tr("{0} stopped")), ("failed", self.tr("{0} failed"))):
            if state in states:
                said += ", " + text.format(in_words(states.count(state)))
        return said

    def _on_edit(self) -> None:
        self.edit.setPlainText(self.turn.question)
        self.edit.setFixedHeight(theme.px(76))
        self.question.hide()
        self.edit.show()
        self.edit.setFocus()
        self.edit.selectAll()

    @property
    def changed(self) -> bool:
        """Whether the question is being changed in place, and says something else by now."""
        return not self.edit.isHidden() and self.edit.toPlainText().strip() not in ("", self.turn.question.strip())

    def _leave_edit(self) -> None:
        self.edit.hide()
        self.question.show()

    def _on_sent(self, question: str) -> None:
        if self._waiting:  # it cannot be asked yet: what was typed stays
            self.note.set_text(self.tr("Answers are still coming. Send the question once they are there."))
            return
        self._leave_edit()
        if question:
            self.resent.emit(question)

    def _on_differences(self) -> None:
        names = [name for name in self.order if (said := self.turn.answers.get(name)) is not None and said.text]
        if not self.differences.isChecked():
            self._show_differences(None)
        elif len(names) == 2:
            self._show_differences((names[0], names[1]))
        else:
            self._choose_pair(names)

    def _choose_pair(self, names: list[str]) -> None:
        menu = QMenu(self)
        for place, first in enumerate(names):
            for second in names[place + 1 :]:
                pair = (first, second)
                titles = [title_of(self.turn.answers[each].lane) for each in pair]
                widgets.add_action(menu, self.tr("{0} and {1}").format(*titles), partial(self._show_differences, pair))
        self.differences.setChecked(False)
        menu.popup(self.differences.mapToGlobal(self.differences.rect().bottomLeft()))

    def _show_differences(self, pair: tuple[str, str] | None) -> None:
        self._differ = pair
        self.differences.setChecked(pair is not None)
        for cell in self.cells.values():
            cell.text.set_marks(())
        if pair is None:
            self.refresh()
            return
        first, second = (self.cells[name].text for name in pair)
        only_first, only_second = differing_spans(first.plain(), second.plain())
        first.set_marks(only_first)
        second.set_marks(only_second)
        same = not only_first and not only_second
        said = (
            self.tr("The two answers say the same, word for word.")
            if same
            else self.tr("Marked: words only one of the two has.")
        )
        self.note.set_text(said)
