"""The data of a fine-tune: the file, what was recognised, what is wrong by row, one example as the model sees it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextEdit, QWidget

from workbench.tuning.dataset import DatasetReport, Problem, Span
from workbench.ui import theme, widgets
from workbench.ui.charts import draw_glyph
from workbench.ui.charts_loss import Histogram
from workbench.ui.page import is_theme_change

PROBLEMS_SHOWN = 5
EXAMPLE_SHOWN = 1200  # characters of the rendered example


class StepBadge(QWidget):
    """A step's number in a ring, or a tick once it is done."""

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._number, self._done = number, False
        self.setFixedSize(24, 24)
        self.set_done(False)

    def set_done(self, done: bool) -> None:
        self._done = done
        self.setAccessibleName(self.tr("done") if done else self.tr("step {0}").format(self._number))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("good" if self._done else "accent"), 1.2))
        painter.drawEllipse(self.rect().adjusted(2, 2, -2, -2))
        if self._done:
            draw_glyph(painter, "check", "good", 6, 12)
        else:
            font = painter.font()
            font.setPixelSize(theme.px(theme.SMALL))
            painter.setFont(font)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, str(self._number))


class ExampleText(QTextEdit):
    """One example as the model reads it; the tokens the loss is taken on are marked by colour and underline."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, readOnly=True)
        self.setAccessibleName(self.tr("One example as the model sees it"))
        self.setProperty("kind", "code")
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTabChangesFocus(True)
        self._spans: tuple[Span, ...] = ()

    def show_spans(self, spans: Sequence[Span]) -> None:
        """Show a rendered example."""
        self._spans = tuple(spans)
        self.clear()
        self.setFont(theme.mono_font(theme.SMALL + 1))
        cursor = QTextCursor(self.document())
        room = EXAMPLE_SHOWN
        for span in self._spans:
            ink = QTextCharFormat()
            ink.setForeground(theme.color("text" if span.trained else "muted"))
            if span.trained:
                ink.setBackground(theme.color("selected"))
                ink.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
                ink.setUnderlineColor(theme.color("accent"))
            text = span.text if span.trained or len(span.text) <= room else span.text[:room] + " … "
            cursor.insertText(text, ink)
            room = max(80, room - len(text))
        self.updateGeometry()
        self._show_trained()

    def _show_trained(self) -> None:
        """Bring the trained part into view: it is what the box is for, and comes last."""
        self.moveCursor(QTextCursor.MoveOperation.End)
        self.ensureCursorVisible()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_trained()

    def sizeHint(self) -> QSize:
        self.document().setTextWidth(max(200, self.viewport().width()))
        return QSize(300, min(190, int(self.document().size().height()) + 18))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if is_theme_change(event) and self._spans:
            self.show_spans(self._spans)


class ProblemRow(QFrame):
    """What is wrong with one row, and what can be done about it."""

    mend_wanted = Signal(object)  # Problem
    leave_out_wanted = Signal(object)

    def __init__(self, problem: Problem, can_mend: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        number = widgets.label(f"{problem.row:,}", "muted")
        number.setFixedWidth(38)
        number.setAlignment(Qt.AlignmentFlag.AlignTop)
        message = problem.message[:1].upper() + problem.message[1:]
        said = widgets.label(message, "text", wrap=True)
        said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        line = widgets.row(number, said, spacing=4, margins=(0, 6, 0, 6))
        line.setStretch(1, 1)
        self.links: list[QWidget] = []
        if can_mend:
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


class DataSection(QWidget):
    """Step 1: the training file."""

    choose_wanted = Signal()
    mend_wanted = Signal(object)
    leave_out_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._all_problems = False
        self._report: DatasetReport | None = None
        self._can_mend = False
        self.badge = StepBadge(1)
        self.choose = widgets.button(self.tr("Choose file"), "", self.choose_wanted.emit)
        self.name = widgets.ElidedLabel("", "text", middle=True)
        self.counts = widgets.label("", "muted", wrap=True)
        self.problem_head = QWidget()
        self.problem_title = widgets.label("", "strong")
        self.problem_note = widgets.label("", "caption")
        self.problem_head.setLayout(
            widgets.row(widgets.icon_label("warning", 16, "warning"), self.problem_title, None, self.problem_note)
        )
        self.problems = widgets.column(spacing=0)
        self.more = widgets.link_button("", self._on_more_clicked)
        self.example_head = widgets.label(self.tr("One example as the model sees it, trained part marked"), "caption")
        self.example, self.histogram = ExampleText(), Histogram()
        self.hint = widgets.label(
            self.tr(
                "Drop a file of examples here: JSON-lines, CSV or Parquet with questions and the answers you want. "
                "50 good rows teach a format; 200 or more teach a habit."
            ),
            "muted",
            wrap=True,
        )
        head = widgets.row(self.badge, widgets.label(self.tr("Data"), "section"), None, self.choose)
        layout = widgets.column(head, self.hint, self.name, self.counts, self.problem_head, self.problems, self.more)
        for each in (8, self.example_head, self.example, self.histogram):
            layout.addSpacing(each) if isinstance(each, int) else layout.addWidget(each)
        self.setLayout(layout)
        self.show_nothing()

    def show_nothing(self, said: str = "") -> None:
        """No file is chosen, or it could not be read: `said` tells why."""
        self._report = None
        self.badge.set_done(False)
        self.choose.setText(self.tr("Choose file"))
        self.hint.setVisible(not said)
        self.counts.setText(said)
        self.counts.setVisible(bool(said))
        self.name.hide()
        self._set_parts(False)

    def show_reading(self, files: Sequence[Path]) -> None:
        """A file is being read."""
        self.show_nothing(self.tr("Reading the rows…"))
        self.name.set_text(", ".join(path.name for path in files))
        self.name.show()

    def show_report(self, report: DatasetReport, held_out: int, limit: int, can_mend: bool) -> None:
        """Show what was found: `held_out` rows are kept from training, rows over `limit` tokens are cut."""
        if report is not self._report:
            self._all_problems = False
        self._report, self._can_mend = report, can_mend
        self.hint.hide()
        self.badge.set_done(True)
        self.choose.setText(self.tr("Replace file"))
        self.name.set_text(self.tr("{0}, {1}").format(", ".join(report.files), report.format))
        said = self.tr("{0:,} ready: {1:,} to train, {2:,} held out").format(
            report.examples, report.examples - held_out, held_out
        )
        if report.counts.get("grounded"):
            said += self.tr(". {0:,} teach to read passages").format(report.counts["grounded"])
        self.counts.setText(said)
        for each in (self.name, self.counts):
            each.show()
        self._set_parts(True)
        self._show_problems()
        self.example.show_spans(report.rendered)
        lengths = report.lengths
        self.histogram.show_bars(
            report.histogram, lengths.get("shortest", 0), lengths.get("median", 0), lengths.get("longest", 0), limit
        )

    def _set_parts(self, shown: bool) -> None:
        for each in (self.problem_head, self.more, self.example_head, self.example, self.histogram):
            each.setVisible(shown)
        if not shown:
            widgets.clear_layout(self.problems)

    def _show_problems(self) -> None:
        widgets.clear_layout(self.problems)
        assert self._report is not None
        problems = self._report.problems
        shown = problems if self._all_problems else problems[:PROBLEMS_SHOWN]
        for problem in shown:
            row = ProblemRow(problem, self._can_mend)
            row.mend_wanted.connect(self.mend_wanted)
            row.leave_out_wanted.connect(self.leave_out_wanted)
            self.problems.addWidget(row)
        rows = len({(problem.file, problem.row) for problem in problems})
        errors = self._report.counts.get("errors", 0)
        self.problem_head.setVisible(bool(problems))
        one = rows == 1
        self.problem_title.setText(
            self.tr("1 row needs a look") if one else self.tr("{0} rows need a look").format(rows)
        )
        self.problem_note.setText(
            self.tr("{0} left out").format(errors) if errors else self.tr("all of them are trained")
        )
        left = len(problems) - len(shown)
        self.more.setVisible(left > 0)
        self.more.setText(self.tr("Show {0} more").format(left))

    def _on_more_clicked(self) -> None:
        self._all_problems = True
        self._show_problems()
