"""The app that `make package` builds, driven without any Python to be found: its window, and the way from a folder of
documents to an answer of a tuned model.

Building takes a minute or two, so these tests take the app that lies in dist/, or build it when WORKBENCH_PACKAGE=1.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
import app_parts  # noqa: E402

import workbench  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SAMPLE = ROOT / "resources" / "sample"

# Looks at a display until something is drawn on it, then keeps a picture; an empty one is of one or two colours.
LOOK = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication

app = QGuiApplication(["look", "-platform", "xcb"])

def look():
    picture = app.primaryScreen().grabWindow(0).toImage()
    seen = {picture.pixel(x, y) for x in range(0, picture.width(), 5) for y in range(0, picture.height(), 5)}
    if len(seen) > 20:
        app.exit(0 if picture.save(sys.argv[1]) else 2)

timer = QTimer(interval=200)
timer.timeout.connect(look)
timer.start()
QTimer.singleShot(180_000, lambda: app.exit(1))
sys.exit(app.exec())
"""


@pytest.fixture(scope="module")
def app() -> Path:
    """The program of a built app that is no older than the sources."""
    program = app_parts.executable()
    current = program.exists() and not app_parts.is_older()
    if not current and os.environ.get("WORKBENCH_PACKAGE") == "1":
        # Without what keeps tests off the network: building installs PyInstaller where it is not there yet.
        asked = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        subprocess.run([sys.executable, str(ROOT / "packaging" / "build_app.py")], env=asked, check=True)
    elif not current:
        lacking = "is older than the sources" if program.exists() else "is not there"
        pytest.skip(
            f"{program.relative_to(ROOT)} {lacking}: `make package` builds it, as WORKBENCH_PACKAGE=1 does here"
        )
    return program


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A person's, on a machine without Python: nothing of this test's own, and a home with nothing in it."""
    (tmp_path / "no-programs").mkdir()
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "QT_", "HF_", "WORKBENCH_"))
    }
    return {**kept, "PATH": str(tmp_path / "no-programs"), "WORKBENCH_HOME": str(tmp_path / "home")}


def run(app: Path, environment: dict[str, str], *arguments: str) -> str:
    ended = subprocess.run([str(app), *arguments], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-4000:]
    assert "Traceback" not in ended.stderr and "Warning" not in ended.stderr
    return ended.stdout


def ask_json(app: Path, environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(run(app, environment, *arguments, "--json"))
    return said


def test_it_says_its_version_and_has_every_command(app: Path, environment: dict[str, str]) -> None:
    assert run(app, environment, "--version").strip() == workbench.__version__
    said = run(app, environment, "--help")
    assert all(f"  {name} " in said for name in ("index", "ask", "tune", "evaluate", "doctor", "bench"))
    listed = run(app, environment, "bench")
    assert all(name in listed for name in ("decode", "index", "search", "tune", "ui"))


def test_what_it_starts_of_itself_finds_its_libraries(app: Path, environment: dict[str, str]) -> None:
    inner = "from PySide6 import QtWidgets, QtCore; import torch, chromadb, llama_cpp; print(QtCore.qVersion())"
    outer = f"""
import subprocess
from workbench import program
print(subprocess.run(program.script({inner!r}), capture_output=True, text=True))
"""
    said = run(app, environment, "-c", outer)
    assert "returncode=0" in said and "stderr=''" in said, said


def test_the_doctor_finds_everything_in_it(app: Path, environment: dict[str, str]) -> None:
    checks = {each["name"]: each for each in ask_json(app, environment, "doctor")["checks"]}
    for name in ("Python", "Packages", "Starter model", "Starter embedder", "Word search"):
        assert checks[name]["state"] == "ok", checks[name]


def test_it_goes_all_the_way_from_documents_to_a_tuned_answer(
    app: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    for name in ("prices/price-list-2025.xlsx", "products/skerry-manual.pdf", "support/warranty-2025.html"):
        shutil.copy2(SAMPLE / "documents" / name, documents)
    indexed = ask_json(app, environment, "index", str(documents))
    assert indexed["files"] == 3 and indexed["chunks"] >= 3 and indexed["skipped"] == []

    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        "".join((SAMPLE / "tickets.jsonl").read_text(encoding="utf-8").splitlines(True)[:16]), encoding="utf-8"
    )
    tuned = ask_json(app, environment, "tune", str(rows), "--name", "two", "--preset", "quick", "--epochs", "1")
    assert (tuned["state"], tuned["steps"]) == ("done", 2)
    assert tuned["parity"]["ok"], tuned["parity"]

    question = ("ask", "How long is the warranty on a Skerry?", "--max-tokens", "16")
    lanes = [part for name in ("base", "rag", "tuned:two") for part in ("--lane", name)]
    answers = {each["lane"]: each for each in ask_json(app, environment, *question, *lanes)["answers"]}
    assert set(answers) == {"base", "rag", "tuned:two"}
    assert all(each["text"].strip() for each in answers.values())
    assert answers["rag"]["passages"] and answers["tuned:two"]["stamp"]["adapter"]


@pytest.fixture
def display() -> Iterator[str]:
    """An X display of our own."""
    server = shutil.which("Xvfb")
    if server is None:
        pytest.skip("Xvfb is not installed (Debian: apt-get install xvfb), so there is no display to open a window on")
    command = [server, "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        yield f":{running.stdout.readline().strip()}"
        running.terminate()


def test_its_window_opens_on_a_display_and_closes_in_order(
    app: Path, environment: dict[str, str], display: str, tmp_path: Path
) -> None:
    from PySide6.QtGui import QImage

    from workbench.ui.theme import LIGHT

    picture = tmp_path / "window.png"
    with subprocess.Popen(
        [str(app)], env={**environment, "DISPLAY": display}, stderr=subprocess.PIPE, text=True
    ) as shown:
        try:
            looked = [sys.executable, "-c", LOOK, str(picture)]
            subprocess.run(looked, env={**os.environ, "DISPLAY": display}, check=True)
            shown.terminate()
            _, said = shown.communicate(timeout=120)
        finally:
            shown.kill()
    assert (shown.returncode, said) == (0, "")
    assert QImage(str(picture)).pixelColor(4, 400).name().upper() == LIGHT.page
    assert (tmp_path / "home" / "projects").is_dir()
