"""The preset cards keep every word, also where a side sheet leaves them little room or the text is large."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from workbench.ui import theme as look
from workbench.ui.finetune_cards import PresetCards
from workbench.ui.theme import Theme


@pytest.fixture
def cards(theme: Theme, qtbot: QtBot) -> Iterator[PresetCards]:
    made = PresetCards({"quick": "Quick", "balanced": "Balanced", "thorough": "Thorough"})
    qtbot.addWidget(made)
    for key in made.cards:
        made.cards[key].say("about 16 min", "12 passes", "11.9 GB RAM")
    made.show()
    yield made
    theme.choose("light", 1.0)


@pytest.mark.parametrize(("width", "scale", "flat"), [(420, 1.0, False), (300, 1.0, True), (420, 1.5, True)])
def test_no_word_of_a_card_is_cut(
    cards: PresetCards, theme: Theme, qtbot: QtBot, width: int, scale: float, flat: bool
) -> None:
    theme.choose("light", scale)
    assert look.px(100) == round(100 * scale)
    cards.resize(width - 1, 100)
    cards.resize(width, 100)
    qtbot.waitUntil(lambda: cards.flat == flat)
    qtbot.waitUntil(
        lambda: all(line.text() == line.full_text() for card in cards.cards.values() for line in card._lines)
    )


def test_a_card_is_chosen_by_a_click(cards: PresetCards, qtbot: QtBot) -> None:
    with qtbot.waitSignal(cards.chosen) as told:
        cards.cards["thorough"].click()
    assert told.args == ["thorough"]
