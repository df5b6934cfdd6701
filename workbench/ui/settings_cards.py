"""How a model is spread over several graphics cards: shown only where llama.cpp can compute on more than one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QComboBox, QLineEdit

from workbench.events import Stage
from workbench.ui import theme
from workbench.ui.bench import Bench


class CardChoices(QObject):
    """The three editors, and what a person chose in them; they are empty until the cards are known."""

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench, self._count = bench, 0
        self.split, self.main, self.shares = QComboBox(), QComboBox(), QLineEdit()
        for text, key in (
            (self.tr("Whole layers on each"), "layer"),
            (self.tr("Parts of matrices on each"), "row"),
            (self.tr("All on one card"), "none"),
        ):
            self.split.addItem(text, key)
        chosen = bench.settings
        self.split.setCurrentIndex(self.split.findData(chosen.gpu_split))
        self.shares.setText(_text(chosen.gpu_shares))
        self.shares.setPlaceholderText(self.tr("What is free"))
        for editor in (self.split, self.main, self.shares):
            editor.setFixedWidth(theme.px(220))
        self.split.currentIndexChanged.connect(self._on_split_chosen)
        self.main.activated.connect(lambda place: self._change(gpu_main=place))
        self.shares.editingFinished.connect(self._on_shares_written)
        self._enable()

    def show_cards(self, names: Sequence[str]) -> None:
        """The cards that are there, in llama.cpp's order."""
        self._count = len(names)
        self.main.clear()
        self.main.addItems([f"{place}: {name}" for place, name in enumerate(names)])
        self.main.setCurrentIndex(min(self._bench.settings.gpu_main, len(names) - 1))

    def _enable(self) -> None:
        alone = self.split.currentData() == "none"
        self.main.setEnabled(alone)
        self.shares.setEnabled(not alone)

    def _on_split_chosen(self) -> None:
        self._change(gpu_split=self.split.currentData())
        self._enable()

    def _on_shares_written(self) -> None:
        shares = read_shares(self.shares.text(), self._count)
        if shares is None:
            hint = self.tr("Write a number for each of the {0} cards, such as {1}; nothing for what is free on each.")
            example = " : ".join(["3", *["1"] * (self._count - 1)])
            self._bench.notices.tell(hint.format(self._count, example))
            shares = self._bench.settings.gpu_shares
        self.shares.setText(_text(shares))
        if shares != self._bench.settings.gpu_shares:
            self._change(gpu_shares=shares)

    def _change(self, **changes: Any) -> None:
        try:
            self._bench.change_settings(**changes)
        except OSError as error:
            self._bench.notices.error(error)


def read_shares(text: str, count: int) -> tuple[float, ...] | None:
    """ "3 : 1" for two cards as (3.0, 1.0), nothing as (); None for anything else."""
    parts = [part for part in re.split(r"[\s:;/|]+", text.strip()) if part]
    if not parts:
        return ()
    try:
        shares = tuple(float(part.replace(",", ".")) for part in parts)
    except ValueError:
        return None
    fits = len(shares) == count and all(0 <= each < float("inf") for each in shares) and sum(shares) > 0
    return shares if fits else None


def read_cards(bench: Bench) -> Stage:
    """The engine's stage: what llama.cpp can compute on."""
    from workbench.lanes.offload import list_cards

    return bench.engine.run(list_cards)


def _text(shares: Sequence[float]) -> str:
    return " : ".join(f"{share:g}" for share in shares)
