"""The first question on a machine is not kept for what is measured once; it is found out afterwards."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench import paths
from workbench.events import Progress, Result
from workbench.index import embed, number_type
from workbench.index.embed import Embedder


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Embedder:
    """The embedder on a machine of which nothing is known."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    made = Embedder(paths.starter_embedder())
    monkeypatch.setattr(embed, "open_embedder", lambda: made)
    return made


def never(load: Callable[[str], Any]) -> Generator[None, None, str]:
    raise AssertionError("a question waited for a trial")
    yield


def finds_bfloat16(load: Callable[[str], Any]) -> Generator[None, None, str]:
    yield
    return "bfloat16"


def read(embedder: Embedder, *texts: str) -> np.ndarray:
    return embedder.encode(texts)


def test_a_question_is_read_at_once_and_the_rest_is_found_out_afterwards(
    fresh: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(number_type, "probing", never)
    fresh.load(wait=False)
    before = read(fresh, "How long is the warranty?")
    assert fresh.multiplies_in == "float32" and not (paths.cache_folder() / "embedders.json").exists()
    monkeypatch.setattr(number_type, "probing", finds_bfloat16)
    events = list(embed.settle())
    assert isinstance(events[0], Progress) and events[-1] == Result(None)
    assert fresh.multiplies_in == "bfloat16"
    assert float((before * read(fresh, "How long is the warranty?")).sum()) > number_type.KEPT_COSINE
    monkeypatch.setattr(number_type, "probing", never)
    assert list(embed.settle()) == [Result(None)] and Embedder(fresh.folder).precision == "bfloat16"


def test_many_questions_wait_for_it_so_that_they_are_all_read_in_one_way(
    fresh: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.load(wait=False)
    monkeypatch.setattr(number_type, "probing", finds_bfloat16)
    fresh.encode(["one", "two"], questions=True)
    assert fresh.multiplies_in == "bfloat16"


def test_a_few_documents_are_read_before_it_and_many_wait_for_it(
    fresh: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(number_type, "probing", never)
    before = read(fresh, "The lamp is blue.", "The door is red.")
    assert fresh.multiplies_in == "float32" and 0 < fresh._unsure < embed.UNSURE
    monkeypatch.setattr(fresh, "_unsure", embed.UNSURE + 1)
    monkeypatch.setattr(number_type, "probing", finds_bfloat16)
    after = read(fresh, "The lamp is blue.", "The door is red.")
    assert fresh.multiplies_in == "bfloat16"
    assert (before * after).sum(axis=1).min() > number_type.KEPT_COSINE


def test_a_trial_that_is_left_half_way_is_begun_anew(fresh: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_type, "probing", finds_bfloat16)
    stage = embed.settle()
    next(stage)
    stage.close()
    assert not (paths.cache_folder() / "embedders.json").exists()
    assert list(embed.settle())[-1] == Result(None) and (paths.cache_folder() / "embedders.json").exists()
