from __future__ import annotations

from pathlib import Path

from workbench.bench.judgement import run
from workbench.events import last_result


def test_simulated_suites_give_coverage_and_false_winners_beside_a_yardstick(tmp_path: Path) -> None:
    figures = {each.name: each for each in last_result(run(tmp_path, count=100))}
    assert len(figures) == 5 and list(tmp_path.iterdir()) == []
    for name, each in figures.items():
        if "hold the truth" in name:
            assert 85 <= each.ours <= 100 and 85 <= each.yardstick <= 100, each
        else:
            assert each.ours <= 12, each  # of 100 at 5 %, more than 12 comes once in five hundred
    assert figures["a winner among 5 identical lanes"].yardstick > figures["a winner among 5 identical lanes"].ours
