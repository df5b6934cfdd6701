"""What is wrong with the rows of a training file, row by row, each with what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from workbench.tuning.dataset import DatasetReport, Problem
from workbench.ui import widgets

PROBLEMS_SHOWN = 5


class ProblemRow(QFrame):
    """What is wrong with one row, and what can be done about it."""

    mend_wanted = Signal(object)  # Problem
    leave_out_wanted = Signal(object)

    def __init__(self, problem: Problem, can_mend: bool, file: str = "", parent: QWidget | None = None) -> None:
        """`file` is named in the row where there are several."""
        super().__init__(parent)
        number = widgets.label(f"{problem.row:,}", "muted")
        number.setFixedWidth(38)
        number.setAlignment(Qt.AlignmentFlag.AlignTop)
        message = problem.message[:1].upper() + problem.message[1:]
        message = f"{file}: {message}" if file else message
        said = widgets.label(message, "text", wrap=True)
        said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        line = widgets.row(number, said, spacing=4, margins=(0, 6, 0, 6))
        line.setStretch(1, 1)
        self.links: list[QWidget] = []
        if can_mend:  # a row with an error is left out as it is
            if problem.severity != "error":
                self._add(line, self.tr("Leave out"), lambda: self.leave_out_wanted.emit(problem), problem)
            self._add(line, self.tr("Mend"), lambda: self.mend_wanted.emit(problem), problem)
        self.setLayout(widgets.column(line, widgets.hline(), spacing=0))

    def _add(self, line: object, text: str, click: object, problem: Problem) -> None:
        assert callable(click)
        link = widgets.link_button(text, click)
        link.setAccessibleName(self.tr("{0} row {1}").format(text, problem.row))
        self.links.append(link)
        line.addWidget(link, 0, Qt.AlignmentFlag.AlignTop)  # type: ignore[attr-defined]


class ProblemList(QWidget):
    """The first problems, and the others on demand; nothing at all where every row is well."""

    mend_wanted = Signal(object)
    leave_out_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._all = False
        self._problems: tuple[Problem, ...] = ()
        self._mendable: frozenset[str] = frozenset()
        self._named = False
        self.title, self.note = widgets.label("", "strong"), widgets.label("", "caption")
        head = widgets.row(widgets.icon_label("warning", 16, "warning"), self.title, None, self.note)
        self.rows = widgets.column(spacing=0)
        self.more = widgets.link_button("", self._on_more_clicked)
        self.setLayout(widgets.column(head, self.rows, widgets.row(self.more, None)))
        self.hide()

    def show_problems(self, report: DatasetReport, mendable: Sequence[str]) -> None:
        """Show what a report found; only rows of the files named in `mendable` can be edited one by one."""
        self._all = False
        self._problems, self._mendable = report.problems, frozenset(mendable)
        self._named = len(report.files) > 1
        rows = len({(problem.file, problem.row) for problem in report.problems})
        self.title.setText(
            self.tr("1 row needs a look") if rows == 1 else self.tr("{0:,} rows need a look").format(rows)
        )
        errors = report.counts.get("errors", 0)
        self.note.setText(self.tr("{0:,} left out").format(errors) if errors else self.tr("all of them are trained"))
        self._write()
        self.setVisible(bool(rows))

    def _write(self) -> None:
        widgets.clear_layout(self.rows)
        shown = self._problems if self._all else self._problems[:PROBLEMS_SHOWN]
        for problem in shown:
            row = ProblemRow(problem, problem.file in self._mendable, problem.file if self._named else "")
            row.mend_wanted.connect(self.mend_wanted)
            row.leave_out_wanted.connect(self.leave_out_wanted)
            self.rows.addWidget(row)
        left = len(self._problems) - len(shown)
        self.more.setVisible(left > 0)
        self.more.setText(self.tr("Show {0:,} more").format(left))

    def _on_more_clicked(self) -> None:
        self._all = True
        self._write()
