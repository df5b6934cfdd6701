"""The only place that tells the person something: our errors as one line, anything else with its details to copy."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from workbench.errors import Cancelled, WorkbenchError
from workbench.ui import icons, theme

log = logging.getLogger("workbench")

SHOWN_MS = 7000  # how long a plain notice stays; trouble, and what offers something, until it is dismissed
MOST_WAITING = 8  # notices that were not seen and are kept


@dataclass(frozen=True)
class Notice:
    """One thing said."""

    message: str
    level: str = "info"  # "info", "good", "warning" or "error"
    details: str = ""  # shown on demand, with a copy button
    action_text: str = ""  # "Undo"
    action: Callable[[], None] | None = None

    @property
    def lasting(self) -> bool:
        """Whether it stays until a person has seen it: trouble, and what offers something."""
        return self.action is not None or self.level in ("warning", "error")

    def replaces(self, other: Notice) -> bool:
        """Whether this takes the other's place: the same said again, or the next that offers the same."""
        offers = self.action is not None and other.action is not None
        return self.message == other.message or (offers and self.action_text == other.action_text)


class Notices(QObject):
    """Takes what is said from anywhere in the window, also before there is one, and also from other threads."""

    said = Signal(object)  # Notice

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: list[Notice] = []
        self._heard = False
        self._from_thread.connect(self.show)

    _from_thread = Signal(object)

    def tell(
        self,
        message: str,
        level: str = "info",
        details: str = "",
        action_text: str = "",
        action: Callable[[], None] | None = None,
    ) -> None:
        """Say one sentence; `action` is offered beside it (undo)."""
        self.show(Notice(message, level, details, action_text, action))

    def error(self, error: BaseException) -> None:
        """Say what went wrong. A person's own cancelling is not worth a word."""
        if not isinstance(error, Cancelled):
            self.show(describe(error))

    def show(self, notice: Notice) -> None:
        if self._heard:
            self.said.emit(notice)
        else:
            self._kept.append(notice)

    def attach(self, listener: Callable[[Notice], None]) -> None:
        """A window is there: give it what was said before, and everything from now on."""
        self.said.connect(listener)
        self._heard, kept, self._kept = True, self._kept, []
        for notice in kept:
            self.said.emit(notice)

    def install_hooks(self) -> None:
        """Catch what nobody caught, in every thread, and what Qt itself says (to the log)."""

        def hook(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
            if issubclass(kind, KeyboardInterrupt):
                QApplication.quit()
                return
            log.error("unexpected", exc_info=(kind, error, where))
            self._from_thread.emit(describe(error))

        sys.excepthook = hook
        threading.excepthook = lambda what: hook(
            what.exc_type, what.exc_value or what.exc_type(), what.exc_traceback
        )  # fmt: skip
        qInstallMessageHandler(_to_log)


def _to_log(kind: QtMsgType, _context: object, message: str) -> None:
    levels = {QtMsgType.QtDebugMsg: logging.DEBUG, QtMsgType.QtInfoMsg: logging.INFO}
    log.log(levels.get(kind, logging.WARNING), "Qt: %s", message)


def describe(error: BaseException) -> Notice:
    """An error as a notice: ours is its own sentence, anything else says so and carries its traceback."""
    if isinstance(error, WorkbenchError):
        return Notice(str(error), "error", getattr(error, "details", ""))
    details = "".join(traceback.format_exception(error))
    message = QCoreApplication.translate(
        "Notices", "Something unexpected happened. Your project is as it was last saved; you can go on."
    )
    return Notice(message, "error", details)


class NoticeBar(QWidget):
    """Shows the newest notice as one line under the page; those before it that were not seen wait under it."""

    ICONS = {"info": "info", "good": "check-circle", "warning": "warning", "error": "warning-circle"}
    ROLES = {"info": "muted", "good": "good", "warning": "warning", "error": "bad"}

    def __init__(self, parent: QWidget | None = None) -> None:
        from workbench.ui import widgets

        super().__init__(parent)
        self.setObjectName("noticeBar")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._notice: Notice | None = None
        self._waiting: list[Notice] = []  # the oldest first
        self._icon, self._text = QLabel(), QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)  # errors quote files and answers
        self._text.setWordWrap(True)
        self._text.setAccessibleName(self.tr("Notice"))
        self._details = QPlainTextEdit(readOnly=True)
        self._details.setProperty("kind", "code")
        self._details.setAccessibleName(self.tr("Details"))
        self._details.setFixedHeight(140)
        self._action = widgets.link_button("", self._on_action_clicked)
        self._more = widgets.link_button(self.tr("Show details"), self._on_details_clicked)
        self._copy = widgets.quiet_button(self.tr("Copy"), "copy", self._on_copy_clicked)
        self._others = widgets.label("", "caption")
        self._close = widgets.icon_button("x", self.tr("Dismiss"), self._go_on)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._icon)
        line.addWidget(self._text, 1)
        for each in (self._action, self._more, self._copy, self._others, self._close):
            line.addWidget(each)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 6, 16, 6)
        layout.addLayout(line)
        layout.addWidget(self._details)
        for part in (self._action, self._more, self._copy, self._details, self._others):
            part.hide()  # until a notice has them
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._go_on)
        self.hide()

    def say(self, notice: Notice) -> None:
        """Show a notice over those that were not seen yet."""
        kept = [*self._waiting, *([self._notice] if self._notice is not None and self._notice.lasting else [])]
        self._waiting = [each for each in kept if not notice.replaces(each)][-MOST_WAITING:]
        self._show(notice)
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, notice.message))

    def undo(self) -> None:
        """Do what the last notice that offers to undo something offers."""
        words = ("Undo", self.tr("Undo"))
        found = [each for each in (*self._waiting, self._notice) if each is not None and each.action_text in words]
        if found:
            self._take(found[-1])

    def _take(self, notice: Notice) -> None:
        self._waiting = [each for each in self._waiting if each is not notice]
        if notice is self._notice:
            self._go_on()
        else:
            self._say_others()
        if notice.action is not None:
            notice.action()

    def _go_on(self) -> None:
        """The notice was seen, or its time is over: the one before it that waits, or none."""
        self._timer.stop()
        self._notice = None
        if self._waiting:
            self._show(self._waiting.pop())
        else:
            self.hide()

    def _say_others(self) -> None:
        count = len(self._waiting)
        self._others.setVisible(bool(count))
        self._others.setText(self.tr("{0} more").format(count))

    def _show(self, notice: Notice) -> None:
        self._notice = notice
        self._icon.setPixmap(icons.pixmap(self.ICONS[notice.level], 16, self.ROLES[notice.level]))
        self._text.setText(notice.message)
        self._action.setText(notice.action_text)
        self._action.setVisible(notice.action is not None)
        self._more.setVisible(bool(notice.details))
        self._more.setText(self.tr("Show details"))
        self._copy.setVisible(bool(notice.details))
        self._details.setPlainText(notice.details)
        self._details.setFont(theme.mono_font())
        self._details.hide()
        self._say_others()
        self.show()
        self._timer.stop()
        if not notice.lasting:
            self._timer.start(SHOWN_MS)

    def _on_action_clicked(self) -> None:
        if self._notice is not None:
            self._take(self._notice)

    def _on_details_clicked(self) -> None:
        shown = not self._details.isVisible()
        self._details.setVisible(shown)
        self._more.setText(self.tr("Hide details") if shown else self.tr("Show details"))

    def _on_copy_clicked(self) -> None:
        if self._notice is not None:
            QApplication.clipboard().setText(f"{self._notice.message}\n\n{self._notice.details}")
