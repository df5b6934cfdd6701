"""A menu that stays open while its entries are ticked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QMenu, QWidget

from workbench.ui.plain import unmarked


class TickMenu(QMenu):
    """Ticks do not close it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.installEventFilter(self)

    def add_tick(self, text: str, value: Any, ticked: bool) -> QAction:
        """An entry that can be ticked; `value` is what `ticked` gives for it."""
        action = self.addAction(unmarked(text))
        action.setData(value)
        action.setCheckable(True)
        action.setChecked(ticked)
        return action

    @property
    def ticked(self) -> Sequence[Any]:
        """The values of the ticked entries, in their order."""
        return tuple(action.data() for action in self.actions() if action.isCheckable() and action.isChecked())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            action = self.actionAt(event.position().toPoint())
            if action is not None and action.isCheckable():
                action.trigger()
                return True
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            action = self.activeAction()
            keys = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if event.key() in keys and action is not None and action.isCheckable():
                action.trigger()
                return True
        return super().eventFilter(watched, event)
