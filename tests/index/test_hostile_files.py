from __future__ import annotations

import os
import time
from pathlib import Path

import hostile_files
import pytest
import quick_embedder
from index_checks import check_agreement

from workbench.documents.fence import Limits
from workbench.events import last_result
from workbench.index.audit import audit
from workbench.index.build import Builder
from workbench.index.files import list_files
from workbench.index.report import IndexReport
from workbench.project import Project

GOOD = 40
LIMITS = Limits(seconds=20.0, seconds_per_mb=0.5)


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.skipif(os.name == "nt", reason="there are no pipes and sockets in folders there")
def test_a_hundred_hostile_files_are_named_and_cost_no_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_embedder.install(monkeypatch)
    folder, project = tmp_path / "documents", Project.open(tmp_path / "project")
    bad = hostile_files.write_hostile(folder)
    assert len(bad) > 100
    for number in range(GOOD):
        (folder / f"good{number:02}.md").write_text(f"# Note {number}\n\nThe lamp in room {number} was mended.\n")
    started = time.monotonic()
    with project.writing("indexing"):
        work = Builder(project, (folder,), limits=LIMITS)
        try:
            report = last_result(work.run())
        finally:
            work.close()
    assert isinstance(report, IndexReport)
    hung = [each.file for each in report.skipped if "too long" in each.reason]
    print(f"{len(bad)} hostile files in {time.monotonic() - started:.0f} s, {len(report.skipped)} named, hung: {hung}")
    states = {each.file: each for each in list_files(project.folder)}
    assert set(states) == {*bad, *(f"good{number:02}.md" for number in range(GOOD))}
    for name, state in states.items():
        if name.startswith("good"):
            assert state.state == "indexed" and state.chunks == 1
        else:  # read, for there were words in it, or named with a reason
            assert state.chunks if state.state == "indexed" else state.reason, name
    assert hung == []
    check_agreement(project.folder)
    again = last_result(audit(project.folder, (folder,)))
    assert (again.found, again.left, again.build.embedded) == ((), (), 0)
