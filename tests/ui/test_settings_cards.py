"""Settings of several graphics cards: there only where there are several, and kept as they are chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from workbench.events import Result, Stage
from workbench.lanes.offload import Card
from workbench.settings import load_settings
from workbench.ui import settings_page
from workbench.ui.bench import Bench
from workbench.ui.settings_cards import read_shares
from workbench.ui.settings_page import SettingsPage

CARDS = Card("CUDA0", "a big card", 24, 24), Card("CUDA1", "a <b>small</b> card", 8, 8)


@pytest.fixture
def open_settings(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> Callable[[tuple[Card, ...]], SettingsPage]:
    def open_with(cards: tuple[Card, ...]) -> SettingsPage:
        def found(bench: Bench) -> Stage:
            yield Result(cards)

        monkeypatch.setattr(settings_page, "read_cards", found)
        made = SettingsPage(bench)
        qtbot.addWidget(made)
        made.show()
        made.shown()
        qtbot.waitUntil(lambda: not bench.jobs.handles)
        return made

    return open_with


@pytest.mark.parametrize("cards", [(), CARDS[:1]])
def test_without_several_cards_nothing_is_asked(
    cards: tuple[Card, ...], open_settings: Callable[..., SettingsPage]
) -> None:
    page = open_settings(cards)
    assert not page.cards.split.isVisible() and not page.cards.shares.isVisible()
    page.search.setText("cards")
    assert not page.cards.split.isVisible()
    page.search.clear()
    assert page.card.isVisible() and not page.cards.split.isVisible()


def test_what_is_chosen_for_several_cards_is_kept(
    bench: Bench, open_settings: Callable[..., SettingsPage], qtbot: QtBot
) -> None:
    page = open_settings(CARDS)
    cards = page.cards
    assert cards.split.isVisible() and cards.shares.isEnabled() and not cards.main.isEnabled()
    assert [cards.main.itemText(place) for place in range(2)] == ["0: a big card", "1: a <b>small</b> card"]
    cards.shares.setText("3 : 1")
    cards.shares.editingFinished.emit()
    assert load_settings().gpu_shares == (3.0, 1.0)
    said: list[Any] = []
    bench.notices.attach(said.append)
    cards.shares.setText("3 : 1 : 2")
    cards.shares.editingFinished.emit()
    assert "each of the 2 cards" in said[-1].message and cards.shares.text() == "3 : 1"
    cards.split.setCurrentIndex(cards.split.findData("none"))
    assert cards.main.isEnabled() and not cards.shares.isEnabled()
    cards.main.activated.emit(1)
    assert (load_settings().gpu_split, load_settings().gpu_main) == ("none", 1)
    assert "not run" in cards.split.accessibleDescription()


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("", ()), ("2;1", (2.0, 1.0)), ("0,5 0,25", (0.5, 0.25)), ("1", None), ("a : b", None), ("0 : 0", None),
        ("-1 : 2", None), ("nan : 1", None), ("1 : inf", None),
    ],
)  # fmt: skip
def test_shares_are_read_as_people_write_them(text: str, shares: tuple[float, ...] | None) -> None:
    assert read_shares(text, 2) == shares
