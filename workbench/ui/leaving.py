"""Before something closes: name what was typed in it and is not kept, once, and let a person go on with it"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtWidgets import QMessageBox, QWidget


class Leaving(QObject):
    """Whether a window or a dialogue may close; where something would be lost with it, it asks and closes later."""

    def __init__(self, of: QWidget, unsaved: Callable[[], Sequence[str]], close: Callable[[], object]) -> None:
        """`unsaved` names what would be lost, each in a few words; `close` is called once that may go."""
        super().__init__(of)
        self._of, self._unsaved, self._close = of, unsaved, close
        self._agreed = False
        self.box: QMessageBox | None = None  # the question, while it is open

    def agree(self) -> None:
        """What is not kept may go: nothing is asked any more."""
        self._agreed = True

    def may_close(self) -> bool:
        """Whether it may close now. Else the question stands over it: nothing waits for the answer, jobs go on."""
        names = [] if self._agreed else list(self._unsaved())
        if not names:
            return True
        if self.box is None:
            self._ask(names)
        return False

    def _ask(self, names: Sequence[str]) -> None:
        translate = QCoreApplication.translate
        box = self.box = QMessageBox(self._of)
        box.setIcon(QMessageBox.Icon.Question)
        box.setTextFormat(Qt.TextFormat.PlainText)  # names are a person's own words
        box.setWindowTitle(translate("Leaving", "Not saved yet"))
        box.setText(translate("Leaving", "What you typed here is not saved yet:"))
        box.setInformativeText("\n".join(names))
        keep = box.addButton(translate("Leaving", "Keep editing"), QMessageBox.ButtonRole.RejectRole)
        go = box.addButton(translate("Leaving", "Discard and close"), QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)  # so that the keys that closed the window, pressed again, lose nothing
        box.finished.connect(lambda *_: self._on_answered(box.clickedButton() is go))
        box.open()

    def _on_answered(self, discard: bool) -> None:
        box, self.box = self.box, None
        if box is not None:
            box.deleteLater()
        if discard:
            self._agreed = True
            self._close()
