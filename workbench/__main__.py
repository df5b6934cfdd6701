"""No argument opens the window, anything else goes to the command line; sets up the log."""

from __future__ import annotations

import logging
import logging.handlers
import signal
import sys


def main() -> int:
    """The program. Returns the exit status."""
    from workbench import program

    if program.played_python():  # a built app is its own Python
        return 0
    _log_to_file()
    if len(sys.argv) == 1:
        return _open_window()
    from workbench.cli import run

    # A script's time limit, or a session that ends, stops a command as Ctrl+C does, its children and fine-tune too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return run(sys.argv[1:])


def _open_window() -> int:
    """Open the window; where it cannot open, say why in one line."""
    try:
        from workbench.ui.app import open_window
    except ImportError as error:  # Qt's own libraries are missing from the system
        print(f"The window cannot open: {error}. `workbench doctor` says what to install.", file=sys.stderr)
        return 2
    return open_window(sys.argv)


def _log_to_file() -> None:
    """Keep the last megabytes of the program's own log; a log that cannot be written never stops the program."""
    from workbench import paths

    root = logging.getLogger("workbench")
    if root.handlers:
        return
    try:
        paths.log_file().parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            paths.log_file(), maxBytes=1 << 20, backupCount=2, encoding="utf-8", delay=True
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)


if __name__ == "__main__":
    sys.exit(main())
