"""Training takes the cores that are free and no more."""

from __future__ import annotations

import pytest

from workbench.tuning.threads import advise


@pytest.mark.parametrize(
    ("cores", "others", "most", "wanted"),
    [(2, 0.0, 0, 2), (2, 0.2, 0, 2), (2, 0.6, 0, 1), (2, 2.0, 0, 1), (8, 3.0, 0, 5), (8, 0.0, 4, 4), (1, 0.0, 0, 1)],
)
def test_threads_follow_the_free_cores(cores: int, others: float, most: int, wanted: int) -> None:
    assert advise(cores, others, most) == wanted
