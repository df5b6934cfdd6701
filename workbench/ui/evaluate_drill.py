"""A document changes: how long until each lane is right again? The sheet of the update drill"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QCompleter, QLineEdit, QPlainTextEdit, QWidget

from workbench.advice.facts import read_facts
from workbench.bases import all_bases
from workbench.evaluation.drill import Drill, DrillLane, Edit, drill, drill_copy
from workbench.evaluation.trials import keep_test
from workbench.events import Progress, Result, Stage
from workbench.lanes.lane import Lane
from workbench.project import Project
from workbench.ui import documents_source, widgets
from workbench.ui.bench import Bench
from workbench.ui.evaluate_kept import LastLine, LastResult, last_drill
from workbench.ui.evaluate_probe import Probe, ProbeStrip
from workbench.ui.lane_names import lane_title
from workbench.ui.page import Sheet
from workbench.ui.reader import Reader

QUESTION_HEIGHT = 56  # two lines
TEXT_SHOWN = 200  # characters of an answer


class DrillSheet(Sheet):
    """Says what to change and what to ask, starts the drill, and shows how each lane took it."""

    def __init__(self, bench: Bench, probe: Probe, lanes: Sequence[Lane], parent: QWidget | None = None) -> None:
        super().__init__("", parent=parent)
        self.set_title(self.tr("Update drill"))
        self._bench, self._probe, self._lanes = bench, probe, tuple(lanes)
        self._last: LastResult | None = None
        self._reader = Reader(bench, self.tr("Reading the last result"), self)
        self._reader.ready.connect(self._on_read)
        self._build()
        self.start = widgets.primary_button(self.tr("Start the drill"), "", self._on_start)
        self.stop = widgets.button(self.tr("Stop"), "stop", probe.stop)
        self.add_foot(None, self.stop, self.start)
        for edit in (self.expected, self.file, self.old, self.new):
            edit.textChanged.connect(self.refresh)
        self.question.textChanged.connect(self.refresh)
        self.on_copy.toggled.connect(self.refresh)
        probe.changed.connect(self.refresh)
        self._drawn: tuple[int, object] | None = None
        probe.ended.connect(self._read_last)
        self._offer_files()
        self.refresh()
        self.settle()
        self._read_last()

    def typed(self) -> object:
        fields = (self.expected, self.file, self.old, self.new)
        return self.question.toPlainText(), *(each.text() for each in fields)

    def _build(self) -> None:
        about = self.tr(
            "A fact in a document changes. The index is brought up to date and every lane is asked: how many seconds "
            "until each gives the new answer, and what would have to be trained again?"
        )
        self.content.addWidget(widgets.label(about, "muted", wrap=True))
        self.question = QPlainTextEdit()
        self.question.setFixedHeight(QUESTION_HEIGHT)
        self.question.setTabChangesFocus(True)
        self.expected, self.file, self.old, self.new = QLineEdit(), QLineEdit(), QLineEdit(), QLineEdit()
        self.expected.setPlaceholderText(self.tr("Several ways to say it: with | between"))
        self._field(self.tr("Question"), self.question)
        self._field(self.tr("The new answer"), self.expected)
        self.on_copy = QCheckBox(self.tr("Change a document in a copy, and leave mine as it is"))
        self.on_copy.setChecked(True)
        self.content.addSpacing(4)
        self.content.addWidget(self.on_copy)
        self.own = widgets.label(
            self.tr("Edit one of your documents and save it, then start: it is read again, and stays as you left it."),
            "caption",
            wrap=True,
        )
        self.content.addWidget(self.own)
        self.copied = QWidget()
        self.copied.setLayout(widgets.column(spacing=8))
        layout = self.copied.layout()
        assert layout is not None
        for name, edit in (
            (self.tr("Document, a text file"), self.file),
            (self.tr("Words as they stand in it"), self.old),
            (self.tr("New words"), self.new),
        ):
            edit.setAccessibleName(name)
            layout.addWidget(widgets.label(name, "caption"))
            layout.addWidget(edit)
        self.content.addWidget(self.copied)
        self.strip, self.last = ProbeStrip(), LastLine()
        self._results = widgets.column(spacing=8)
        self.content.addWidget(self.strip)
        self.content.addWidget(self.last)
        self.content.addLayout(self._results)
        self.content.addStretch(1)

    def _field(self, name: str, edit: QWidget) -> None:
        edit.setAccessibleName(name)
        self.content.addWidget(widgets.label(name, "caption"))
        self.content.addWidget(edit)

    def _read_last(self) -> None:
        project = self._bench.project
        self._reader.read(lambda: last_drill(project))

    def _on_read(self, last: LastResult) -> None:
        self._last = last
        self._fill_in(last.found)
        self.refresh()

    def _fill_in(self, found: Drill | None) -> None:
        """What the last drill asked and changed, so that it is soon made again; never over what a person has begun."""
        if found is None or self.question.toPlainText() or self.answers or self.file.text():
            return
        self.question.setPlainText(found.question)
        self.expected.setText(" | ".join(found.expected))
        if found.edit is not None:
            for field, text in ((self.file, found.edit.file), (self.old, found.edit.old), (self.new, found.edit.new)):
                field.setText(text)
        self.settle()

    def _offer_files(self) -> None:
        """The files of the index, as they are typed; their list is read in the background."""
        project, said = self._bench.project, self.tr("listing the files")

        def stage() -> Stage:
            yield Progress(0, 0, said)
            rows = (row for base in all_bases(project) for row in documents_source.list_rows(base))
            yield Result(list(dict.fromkeys(row.file for row in rows if row.state == "indexed")))

        self._listing = self._bench.jobs.start(
            self.tr("Listing the files"), stage, on_failed=lambda _: None, kind="list", quiet=True
        )
        self._listing.finished.connect(self._on_listed)  # to a method: it is let go of with the sheet

    def _on_listed(self) -> None:
        completer = QCompleter(self._listing.value or [], self.file)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.file.setCompleter(completer)

    @property
    def answers(self) -> tuple[str, ...]:
        """Each of which is right."""
        return tuple(filter(None, (each.strip() for each in self.expected.text().split("|"))))

    def refresh(self) -> None:
        """Draw what can be done and what the drill has told so far."""
        probe, copy = self._probe, self.on_copy.isChecked()
        self.copied.setVisible(copy)
        self.own.setVisible(not copy)
        self.strip.follow(probe)
        self.stop.setVisible(probe.busy)
        self.start.setVisible(not probe.busy)
        ready = bool(self._lanes and self.question.toPlainText().strip() and self.answers)
        edited = bool(self.file.text().strip() and self.old.text() and self.old.text() != self.new.text())
        self.start.setEnabled(ready and (edited or not copy))
        kept: Drill | None = self._last.found if self._last is not None else None
        own = probe.busy or (bool(probe.told) and (probe.whole is None or kept != probe.whole))
        self.last.say(None if own else self._last)
        whole: Drill | None = probe.whole if own else kept
        told: Sequence[DrillLane] = probe.told if own else kept.lanes if kept is not None else ()
        if (len(told), whole) != self._drawn:
            self._drawn = len(told), whole
            self._draw(told, whole)

    def _draw(self, told: Sequence[DrillLane], whole: Drill | None) -> None:
        widgets.clear_layout(self._results)
        if whole is not None:
            changed = ", ".join(whole.changed) or self.tr("No document")
            said = self.tr("{0} changed, and the index was level after {1}.")
            said = said.format(changed, widgets.seconds_text(whole.index_seconds))
            self._results.addWidget(widgets.label(said, "strong", wrap=True))
        for each in told:
            self._results.addWidget(self._lane(each))

    def _lane(self, told: DrillLane) -> QWidget:
        icon, role = ("check-circle", "good") if told.right else ("x-circle", "bad")
        head = widgets.row(widgets.Dot(told.lane), widgets.ElidedLabel(lane_title(told.lane), "strong"), spacing=8)
        head.setStretch(1, 1)
        verdict = widgets.row(
            widgets.icon_label(icon, 16, role), widgets.label(self._words(told), wrap=True), spacing=8
        )
        verdict.setStretch(1, 1)
        text = " ".join(told.text.split())[:200]
        made = QWidget()
        made.setLayout(
            widgets.column(head, verdict, widgets.label(text, "small", wrap=True), widgets.hline(), spacing=4)
        )
        return made

    def _words(self, told: DrillLane) -> str:
        if told.right:
            return self.tr("Right after {0}").format(widgets.seconds_text(told.seconds))
        if told.retrain_seconds:
            took = widgets.seconds_text(told.retrain_seconds)
            return self.tr("Still wrong; training it took {0}, and would again").format(took)
        return self.tr("Still wrong")

    def _on_start(self) -> None:
        bench, project, lanes = self._bench, self._bench.project, self._lanes
        question, expected = self.question.toPlainText().strip(), self.answers
        edit = Edit(self.file.text().strip(), self.old.text(), self.new.text()) if self.on_copy.isChecked() else None
        self.settle()  # the drill's result keeps what it asked and changed, and stands here again
        self._probe.start(lambda: drill_stage(bench, project, question, expected, lanes, edit))


def drill_stage(
    bench: Bench, project: Project, question: str, expected: Sequence[str], lanes: Sequence[Lane], edit: Edit | None
) -> Stage:
    """The drill, in a copy where something is to be edited; what training took is read in the job's thread."""
    seconds = read_facts(project).train_seconds
    if edit is None:
        stage = drill(question, expected, lanes, project.folder, bench.knowledge, bench.engine, seconds)
    else:
        stage = drill_copy(question, expected, lanes, project, edit, bench.knowledge, bench.engine, seconds)
    return keep_test(stage, project.folder, lanes)
