"""What each approach costs: a table with prices a person sets, and the point where a dearer one has paid for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QSizePolicy, QWidget

from workbench.advice.cost import Assumptions, Cost, break_even
from workbench.advice.projection import TITLES, Projection, all_prices, break_evens
from workbench.ui import theme, widgets
from workbench.ui.advise_verdict import HEAD
from workbench.ui.boxes import real_box
from workbench.ui.charts import nice_top, round_estimate
from workbench.ui.charts_advice import CostChart, CostLine
from workbench.ui.lane_names import lane_title
from workbench.ui.page import Sheet

# key, name, what it is, lowest, highest, places
FIELDS: tuple[tuple[str, Any, Any, float, float, int], ...] = (
    (
        "questions_a_month",
        QT_TRANSLATE_NOOP("prices", "Questions a month"),
        QT_TRANSLATE_NOOP("prices", "How many the year is reckoned with."),
        *(0, 10000000.0, 0),
    ),
    (
        "machine_hour",
        QT_TRANSLATE_NOOP("prices", "An hour of this computer"),
        QT_TRANSLATE_NOOP("prices", "Power and wear, or a rent. 0: it is there anyway."),
        *(0, 1000, 2),
    ),
    (
        "person_hour",
        QT_TRANSLATE_NOOP("prices", "An hour of people's time"),
        QT_TRANSLATE_NOOP("prices", "What an hour of the people who look after this costs."),
        *(0, 10000, 2),
    ),
    (
        "minutes_per_mistake",
        QT_TRANSLATE_NOOP("prices", "Minutes per wrong answer"),
        QT_TRANSLATE_NOOP("prices", "People's time to notice one and put it right."),
        *(0, 600, 1),
    ),
    (
        "hours_of_prompting",
        QT_TRANSLATE_NOOP("prices", "Hours spent on the prompt"),
        QT_TRANSLATE_NOOP("prices", "Yours, for the prompted lane."),
        *(0, 10000, 1),
    ),
    (
        "hours_of_examples",
        QT_TRANSLATE_NOOP("prices", "Hours spent on training rows"),
        QT_TRANSLATE_NOOP("prices", "Yours, for lanes with a fine-tune."),
        *(0, 10000, 1),
    ),
    (
        "retrainings_a_year",
        QT_TRANSLATE_NOOP("prices", "Trainings a year"),
        QT_TRANSLATE_NOOP("prices", "How often the fine-tune is made again."),
        *(0, 1000, 0),
    ),
    (
        "reindexings_a_year",
        QT_TRANSLATE_NOOP("prices", "Readings of all documents a year"),
        QT_TRANSLATE_NOOP("prices", "How often the index is made from scratch."),
        *(0, 10000, 0),
    ),
)


class PricesSheet(Sheet):
    """The assumptions, each a person's own, and the published ranges beside them."""

    changed = Signal(object)  # Assumptions
    published_changed = Signal(dict)  # key -> amount, of the published prices that are a person's own now

    def __init__(
        self, given: Assumptions, own: Mapping[str, float], currency: str, parent: QWidget | None = None
    ) -> None:
        """`own` are the published prices that a person has put their own in place of."""
        super().__init__("", parent=parent)
        self.set_title(self.tr("Prices and assumptions"))
        self.boxes: dict[str, QDoubleSpinBox] = {}
        self.published: dict[str, QDoubleSpinBox] = {}
        intro = self.tr("Times are measured here; the rest is yours to set. All amounts in one currency ({0}).").format(
            currency
        )
        self.content.addWidget(widgets.label(intro, "muted", wrap=True))
        for key, name, why, low, high, places in FIELDS:
            said, explained = (QCoreApplication.translate("prices", each) for each in (name, why))
            value = getattr(given, key)
            self.boxes[key] = self._add(said, explained, value, (low, high), places, self._on_changed)
        self.content.addSpacing(8)
        self.content.addWidget(widgets.label(self.tr("What hosting is published to cost"), "strong"))
        said = self.tr("Dollars, from the middle of each range until you put in your own; the dossier takes them too.")
        self.content.addWidget(widgets.label(said, "muted", wrap=True))
        for price in all_prices().values():
            why = self.tr("{0:,g} to {1:,g} {2} ({3})").format(price.low, price.high, price.unit, price.source)
            value, places = own.get(price.key, price.start), 4 if price.high < 1 else 2
            most = max(1e5, 10 * price.high)
            self.published[price.key] = self._add(price.title, why, value, (0, most), places, self._on_published)
        self.content.addStretch(1)

    def _add(
        self, name: str, why: str, value: float, ends: tuple[float, float], places: int, on_changed: Callable[[], None]
    ) -> QDoubleSpinBox:
        box = real_box(*ends, 1.0 if places < 4 else 0.001, places)
        box.setGroupSeparatorShown(True)
        box.setValue(value)
        box.setFixedWidth(theme.px(120))
        box.setAccessibleName(name)
        box.setAccessibleDescription(why)
        box.valueChanged.connect(on_changed)
        line = widgets.row(spacing=16)
        line.addLayout(
            widgets.column(
                widgets.label(name, "strong", wrap=True), widgets.label(why, "caption", wrap=True), spacing=2
            ),
            1,
        )
        line.addWidget(box)
        self.content.addLayout(line)
        self.content.addWidget(widgets.hline())
        return box

    def _on_changed(self) -> None:
        self.changed.emit(Assumptions(**{key: box.value() for key, box in self.boxes.items()}))

    def _on_published(self) -> None:
        starts = {key: price.start for key, price in all_prices().items()}
        given = {key: box.value() for key, box in self.published.items()}
        self.published_changed.emit({key: value for key, value in given.items() if abs(value - starts[key]) > 1e-9})


