"""The data of a fine-tune: the files, what was recognised, what is wrong by row, one example as the model sees it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from workbench.tuning.columns import Preview
from workbench.tuning.dataset import DatasetReport
from workbench.ui import widgets
from workbench.ui.charts_loss import Histogram
from workbench.ui.finetune_badge import StepBadge
from workbench.ui.finetune_columns import ColumnChooser
from workbench.ui.finetune_example import ExampleText
from workbench.ui.finetune_problems import ProblemList
from workbench.ui.tick_menu import TickMenu


class DataSection(QWidget):
    """Step 1: the training files."""

    browse_wanted = Signal()  # look for a file outside the project
    files_chosen = Signal(tuple)  # of the project's own
    again_wanted = Signal()  # read the files once more
    mend_wanted = Signal(object)  # Problem
    leave_out_wanted = Signal(object)
    columns_wrong = Signal()  # they are to be chosen anew
    columns_chosen = Signal(str, object)  # a file's name, and the Columns it has

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._known: tuple[Path, ...] = ()
        self._chosen: tuple[Path, ...] = ()
        self.badge = StepBadge(1)
        self.menu = TickMenu(self)
        self.menu.aboutToHide.connect(self._on_menu_closed)
        self.choose = widgets.button(self.tr("Choose file"), "", self.browse_wanted.emit)
        self.several = widgets.menu_button(self.tr("Files"), self.menu, "", self.tr("Training files of this project"))
        self.name, self.format = widgets.ElidedLabel("", "text", middle=True), widgets.ElidedLabel("", "caption")
        self.counts = widgets.label("", "muted", wrap=True)
        self.again = widgets.link_button(self.tr("Read again"), self.again_wanted.emit)
        self.other_columns = widgets.link_button(self.tr("Choose other columns"), self.columns_wrong.emit)
        self.columns = ColumnChooser()
        self.columns.chosen.connect(self.columns_chosen)
        self.problems = ProblemList()
        self.problems.mend_wanted.connect(self.mend_wanted)
        self.problems.leave_out_wanted.connect(self.leave_out_wanted)
        self.example_head = widgets.label(self.tr("One example as the model sees it, trained part marked"), "caption")
        self.example, self.histogram = ExampleText(), Histogram()
        self._remarks = QWidget()
        self._remarked = widgets.column(spacing=6)
        self._remarks.setLayout(self._remarked)
        self.cut = widgets.label("", "caption", wrap=True)
        self.hint = widgets.label(
            self.tr(
                "Drop a file of examples here: JSON-lines, CSV or Parquet with questions and the answers you want. "
                "50 good rows teach a format; 200 or more teach a habit."
            ),
            "muted",
            wrap=True,
        )
        self._offers = QWidget()
        self._offered = widgets.column(spacing=4)
        self._offers.setLayout(self._offered)
        self._lay_out()
        self.show_nothing()

    def _lay_out(self) -> None:
        title = widgets.label(self.tr("Data"), "section")
        head = widgets.row(self.badge, title, None, self.several, self.choose)
        parts = (
            self.hint,
            self._offers,
            self.name,
            self.format,
            self.counts,
            widgets.row(self.again, self.other_columns, None),
            self.columns,
            self.problems,
            self._remarks,
        )
        layout = widgets.column(head, *parts)
        for each in (self.example_head, self.example, self.histogram, self.cut):
            layout.addWidget(each)
        self.setLayout(layout)

    # Which files

    @property
    def chosen(self) -> tuple[Path, ...]:
        """The files that are trained on."""
        return self._chosen

    def show_files(self, known: Sequence[Path], chosen: Sequence[Path]) -> None:
        """The training files of the project, those that are trained on ticked."""
        self._known, self._chosen = tuple(known), tuple(chosen)
        self.menu.clear()
        for path in self._known:
            self.menu.add_tick(path.name, path, path in self._chosen)
        self.menu.addSeparator()
        widgets.add_action(self.menu, self.tr("Choose another file…"), self.browse_wanted.emit, "file-plus")
        several = bool(self._known)
        self.several.setVisible(several)
        self.several.setText(self.tr("Files") if len(self._chosen) > 1 else self.tr("File"))
        self.choose.setVisible(not several)
        self._show_offers()

    def set_changeable(self, changeable: bool) -> None:
        """While a run goes on, its files stay."""
        self.choose.setEnabled(changeable)
        self.several.setEnabled(changeable)

    def _show_offers(self) -> None:
        """What lies in the project already, one click each, as long as nothing is chosen."""
        widgets.clear_layout(self._offered)
        self._offers.setVisible(bool(self._known) and not self._chosen)
        if self._chosen:
            return
        self._offered.addWidget(widgets.label(self.tr("In this project"), "caption"))
        for path in self._known[:6]:
            link = widgets.link_button(path.name, partial(self.files_chosen.emit, (path,)))
            link.setAccessibleName(self.tr("Train on {0}").format(path.name))
            self._offered.addLayout(widgets.row(link, None))

    def _on_menu_closed(self) -> None:
        wanted = tuple(self.menu.ticked)
        if wanted and wanted != self._chosen:
            self.files_chosen.emit(wanted)
        elif not wanted:  # a fine-tune needs one: what was ticked stays so
            self.show_files(self._known, self._chosen)

    # What is in them

    def show_nothing(self, said: str = "") -> None:
        """No file is chosen, or it could not be read: `said` tells why, and reading again is offered."""
        self.badge.set_done(False)
        self.hint.setVisible(not said)
        self.counts.setText(said)
        self.counts.setVisible(bool(said))
        self.again.setVisible(bool(said))
        self.name.hide()
        self.format.hide()
        self._set_parts(False)

    def show_reading(self, files: Sequence[Path]) -> None:
        """Files are being read."""
        self.show_nothing(self.tr("Reading the rows…"))
        self.again.hide()
        self.name.set_text(", ".join(path.name for path in files))
        self.name.show()

    def show_unnamed(self, preview: Preview) -> None:
        """The columns of a file have names that are not known: a person chooses which are question and answer."""
        self.show_nothing()
        self.hint.hide()
        self.name.set_text(preview.file)
        self.name.show()
        self.columns.show_preview(preview)

    def say(self, note: str) -> None:
        """How the reading goes."""
        self.counts.setText(note[:1].upper() + note[1:] + "…")

    def show_report(
        self, report: DatasetReport, held_out: int, limit: int, mendable: Sequence[str], named: bool = False
    ) -> None:
        """Show what was found: `held_out` rows are kept from training, rows over `limit` tokens are cut; the columns
        may be `named` by a person."""
        self.hint.hide()
        self.again.hide()
        self.badge.set_done(True)
        self.name.set_text(", ".join(report.files))
        self.format.set_text(report.format)
        said = self.tr("{0:,} ready: {1:,} to train, {2:,} held out").format(
            report.examples, report.examples - held_out, held_out
        )
        if report.counts.get("grounded"):
            said += self.tr("; {0:,} with passages to read").format(report.counts["grounded"])
        self.counts.setText(said)
        for each in (self.name, self.format, self.counts):
            each.show()
        self._set_parts(True)
        self.other_columns.setVisible(named)
        self.problems.show_problems(report, mendable)
        self._show_remarks(report)
        self.example.show_spans(report.rendered)
        self._show_lengths(report, limit)

    def _show_remarks(self, report: DatasetReport) -> None:
        """What to weigh of the set as a whole, a line each."""
        widgets.clear_layout(self._remarked)
        self._remarks.setVisible(bool(report.remarks))
        for remark in report.remarks:
            warns = remark.severity == "warning"
            icon = widgets.IconLabel("warning-circle" if warns else "info", 16, "warning" if warns else "muted")
            line = widgets.row(icon, widgets.label(remark.message, "text" if warns else "muted", wrap=True), spacing=8)
            line.setAlignment(icon, Qt.AlignmentFlag.AlignTop)
            line.setStretch(1, 1)
            self._remarked.addLayout(line)

    def _show_lengths(self, report: DatasetReport, limit: int) -> None:
        shortest, median, longest = (report.lengths.get(each, 0) for each in ("shortest", "median", "longest"))
        self.histogram.show_bars(report.histogram, shortest, median, longest, limit)
        said = self.tr("Of rows over {0:,} tokens the beginning of the question is cut, never the answer.")
        self.cut.setText(said.format(limit))
        self.cut.setVisible(longest > limit)

    def _set_parts(self, shown: bool) -> None:
        self.columns.hide()
        self.other_columns.hide()
        self.problems.hide()
        self._remarks.hide()
        self.cut.hide()
        for each in (self.example_head, self.example, self.histogram):
            each.setVisible(shown)
