"""Build the app that runs without Python: `make package`, or `.venv/bin/python packaging/build_app.py`.

It lies in dist/workbench-VERSION, a folder to be copied anywhere: the program, its libraries and both starter models.
It runs on this kind of system, and on processors that can do what this one can: llama.cpp was built for it.
"""

from __future__ import annotations

import compileall
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import app_parts

HERE = Path(__file__).resolve().parent
DESKTOP = ("workbench.desktop", "add-to-menu.sh")  # Linux; the icon goes beside them


def main() -> None:
    began, folder = time.monotonic(), app_parts.app_folder()
    add_pyinstaller()
    made = freeze()
    count = copy_libraries(made / "_internal" / app_parts.LIBRARIES)
    if sys.platform == "linux":
        add_desktop_files(made)
    shutil.copy2(app_parts.ROOT / "LICENSE", made)
    say(f"{count} files of libraries copied; asking the app for its version")
    check_version(made / app_parts.executable().name)
    folder.parent.mkdir(exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    made.replace(folder)  # last: what lies in dist is whole
    say(f"{folder} is ready: {size_of(folder) / 1e6:,.0f} MB, built in {time.monotonic() - began:.0f} s")


def say(text: str) -> None:
    print(text, flush=True)


def add_pyinstaller() -> None:
    """Install the `package` extra of pyproject.toml into this Python's environment when it is not there."""
    if importlib.util.find_spec("PyInstaller") is not None:
        return
    wanted = app_parts.PYPROJECT["project"]["optional-dependencies"]["package"]
    say(f"Installing {', '.join(wanted)}")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*command, "-c", str(HERE / "constraints.txt"), *wanted], check=True)


def freeze() -> Path:
    """Run PyInstaller; the folder it made. It talks to build/app/pyinstaller.log, whose end a failure shows."""
    work = app_parts.ROOT / "build" / "app"
    work.mkdir(parents=True, exist_ok=True)
    say("Freezing the program and Qt (a minute or two)")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN"]
    command += ["--distpath", str(work / "made"), "--workpath", str(work), str(HERE / "app.spec")]
    log = work / "pyinstaller.log"
    with log.open("wb") as output:
        ended = subprocess.run(command, stdout=output, stderr=output, cwd=app_parts.ROOT, check=False)
    if ended.returncode != 0:
        say(log.read_text(encoding="utf-8", errors="replace")[-3000:])
        raise SystemExit(f"PyInstaller failed; {log} has all it said.")
    return work / "made" / app_parts.app_folder().name


def copy_libraries(target: Path) -> int:
    """Copy the libraries' files with their times, so that their compiled forms stay valid; how many they were."""
    count = 0
    for path, place in app_parts.library_files():
        copy = target / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
        count += 1
    compileall.compile_dir(target, quiet=2, workers=1)  # only what pip had not compiled
    return count


def add_desktop_files(folder: Path) -> None:
    """What a Linux desktop wants: an entry for its menu, the icon, and a script that puts both where they are seen."""
    for name in DESKTOP:
        shutil.copy2(HERE / name, folder)
    os.chmod(folder / "add-to-menu.sh", 0o755)
    shutil.copy2(app_parts.ROOT / "resources" / "icon" / "workbench.svg", folder)


def check_version(program: Path) -> None:
    """Start the app once: it must answer, and with the version of the sources."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if told != app_parts.version():
        raise SystemExit(f"The built app says it is {told!r}, not {app_parts.version()}.")


def size_of(folder: Path) -> int:
    """The bytes of all files below, each counted once."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


if __name__ == "__main__":
    main()
