"""The recipe of a fine-tune: three presets, each with what it will take on this computer."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from workbench.tuning import forecast
from workbench.tuning.dataset import DatasetReport
from workbench.tuning.forecast import Measured, Offer
from workbench.tuning.recipe import Recipe
from workbench.ui import widgets
from workbench.ui.finetune_badge import StepBadge
from workbench.ui.finetune_cards import PresetCards
from workbench.ui.finetune_presets import KEYS, Basis, Choices, estimate_seconds, like, renamed


class RecipeSection(QWidget):
    """Step 2: how it is trained."""

    changed = Signal(object)  # Recipe
    settings_wanted = Signal()
    measure_wanted = Signal()
    models_wanted = Signal()  # a smaller one

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recipe: Recipe | None = None
        self._choices: Choices | None = None
        self._measuring = False
        self.badge = StepBadge(2)
        self.settings = widgets.quiet_button(self.tr("All settings"), "sliders-horizontal", self.settings_wanted.emit)
        names = {"quick": self.tr("Quick"), "balanced": self.tr("Balanced"), "thorough": self.tr("Thorough")}
        cards = PresetCards(names)
        self.cards = cards.cards
        cards.chosen.connect(self._on_preset_clicked)
        self.source = widgets.label("", "caption", wrap=True)
        self.measure = widgets.link_button(self.tr("Measure on this computer"), self.measure_wanted.emit)
        self.short = widgets.label("", "warning", wrap=True)
        self.fit = widgets.link_button("", self._on_fit_clicked)
        self._offer: Offer | None = None
        head = widgets.row(self.badge, widgets.label(self.tr("Recipe"), "section"), None, self.settings)
        foot = widgets.column(self.source, widgets.row(self.measure, None), spacing=2)
        lack = widgets.column(self.short, widgets.row(self.fit, None), spacing=2)
        self.setLayout(widgets.column(head, cards, lack, foot))
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
        self._show_lack("", "")
        self.source.setText(why or self.tr("Choose a file first: how long each takes depends on it."))

    def show_recipe(
        self, recipe: Recipe, choices: Choices, report: DatasetReport, basis: Basis | None, free: int
    ) -> None:
        """Show the presets for a dataset; without a basis nothing is claimed. `free` bytes of memory are free."""
        self._recipe, self._choices = recipe, choices
        self.badge.set_done(True)
        chosen = choices.key_of(recipe)
        for key in KEYS:
            card = self.cards[key]
            card.setEnabled(True)
            card.setChecked(chosen == key)
            each = like(choices.recipes[key], recipe)
            card.setToolTip(" ".join(choices.reasons[key]))
            passes = self.tr("1 pass") if each.epochs == 1 else self.tr("{0:g} passes").format(each.epochs)
            time = self.tr("not measured")
            if basis is not None:
                time = widgets.about_short(estimate_seconds(report, each, basis))
            card.say(time, passes, self._memory_words(each, basis, free))
        self.settings.setEnabled(True)
        self.measure.show()
        self.measure.setText(
            self.tr("Measure again")
            if isinstance(basis, Measured) and basis.here
            else self.tr("Measure on this computer, in about half a minute")
        )
        said = [self._source_words(basis)] if basis is not None else []
        if free:
            said.append(self.tr("Free memory: {0}.").format(widgets.bytes_text(free)))
        if not chosen:
            said.insert(0, self._own_words(recipe, basis, free))
        self.source.setText(" ".join(said))
        self._show_fit(recipe, basis, free)

    def _own_words(self, recipe: Recipe, basis: Basis | None, free: int) -> str:
        said = [self.tr("{0:g} passes").format(recipe.epochs), self.tr("rank {0}").format(recipe.rank)]
        if recipe.tokens_at_once:
            said.append(self.tr("{0} tokens at once").format(recipe.tokens_at_once))
        if memory := self._memory_words(recipe, basis, free):
            said.append(memory)
        return self.tr("Your own settings: {0}.").format(", ".join(said))

    def _memory_words(self, recipe: Recipe, basis: Basis | None, free: int) -> str:
        if not isinstance(basis, Measured):
            return ""
        if basis.card:
            return self.tr("{0} on card").format(widgets.bytes_text(basis.card))
        return self.tr("{0} RAM").format(widgets.bytes_text(forecast.memory(basis, recipe, free)))

    def _source_words(self, basis: Basis) -> str:
        if not isinstance(basis, Measured):
            return self.tr("Estimated from the speed of the run {0} on this computer.").format(basis.run)
        if not basis.here:
            return self.tr("Estimated from what other rows took on this computer.")
        said = self.tr("Measured here by a dry run on {0}.").format(widgets.when_text(basis.at))
        busy = self.tr("Other programs were busy then: without them it is faster.")
        return f"{said} {busy}" if basis.disturbed else said

    def _show_fit(self, recipe: Recipe, basis: Basis | None, free: int) -> None:
        """Where the memory does not suffice: what would fit, one click away."""
        self._offer = None
        if not isinstance(basis, Measured) or not free or (need := forecast.needed(basis, recipe)) <= free:
            self._show_lack("", "")
            return
        said = self.tr("This takes {0} of memory and {1} are free.")
        said = said.format(widgets.bytes_text(need), widgets.bytes_text(free))
        self._offer = forecast.offer(basis, recipe, free)
        if self._offer is None:
            self.show_short(
                said + " " + self.tr("No setting makes it fit: close other programs, or take a smaller model.")
            )
            return
        fits = self.tr("With {0} it takes {1}.").format(self._offer.words, widgets.bytes_text(self._offer.memory))
        self._show_lack(f"{said} {fits}", self.tr("Change the recipe so"))

    def show_short(self, why: str) -> None:
        """Nothing but a smaller model fits."""
        self._offer = None
        self._show_lack(why, self.tr("Choose a smaller model"))

    def _show_lack(self, why: str, way_out: str) -> None:
        self.short.setText(why)
        self.short.setVisible(bool(why))
        self.fit.setText(way_out)
        self.fit.setVisible(bool(why))

    def _on_fit_clicked(self) -> None:
        if self._offer is None:
            self.models_wanted.emit()
        elif self._recipe is not None:
            self.changed.emit(replace(self._recipe, **self._offer.changes))

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
            self.source.setText(self.tr("Measuring what each takes, by a dry run that is thrown away…"))

    def _on_preset_clicked(self, key: str) -> None:
        if self._recipe is not None and self._choices is not None:
            self.changed.emit(renamed(self._choices.recipes[key], self._recipe))
            self.cards[key].setChecked(True)