def duration(seconds: float) -> str:
    """A set-up time: none, 40 s, 6 min, 1.5 h."""
    translate = QCoreApplication.translate
    if 0 < seconds < 1:
        return translate("prices", "under 1 s")
    if seconds <= 0:
        return translate("prices", "none")
    if seconds < 60:
        return translate("prices", "{0:.0f} s").format(seconds)
    if seconds < 5400:
        return translate("prices", "{0:.0f} min").format(seconds / 60)
    return translate("prices", "{0:.1f} h").format(seconds / 3600)


def money(amount: float, currency: str) -> str:
    """An amount without false precision; nothing is said as nothing."""
    if amount <= 0:
        return "\N{EN DASH}"
    if amount < 0.01:
        return QCoreApplication.translate("prices", "under {0}").format(f"{currency}0.01")
    return f"{currency}{amount:,.2f}" if amount < 10 else f"{currency}{amount:,.0f}"


def setup_words(cost: Cost) -> str:
    """Machine time and people's hours to set a lane up; a dash where reading the documents was not timed."""
    reads = "rag" in cost.lane.partition(":")[0] or cost.lane == "full"
    machine = "\N{EN DASH}" if reads and cost.setup_seconds <= 0 else duration(cost.setup_seconds)
    if not cost.setup_hours:
        return machine
    hours = QCoreApplication.translate("prices", "{0:g} h").format(cost.setup_hours)
    return hours if cost.setup_seconds <= 0 else f"{machine} + {hours}"


