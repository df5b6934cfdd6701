"""Questions drafted from the documents: start, read each beside its passage, accept it into the suite or reject it"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from workbench.bases import MAIN, base_names
from workbench.children import Worker
from workbench.errors import WorkbenchError
from workbench.evaluation.draft import Draft, decide_drafts, draft, read_drafts, write_drafts
from workbench.events import Result, Stage
from workbench.lanes.presets import find_lane
from workbench.project import Project
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.boxes import whole_box
from workbench.ui.evaluate_probe import Probe, ProbeStrip
from workbench.ui.page import Sheet

NAME = "drafts"  # as `workbench suite draft` keeps them, so that both show the same
USUAL = 10  # questions asked for at a time: a person reads each
SHOWN = 30  # waiting drafts under the start
PASSAGE_SHOWN = 280  # characters


class DraftsSheet(Sheet):
    """Starts drafting, shows what waits for a person, and puts what is accepted into a suite."""

    accepted = Signal(object)  # the Path of the suite that holds one more question

    def __init__(
        self, bench: Bench, probe: Probe, suite: Callable[[], tuple[str, Path]], parent: QWidget | None = None
    ) -> None:
        """`suite` says the name and the file of the suite that is shown just now, or of one that would be made."""
        super().__init__("", parent=parent)
        self.set_title(self.tr("Questions from your documents"))
        self._bench, self._probe, self._suite = bench, probe, suite
        about = self.tr(
            "A sentence of your documents is chosen, a question is worded that it answers, and the model is asked it "
            "back. About half are worth keeping: read each beside its passage."
        )
        self.content.addWidget(widgets.label(about, "muted", wrap=True))
        self.most = whole_box(1, 500)
        self.most.setValue(USUAL)
        self.most.setAccessibleName(self.tr("Questions"))
        line = widgets.row(widgets.label(self.tr("New questions to ask for"), wrap=True), self.most)
        line.setStretch(0, 1)
        self.content.addLayout(line)
        self.base = QComboBox()
        self.base.setAccessibleName(self.tr("Knowledge base"))
        for name in ("", *base_names(bench.project)):
            self.base.addItem(name or MAIN, name)
        self.base.setVisible(self.base.count() > 1)
        self.content.addWidget(self.base)
        self.strip, self.said = ProbeStrip(), widgets.label("", "caption", wrap=True)
        self._waiting = widgets.column(spacing=8)
        self.content.addWidget(self.strip)
        self.content.addWidget(self.said)
        self.content.addLayout(self._waiting)
        self.content.addStretch(1)
        self.start = widgets.primary_button(self.tr("Draft questions"), "", self._on_start)
        self.stop = widgets.button(self.tr("Stop"), "stop", probe.stop)
        self.add_foot(None, self.stop, self.start)
        self._drawn: tuple[str, ...] | None = None  # ids of what is drawn
        probe.changed.connect(self.refresh)
        self.refresh()

    @property
    def waiting(self) -> list[Draft]:
        """What nobody has decided on yet, the oldest first."""
        return [each for each in read_drafts(self._bench.project.folder, NAME) if each.state == "open"]

    def refresh(self) -> None:
        """Draw what waits just now."""
        probe, waiting = self._probe, self.waiting
        self.strip.follow(probe)
        self.stop.setVisible(probe.busy)
        self.start.setVisible(not probe.busy)
        self.said.setText(self._words(waiting))
        self.said.setVisible(bool(self.said.text()))
        ids = tuple(each.id for each in waiting)
        if ids == self._drawn:
            return
        self._drawn = ids
        widgets.clear_layout(self._waiting)
        for each in waiting[:SHOWN]:
            self._waiting.addWidget(self._card(each))

    def _words(self, waiting: list[Draft]) -> str:
        if waiting:
            return self.tr("{0:,} wait; what you accept goes into {1}.").format(len(waiting), self._suite()[0])
        if self._probe.whole is not None and not self._probe.told:
            return self.tr("No sentence was found that makes a question: short notes and tables give few.")
        return ""

    def _card(self, told: Draft) -> QWidget:
        text = " ".join(told.passage.split())
        shown = text if len(text) <= PASSAGE_SHOWN else text[: PASSAGE_SHOWN - 1] + "…"
        where = " ".join(part for part in (told.file, told.location) if part)
        accept = widgets.button(self.tr("Accept"), "check", partial(self._decide, told.id, True))
        reject = widgets.quiet_button(self.tr("Reject"), "x", partial(self._decide, told.id, False))
        made = QWidget()
        parts = (
            widgets.label(told.question, "strong", wrap=True, selectable=True),
            widgets.label(self.tr("Answer: {0}").format(told.answer), wrap=True, selectable=True),
            widgets.label(f"{where}: {shown}", "small", wrap=True),
            widgets.row(accept, reject, None),
        )
        made.setLayout(widgets.column(*parts, widgets.hline(), spacing=4))
        return made

    def _decide(self, name: str, good: bool) -> None:
        path = self._suite()[1]
        accepted, rejected = ((name,), ()) if good else ((), (name,))
        try:
            decide_drafts(self._bench.project.folder, NAME, accepted, rejected, path)
        except (WorkbenchError, OSError) as error:
            self._bench.notices.error(error)
            return
        if good:
            self.accepted.emit(path)
        self.refresh()

    def _on_start(self) -> None:
        project, engine, count = self._bench.project, self._bench.engine, self.most.value()
        base = str(self.base.currentData() or "")
        self._probe.start(lambda: draft_stage(project, engine, count, base))


def draft_stage(project: Project, engine: Worker, count: int, base: str) -> Stage:
    """Drafting, each question kept as it comes, so that stopping loses none."""
    known = read_drafts(project.folder, NAME)
    for event in draft(project.folder, find_lane(project, "base"), engine, count, known=known, base=base):
        if isinstance(event, Result) and isinstance(event.value, Draft):
            write_drafts(project.folder, NAME, (event.value,))
        yield event
