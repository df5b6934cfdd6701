"""Which processor this is, as Linux tells it and where nothing does."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench import processor


@pytest.fixture(autouse=True)
def _asked_afresh() -> Iterator[None]:
    processor._said.cache_clear()
    yield
    processor._said.cache_clear()


def tell(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    def read(self: Path, **_: object) -> str:
        if text is None:
            raise FileNotFoundError(self)
        return text

    monkeypatch.setattr(Path, "read_text", read)


def test_the_name_and_the_features_are_read_once_for_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    core = "processor\t: {0}\nmodel name\t: Some Chip 9\nflags\t\t: fpu avx512_bf16 amx_tile\nvmx flags\t: ept\n"
    tell(monkeypatch, "\n".join(core.format(number) for number in range(4)))
    assert processor.name() == "Some Chip 9"
    assert processor.features() == {"fpu", "avx512_bf16", "amx_tile"}


def test_an_arm_board_says_it_in_other_words(monkeypatch: pytest.MonkeyPatch) -> None:
    tell(monkeypatch, "processor\t: 0\nFeatures\t: fp asimd bf16\n\nModel\t\t: Some Board\n")
    assert processor.name() == "Some Board" and "asimd" in processor.features()


def test_a_system_that_tells_nothing_still_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    tell(monkeypatch, None)
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert processor.name() == platform.machine() and processor.features() == frozenset()