class CostPanel(QWidget):
    """The table of costs, one line a lane; the lane of the verdict stands out."""

    prices_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = widgets.SectionHead(self.tr("What it costs"))
        self.prices = widgets.quiet_button(self.tr("Prices"), "pencil-simple", self.prices_wanted.emit)
        self.head.add_action(self.prices)
        self.head.setMinimumHeight(HEAD)
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(10)  # so that two panels fit beside each other in a window 1280 wide
        self.grid.setVerticalSpacing(0)
        self.note = widgets.label("", "caption", wrap=True)
        self.elsewhere = widgets.label("", "small", wrap=True, selectable=True)
        parts = (self.head, self.grid, None, self.elsewhere, self.note)
        self.setLayout(widgets.column(widgets.panel(widgets.column(*parts, margins=(16, 12, 16, 12)))))

    def show_elsewhere(self, projections: Sequence[Projection], chosen: str) -> None:
        """What the lane of the verdict would cost on a rented GPU and through a hosted API, and when it pays."""
        there = [each for each in projections if each.lane == chosen and each.place != "local"]
        said = [self.tr("{0}: ${1:,.0f} a year").format(TITLES[each.place], each.year) for each in there]
        there_said = self.tr("Elsewhere, by published prices where you set none: {0}.")
        lines = [there_said.format("; ".join(said))] if said else []
        paying = (TITLES["rented"], TITLES["hosted"])
        lines += [each for each in break_evens(projections, chosen) if each.startswith(paying)]
        self.elsewhere.setText("\n".join(lines))
        self.elsewhere.setVisible(bool(lines))

    def show_costs(self, costs: Sequence[Cost], given: Assumptions, chosen: str, currency: str) -> None:
        """Show a line per lane."""
        widgets.clear_layout(self.grid)
        self.head.set_note(self.tr("{0:,.0f} questions a month").format(given.questions_a_month))
        heads = (
            "",
            self.tr("Set up"),
            self.tr("Typical"),
            self.tr("Slow, p95"),
            self.tr("Tokens"),
            self.tr("Per 1,000"),
            self.tr("12 months"),
        )
        for place, text in enumerate(heads):
            self._put(0, place, widgets.label(text, "caption"))
        for number, cost in enumerate(costs, start=1):
            self._line(number * 2, cost, "strong" if cost.lane == chosen else "text", currency)
        for column in range(len(heads)):  # where there is room the figures spread, the name still has the most
            self.grid.setColumnStretch(column, 1 if column else 2)
        priced = given.machine_hour or given.person_hour
        said = self.tr("Times and tokens were measured in this run.")
        if not priced:
            said += " " + self.tr("No prices are set yet for this machine and its people, and nothing is assumed.")
        self.note.setText(said)

    def _line(self, row: int, cost: Cost, kind: str, currency: str) -> None:
        self.grid.addWidget(widgets.hline(), row - 1, 0, 1, 7)
        name = QWidget()
        name.setLayout(
            widgets.row(widgets.Dot(cost.lane), widgets.label(lane_title(cost.lane), kind), None, margins=(0, 7, 0, 7))
        )
        self.grid.addWidget(name, row, 0)
        cells = (
            setup_words(cost),
            widgets.seconds_text(cost.typical_seconds),
            widgets.seconds_text(cost.slow_seconds),
            f"{cost.tokens:,.0f}",
            money(cost.price_per_question * 1000, currency),
            money(cost.year, currency),
        )
        for place, text in enumerate(cells, start=1):
            self._put(row, place, widgets.label(text, kind))

    def _put(self, row: int, column: int, label: Any) -> None:
        from PySide6.QtCore import Qt

        side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
        label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.grid.addWidget(label, row, column, side | Qt.AlignmentFlag.AlignVCenter)


class BreakEvenPanel(QWidget):
    """Two ways over the number of questions, and where the dearer one has paid for itself."""

    prices_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = widgets.label("", "section", wrap=True)
        self.note = widgets.label("", "caption", wrap=True)
        self.chart = CostChart()
        self.title.setMinimumHeight(HEAD)
        self.prices = widgets.link_button(self.tr("Set prices"), self.prices_wanted.emit)
        parts = (self.title, self.note, widgets.row(self.prices, None), self.chart, None)
        frame = widgets.panel(widgets.column(*parts, spacing=6, margins=(16, 12, 16, 12)))
        self.setLayout(widgets.column(frame))

    def show_pair(self, plain: Cost | None, dearer: Cost | None, currency: str) -> None:
        """Compare the lane of the verdict with the best cheaper one; says what is missing where that cannot be done."""
        usable = (
            plain is not None and dearer is not None and max(plain.price_per_question, dearer.price_per_question) > 0
        )
        self.chart.setVisible(usable)
        self.prices.setVisible(not usable)
        if plain is None or dearer is None or not usable:
            self.title.setText(self.tr("When does it pay for itself?"))
            self.note.setText(
                self.tr(
                    "Set what an hour of people's time and a wrong answer cost under Prices, and it is reckoned here."
                )
            )
            return
        meet = break_even(plain, dearer)
        if meet is None:
            self.title.setText(self.tr("It does not pay for itself"))
        elif meet == 0:
            self.title.setText(self.tr("It is cheaper from the first question"))
        else:
            self.title.setText(self.tr("Pays for itself after about {0:,} questions").format(round_estimate(meet)))
        self.note.setText(self.tr("Cost with wrong answers put right by hand"))
        span = nice_top(max(1000.0, 2.5 * (meet or 0)))
        lines = [
            CostLine(lane_title(cost.lane), cost.lane, cost.setup_price, cost.price_per_question)
            for cost in (plain, dearer)
        ]
        self.chart.show_costs(lines, span, meet, currency)
