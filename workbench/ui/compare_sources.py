"""The passages under an answer: a line for each that it names, and one that opens those it only read"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from workbench.lanes.lane import Answer
from workbench.retrieval.passage import Passage
from workbench.retrieval.support import unsupported
from workbench.ui import widgets
from workbench.ui.plain import tooltip


class FoldLine(QPushButton):
    """A quiet line that opens something: a caret, then what it is given."""

    def __init__(self, name: str, *parts: QWidget, last: QWidget | None = None) -> None:
        super().__init__()
        self.setProperty("kind", "fold")
        self.setAutoDefault(False)
        self.setAccessibleName(name)
        line = widgets.row(widgets.IconLabel("caret-right", 12, "muted"), *parts, spacing=6)
        line.addWidget(last or QWidget(), 1)
        self.setLayout(line)
        for each in self.findChildren(QWidget):
            each.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFixedHeight(24)


def source_line(number: int, passage: Passage, cited: bool) -> FoldLine:
    """A passage the answer names: its number, its file and where in it."""
    name = QCoreApplication.translate("compare", "Passage {0}: {1} {2}")
    made = FoldLine(
        name.format(number, passage.file, passage.location),
        widgets.label(str(number), "accent" if cited else "muted"),
        widgets.ElidedLabel(passage.file.rsplit("/", 1)[-1], hug=True),
        last=widgets.ElidedLabel(passage.location, "caption"),
    )
    made.setToolTip(tooltip(f"{passage.file}  {passage.location}\n\n{passage.text[:300]}"))
    return made


class SourceLines(QVBoxLayout):
    """Shows the passages of an answer; `chosen` tells which was clicked."""

    chosen = Signal(int)  # 1-based number of the passage

    def __init__(self) -> None:
        super().__init__()
        self.setSpacing(0)
        self._answer: Answer | None = None
        self._all = False  # those too that the answer does not name

    def show(self, answer: Answer | None) -> None:
        """Show those of an answer; none while there is no answer, or where they would give its lane away."""
        if answer is not self._answer:
            self._answer = answer
            self._fill()

    def _fill(self) -> None:
        widgets.clear_layout(self)
        answer = self._answer
        if answer is None or not answer.passages:
            return
        self.addSpacing(8)
        if not answer.fits:
            said = self.tr("Nothing in your documents seems to be about this. The nearest there is was read.")
            self.addWidget(widgets.label(said, "caption", wrap=True))
        if unsupported(answer.text, answer.question, answer.passages):
            said = self.tr("Dots underline what no passage says in its words.")
            self.addWidget(widgets.label(said, "caption", wrap=True))
        for number, passage in enumerate(answer.passages, start=1):
            cited = number in answer.cited
            if cited or self._all:
                line = source_line(number, passage, cited)
                line.clicked.connect(partial(self.chosen.emit, number))
                self.addWidget(line)
                line.show()
        rest = len(answer.passages) - len(answer.cited)
        if rest and not self._all:
            more = self._more_line(rest, bool(answer.cited))
            self.addWidget(more)
            more.show()

    def _more_line(self, rest: int, more: bool) -> FoldLine:
        count = self.tr("{0} passages read") if rest != 1 else self.tr("{0} passage read")
        if more:
            count = self.tr("{0} more passages read") if rest != 1 else self.tr("{0} more passage read")
        said = count.format(rest)
        made = FoldLine(said, widgets.label(said, "muted"))
        made.clicked.connect(self._on_more)
        return made

    def _on_more(self) -> None:
        self._all = True
        self._fill()
