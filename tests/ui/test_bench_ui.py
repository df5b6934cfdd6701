"""The benchmark of the window: it really opens one, and leaves the project as it was."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from workbench import records
from workbench.bench import _load, _windows, ui
from workbench.errors import ChildCrashed
from workbench.events import Progress
from workbench.project import Project
from workbench.tuning import adapter


def test_a_window_is_opened_in_a_process_of_its_own_and_says_so(tmp_path: Path) -> None:
    project = Project.open(tmp_path / "Kestrel").folder
    command = [sys.executable, "-m", "workbench.ui.bench_ui", "open", str(project)]
    seconds, cpu = ui._first_line(command, _windows.environment(tmp_path / "bytecode"))
    assert cpu > 0 and 0 < seconds < 60
    assert [each.name for each in project.iterdir() if each.suffix != ".json"] == []


def test_a_window_that_does_not_open_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(ChildCrashed, match="did not open"):
        ui._first_line([sys.executable, "-c", "pass"], _windows.environment(tmp_path))


def test_large_files_are_linked_to_and_chroma_is_left_out(tmp_path: Path) -> None:
    project = Project.open(tmp_path / "Kestrel").folder
    (project / "index" / "chroma").mkdir(parents=True)
    records.write_json(project / "index" / "files.json", {})
    with (project / "big.gguf").open("wb") as file:
        file.truncate(ui.LARGEST + 1)
    copy = ui._copy(project, tmp_path / "copy")
    assert (copy / "big.gguf").is_symlink() and not (copy / "project.json").is_symlink()
    assert [each.name for each in (copy / "index").iterdir()] == ["files.json"]


def test_figures_stand_beside_what_is_allowed() -> None:
    opening = ui._opening([(0.9, 0.4, 0.6, 0.15), (1.0, 0.4, 0.5, 0.15), (0.8, 0.4, 0.4, 0.15)])
    assert [round(each.ours, 2) for each in opening] == [0.9, 0.4]
    assert "0.30 to 0.50 s" in opening[1].note and round(opening[1].ratio, 2) == 0.8
    load = {"rss": 125e6, "uss": 95e6, "longest_ms": 25.0, "p99_ms": 4.0, "quiet_ms": 2.0, "ours_ms": 20.0}
    living = ui._living({**load, "worst": {"1 compare": 25.0}, "beats": 900, "rss_after": 130e6})
    assert [each.ratio for each in living] == [0.5, 0.5]
    assert "NOT all at once" in living[1].note, "a load that did not come together is said"


@pytest.mark.slow
def test_a_scripted_load_is_measured_and_leaves_no_process(tmp_path: Path) -> None:
    project = Project.open(tmp_path / "Kestrel").folder
    command = [sys.executable, "-m", "workbench.ui.bench_ui", "scripted", str(project)]
    told = Progress(0, 0, "measuring")
    stage = _windows.said(command, _windows.environment(tmp_path / "bytecode"), told, ui.PATIENCE, ui.NOTHING)
    seen = []
    with pytest.raises(StopIteration) as found:
        while True:
            seen.append(next(stage))
    assert seen and set(seen) == {told}
    assert found.value.value["beats"] > 0 and found.value.value["rss"] > 0


def test_a_window_that_says_nothing_is_a_sentence(tmp_path: Path) -> None:
    stage = _windows.said(
        [sys.executable, "-c", "pass"], _windows.environment(tmp_path), Progress(0, 0, ""), 60.0, "Why."
    )
    with pytest.raises(ChildCrashed, match="Why"):
        list(stage)


def test_the_load_is_a_real_index_and_a_real_fine_tune(tmp_path: Path) -> None:
    run = tmp_path / "busy" / "adapters" / "under-load"
    try:
        assert list(ui._fill(tmp_path / "busy"))
        assert adapter.read_run(run).state == "running"
        assert len(list((tmp_path / "busy" / "more").rglob("*.*"))) > 1000
    finally:
        _load.end_runs(tmp_path / "busy")
    assert adapter.read_run(run).state != "running"
