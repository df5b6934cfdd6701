"""A model over several graphics cards: what llama.cpp is told, and what room is planned with. No card is needed."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from workbench import paths
from workbench.lanes import offload
from workbench.lanes.llama import Model, library
from workbench.lanes.offload import Card
from workbench.lanes.split import Split, room, split_over, split_words, tell_llama
from workbench.settings import Settings, change_settings, load_settings, settings_file

STARTER = paths.starter_model()
BIG, SMALL = Card("CUDA0", "a big card", 24 << 30, 24 << 30), Card("CUDA1", "a small card", 8 << 30, 8 << 30)
BOTH = BIG, SMALL


def test_what_is_chosen_is_kept_and_what_cannot_be_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    change_settings(gpu_split="row", gpu_main=1, gpu_shares=(3.0, 1.0))
    kept = load_settings()
    assert (kept.gpu_split, kept.gpu_main, kept.gpu_shares) == ("row", 1, (3.0, 1.0))
    settings_file().write_text('{"gpu_split": "diagonal", "gpu_main": -3, "gpu_shares": [0, 0]}', encoding="utf-8")
    kept = load_settings()
    assert (kept.gpu_split, kept.gpu_main, kept.gpu_shares) == ("layer", 0, ())


def test_one_card_is_never_split_and_shares_of_other_cards_do_not_count() -> None:
    assert split_over((BIG,), Settings(gpu_split="row")) is None
    assert split_over(BOTH, Settings()) == Split("layer")
    assert split_over(BOTH, Settings(gpu_shares=(1, 2, 3))) == Split("layer")
    assert split_over(BOTH, Settings(gpu_split="none", gpu_main=7, gpu_shares=(1, 2))) == Split("none", 1)


def test_the_room_is_that_of_the_cards_as_they_are_filled() -> None:
    assert room(BOTH, split_over(BOTH, Settings())) == 32 << 30
    assert room(BOTH, Split("none", 1)) == 8 << 30
    assert room(BOTH, Split("layer", 0, (1, 1))) == 16 << 30  # the small one is full by then
    assert room(BOTH, Split("layer", 0, (3, 1))) == 32 << 30
    assert room(BOTH, Split("row", 0, (1, 0))) == 24 << 30


def test_llama_is_told_in_its_own_names_and_numbers() -> None:
    lib = library()
    modes = {"none": 0, "layer": 1, "row": 2}  # enum llama_split_mode of llama.h
    for mode, number in modes.items():
        parameters = lib.llama_model_default_params()
        assert tell_llama(lib, parameters, Split(mode, 1)) is None
        assert (parameters.split_mode, parameters.main_gpu, bool(parameters.tensor_split)) == (number, 1, False)
    parameters = lib.llama_model_default_params()
    assert parameters.split_mode == modes["layer"], "llama.cpp's default is ours"
    kept = tell_llama(lib, parameters, Split("layer", 0, (3.0, 1.0)))
    assert len(kept) >= lib.llama_max_devices(), "llama.cpp reads so many"
    shares = ctypes.cast(parameters.tensor_split, ctypes.POINTER(ctypes.c_float * len(kept))).contents
    assert list(shares)[:3] == [3.0, 1.0, 0.0]


def test_a_model_is_loaded_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a build for the processor the split changes nothing, but llama.cpp takes it."""
    seen = []
    load = library().llama_model_load_from_file

    def loads(path: bytes, parameters: object) -> object:
        seen.append((parameters.split_mode, parameters.main_gpu, bool(parameters.tensor_split)))  # type: ignore[attr-defined]
        return load(path, parameters)

    monkeypatch.setattr(library(), "llama_model_load_from_file", loads)
    found = Model(STARTER, False, layers=31, split=Split("row", 1, (2.0, 1.0)))
    assert seen == [(2, 1, True)] and found.split == Split("row", 1, (2.0, 1.0)) and found.count("a word") > 0
    found.close()
    alone = Model(STARTER, False, split=Split("none", 1))
    assert seen[1] == (1, 0, False) and alone.split is None, "nothing is split where no layer is on a card"
    alone.close()


def test_how_many_layers_fit_and_which_trial_counts_follow_the_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    little = tuple(Card(card.name, card.description, 150 << 20, 8 << 30) for card in BOTH)
    monkeypatch.setattr(offload, "cards", lambda: little)
    plans = {}
    for mode in ("layer", "none"):
        change_settings(gpu_split=mode, gpu_main=1)
        plans[mode] = offload._planned(STARTER)
    assert plans["layer"][0] > plans["none"][0] > 0
    assert plans["layer"][1] != plans["none"][1] and "mode='none'" in plans["none"][1]


def test_a_stamp_says_where_a_model_lay() -> None:
    assert split_words((BIG,), None) == "a big card"
    assert split_words(BOTH, Split("layer")) == "a big card and a small card, by layers"
    assert split_words(BOTH, Split("row", 0, (3.0, 1.0))) == "a big card and a small card, by rows 3 : 1"
    assert split_words(BOTH, Split("none", 1)) == "a small card"
