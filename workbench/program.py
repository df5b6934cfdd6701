"""How the program starts a part of itself: from source through Python, in a built app through its own executable.

`command` and `script` give the same command line in both: a built app has no Python beside it, so there `__main__` asks
`played_python` first, which does what Python would have done with it.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import MutableMapping


def is_built() -> bool:
    """Whether this is a built app and not a checkout or an installed package."""
    return bool(getattr(sys, "frozen", False))


def command(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of the program in a process of its own, as `python -m` does."""
    return [sys.executable, "-m", module, *arguments]


def script(text: str) -> list[str]:
    """The command line that runs a few lines of Python in a process of its own, as `python -c` does."""
    return [sys.executable, "-c", text]


def played_python() -> bool:
    """In a built app: do what Python would do with this command line, if it is one of Python's; whether it was.

    A child of multiprocessing ends in here, and so does a module or text that ends the process.
    """
    if not is_built():
        return False
    _clean_environment(os.environ, sys._MEIPASS)  # type: ignore[attr-defined]
    from multiprocessing import freeze_support  # costs nothing there: the built app's own start has loaded it

    freeze_support()
    switch, what = (*sys.argv[1:3], "", "")[:2]
    if switch == "-m" and what.split(".")[0] == "workbench":
        run_module(what, *sys.argv[3:])
    elif switch == "-c" and what:
        sys.argv = ["-c", *sys.argv[3:]]
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
    else:
        return False
    return True


def run_module(name: str, *arguments: str) -> None:
    """Run a module as a program, in the process this is called in."""
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__")


def _clean_environment(environment: MutableMapping[str, str], home: str) -> None:
    """Take the app's own folder out of it, so that programs we start (a browser, nvidia-smi) load their own libraries.

    Ours are found by now. A copy of the app looks for them anew when nothing tells it (_PYI_) that this was done.
    """
    for name, value in list(environment.items()):
        places = value.split(os.pathsep)
        kept = [place for place in places if place != home and not place.startswith(home + os.sep)]
        if kept == places and not name.startswith("_PYI_"):
            continue
        if kept and not name.startswith("_PYI_"):
            environment[name] = os.pathsep.join(kept)
        else:
            del environment[name]
