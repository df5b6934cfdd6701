"""The one question box: lane ticks, Ctrl+Enter asks, Esc stops, Ask turns into Stop."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QPlainTextEdit, QStyle, QWidget

from workbench.lanes.lane import Lane
from workbench.ui import icons, theme, widgets
from workbench.ui.compare_heads import title_of
from workbench.ui.words import in_words

LINES = (1, 7)  # the box grows with the question, between these


class LaneTick(QCheckBox):
    """Whether a lane is asked next: a tick, its dot and its name."""

    def __init__(self, lane: Lane, parent: QWidget | None = None) -> None:
        super().__init__(title_of(lane), parent)
        self.lane = lane
        self.setChecked(True)
        self.setToolTip(self.tr("Ask {0} next").format(title_of(lane)))

    def sizeHint(self) -> QSize:
        return QSize(42 + self._metrics().horizontalAdvance(self.text()), 24)

    def hitButton(self, pos: object) -> bool:
        return True

    def _metrics(self) -> QFontMetrics:
        font = self.font()
        font.setPixelSize(theme.px(theme.SMALL))
        return QFontMetrics(font)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle, on = self.height() // 2, self.isChecked()

        def placed(left: int, top: int, width: int, height: int) -> QRect:
            """Mirrored where the language is read from right to left."""
            return QStyle.visualRect(self.layoutDirection(), self.rect(), QRect(left, top, width, height))

        if self.hasFocus():
            painter.setPen(theme.color("accent"))
            painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 4, 4)
        if on:
            icons.icon("check", "muted").paint(painter, placed(0, middle - 6, 12, 12))
        else:
            painter.setPen(theme.color("muted"))
            painter.drawRoundedRect(placed(1, middle - 5, 9, 9), 2, 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.lane_color(self.lane.name) if on else theme.color("strong"))
        painter.drawEllipse(placed(16, middle - 4, 8, 8))
        font = self.font()
        font.setPixelSize(theme.px(theme.SMALL))
        painter.setFont(font)
        painter.setPen(theme.color("text" if on else "muted"))
        side = QStyle.visualAlignment(self.layoutDirection(), Qt.AlignmentFlag.AlignLeft)
        painter.drawText(
            placed(28, 0, self.width() - 28, self.height()), Qt.AlignmentFlag.AlignVCenter | side, self.text()
        )


class Composer(QFrame):
    """Where a person writes. It only tells: what to ask whom, or to stop."""

    asked = Signal(str)
    stop_clicked = Signal()
    ticks_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("composer")
        self._busy = False
        self._ticks: list[LaneTick] = []
        self.edit = QPlainTextEdit()
        self.edit.setAccessibleName(self.tr("Question"))
        self.edit.setTabChangesFocus(True)
        self.edit.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.edit.document().setDocumentMargin(0)
        self.edit.installEventFilter(self)
        self.edit.textChanged.connect(self._on_text_changed)
        self._flow = widgets.FlowLayout(spacing=4)
        ticks = QWidget()
        ticks.setLayout(self._flow)
        self.hint = widgets.label(self.tr("Ctrl+Enter"), "caption")
        self.ask = widgets.primary_button(self.tr("Ask"), "", self._on_ask_clicked)
        foot = widgets.row(ticks, self.hint, self.ask, spacing=12)
        foot.setStretch(0, 1)
        for each in (self.hint, self.ask):
            foot.setAlignment(each, Qt.AlignmentFlag.AlignBottom)
        foot.setAlignment(self.hint, Qt.AlignmentFlag.AlignVCenter)
        self.setLayout(widgets.column(self.edit, foot, spacing=8, margins=(14, 12, 11, 10)))
        self._on_text_changed()

    @property
    def text(self) -> str:
        return self.edit.toPlainText().strip()

    def set_text(self, text: str) -> None:
        self.edit.setPlainText(text)
        self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)

    def set_lanes(self, lanes: Sequence[Lane]) -> None:
        """Show a tick for each lane; those that were off stay off."""
        off = {tick.lane.name for tick in self._ticks if not tick.isChecked()}
        widgets.clear_layout(self._flow)
        self._ticks = []
        for lane in lanes:
            tick = LaneTick(lane)
            tick.setChecked(lane.name not in off)
            tick.toggled.connect(self._on_tick)
            self._ticks.append(tick)
            self._flow.addWidget(tick)
            tick.show()
        self._on_tick()

    def tick(self, names: Sequence[str]) -> None:
        """Tick exactly these lanes."""
        for each in self._ticks:
            each.setChecked(each.lane.name in names)

    @property
    def ticked(self) -> list[str]:
        return [tick.lane.name for tick in self._ticks if tick.isChecked()]

    def set_busy(self, busy: bool) -> None:
        """While answers come, Ask is Stop."""
        self._busy = busy
        self.ask.setText(self.tr("Stop") if busy else self.tr("Ask"))
        self.hint.setText("Esc" if busy else "Ctrl+Enter")
        self._on_text_changed()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.setProperty("focused", event.type() == QEvent.Type.FocusIn)
            self.style().unpolish(self)
            self.style().polish(self)
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.send()
                return True
        return super().eventFilter(watched, event)

    def send(self) -> None:
        """Ask what stands in the box; while answers come it waits there, for the keys that ask must not stop them."""
        if not self._busy and self.text and self.ticked:
            self.asked.emit(self.text)

    def _on_ask_clicked(self) -> None:
        if self._busy:
            self.stop_clicked.emit()
        else:
            self.send()

    def _on_text_changed(self) -> None:
        self.ask.setEnabled(self._busy or bool(self.text and self.ticked))
        font = self.edit.font()
        font.setPixelSize(theme.px(theme.QUESTION))
        self.edit.setFont(font)
        lines = min(LINES[1], max(LINES[0], round(self.edit.document().size().height())))
        self.edit.setFixedHeight(QFontMetrics(font).lineSpacing() * lines + 6)

    def _on_tick(self, *_: object) -> None:
        count, total = len(self.ticked), len(self._ticks)
        if not total:
            hint = self.tr("Add a lane to ask")
        elif not count:
            hint = self.tr("Tick a lane to ask")
        elif count == total and total > 1:
            hint = self.tr("Ask all {0} lanes").format(in_words(total))
        else:
            one = next((tick for tick in self._ticks if tick.isChecked()), self._ticks[0])
            hint = (
                self.tr("Ask {0}").format(title_of(one.lane))
                if count == 1
                else self.tr("Ask {0} of {1} lanes").format(in_words(count), in_words(total))
            )
        self.edit.setPlaceholderText(hint)
        self._on_text_changed()
        self.ticks_changed.emit()
