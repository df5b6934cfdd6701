"""Drive the real window through its pages and save a picture of each: for looking, and for the documentation.

    Xvfb :99 -screen 0 1920x1080x24 &
    DISPLAY=:99 QT_QPA_PLATFORM=xcb python packaging/pictures.py --project DIR --out DIR

Everything shown is real: the project's documents, answers of its model, its runs and results. A project that has no
conversation yet is asked the first question of the sample, which needs its index; nothing else is changed in it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from workbench.project import Project
from workbench.sample import sample_questions
from workbench.settings import load_settings
from workbench.ui.app import make_application
from workbench.ui.bench import Bench
from workbench.ui.compare_page import ComparePage
from workbench.ui.theme import Theme
from workbench.ui.window import FOOT, PAGES, Window

SETTLE = 0.7  # seconds a page has to load what it loads after its first paint
LONGEST = 600.0  # seconds an answer may take on a busy machine


def wait(app: QApplication, until: Callable[[], bool], most: float) -> None:
    """Run the event loop until something holds, at most so many seconds."""
    end = time.monotonic() + most
    while not until() and time.monotonic() < end:
        app.processEvents()
        time.sleep(0.01)


def take(app: QApplication, window: Window, path: Path) -> None:
    wait(app, lambda: False, SETTLE)
    path.parent.mkdir(parents=True, exist_ok=True)
    window.grab().save(str(path))
    print(path)


def ask_something(app: QApplication, window: Window) -> ComparePage:
    """The Compare page with a conversation in it."""
    page = window.page("compare")
    assert isinstance(page, ComparePage)
    for question in sample_questions()[: 0 if page.talk.turns else 1]:
        window.open_page("compare", {"question": question, "ask": True})
        wait(app, lambda: not page.asking.busy, LONGEST)
        page.hidden()
    return page


def walk(app: QApplication, window: Window, page: ComparePage, out: Path) -> None:
    """Every page once, and the sheets of Compare."""
    window.open_page("welcome")
    take(app, window, out / "welcome.png")
    for name, *_ in (*PAGES, *FOOT):
        window.open_page(name)
        take(app, window, out / f"{name}.png")
    window.open_page("compare")
    turn = page.talk.turns[-1]
    lane = next((name for name in turn.answers if name.startswith("rag")), next(iter(turn.answers)))
    page._on_why(turn, lane)
    take(app, window, out / "compare-why.png")
    page._on_source(turn, lane, 1)
    take(app, window, out / "compare-source.png")
    page._edit_lane(turn.answers[lane].lane)
    take(app, window, out / "compare-lane.png")
    window.show_sheet(None)


def main() -> int:
    parser = argparse.ArgumentParser(description="Save pictures of every page.")
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", action="append", help="WIDTHxHEIGHT; default 1280x800 and 1920x1080")
    parser.add_argument("--theme", action="append", choices=("light", "dark"), help="default: both")
    parser.add_argument("--font", default="", help="a font family in place of the system's")
    wanted = parser.parse_args()
    app = make_application(sys.argv[:1])
    if wanted.font:
        app.setFont(QFont(wanted.font))
    theme = Theme(app, "light")
    bench = Bench(Project.open(wanted.project), load_settings())
    window = Window(bench, theme)
    window.show()
    page = ask_something(app, window)
    for name in wanted.theme or ("light", "dark"):
        theme.choose(name)
        for size in wanted.size or ("1280x800", "1920x1080"):
            window.resize(*(int(each) for each in size.split("x")))
            walk(app, window, page, wanted.out / f"{name}-{size}")
    window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
