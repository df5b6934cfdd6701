"""What trials find of this machine, tried once before the tests: python machine.py FOLDER keeps it there.

Each trial takes seconds and gives way to whatever else runs, so in a busy suite each process would begin it anew.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

FOUND = ("engine.json", "embedders.json")


def hand_on(source: Path, target: Path) -> None:
    """Copy what was found from one cache folder to another."""
    target.mkdir(parents=True, exist_ok=True)
    for name in FOUND:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def find_out(folder: Path) -> None:
    """Try what is not known in a folder yet."""
    os.environ["WORKBENCH_HOME"] = str(folder)
    from workbench import paths
    from workbench.index import embed
    from workbench.lanes.choice import trials
    from workbench.lanes.probe import drained

    hand_on(folder, paths.cache_folder())
    drained(trials(paths.starter_model()))
    for _ in embed.settle():
        pass
    hand_on(paths.cache_folder(), folder)


if __name__ == "__main__":
    find_out(Path(sys.argv[1]))
