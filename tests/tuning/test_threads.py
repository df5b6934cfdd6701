"""Training takes the cores that are free and no more."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from workbench.settings import Settings
from workbench.tuning import threads
from workbench.tuning.threads import advise


@pytest.mark.parametrize(
    ("cores", "others", "most", "wanted"),
    [(2, 0.0, 0, 2), (2, 0.2, 0, 2), (2, 0.6, 0, 1), (2, 2.0, 0, 1), (8, 3.0, 0, 5), (8, 0.0, 4, 4), (1, 0.0, 0, 1)],
)
def test_threads_follow_the_free_cores(cores: int, others: float, most: int, wanted: int) -> None:
    assert advise(cores, others, most) == wanted


@pytest.mark.parametrize(("recipe", "wanted"), [(0, 1), (2, 2)])
def test_training_takes_no_more_than_the_settings_allow_unless_its_recipe_says_so(
    recipe: int, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    clock = {"now": 0.0}
    monkeypatch.setattr(threads, "load_settings", lambda: Settings(background_cores=1))
    monkeypatch.setattr(threads, "available_cores", lambda: 4)
    monkeypatch.setattr(threads.time, "monotonic", lambda: clock["now"])
    monkeypatch.setattr(threads.psutil, "cpu_times", lambda: SimpleNamespace(user=0.0, system=0.0))
    cores, before = threads.FreeCores(recipe), torch.get_num_threads()
    clock["now"] = 1.0
    try:
        cores.adjust()
        assert torch.get_num_threads() == wanted
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("priority", "wanted"), [(0, 2), (10, 1)])
def test_programs_of_low_priority_count_only_for_one_that_is_low_itself(
    priority: int, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    clock = {"now": 0.0}
    times = SimpleNamespace(user=0.0, system=0.0, nice=0.0)
    monkeypatch.setattr(threads, "niceness", lambda process: priority)
    monkeypatch.setattr(threads, "available_cores", lambda: 2)
    monkeypatch.setattr(threads.time, "monotonic", lambda: clock["now"])
    monkeypatch.setattr(threads.psutil, "cpu_times", lambda: SimpleNamespace(**vars(times)))
    cores, before = threads.FreeCores(0), torch.get_num_threads()
    clock["now"], times.nice = 1.0, 2.0  # a second in which niced programs took both cores
    try:
        cores.adjust()
        assert torch.get_num_threads() == wanted
    finally:
        torch.set_num_threads(before)
