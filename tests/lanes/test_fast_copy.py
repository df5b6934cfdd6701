"""The copy of a model that this CPU may read faster."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from workbench import paths, records
from workbench.catalog import fast_copies
from workbench.catalog.gguf_header import read_header
from workbench.lanes import fast_copy, probe
from workbench.lanes.probe import trial_key


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))


def remember(faster: bool) -> None:
    key = f"{trial_key(paths.starter_model())} q8_0"
    records.write_json(paths.cache_folder() / "engine.json", {key: faster})


def test_the_copy_holds_the_same_tensors_in_a_finer_kind() -> None:
    remember(True)
    model = paths.starter_model()
    copy = fast_copy.fast_copy(model)
    before, after = read_header(model), read_header(copy)
    assert copy != model and after.chat_template == before.chat_template
    assert {each.name: each.shape for each in after.tensors} == {each.name: each.shape for each in before.tensors}
    assert {each.type for each in after.tensors} == {"F32", "Q8_0"}


def test_a_machine_that_gains_nothing_loads_the_model_itself() -> None:
    remember(False)
    assert fast_copy.fast_copy(paths.starter_model()) == paths.starter_model()
    assert not (paths.model_folder() / "fast").exists()


def test_a_model_too_large_or_in_a_fast_kind_is_never_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    remember(True)
    monkeypatch.setattr(fast_copy, "LARGEST", 1 << 20)
    assert fast_copy.fast_copy(paths.starter_model()) == paths.starter_model()


def test_choosing_times_nothing_and_a_run_goes_on_with_the_copy_it_began_with(monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(*arguments: object, **fields: object) -> bool:
        raise AssertionError("nothing may be timed")

    monkeypatch.setattr(fast_copy, "trying", timed)
    model = paths.starter_model()
    assert fast_copy.fast_copy(model) == model  # nobody knows what is faster here
    copy = fast_copy.fast_copy(model, copied=True)
    assert copy != model and copy.exists()  # as an evaluation began
    remember(True)
    assert fast_copy.fast_copy(model) == copy
    assert fast_copy.fast_copy(model, copied=False) == model
    remember(False)
    assert fast_copy.fast_copy(model) == model


def test_a_copy_goes_with_its_model(tmp_path: Path) -> None:
    models = [tmp_path / name for name in ("kept.gguf", "gone.gguf", "changed.gguf")]
    copies = []
    for model in models:
        model.write_bytes(b"weights")
        copies.append(fast_copies.copy_of(model))
        copies[-1].parent.mkdir(parents=True, exist_ok=True)
        copies[-1].write_bytes(b"finer weights")
        fast_copies.note_source(model)
    fast_copies.drop_orphans()
    assert all(copy.exists() for copy in copies)
    models[1].unlink()
    models[2].write_bytes(b"other weights")
    fast_copies.drop_orphans()
    assert sorted(each.name for each in copies[0].parent.iterdir()) == sorted(
        [copies[0].name, copies[0].with_suffix(".json").name]
    )


def wait_long() -> None:
    time.sleep(600)


def test_a_stop_ends_a_trial_and_only_puts_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "stop_requested", lambda: True)
    monkeypatch.setattr(probe, "too_busy", lambda: False)
    assert not probe.survives(wait_long)
    assert not probe.outcome("a trial", wait_for_two, patience=600)
    assert "a trial" not in probe._given_up and not (paths.cache_folder() / "engine.json").exists()


def wait_for_two(cache: str, key: str) -> None:
    time.sleep(600)


def test_a_question_does_not_read_the_model_s_header_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds the whole vocabulary, and takes as long to read as a short answer to decode."""
    from workbench.lanes import pool

    found = pool.model(paths.starter_model())

    def read(*_: object) -> None:
        raise AssertionError("the header was read again")

    monkeypatch.setattr("workbench.catalog.gguf_header._read", read)
    assert pool.model(paths.starter_model()) is found
