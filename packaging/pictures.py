"""Drive the real window through its pages and save a picture of each: for looking, and for the documentation.

    python packaging/pictures.py --project DIR --out DIR     (or: make pictures PROJECT=DIR OUT=DIR)

Without a display it starts Xvfb for itself; where that is missing, Qt draws offscreen. Everything shown is real: the
project's documents, answers of its model, its runs and results. A project without a conversation is asked one question,
which needs its index. Nothing else is changed in it: window, page and draft are as before. A page that cannot be shown
is named at the end, and the exit status is 1; the others are saved all the same.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.project import Project
from workbench.sample import sample_questions
from workbench.settings import load_settings

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from workbench.ui.compare_page import ComparePage
    from workbench.ui.compare_talk import TalkTurn
    from workbench.ui.theme import Theme
    from workbench.ui.window import Window

SCREEN = "2560x1600x24"
SETTLE = 0.7  # seconds a page has to load what it loads after its first paint
QUIET = 20.0  # seconds its jobs have, at most, to end
LONGEST = 900.0  # seconds an answer may take on a busy machine


@contextlib.contextmanager
def display() -> Iterator[None]:
    """A screen to draw on: the one there is, else one of our own, else none at all."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform != "linux":
        yield
        return
    if shutil.which("Xvfb") is None:
        print("Xvfb is not installed: pictures are drawn offscreen, with the fonts Qt finds.", file=sys.stderr)
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        yield
        return
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(writer,), stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as said:
            number = said.readline().strip()
        if not number:
            raise RuntimeError("Xvfb ended before it said which display it is.")
        os.environ.update(DISPLAY=f":{number}", QT_QPA_PLATFORM="xcb")
        yield
    finally:
        server.terminate()
        server.wait()


class Photographer:
    """Shows one thing after the other and saves what is seen."""

    def __init__(self, app: QApplication, window: Window, page: ComparePage) -> None:
        self.app, self.window, self.page = app, window, page
        self.failed: list[str] = []

    def wait(self, until: Callable[[], bool], most: float) -> bool:
        """Run the event loop until something holds, at most so many seconds; whether it does."""
        end = time.monotonic() + most
        while not (held := until()) and time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.01)
        return held

    def take(self, path: Path, show: Callable[[], object]) -> None:
        """Show something, let it come to rest, save it."""
        try:
            show()
            self.wait(lambda: False, SETTLE)
            self.wait(lambda: not self.window.bench.jobs.running(), QUIET)
            self.wait(lambda: False, SETTLE)  # what the jobs brought is laid out and drawn
            path.parent.mkdir(parents=True, exist_ok=True)
            if not self.window.grab().save(str(path)):
                raise OSError(f"{path} could not be written")
            print(path, flush=True)
        except Exception:
            traceback.print_exc()
            self.failed.append(str(path))

    def ask(self) -> None:
        """Have a conversation in the Compare page."""
        entries = self.page.talks.entries
        self.wait(lambda: entries() is not None, QUIET)
        if not self.page.talk.turns and (known := entries()):
            self.page.talks.open(known[0])
        if self.page.talk.turns:
            return
        offered = self.window.bench.recall("questions", []) or sample_questions()
        self.window.open_page("compare", {"question": str(offered[0]), "ask": True})
        if not self.wait(lambda: not self.page.asking.busy, LONGEST):
            self.page.asking.stop()
            self.wait(lambda: not self.page.asking.busy, QUIET)
        self.page.composer.edit.clearFocus()

    def walk(self, out: Path) -> None:
        """Every page once, and the sheets of Compare."""
        from workbench.ui.window import FOOT, PAGES

        self.window.show_sheet(None)
        for name in ("welcome", *(each[0] for each in (*PAGES, *FOOT))):
            self.take(out / f"{name}.png", partial(self.window.open_page, name))
        self.window.open_page("compare")
        if self.page.talk.turns:
            self._sheets(out, self.page.talk.turns[-1])
        self.take(out / "compare-history.png", self.page.talks.open_history)
        self.take(out / "compare-lanes.png", self.page.lanes.open_all)
        self.take(out / "compare-empty.png", self.page.new_talk)

    def _sheets(self, out: Path, turn: TalkTurn) -> None:
        answers, talk = self.page.answers, self.page.talk
        lane = next((name for name in turn.answers if name.startswith("rag")), next(iter(turn.answers)))
        answer = turn.answers[lane].answer
        passages = answer.passages if answer is not None else ()
        pdf = next((place for place, each in enumerate(passages, start=1) if each.file.endswith(".pdf")), 1)
        self.take(out / "compare-why.png", partial(answers.open_why, turn, lane))
        if passages:
            self.take(out / "compare-source.png", partial(answers.open_source, turn, lane, pdf))
        self.take(out / "compare-lane.png", partial(self.page.lanes.edit, turn.answers[lane].lane))
        self.take(out / "compare-suite.png", partial(answers.add_to_suite, turn, lane))
        self.take(out / "compare-training.png", partial(answers.correct, turn, lane))
        self.window.show_sheet(None)
        self.take(out / "compare-blind.png", partial(self.page.head.blind.setChecked, True))
        self.page.head.blind.setChecked(False)
        self.page.open_talk(talk)


def photograph(wanted: argparse.Namespace) -> list[str]:
    """All pictures; the paths of those that could not be taken."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QFont

    from workbench.ui.app import make_application
    from workbench.ui.bench import Bench
    from workbench.ui.compare_page import ComparePage
    from workbench.ui.theme import Theme
    from workbench.ui.window import Window

    app = make_application(sys.argv[:1])
    if wanted.font:
        app.setFont(QFont(wanted.font))
    if wanted.right_to_left:
        app.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    theme: Theme = Theme(app, "light", wanted.text_scale)
    project = Project.open(wanted.project)
    options = dict(project.info.options)
    window = Window(Bench(project, load_settings()), theme)
    window.show()
    page = window.page("compare")
    assert isinstance(page, ComparePage)
    photographer = Photographer(app, window, page)
    photographer.ask()
    talk = page.talk
    for name in wanted.theme or ("light", "dark"):
        theme.choose(name)
        for size in wanted.size or ("1280x800", "1440x900", "1920x1080"):
            window.resize(*(int(each) for each in size.split("x")))
            page.open_talk(talk)
            photographer.walk(wanted.out / f"{name}-{size}")
    page.open_talk(talk)
    window.close()
    project.change(options={**options, "compare_talk": talk.id})
    return photographer.failed


def main() -> int:
    parser = argparse.ArgumentParser(description="Save pictures of every page.")
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", action="append", help="WIDTHxHEIGHT; default 1280x800, 1440x900 and 1920x1080")
    parser.add_argument("--theme", action="append", choices=("light", "dark"), help="default: both")
    parser.add_argument("--font", default="", help="a font family in place of the system's")
    parser.add_argument("--text-scale", type=float, default=1.0, help="of all text, as in Settings; default 1")
    parser.add_argument("--right-to-left", action="store_true", help="mirrored, as for Arabic or Hebrew")
    wanted = parser.parse_args()
    if not (wanted.project / "project.json").is_file():
        parser.error(f"{wanted.project} is no project: `make demo` leaves one in demo/project.")
    with display():
        failed = photograph(wanted)
    for path in failed:
        print(f"not taken: {path}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
