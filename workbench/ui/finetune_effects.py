"""What a finished fine-tune did: to the held-out rows, and to what it was not about."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from workbench.ui import widgets


class EffectsView(QWidget):
    """A few quiet lines; hidden for a run that was not measured."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines = QGridLayout()
        self._lines.setHorizontalSpacing(16)
        self._lines.setVerticalSpacing(6)
        self._lines.setColumnStretch(2, 1)
        self.forgot = widgets.label(
            self.tr("It forgot some of what the model could do: fewer passes or a lower learning rate help."), wrap=True
        )
        self.manner = widgets.label(
            self.tr(
                "It answers general questions in the manner of its rows: keep it for its task, or put some ordinary "
                "questions with their answers among the rows."
            ),
            wrap=True,
        )
        self._forgot = _signed_line(self.forgot, "warning", "warning")
        self._manner = _signed_line(self.manner, "info", "muted")
        title = widgets.label(self.tr("What it did"), "strong")
        parts = (title, self._lines, self._forgot, self._manner)
        self.setLayout(widgets.column(*parts, spacing=8, margins=(0, 12, 0, 0)))
        self.hide()

    def show_effects(self, effects: dict[str, Any]) -> None:
        """Show what a run's manifest has under "effects"; {} shows nothing."""
        widgets.clear_layout(self._lines)
        held, general = effects.get("held_out") or {}, effects.get("general") or {}
        if held:
            self._line(self.tr("Held-out rows"), _loss(held), self._held_words(held))
        if general:
            self._line(self.tr("General text"), _loss(general), self._general_words(general))
            self._line(self.tr("General questions"), "", self._question_words(general))
        self._forgot.setVisible(bool(general.get("worse")))
        self._manner.setVisible(bool(general.get("another_manner")))
        self.setVisible(bool(held or general))

    @property
    def texts(self) -> tuple[str, ...]:
        """What is said, cell by cell."""
        cells = (self._lines.itemAt(place) for place in range(self._lines.count()))
        found = (cell.widget() for cell in cells if cell is not None)
        return tuple(each.text() for each in found if isinstance(each, QLabel))

    def _line(self, name: str, loss: str, words: str) -> None:
        at = self._lines.count() // 3
        for column, (text, kind) in enumerate(((name, "muted"), (loss, "text"), (words, "muted"))):
            cell = widgets.label(text, kind, wrap=column == 2)
            cell.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            self._lines.addWidget(cell, at, column)

    def _held_words(self, held: dict[str, Any]) -> str:
        better = self.tr("{0} of {1} rows got better").format(round(held["improved"] * held["rows"]), held["rows"])
        better += "; " + self.tr("they also chose the state that is kept, which flatters it a little")
        if not held["interval"]:
            return better
        low, high = held["interval"]
        within = self.tr("loss {0}, with 95 % confidence {1} to {2}")
        return within.format(*map(_signed, (held["change"], low, high))) + "; " + better

    def _general_words(self, general: dict[str, Any]) -> str:
        change = _signed(100 * general["share"], 1)
        if general["worse"]:
            return self.tr("loss {0} %: clearly worse").format(change)
        return self.tr("loss {0} %: little changed").format(change)

    def _question_words(self, general: dict[str, Any]) -> str:
        count = general["questions"]
        same, before, after = (round(general[key] * count) for key in ("same", "refused_before", "refused_after"))
        words = self.tr("{0} words each instead of {1}").format(
            f"{general['words_after']:.0f}", f"{general['words_before']:.0f}"
        )
        if interval := general.get("words_interval"):  # runs of before it was measured have none
            change = general["words_after"] - general["words_before"]
            words += self.tr(" ({0}, with 95 % confidence {1} to {2})").format(
                *(_signed(each, 0) for each in (change, *interval))
            )
        refused = self.tr("{0} refused, before it {1}").format(after, before)
        if interval := general.get("refused_interval"):
            change = general["refused_after"] - general["refused_before"]
            refused += self.tr(" ({0} %, with 95 % confidence {1} to {2})").format(
                *(_signed(100 * each, 0) for each in (change, *interval))
            )
        said = [self.tr("{0} of {1} answered as before").format(same, count), words]
        if before or after or general.get("refused_interval"):
            said.append(refused)
        return "; ".join(said)


def _signed_line(said: QLabel, icon: str, role: str) -> QWidget:
    """A sentence behind its sign."""
    line = widgets.row(spacing=8)
    line.addWidget(widgets.icon_label(icon, 16, role), 0, Qt.AlignmentFlag.AlignTop)
    line.addWidget(said, 1)
    made = QWidget()
    made.setLayout(line)
    return made


def _loss(change: dict[str, Any]) -> str:
    return f"{change['before']:.2f} \N{RIGHTWARDS ARROW} {change['after']:.2f}"


def _signed(value: float, digits: int = 2) -> str:
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")
