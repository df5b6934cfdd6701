"""The window's side of `workbench bench saved`: a file is saved again and again, and the window finds it by itself.

    python -m workbench.ui.bench_saved PROJECT FILE     prints a list of Saved as JSON

FILE is one of the project's folders, whose documents are there; the window reads them before anything is measured.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication

from workbench.errors import WorkbenchError
from workbench.events import Result
from workbench.index.files import document_text
from workbench.ui import documents_source as source
from workbench.ui.bench_ui import open_bench, stay, stay_until
from workbench.ui.documents_page import DocumentsPage
from workbench.ui.preload import Preload

COUNT = 9  # saves that are timed, after one that is not counted
BETWEEN = 2.5  # seconds between two: the watch is quiet again by then, as between what a person saves
LOOK = 0.004  # seconds between two looks
PATIENCE = 60.0


@dataclass
class Saved:
    """Seconds after a file was saved."""

    told: float = 0.0  # the watch told the page that something had changed
    started: float = 0.0  # it was seen what, and the reading began
    indexed: float = 0.0  # the file's new text was in the index
    found: float = 0.0  # a search that was asked then came back with it
    shown: float = 0.0  # the reading had ended and the list was read again


class Run:
    """A window with the Documents page in front, and what it takes to find what is saved."""

    def __init__(self, project: Path, file: Path) -> None:
        self.app, self.window = open_bench(project, False)
        self.window.open_page("documents")
        page = self.window.page("documents")
        assert isinstance(page, DocumentsPage)
        self.page, self.bench, self.file = page, page.bench, file
        self.now = Saved()
        self._began = 0.0
        page.watch.touched.connect(lambda: self._mark("told"))
        page.reading.started.connect(lambda _: self._mark("started"))
        page.reading.listed.connect(self._on_listed)

    def _mark(self, what: str) -> None:
        if not getattr(self.now, what):
            setattr(self.now, what, time.perf_counter() - self._began)

    def _on_listed(self, _: object) -> None:
        if self.now.started and not self.page.reading.busy:
            self._mark("shown")

    def get_ready(self) -> None:
        """What comes when a window opens: what is loaded ahead, and the folders read."""
        ahead = Preload(self.bench)
        self.page.index_folders()
        ready = stay_until(self.app, lambda: not ahead.busy and not self.page.reading.busy, PATIENCE)
        assert ready, "the folders were not read"
        stay(self.app, BETWEEN)

    def save(self, number: int, write: Callable[[Path, str], None]) -> Saved:
        """Save the file with other words and wait until they are found."""
        self.now, self._began = Saved(), time.perf_counter()
        words = f"The lighthouse keeper of rock {number} counts the gulls."
        write(self.file, f"# Saved\n\n{words}\n")
        self._wait(lambda: words in self._text())
        self._mark("indexed")
        while not self.now.found:
            if self._search(f"Who counts the gulls of rock {number}?", words):
                self._mark("found")
        self._wait(lambda: self.now.shown > 0)
        stay(self.app, BETWEEN)
        return self.now

    def _text(self) -> str:
        with suppress(WorkbenchError):
            return document_text(self.bench.base.folder, self.file.name)
        return ""

    def _search(self, question: str, words: str) -> bool:
        heard: list[Any] = []
        base, worker = self.bench.base, self.bench.knowledge
        self.bench.jobs.start(
            "", lambda: source.search_stage(base, worker, question, 5), heard.append, heard.append, quiet=True
        )
        self._wait(lambda: any(not hasattr(each, "note") for each in heard))
        results = [each.value for each in heard if isinstance(each, Result)]
        return any(words in passage.text for result in results for passage in result.passages)

    def _wait(self, there: Callable[[], bool]) -> None:
        end = time.perf_counter() + PATIENCE
        while not there():
            assert time.perf_counter() < end, "what was saved was not found"
            stay(self.app, LOOK)


def plainly(file: Path, text: str) -> None:
    """Write into the file, as most programs do."""
    file.write_text(text, encoding="utf-8")


def in_steps(file: Path, text: str) -> None:
    """As an editor that keeps the old file until the new one is whole: a copy aside, a new file in its place."""
    aside = file.with_name(f"{file.name}~")
    with suppress(FileNotFoundError):
        os.replace(file, aside)
    made = file.with_name(f".{file.name}.swp")
    made.write_text(text, encoding="utf-8")
    os.replace(made, file)
    aside.unlink(missing_ok=True)


def main(project: Path, file: Path) -> None:
    """Measure and print."""
    run = Run(project, file)
    run.get_ready()
    saved = [run.save(number, (plainly, in_steps)[number % 2]) for number in range(COUNT + 1)]
    print(json.dumps([asdict(each) for each in saved[1:]]), flush=True)
    run.window.close()
    QApplication.sendPostedEvents(None, 0)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
