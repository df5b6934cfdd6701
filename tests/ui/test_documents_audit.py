"""The index is compared with its folders from the Documents page: what is found is said, with each difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from workbench.events import Progress, Result, Stage
from workbench.index.audit import AuditReport, Problem
from workbench.index.report import IndexReport
from workbench.ui.bench import Bench
from workbench.ui.documents_page import DocumentsPage
from workbench.ui.documents_status import IndexingStrip
from workbench.ui.notices import Notice
from workbench.ui.theme import Theme

LEVEL = IndexReport(2, 6, (), (), (), 2, (), 1.0)
GONE = Problem("a.md", "vectors of it are missing", "/papers")


@pytest.fixture
def page(bench: Bench, theme: Theme, qtbot: QtBot) -> DocumentsPage:
    made = DocumentsPage(bench)
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize(
    ("found", "left", "level", "begins"),
    [
        ((), (), "good", "The index holds just what the folders hold. 2 files, 6 chunks and 6 vectors"),
        ((GONE,), (), "good", "1 things differed and were mended"),
        ((GONE,), (GONE,), "warning", "In 1 things index and folders differ still"),
    ],
)
def test_what_differed_is_said_with_every_difference(
    page: DocumentsPage,
    bench: Bench,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    found: tuple[Problem, ...],
    left: tuple[Problem, ...],
    level: str,
    begins: str,
) -> None:
    said: list[Notice] = []
    bench.notices.attach(said.append)

    def audit(project: Path, folders: tuple[Path, ...]) -> Stage:
        yield Progress(1, 2, "Comparing a.md", "files")
        yield Result(AuditReport(found, left, 2, 6, 6, LEVEL))

    monkeypatch.setattr("workbench.index.audit.audit", audit)
    [entry] = [each for each in page.folders.menu.actions() if each.text().startswith("Compare the index")]
    entry.trigger()
    qtbot.waitUntil(lambda: any(each.message.startswith(begins) for each in said), timeout=20_000)
    told = next(each for each in said if each.message.startswith(begins))
    assert told.level == level
    assert told.details == ("a.md: vectors of it are missing" if found else "")
    qtbot.waitUntil(lambda: not page.reading.busy, timeout=20_000)


def test_an_audit_can_be_stopped_and_not_paused(bench: Bench, theme: Theme, qtbot: QtBot, slow_stage: Any) -> None:
    strip = IndexingStrip()
    qtbot.addWidget(strip)
    strip.follow(bench.jobs.start("Comparing index and folders", slow_stage))
    strip.show_progress(Progress(1, 2, "Comparing a.md", "files"))
    assert strip.what.text() == "Comparing 2 of 2"
    assert not strip.pause.isVisibleTo(strip) and strip.stop.isVisibleTo(strip)
    strip.stop.click()
    qtbot.waitUntil(lambda: not bench.jobs.running(), timeout=20_000)
