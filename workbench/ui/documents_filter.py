"""What a tried search is kept to: a folder or pattern, a type of file, how lately it was changed"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from workbench.retrieval.narrow import Only
from workbench.ui import widgets

MOST_TYPES = 20  # in the list; the commonest
DAY = 86_400.0  # seconds


class SearchFilter(QWidget):
    """Three fields on two lines; each that is left as it is asks for nothing."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.place = QLineEdit()
        self.place.setPlaceholderText(self.tr("Only in a folder, or like *manual*"))
        self.place.setAccessibleName(self.tr("Only files in this folder or like this"))
        self.place.setClearButtonEnabled(True)
        self.place.returnPressed.connect(self.changed)
        self.kind, self.since = widgets.Choice(), widgets.Choice()
        self.kind.setAccessibleName(self.tr("Only files of this type"))
        self.since.setAccessibleName(self.tr("Only files changed lately"))
        self.kind.addItem(self.tr("Any type"), "")
        for text, days in (
            (self.tr("Any date"), 0),
            (self.tr("Changed in the last week"), 7),
            (self.tr("Changed in the last month"), 31),
            (self.tr("Changed in the last year"), 366),
        ):
            self.since.addItem(text, days)
        for each in (self.kind, self.since):
            each.activated.connect(lambda *_: self.changed.emit())
        choices = widgets.row(self.kind, self.since)
        choices.setStretch(0, 1)
        choices.setStretch(1, 1)
        self.setLayout(widgets.column(self.place, choices))

    @property
    def only(self) -> Only:
        """What the fields say now."""
        place, kind, days = self.place.text().strip(), str(self.kind.currentData()), int(self.since.currentData())
        return Only((place,) if place else (), (kind,) if kind else (), time.time() - days * DAY if days else 0.0)

    def offer(self, files: Iterable[str]) -> None:
        """Offer the types these files have, the commonest first; the chosen one stays."""
        endings = Counter(PurePosixPath(file).suffix.casefold().lstrip(".") for file in files)
        chosen = str(self.kind.currentData())
        found = [ending for ending, _ in endings.most_common() if ending][:MOST_TYPES]
        with QSignalBlocker(self.kind):
            self.kind.clear()
            self.kind.addItem(self.tr("Any type"), "")
            for ending in found if not chosen or chosen in found else [chosen, *found]:
                self.kind.addItem(f".{ending}", ending)
            self.kind.setCurrentIndex(max(0, self.kind.findData(chosen)))
