"""Two runs beside each other: how each learnt, what they differ in, what they answered to the same held-out rows."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from workbench.tuning.recipe import RunInfo
from workbench.ui import widgets
from workbench.ui.charts_versus import VersusChart
from workbench.ui.finetune_run import read_samples
from workbench.ui.finetune_samples import judge
from workbench.ui.finetune_settings import setting_name
from workbench.ui.page import Sheet

# Settings of the recipe, shown where they differ.
SETTINGS = (
    *("epochs", "minutes", "learning_rate", "b_rate", "warmup", "rank", "alpha"),
    *("batch_size", "max_tokens", "patience", "seed", "precision"),
)


def figures_of(run: RunInfo) -> dict[str, str]:
    """What a run came to, ready to be read; a dash where it is not known."""
    dash = "\N{EN DASH}"
    samples = read_samples(run.folder)
    newest = samples.get(max(samples, default=0), ())
    right = sum(judge(sample).same for sample in newest)
    general = run.effects.get("general", {})
    files = ", ".join(str(each).rpartition("/")[2] for each in run.recipe.get("datasets") or ())
    translate = QCoreApplication.translate
    before_and_after = translate("versus", "{0:.2f} to {1:.2f}")
    return {
        translate("versus", "Training files"): files or dash,
        translate("versus", "Steps"): translate("versus", "{0:,} of {1:,}").format(run.step, run.total)
        if run.total
        else dash,
        translate("versus", "Held-out loss"): f"{run.eval_loss[-1][1]:.3f}" if run.eval_loss else dash,
        translate("versus", "Lowest held-out loss"): f"{min(each[1] for each in run.eval_loss):.3f}"
        if run.eval_loss
        else dash,
        translate("versus", "Loss on general text"): before_and_after.format(general["before"], general["after"])
        if general
        else dash,
        translate("versus", "General questions refused"): translate("versus", "{0} to {1} of {2}").format(
            *(round(general[key] * general["questions"]) for key in ("refused_before", "refused_after")),
            general["questions"],
        )
        if general
        else dash,
        translate("versus", "Words of an answer to them"): translate("versus", "{0:.0f} to {1:.0f}").format(
            general["words_before"], general["words_after"]
        )
        if general
        else dash,
        translate("versus", "Held-out answers as expected"): translate("versus", "{0} of {1}").format(
            right, len(newest)
        )
        if newest
        else dash,
        translate("versus", "Training"): widgets.seconds_text(run.seconds) if run.seconds else dash,
        translate("versus", "Tokens a second"): f"{run.tokens_per_second:,.0f}" if run.tokens_per_second else dash,
    }


def differences(first: RunInfo, second: RunInfo) -> tuple[tuple[str, str, str], ...]:
    """The settings two runs differ in: (name, of the first, of the second)."""
    found = []
    for key in SETTINGS:
        one, two = (run.recipe.get(key) for run in (first, second))
        if one != two:
            found.append((setting_name(key), _plain(one), _plain(two)))
    layers = [len(run.recipe.get("layers") or ()) for run in (first, second)]
    if layers[0] != layers[1]:
        every = QCoreApplication.translate("versus", "all")
        one, two = (str(each) if each else every for each in layers)
        found.append((QCoreApplication.translate("versus", "Layers"), one, two))
    return tuple(found)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value if value is not None else "\N{EN DASH}")


class VersusSheet(Sheet):
    """The comparison; `both_wanted` opens the two in Compare."""

    both_wanted = Signal(object, object)

    def __init__(self, first: RunInfo, second: RunInfo, parent: QWidget | None = None) -> None:
        super().__init__("", parent=parent)
        self.set_title(self.tr("Two runs"))
        self.chart = VersusChart()
        self.chart.show_runs(((first.name, first.eval_loss), (second.name, second.eval_loss)))
        said = self.tr("Loss on held-out rows, lower is better. Runs on other files hold out other rows.")
        self.content.addWidget(self.chart)
        self.content.addWidget(widgets.label(said, "caption", wrap=True))
        self.content.addSpacing(8)
        one, two = figures_of(first), figures_of(second)
        lines = [(name, one[name], two[name]) for name in one]
        self._table(first.name, second.name, lines)
        self.content.addSpacing(12)
        unlike = differences(first, second)
        title = self.tr("What they differ in") if unlike else self.tr("Both have the same settings")
        self.content.addWidget(widgets.label(title, "strong"))
        if unlike:
            self._table(first.name, second.name, unlike)
        self.content.addStretch(1)
        if first.state == second.state == "done":
            ask = widgets.primary_button(self.tr("Ask both"), "", lambda: self.both_wanted.emit(first, second))
            self.add_foot(None, ask)

    def _table(self, first: str, second: str, lines: Sequence[tuple[str, str, str]]) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        for column, name in enumerate(("", first, second)):
            head = widgets.ElidedLabel(name, "caption", hug=True)
            grid.addWidget(head, 0, column, Qt.AlignmentFlag.AlignLeft if not column else Qt.AlignmentFlag.AlignRight)
        for number, line in enumerate(lines):
            grid.addWidget(widgets.hline(), 2 * number + 1, 0, 1, 3)
            for column, text in enumerate(line):
                cell = widgets.label(text, "muted" if not column else "text", wrap=len(text) > 16)
                cell.setAlignment(Qt.AlignmentFlag.AlignLeft if not column else Qt.AlignmentFlag.AlignRight)
                grid.addWidget(cell, 2 * number + 2, column)
        for column, share in enumerate((4, 3, 3)):
            grid.setColumnStretch(column, share)
        self.content.addLayout(grid)
