"""The Compare page: one question, every lane's answer beside the others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMenu, QMessageBox, QWidget

from workbench.errors import WorkbenchError
from workbench.lanes.lane import Answer, Lane
from workbench.ui import compare_lanes, compare_talk, widgets
from workbench.ui.bench import Bench
from workbench.ui.compare_asking import Asking
from workbench.ui.compare_composer import Composer
from workbench.ui.compare_heads import title_of
from workbench.ui.compare_talk import Talk, TalkTurn
from workbench.ui.compare_view import TurnsView
from workbench.ui.page import Page

if TYPE_CHECKING:  # sheets are imported when they are first opened: the window opens a tenth of a second sooner
    from workbench.ui.compare_history import HistorySheet
    from workbench.ui.compare_keep import KeptRow
    from workbench.ui.compare_turn import TurnView

ROOM_FOR_WORDS = 1040  # a narrower page has icons without words in its header


class ComparePage(Page):
    """The page people live in. It holds one Talk and wires what draws it to what asks."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        self.title = self.tr("Compare")
        super().__init__(bench, parent)
        self.talk = Talk()
        self.asking = Asking(bench, self)
        self.view, self.composer = TurnsView(), Composer()
        self._explained: tuple[TalkTurn, str] | None = None
        self._why: QWidget | None = None  # the sheet that explains it
        self._read_lanes: list[Lane] = []
        self._build_header()
        self.body.addWidget(self.view, 1)
        self.body.addWidget(widgets.hline())
        place = QWidget()
        place.setLayout(widgets.column(self.composer, margins=(16, 12, 16, 12)))
        self.body.addWidget(place)
        self._connect()
        self._read_project()

    # What the frame calls

    def shown(self, lanes: Sequence[str] = (), question: str = "", ask: bool = False, **what: Any) -> None:
        """`lanes` are shown and ticked, `question` stands in the box, and `ask` asks it at once."""
        self._refresh_lanes()
        if lanes:
            known = compare_lanes.known_lanes(self.bench.project)
            wanted = [name for name in lanes if name in known]
            shown = [lane.name for lane in self.view.lanes]
            self._show_lanes([*wanted, *(name for name in shown if name not in wanted)][: compare_lanes.MOST_LANES])
            self.composer.tick(wanted)
        if question:
            self.composer.set_text(question)
        if ask and question and not self.asking.busy:
            self._on_asked(question)
        self.composer.edit.setFocus()

    def hidden(self) -> None:
        try:
            self.bench.remember(compare_draft=self.composer.edit.toPlainText(), compare_talk=self.talk.id)
        except (OSError, WorkbenchError) as error:
            self.bench.notices.error(error)

    # Building

    def _build_header(self) -> None:
        line = self.header.layout()
        assert line is not None
        line.setContentsMargins(16, 0, 16, 0)  # in line with the text of the first column
        self._talk_menu = QMenu(self)
        self._talk_menu.aboutToShow.connect(self._fill_talk_menu)
        self.picker = widgets.menu_button("", self._talk_menu, "clock-counter-clockwise", self.tr("Conversation"))
        self.add_picker(self.picker)
        self.left = widgets.button("", "caret-left", lambda: self.view.scroll_columns(-1))
        self.right = widgets.button("", "caret-right", lambda: self.view.scroll_columns(1))
        self.right.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow after the words
        self.blind = widgets.quiet_button(self.tr("Blind"), "eye-slash")
        self.blind.setCheckable(True)
        self.blind.setToolTip(self.tr("Hide which lane is which until you voted"))
        self._add_menu = QMenu(self)
        self._add_menu.aboutToShow.connect(self._fill_add_menu)
        self.add = widgets.button(self.tr("Add lane"), "plus")
        self.add.setMenu(self._add_menu)
        self._more_menu = QMenu(self)
        self.more = widgets.icon_button("dots-three", self.tr("More"))
        self.more.clicked.connect(lambda: self._more_menu.exec(self.more.mapToGlobal(self.more.rect().bottomLeft())))
        widgets.add_action(self._more_menu, self.tr("New conversation"), self.new_talk, "plus")
        widgets.add_action(self._more_menu, self.tr("Lanes…"), self._on_lanes, "sliders-horizontal")
        widgets.add_action(self._more_menu, self.tr("Earlier conversations…"), self._on_history, "chats")
        for each in (self.left, self.right, self.blind, self.add, self.more):
            self.add_action(each)

    def _connect(self) -> None:
        bench, view = self.bench, self.view
        view.turn_added.connect(self._connect_turn)
        view.columns_changed.connect(self._on_columns_changed)
        view.heads.lane_menu_wanted.connect(self._fill_lane_menu)
        self.composer.asked.connect(self._on_asked)
        self.composer.stop_clicked.connect(self.asking.stop)
        self.asking.lane_changed.connect(self._on_lane_changed)
        self.asking.ended.connect(self._on_ended)
        self.blind.toggled.connect(self._on_blind_toggled)
        bench.project_changed.connect(self._read_project)
        bench.sheet_changed.connect(self._on_sheet_changed)
        for signal in (bench.adapters_changed, bench.lanes_changed):
            signal.connect(self._refresh_lanes)
        keys = (
            ("Ctrl+N", self.new_talk),
            ("Ctrl+H", self._on_history),
            ("Ctrl+F", self._on_history),
            ("Ctrl+L", self._on_lanes),
            ("Ctrl+Return", self.composer._on_ask_clicked),
            ("Esc", self._on_escape),
        )
        for key, slot in keys:
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    def _connect_turn(self, view: TurnView) -> None:
        turn = view.turn
        view.retry_clicked.connect(partial(self._ask_again, turn, None))
        view.lane_retry_clicked.connect(lambda name: self._ask_again(turn, name))
        view.lane_stop_clicked.connect(self.asking.stop_lane)
        view.resent.connect(partial(self._on_resent, turn))
        view.why_clicked.connect(partial(self._on_why, turn))
        view.source_clicked.connect(partial(self._on_source, turn))
        view.voted.connect(partial(self._on_voted, turn))
        view.correct_clicked.connect(partial(self._on_correct, turn))
        view.suite_clicked.connect(partial(self._on_suite, turn))
        view.copied.connect(partial(self._on_copy, turn))
        view.link_clicked.connect(self._on_link)

    # The project and its lanes

    def _read_project(self) -> None:
        """Another project: its lanes, its last conversation, its draft."""
        if self.asking.busy:
            self.asking.stop()
        self.bench.show_sheet(None)
        recall = self.bench.recall
        wanted = str(recall("compare_talk", ""))
        self.talk = next(iter(compare_talk.read_talks(self._file, wanted)), Talk()) if wanted else Talk()
        self.composer.set_text(str(recall("compare_draft", "")))
        self._show_talk(self.talk)

    @property
    def _file(self) -> Path:
        """Where the conversations are kept."""
        return self.bench.project.folder / compare_talk.CONVERSATIONS

    def _talks(self) -> list[Talk]:
        return compare_talk.read_talks(self._file)

    def _show_talk(self, talk: Talk) -> None:
        self.talk = talk
        lanes = self._lanes()
        shown = {lane.name for lane in lanes}
        for turn in talk.turns[-1:]:  # the lanes it was last asked in are shown again, also those gone since
            gone = [said.lane for name, said in turn.answers.items() if name not in shown]
            lanes += gone[: compare_lanes.MOST_LANES - len(lanes)]
        self.composer.set_lanes(lanes)
        self.view.show_talk(talk, lanes, self.blind.isChecked(), None if talk.turns else self._empty_state())
        self._name_picker()

    def _lanes(self) -> list[Lane]:
        """The lanes to show; where the model of the project is missing, none, and it is said why."""
        try:
            self._read_lanes = compare_lanes.shown_lanes(self.bench.project)
        except WorkbenchError as error:
            self.bench.notices.error(error)
            self._read_lanes = []
        return list(self._read_lanes)

    def _refresh_lanes(self) -> None:
        """The lanes may have changed: draw them again where they did."""
        lanes = self._lanes()
        if lanes != self._read_lanes and not self.asking.busy:
            self._show_talk(self.talk)

    def _show_lanes(self, names: Sequence[str]) -> None:
        self.bench.remember(compare_lanes=list(names))
        self._show_talk(self.talk)

    def _empty_state(self) -> QWidget:
        made = QWidget()
        title = widgets.label(self.tr("Ask once, see what every lane makes of it"), "section")
        text = widgets.label(
            self.tr(
                "Each column answers with the same model: alone, with your prompt, with your documents, or fine-tuned. "
                "What differs between two columns is what that one thing changes."
            ),
            "muted",
            wrap=True,
        )
        text.setFixedWidth(520)
        text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = widgets.column(64, spacing=8, margins=(24, 24, 24, 24))
        for each in (title, text):
            layout.addLayout(widgets.row(None, each, None))
        layout.addSpacing(16)
        for question in self._questions_to_try():
            short = question if len(question) <= 80 else question[:79].rsplit(" ", 1)[0] + "…"
            ask = widgets.button(short, "", partial(self._try_question, question))
            ask.setToolTip(question)
            layout.addWidget(ask, 0, Qt.AlignmentFlag.AlignHCenter)
        if not self.bench.project.info.folders:
            add = widgets.button(self.tr("Add documents"), "files", partial(self.bench.open_page, "documents"))
            layout.addWidget(add, 0, Qt.AlignmentFlag.AlignHCenter)
        made.setLayout(layout)
        return made

    def _questions_to_try(self) -> tuple[str, ...]:
        """Questions the sample comes with, while its project is open."""
        kept = self.bench.recall("questions", [])
        return tuple(str(each) for each in kept[:3]) if isinstance(kept, list) else ()

    def _try_question(self, question: str) -> None:
        self.composer.set_text(question)
        self._on_asked(question)

    def _fill_lane_menu(self, menu: QMenu, lane: Lane) -> None:
        menu.clear()
        names = [each.name for each in self.view.lanes]
        place = names.index(lane.name) if lane.name in names else 0
        own = compare_lanes.is_own(self.bench.project, lane)
        widgets.add_action(menu, self.tr("Change…"), partial(self._edit_lane, lane), "sliders-horizontal")
        widgets.add_action(menu, self.tr("Duplicate"), partial(self._duplicate, lane), "copy")
        menu.addSeparator()
        left, right = partial(self._move, lane.name, -1), partial(self._move, lane.name, 1)
        widgets.add_action(menu, self.tr("Move left"), left, "arrow-left", enabled=place > 0)
        widgets.add_action(menu, self.tr("Move right"), right, "arrow-right", enabled=place < len(names) - 1)
        menu.addSeparator()
        widgets.add_action(menu, self.tr("Take out"), partial(self._take_out, lane.name), "x", enabled=len(names) > 1)
        if own:
            widgets.add_action(menu, self.tr("Delete this lane"), partial(self._delete, lane), "trash")

    def _fill_add_menu(self) -> None:
        menu = self._add_menu
        menu.clear()
        shown = {lane.name for lane in self.view.lanes}
        known = compare_lanes.known_lanes(self.bench.project)
        room = len(shown) < compare_lanes.MOST_LANES
        for name, lane in known.items():
            if name not in shown:
                widgets.add_action(menu, title_of(lane), partial(self._show_one_more, name), enabled=room)
        if not menu.isEmpty():
            menu.addSeparator()
        start = known.get("prompted") or next(iter(known.values()))
        widgets.add_action(menu, self.tr("A lane of my own…"), partial(self._edit_lane, start), "plus", enabled=room)
        widgets.add_action(menu, self.tr("All lanes…"), self._on_lanes, "sliders-horizontal")

    def _show_one_more(self, name: str) -> None:
        self._show_lanes([*(lane.name for lane in self.view.lanes), name])
        self.view.bring_into_view(name)

    def _move(self, name: str, by: int) -> None:
        names = [lane.name for lane in self.view.lanes]
        place = names.index(name)
        names.insert(place + by, names.pop(place))
        self._show_lanes(names)

    def _take_out(self, name: str) -> None:
        names = [lane.name for lane in self.view.lanes]
        self._show_lanes([each for each in names if each != name])
        said = self.tr("The lane is out of sight; its answers are kept.")
        self.bench.notices.tell(said, action_text=self.tr("Undo"), action=partial(self._show_lanes, names))

    def _duplicate(self, lane: Lane) -> None:
        known = compare_lanes.known_lanes(self.bench.project)
        copy = compare_lanes.copy_of(lane, self.tr("{0}, copy").format(title_of(lane)), list(known))
        compare_lanes.keep_lane(self.bench.project, copy)
        names = [each.name for each in self.view.lanes]
        if len(names) < compare_lanes.MOST_LANES:
            names.insert(names.index(lane.name) + 1, copy.name)
        self._show_lanes(names)
        self.view.bring_into_view(copy.name)

    def _delete(self, lane: Lane) -> None:
        names = [each.name for each in self.view.lanes]
        compare_lanes.drop_lane(self.bench.project, lane.name)
        self._show_lanes([each for each in names if each != lane.name])

        def undo() -> None:
            compare_lanes.keep_lane(self.bench.project, lane)
            self._show_lanes(names)

        said = self.tr("{0} is deleted; its answers are kept.").format(title_of(lane))
        self.bench.notices.tell(said, action_text=self.tr("Undo"), action=undo)

    def _edit_lane(self, lane: Lane) -> None:
        from workbench.ui.compare_edit import LaneSheet

        sheet = LaneSheet(self.bench.project, lane)
        sheet.saved.connect(self._on_lane_saved)
        self._open_sheet(sheet, lane.name)

    def _on_lane_saved(self, before: Lane, after: Lane) -> None:
        compare_lanes.keep_lane(self.bench.project, after)
        names = [each.name for each in self.view.lanes]
        if after.name not in names and len(names) < compare_lanes.MOST_LANES:
            names.insert(names.index(before.name) + 1 if before.name in names else len(names), after.name)
        self._show_lanes(names)
        self.bench.lanes_changed.emit()
        self.view.bring_into_view(after.name)

    def _on_lanes(self) -> None:
        from workbench.ui.compare_edit import LanesSheet

        sheet = LanesSheet(self.view.lanes, list(compare_lanes.known_lanes(self.bench.project).values()))
        sheet.changed.connect(self._show_lanes)
        sheet.edit_clicked.connect(self._edit_lane)
        self._open_sheet(sheet)

    # Asking

    def _on_asked(self, question: str) -> None:
        lanes = [lane for lane in self.view.lanes if lane.name in self.composer.ticked]
        if self.asking.busy or not lanes:
            return
        turn = TalkTurn(question, {}, blind=self.blind.isChecked())
        self.talk.turns.append(turn)
        self._begin(turn, lanes)
        self.view.add_turn(turn)
        self.composer.set_text("")
        self._name_picker()

    def _begin(self, turn: TalkTurn, lanes: Sequence[Lane]) -> None:
        self.asking.begin(self.talk, turn, lanes)
        self.composer.set_busy(True)

    def _ask_again(self, turn: TalkTurn, name: str | None) -> None:
        """Ask a turn again: all its lanes as they are now, or one."""
        if self.asking.busy:
            return
        now = {lane.name: lane for lane in self.view.lanes}
        lanes = [now.get(key, said.lane) for key, said in turn.answers.items() if name in (None, key)]
        lanes += [lane for lane in self.view.lanes if lane.name == name and name not in turn.answers]
        if name is None:
            turn.best = ""
        self._begin(turn, lanes)
        if (view := self.view.view_of(turn)) is not None:
            view.refresh()

    def _on_resent(self, turn: TalkTurn, question: str) -> None:
        """A changed question: what followed it goes, and can come back."""
        if self.asking.busy:
            return
        place = self.talk.turns.index(turn)
        gone, names = self.talk.turns[place:], list(turn.answers)
        compare_talk.keep_removed(self._file, self.talk, gone)
        self.talk.turns = self.talk.turns[:place]
        self._show_talk(self.talk)
        self.composer.tick(names)
        draft = self.composer.edit.toPlainText()
        self._on_asked(question)
        self.composer.set_text(draft)
        if len(gone) > 1:
            said = self.tr("The {0} later turns answered the old question and were taken out.").format(len(gone) - 1)
            self.bench.notices.tell(said, action_text=self.tr("Undo"), action=partial(self._bring_back, gone))

    def _bring_back(self, turns: list[TalkTurn]) -> None:
        if self.asking.busy:
            self.asking.stop()
        for turn in turns:
            compare_talk.keep_turn(self._file, self.talk, turn)
        self.talk.turns += turns
        self._show_talk(self.talk)

    def _on_lane_changed(self, turn: TalkTurn, name: str) -> None:
        if (view := self.view.view_of(turn)) is not None:
            view.refresh_lane(name)

    def _on_ended(self, turn: TalkTurn) -> None:
        self.composer.set_busy(False)
        if (view := self.view.view_of(turn)) is not None:
            view.refresh()
        try:
            compare_talk.keep_turn(self._file, self.talk, turn)
        except (OSError, WorkbenchError) as error:
            self.bench.notices.error(error)

    def _on_escape(self) -> None:
        if self.asking.busy:
            self.asking.stop()
        else:
            self.bench.show_sheet(None)

    # One answer

    def _on_why(self, turn: TalkTurn, name: str) -> None:
        from workbench.ui.compare_why import WhySheet

        said = turn.answers.get(name)
        if said is None or said.answer is None:
            return
        if self._explained == (turn, name):
            self.bench.show_sheet(None)
            return
        sheet = WhySheet(said.lane, said.answer)
        sheet.source_clicked.connect(self._show_source)
        self._open_sheet(sheet, name)
        self._explained, self._why = (turn, name), sheet
        self._mark_explained()

    def _on_sheet_changed(self, sheet: object) -> None:
        if self._explained is not None and sheet is not self._why:
            self._explained, self._why = None, None
            self._mark_explained()

    def _mark_explained(self) -> None:
        for view in self.view.turns:
            explained = self._explained
            view.explaining(explained[1] if explained is not None and explained[0] is view.turn else "")

    def _on_source(self, turn: TalkTurn, name: str, number: int) -> None:
        said = turn.answers.get(name)
        if said is not None and said.answer is not None and not (turn.hidden and self.blind.isChecked()):
            self._show_source(said.answer, number)
            self.view.bring_into_view(name)

    def _show_source(self, answer: Answer, number: int) -> None:
        from workbench.ui.compare_source import SourceSheet

        if 1 <= number <= len(answer.passages):
            passage = answer.passages[number - 1]
            self._open_sheet(SourceSheet(self.bench.project.folder, passage, number), answer.lane)

    def _on_voted(self, turn: TalkTurn, name: str) -> None:
        turn.best = "" if turn.best == name else name
        compare_talk.keep_vote(self._file, self.talk, turn)
        if (view := self.view.view_of(turn)) is not None:
            view.refresh()

    def _on_correct(self, turn: TalkTurn, name: str) -> None:
        from workbench.ui.compare_keep import TrainingSheet

        said = turn.answers[name]
        sheet = TrainingSheet(self.bench.project, said.lane, turn.question, said.text, said.answer)
        sheet.kept.connect(self._on_row_kept)
        self._open_sheet(sheet, name)

    def _on_row_kept(self, kept: KeptRow) -> None:
        from workbench.ui.compare_keep import take_back

        said = self.tr("Added to {0}.").format(kept.path.name)
        self.bench.notices.tell(said, "good", action_text=self.tr("Undo"), action=partial(take_back, kept))

    def _on_suite(self, turn: TalkTurn, name: str) -> None:
        from workbench.ui.compare_keep import SuiteSheet

        said = turn.answers.get(name or turn.best)
        text, answer = (said.text, said.answer) if said is not None else ("", None)
        sheet = SuiteSheet(self.bench.project, turn.question, text, answer)
        sheet.kept.connect(self._on_case_kept)
        self._open_sheet(sheet, name)

    def _on_case_kept(self, case: str, path: Any) -> None:
        self.bench.suite_changed.emit()
        said = self.tr("Added to {0} as {1}.").format(path.name, case)
        show = partial(self.bench.open_page, "evaluate")
        self.bench.notices.tell(said, "good", action_text=self.tr("Show the suite"), action=show)

    def _on_copy(self, turn: TalkTurn) -> None:
        QApplication.clipboard().setText(turn_as_text(turn))
        self.bench.notices.tell(self.tr("The question and its answers are copied."))

    def _on_link(self, target: str) -> None:
        """A link in an answer: nobody knows where it leads, so it is shown and never followed."""
        box = QMessageBox(self)
        box.setWindowTitle(self.tr("A link in the answer"))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(self.tr("The model wrote a link to this address. Workbench does not open it."))
        box.setInformativeText(target[:500])
        copy = box.addButton(self.tr("Copy address"), QMessageBox.ButtonRole.ActionRole)
        box.addButton(QMessageBox.StandardButton.Close)
        copy.clicked.connect(lambda *_: QApplication.clipboard().setText(target))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _open_sheet(self, sheet: QWidget, lane: str = "") -> None:
        self._explained = None
        self._mark_explained()
        self.bench.show_sheet(sheet)
        if lane:
            self.view.bring_into_view(lane)

    # Conversations

    def new_talk(self) -> None:
        """Begin a conversation; the one before stays in the history."""
        if self.asking.busy:
            self.asking.stop()
        self.bench.show_sheet(None)
        self._show_talk(Talk())
        self.composer.edit.setFocus()

    def open_talk(self, talk: Talk) -> None:
        """Go on with an earlier conversation."""
        if self.asking.busy:
            self.asking.stop()
        self.bench.show_sheet(None)
        self._show_talk(talk)
        self.composer.edit.setFocus()

    def _name_picker(self) -> None:
        name = self.talk.name or self.tr("New conversation")
        room = self.picker.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, max(120, self.width() // 4))
        self.picker.setText(room)
        self.picker.setAccessibleName(self.tr("Conversation: {0}").format(name))

    def _fill_talk_menu(self) -> None:
        menu = self._talk_menu
        menu.clear()
        widgets.add_action(menu, self.tr("New conversation"), self.new_talk, "plus")
        menu.addSeparator()
        for talk in self._talks()[:8]:
            name = menu.fontMetrics().elidedText(talk.name, Qt.TextElideMode.ElideRight, 320)
            widgets.add_action(menu, name.replace("&", "&&"), partial(self.open_talk, talk))
        widgets.add_action(menu, self.tr("All conversations…"), self._on_history, "chats")

    def _on_history(self) -> None:
        from workbench.ui.compare_history import HistorySheet

        sheet = HistorySheet(self._talks())
        sheet.opened.connect(self.open_talk)
        sheet.renamed.connect(partial(self._on_renamed, sheet))
        sheet.removed.connect(partial(self._on_removed, sheet))
        self._open_sheet(sheet)

    def _on_renamed(self, sheet: HistorySheet, talk: Talk, title: str) -> None:
        talk.title = title
        compare_talk.keep_title(self._file, talk)
        if talk.id == self.talk.id:
            self.talk.title = title
            self._name_picker()
        sheet.set_talks(self._talks())

    def _on_removed(self, sheet: HistorySheet, talk: Talk) -> None:
        path = self._file
        compare_talk.keep_removed(path, talk)
        sheet.set_talks(self._talks())
        if talk.id == self.talk.id:
            self._show_talk(Talk())

        def undo() -> None:
            for turn in talk.turns:
                compare_talk.keep_turn(path, talk, turn)

        said = self.tr("The conversation is out of the history.")
        self.bench.notices.tell(said, action_text=self.tr("Undo"), action=undo)

    # What follows the frame

    def _on_blind_toggled(self, on: bool) -> None:
        self._show_talk(self.talk)

    def _on_columns_changed(self, left: int, right: int) -> None:
        for made, count in ((self.left, left), (self.right, right)):
            one = self.tr("{0} more lane") if count == 1 else self.tr("{0} more lanes")
            made.setText(one.format(count))
            made.setVisible(count > 0)
        narrow = self.view.width() < ROOM_FOR_WORDS
        self._name_picker()
        self.blind.setText("" if narrow else self.tr("Blind"))
        self.blind.setAccessibleName(self.tr("Blind"))
        self.add.setText("" if narrow else self.tr("Add lane"))
        self.add.setAccessibleName(self.tr("Add lane"))
        self.add.setMaximumWidth(40 if narrow else 400)


def turn_as_text(turn: TalkTurn) -> str:
    """A turn as Markdown, for the clipboard."""
    parts = [f"**{turn.question}**"]
    parts += [f"### {title_of(said.lane)}\n\n{said.text}" for said in turn.answers.values() if said.text]
    return "\n\n".join(parts) + "\n"
