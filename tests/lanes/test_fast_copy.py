"""The copy of a model that this CPU may read faster."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench import paths, records
from workbench.catalog.gguf_header import read_header
from workbench.lanes import fast_copy
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
