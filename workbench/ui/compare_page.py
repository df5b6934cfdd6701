"""The Compare page: one question, every lane's answer beside the others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from workbench.errors import WorkbenchError
from workbench.lanes.lane import Lane
from workbench.ui import compare_lanes, compare_talk, widgets
from workbench.ui.bench import Bench
from workbench.ui.compare_answer_actions import AnswerActions
from workbench.ui.compare_asking import Asking, Call
from workbench.ui.compare_composer import Composer
from workbench.ui.compare_empty import empty_state
from workbench.ui.compare_header import CompareHeader
from workbench.ui.compare_lane_actions import LaneActions
from workbench.ui.compare_redraw import Redraw
from workbench.ui.compare_talk import Talk, TalkTurn
from workbench.ui.compare_talk_actions import TalkActions
from workbench.ui.compare_view import TurnsView
from workbench.ui.page import Page

if TYPE_CHECKING:
    from workbench.ui.compare_turn import TurnView


class ComparePage(Page):
    """The page people live in. It holds one Talk and wires what draws it to what asks."""

    fits_itself = True

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        self.title = self.tr("Compare")
        super().__init__(bench, parent)
        self.talk = Talk()
        self.view, self.composer = TurnsView(), Composer()
        self.asking = Asking(bench, self)
        self._redraw = Redraw(self._draw_lane, self)
        self.talks = TalkActions(bench, self)
        self.lanes = LaneActions(bench, self.view, self)
        self.answers = AnswerActions(bench, self.view, self)
        self.head = CompareHeader(self, self.talks.fill_menu, self.lanes.fill_add_menu)
        self._drawn: list[Lane] = []  # the project's lanes when they were drawn last
        self.body.addWidget(self.view, 1)
        self.body.addWidget(widgets.hline())
        place = QWidget()
        place.setLayout(widgets.column(self.composer, margins=(16, 12, 16, 12)))
        self.body.addWidget(place)
        self._connect()
        self._read_project()

    # What the frame calls

    def shown(
        self, lanes: Sequence[str] = (), question: str = "", ask: bool = False, anew: bool = False, **what: Any
    ) -> None:
        """`lanes` are shown and ticked, `question` stands in the box, and `ask` asks it at once, `anew` in a
        conversation of its own, where nothing that was said before leans on the answers."""
        if anew and self.talk.turns and not self.asking.busy:
            self.new_talk()
        self._refresh_lanes()
        if lanes:
            self.composer.tick(self.lanes.put_first(lanes))
        if question:
            self.composer.set_text(question)
        if ask and question:
            self._on_asked(question, drawn_later=True)
        self.composer.edit.setFocus()

    def hidden(self) -> None:
        self.bench.remember(compare_draft=self.composer.edit.toPlainText(), compare_talk=self.talk.id)

    def unsaved(self) -> list[str]:
        return self.view.unsaved()

    def closed(self) -> None:
        """What was being said when the window closes is kept as far as it came."""
        for call in self.asking.let_go():
            self._keep(call)

    # Building

    def _connect(self) -> None:
        bench, view, head = self.bench, self.view, self.head
        view.turn_added.connect(self._connect_turn)
        view.columns_changed.connect(head.show_sides)
        view.heads.lane_menu_wanted.connect(self.lanes.fill_lane_menu)
        head.columns_wanted.connect(view.scroll_columns)
        head.blind.toggled.connect(self._draw)
        head.add_entry(self.tr("New conversation"), "plus", self.new_talk)
        head.add_entry(self.tr("Lanes…"), "sliders-horizontal", self.lanes.open_all)
        head.add_entry(self.tr("Earlier conversations…"), "chats", self.talks.open_history)
        self.lanes.changed.connect(self._draw)
        self.talks.new_wanted.connect(self.new_talk)
        self.talks.opened.connect(self.open_talk)
        self.talks.renamed.connect(self._on_renamed)
        self.talks.removed.connect(self._on_removed)
        self.composer.asked.connect(self._on_asked)
        self.composer.stop_clicked.connect(self.asking.stop)
        self.asking.lane_changed.connect(self._redraw.lane_changed)
        self.asking.ended.connect(self._on_ended)
        bench.project_changed.connect(self._read_project)
        for signal in (bench.adapters_changed, bench.lanes_changed):
            signal.connect(self._refresh_lanes)
        self._add_shortcuts()

    def _add_shortcuts(self) -> None:
        for key, slot in (
            ("Ctrl+N", self.new_talk),
            ("Ctrl+H", self.talks.open_history),
            ("Ctrl+F", self.talks.open_history),
            ("Ctrl+L", self.lanes.open_all),
            ("Ctrl+Return", self.composer.send),
            ("Esc", self._on_escape),
        ):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    def _connect_turn(self, view: TurnView) -> None:
        turn = view.turn
        view.set_waiting(self.asking.busy)
        view.retry_clicked.connect(partial(self._ask_again, turn, None))
        view.lane_retry_clicked.connect(partial(self._ask_again, turn))
        view.lane_stop_clicked.connect(partial(self.asking.stop_lane, turn))
        view.resent.connect(partial(self._on_resent, turn))
        view.voted.connect(partial(self._on_voted, turn))
        self.answers.connect_turn(view)

    # The conversation that is open

    def _read_project(self) -> None:
        """Another project: its lanes, its last conversation, its draft."""
        self._leave_talk()
        recall = self.bench.recall
        wanted = str(recall("compare_talk", ""))
        talk = (compare_talk.read_talk(self.talks.file, wanted) if wanted else None) or Talk()
        self.talks.begin()
        self.composer.set_text(str(recall("compare_draft", "")))
        self._show_talk(talk)

    def new_talk(self) -> None:
        """Begin a conversation; the one before stays in the history."""
        self.open_talk(Talk())

    def open_talk(self, talk: Talk) -> None:
        """Go on with an earlier conversation."""
        self._leave_talk()
        self._show_talk(talk)
        self.composer.edit.setFocus()

    def _leave_talk(self) -> None:
        self.asking.stop()
        self.bench.show_sheet(None)

    def _show_talk(self, talk: Talk) -> None:
        self.talk, self._drawn = talk, self.lanes.read()
        lanes = list(self._drawn)
        shown = {lane.name for lane in lanes}
        for turn in talk.turns[-1:]:  # the lanes it was last asked in are shown again, also those gone since
            gone = [said.lane for name, said in turn.answers.items() if name not in shown]
            lanes += gone[: max(0, compare_lanes.MOST_LANES - len(lanes))]
        self.composer.set_lanes(lanes)
        empty = None if talk.turns else empty_state(self.bench, self._try_question)
        self.view.show_talk(talk, lanes, self.head.blind.isChecked(), empty)
        self.head.show_talk(talk)

    def _draw(self, *_: object) -> None:
        """The same conversation with other lanes, or with their names hidden or shown."""
        self._show_talk(self.talk)

    def _refresh_lanes(self) -> None:
        """The lanes may have changed: draw them again where they did."""
        if not self.asking.busy and self.lanes.read() != self._drawn:
            self._draw()

    def _on_renamed(self, talk: str, title: str) -> None:
        if talk == self.talk.id:
            self.talk.title = title
            self.head.show_talk(self.talk)

    def _on_removed(self, talk: str) -> None:
        if talk == self.talk.id:
            self.asking.stop(keep=False)
            self._show_talk(Talk())

    # Asking

    def _try_question(self, question: str) -> None:
        self.composer.set_text(question)
        self._on_asked(question)

    def _on_asked(self, question: str, drawn_later: bool = False) -> None:
        """`drawn_later`: in the event loop's next turn, for while the page itself comes to the front."""
        lanes = [lane for lane in self.view.lanes if lane.name in self.composer.ticked]
        if self.asking.busy or not lanes:
            return
        turn = TalkTurn(question, {}, blind=self.head.blind.isChecked())
        self.talk.turns.append(turn)
        self._begin(turn, lanes)
        if drawn_later:
            QTimer.singleShot(1, self, partial(self._draw_new, turn))  # at 0 it would come before the page is drawn
        else:
            self._draw_new(turn)
        self.composer.set_text("")
        self.head.show_talk(self.talk)

    def _draw_new(self, turn: TalkTurn) -> None:
        """Unless something else drew it meanwhile, or another conversation is open."""
        if any(each is turn for each in self.talk.turns) and self.view.view_of(turn) is None:
            self.view.add_turn(turn)

    def _begin(self, turn: TalkTurn, lanes: Sequence[Lane]) -> None:
        self.asking.begin(self.talk, turn, lanes)
        self._show_busy()

    def _show_busy(self) -> None:
        """While answers come nothing else is asked, and what would ask says so."""
        self.composer.set_busy(self.asking.busy)
        for each in self.view.turns:
            each.set_waiting(self.asking.busy)

    def _ask_again(self, turn: TalkTurn, name: str | None) -> None:
        """Ask a turn again: all its lanes as they are now, or one, also while the others go on."""
        busy = self.asking.busy if name is None else name in turn.answers and turn.answers[name].busy
        if busy:
            return
        now = {lane.name: lane for lane in self.view.lanes}
        lanes = [now.get(key, said.lane) for key, said in turn.answers.items() if name in (None, key)]
        lanes += [lane for lane in self.view.lanes if lane.name == name and name not in turn.answers]
        if name is None:
            turn.best = ""
        self._begin(turn, lanes)
        self._refresh(turn)

    def _on_resent(self, turn: TalkTurn, question: str) -> None:
        """A changed question: what followed it goes, and can come back."""
        if self.asking.busy:
            return
        place = self.talk.turns.index(turn)
        gone, names = self.talk.turns[place:], list(turn.answers)
        compare_talk.keep_removed(self.talks.file, self.talk, gone)
        self.talk.turns = self.talk.turns[:place]
        self._draw()
        self.composer.tick(names)
        draft = self.composer.edit.toPlainText()
        self._on_asked(question)
        self.composer.set_text(draft)
        said = self.tr("The old question and its answers were taken out.")
        if len(gone) > 1:
            said = self.tr("The {0} later turns answered the old question and were taken out.").format(len(gone) - 1)
        self.bench.notices.tell(said, action_text=self.tr("Undo"), action=partial(self._bring_back, self.talk, gone))

    def _bring_back(self, talk: Talk, turns: list[TalkTurn]) -> None:
        for turn in turns:
            compare_talk.keep_turn(self.talks.file, talk, turn)
        talk.turns += turns
        if talk is self.talk:
            self.asking.stop()
            self._draw()

    def _draw_lane(self, turn: TalkTurn, name: str) -> None:
        if (view := self.view.view_of(turn)) is not None:
            view.refresh_lane(name)

    def _on_ended(self, call: Call) -> None:
        self._show_busy()
        self._refresh(call.turn)
        if call.kept:
            self._keep(call)

    def _keep(self, call: Call) -> None:
        try:
            compare_talk.keep_turn(call.project / compare_talk.CONVERSATIONS, call.talk, call.turn)
        except (OSError, WorkbenchError) as error:
            self.bench.notices.error(error)

    def _on_voted(self, turn: TalkTurn, name: str) -> None:
        turn.best = "" if turn.best == name else name
        compare_talk.keep_vote(self.talks.file, self.talk, turn)
        self._refresh(turn)

    def _refresh(self, turn: TalkTurn) -> None:
        self._redraw.forget(turn)
        if (view := self.view.view_of(turn)) is not None:
            view.refresh()

    def _on_escape(self) -> None:
        if self.asking.busy:
            self.asking.stop()
        else:
            self.bench.show_sheet(None)
