"""The line over the matrix: which cases are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QMenu, QWidget

from workbench.evaluation.records import Evaluation
from workbench.ui import widgets
from workbench.ui.evaluate_rows import MatrixFilter


class FilterLine(QWidget):
    """Chips, kinds, tags and words; `changed` brings the filter, `earlier_chosen` the run compared with."""

    changed = Signal(object)  # MatrixFilter
    earlier_chosen = Signal(object)  # Evaluation

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.filter = MatrixFilter()
        choices = (
            ("all", self.tr("All")),
            ("failures", self.tr("Failures")),
            ("disagreements", self.tr("Disagreements")),
            ("changed", self.tr("Changed")),
        )
        self.chips = widgets.ChipRow(choices, self.tr("Which cases are shown"))
        self.chips.chosen.connect(lambda key: self._change(show=key))
        self.kind, self.tag, self.find_line = QComboBox(), QComboBox(), QLineEdit()
        self.kind.setAccessibleName(self.tr("Kind of case"))
        self.tag.setAccessibleName(self.tr("Tag"))
        self.kind.currentIndexChanged.connect(lambda: self._change(kind=self.kind.currentData() or ""))
        self.tag.currentIndexChanged.connect(lambda: self._change(tag=self.tag.currentData() or ""))
        self.find_line.setPlaceholderText(self.tr("Find a case"))
        self.find_line.setAccessibleName(self.tr("Find a case"))
        self.find_line.setClearButtonEnabled(True)
        self.find_line.setMinimumWidth(120)
        self.find_line.setMaximumWidth(200)
        self.find_line.textChanged.connect(lambda text: self._change(text=text))
        self._menu = QMenu(self)
        self.earlier = widgets.menu_button("", self._menu, "", self.tr("Compared with an earlier run"))
        self.setLayout(widgets.row(self.chips, self.earlier, self.kind, self.tag, None, self.find_line))

    def choose(self, show: str) -> None:
        """Show the failures, the disagreements or another of the chips' choices."""
        self.chips.choose(show)
        self._change(show=show)

    def show_earlier(self, before: Sequence[Evaluation], chosen: Evaluation | None) -> None:
        """The runs that can be compared with; without one there is nothing that changed."""
        self._menu.clear()
        for each in reversed(before):
            text = self.tr("Changed since {0}").format(widgets.when_text(each.created))
            widgets.add_action(self._menu, text, partial(self.earlier_chosen.emit, each))
        self.name_earlier(chosen)
        self.earlier.setVisible(chosen is not None)
        self.chips.chip("changed").setVisible(chosen is not None)
        if chosen is None and self.filter.show == "changed":
            self.choose("all")

    def name_earlier(self, run: Evaluation | None) -> None:
        """Say which run is compared with."""
        self.earlier.setText(self.tr("since {0}").format(widgets.when_text(run.created)) if run is not None else "")

    def show_choices(self, counts: dict[str, int], kinds: Sequence[tuple[str, str]], tags: Sequence[str]) -> None:
        """Counts for the chips; kinds as (key, name); tags by name."""
        self.chips.set_counts(counts)
        _fill(self.kind, [(self.tr("Any kind"), ""), *((name, key) for key, name in kinds)], self.filter.kind)
        _fill(self.tag, [(self.tr("Any tag"), ""), *((tag, tag) for tag in tags)], self.filter.tag)
        self.kind.setVisible(len(kinds) > 1)
        self.tag.setVisible(bool(tags))

    def start_finding(self) -> None:
        self.find_line.setFocus()
        self.find_line.selectAll()

    def clear(self) -> None:
        """Show every case again."""
        self.filter = MatrixFilter()
        self.chips.choose("all")
        for combo in (self.kind, self.tag):
            combo.blockSignals(True)
            combo.setCurrentIndex(0)
            combo.blockSignals(False)
        self.find_line.blockSignals(True)
        self.find_line.clear()
        self.find_line.blockSignals(False)
        self.changed.emit(self.filter)

    def _change(self, **changes: str) -> None:
        self.filter = replace(self.filter, **changes)
        self.changed.emit(self.filter)


def _fill(combo: QComboBox, choices: list[tuple[str, str]], wanted: str) -> None:
    """Offer choices without a word to anybody, keeping what was chosen."""
    if [combo.itemData(place) for place in range(combo.count())] == [key for _, key in choices]:
        return
    combo.blockSignals(True)
    combo.clear()
    for text, key in choices:
        combo.addItem(text, key)
    combo.setCurrentIndex(max(0, combo.findData(wanted)))
    combo.blockSignals(False)
