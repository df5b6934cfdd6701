"""Build the application, install the exception hook, open the window."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from PySide6.QtCore import QLocale, Qt, QTimer, QTranslator
from PySide6.QtWidgets import QApplication

from workbench import paths
from workbench.errors import WorkbenchError
from workbench.project import Project
from workbench.settings import change_recent, load_settings
from workbench.ui.bench import Bench
from workbench.ui.preload import Preload
from workbench.ui.theme import Theme
from workbench.ui.tidying import Tidying
from workbench.ui.window import Window

SWITCH = 0.001  # seconds a job's thread may hold Python while the window waits for it; Python's own default is five


def open_window(arguments: list[str] | None = None, project: Path | None = None) -> int:
    """Open the window on a project (None: the one that was open last) and stay until it is closed; the exit status."""
    settings = load_settings()
    app = make_application(arguments)
    theme = Theme(app, settings.theme, settings.text_scale)
    opened, trouble = _open_first(project or (Path(settings.last_project) if settings.last_project else None))
    if settings.welcomed:  # before, it is a project that nobody chose
        settings = change_recent(opened.folder)
    bench = Bench(opened, settings)
    bench.notices.install_hooks()
    if trouble is not None:
        bench.notices.error(trouble)
    window = Window(bench, theme)
    window.show()
    Preload(bench)
    _quit_on_signals(app, window)
    return app.exec()


def make_application(arguments: list[str] | None = None) -> QApplication:
    """The QApplication, named and ready for any scaling."""
    QApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(arguments or sys.argv[:1])
    app.setApplicationName("Workbench")
    app.setApplicationDisplayName("Workbench")
    app.setDesktopFileName("workbench")
    _translate(app)
    sys.setswitchinterval(SWITCH)
    Tidying(app)
    return app


def _translate(app: QApplication) -> None:
    """Take the person's language where a translation lies in resources/translations (packaging/translate.sh)."""
    translator = QTranslator(app)
    if translator.load(QLocale(), "workbench", "_", str(paths.resources() / "translations")):
        app.installTranslator(translator)


def _open_first(folder: Path | None) -> tuple[Project, WorkbenchError | None]:
    """The wanted project; where it cannot be opened, the default one and the reason, so that a window opens anyway."""
    try:
        return Project.open(folder or paths.default_project()), None
    except WorkbenchError as error:
        if folder is None:
            raise
        return Project.open(paths.default_project()), error


def _quit_on_signals(app: QApplication, window: Window) -> None:
    """Ctrl-C and a polite kill close the window in order."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: window.leave())
    beat = QTimer(app)
    beat.timeout.connect(lambda: None)  # Python sees signals only while its own code runs
    beat.start(250)


if __name__ == "__main__":
    sys.exit(open_window())
