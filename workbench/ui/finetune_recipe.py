"""The recipe of a fine-tune: three presets, each with what it will take on this computer."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QWidget

from workbench.tuning.dataset import DatasetReport
from workbench.tuning.recipe import Recipe
from workbench.ui import theme, widgets
from workbench.ui.charts import draw_glyph
from workbench.ui.finetune_badge import StepBadge
from workbench.ui.finetune_presets import KEYS, Choices, Speed, estimate_seconds, renamed


class PresetCard(QAbstractButton):
    """A preset with its name, how long it will take and what it does."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(100)
        self._name, self._time = name, ""
        self._lines = [
            widgets.ElidedLabel(text, kind) for text, kind in ((name, "strong"), ("", "text"), ("", "caption"))
        ]
        for line in self._lines:
            line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setLayout(widgets.column(*self._lines, spacing=2, margins=(10, 8, 10, 8)))
        self.setAccessibleName(name)

    def say(self, time: str, note: str) -> None:
        """Say what it takes."""
        self._lines[1].set_text(time)
        self._lines[2].set_text(note)
        self.setAccessibleName(f"{self._name}, {time}, {note}")

    def sizeHint(self) -> QSize:
        layout = self.layout()
        hint = layout.sizeHint() if layout is not None else QSize(100, 76)
        return QSize(max(100, hint.width()), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self.isChecked()
        edge = (
            "accent" if chosen or self.hasFocus() else ("strong" if self.underMouse() and self.isEnabled() else "line")
        )
        painter.setPen(QPen(theme.color(edge), 2 if self.hasFocus() else 1))
        painter.setBrush(theme.color("selected" if chosen else "surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        if chosen:
            draw_glyph(painter, "check-circle", "accent", self.width() - 22, 17, 14)


class RecipeSection(QWidget):
    """Step 2: how it is trained."""

    changed = Signal(object)  # Recipe
    settings_wanted = Signal()
    measure_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recipe: Recipe | None = None
        self._choices: Choices | None = None
        self._measuring = False
        self.badge = StepBadge(2)
        self.settings = widgets.quiet_button(self.tr("All settings"), "sliders-horizontal", self.settings_wanted.emit)
        names = {"quick": self.tr("Quick"), "balanced": self.tr("Balanced"), "thorough": self.tr("Thorough")}
        self.cards = {key: PresetCard(names[key]) for key in KEYS}
        self._group = QButtonGroup(self)
        cards = widgets.row(spacing=8)
        for key in KEYS:
            card = self.cards[key]
            self._group.addButton(card)
            cards.addWidget(card, 1)
            card.clicked.connect(lambda *_, key=key: self._on_preset_clicked(key))
        self._group.setExclusive(False)
        self.source = widgets.label("", "caption", wrap=True)
        self.measure = widgets.link_button(self.tr("Measure on this computer"), self.measure_wanted.emit)
        head = widgets.row(self.badge, widgets.label(self.tr("Recipe"), "section"), None, self.settings)
        foot = widgets.column(self.source, widgets.row(self.measure, None), spacing=2)
        self.setLayout(widgets.column(head, cards, foot))
        self.show_nothing()

    def show_nothing(self, why: str = "") -> None:
        """No file is read: the presets wait, and no time is claimed; `why` is said in place of asking for a file."""
        self._recipe = None
        self.badge.set_done(False)
        for key in KEYS:
            card = self.cards[key]
            card.setEnabled(False)
            card.setChecked(False)
            card.say("", "")
        self.settings.setEnabled(False)
        self.measure.hide()
        self.source.setText(why or self.tr("Choose a file first: how long each takes depends on it."))

    def show_recipe(
        self, recipe: Recipe, choices: Choices, report: DatasetReport, speed: Speed | None, memory_free: int
    ) -> None:
        """Show the presets for a dataset; without a speed no time is claimed."""
        self._recipe, self._choices = recipe, choices
        self.badge.set_done(True)
        chosen = choices.key_of(recipe)
        for key in KEYS:
            card = self.cards[key]
            card.setEnabled(True)
            card.setChecked(chosen == key)
            each = choices.recipes[key]
            card.setToolTip(" ".join(choices.reasons[key]))
            passes = self.tr("1 pass") if each.epochs == 1 else self.tr("{0:g} passes").format(each.epochs)
            if speed is None:
                card.say(self.tr("not measured"), passes)
            else:
                seconds = estimate_seconds(report, each, speed)
                card.say(widgets.about_short(seconds), passes)
        self.settings.setEnabled(True)
        self.measure.show()
        self.measure.setText(
            self.tr("Measure again") if speed is not None else self.tr("Measure on this computer, in about a minute")
        )
        said = [speed.source] if speed is not None else []
        if memory_free:
            free = widgets.bytes_text(memory_free)
            taken = widgets.bytes_text(speed.memory) if speed is not None and speed.memory else ""
            said.append(
                self.tr("It takes about {0} of memory; {1} are free.").format(taken, free)
                if taken
                else self.tr("Free memory: {0}.").format(free)
            )
        if not chosen:
            said.insert(0, self.tr("Your own settings: {0:g} passes, rank {1}.").format(recipe.epochs, recipe.rank))
        self.source.setText(" ".join(said))

    def set_changeable(self, changeable: bool) -> None:
        """While a run goes on, its recipe stays."""
        ready = changeable and self._recipe is not None
        self.settings.setEnabled(ready)
        self.measure.setVisible(ready and not self._measuring)
        for card in self.cards.values():
            card.setEnabled(ready)

    def show_measuring(self, measuring: bool) -> None:
        """While a trial runs, its figures are announced where they will stand."""
        self._measuring = measuring
        self.measure.setVisible(not measuring and self._recipe is not None)
        if measuring and self._recipe is not None:
            self.source.setText(self.tr("Measuring what each takes, with a short trial that is thrown away…"))

    def _on_preset_clicked(self, key: str) -> None:
        if self._recipe is not None and self._choices is not None:
            self.changed.emit(renamed(self._choices.recipes[key], self._recipe))
            self.cards[key].setChecked(True)
