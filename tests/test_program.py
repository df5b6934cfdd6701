"""A part of the program starts the same way from source and in a built app."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import workbench
from workbench import program
from workbench.__main__ import main

PACKAGE = Path(workbench.__file__).parent


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """This process taken for a built app whose own folder is `tmp_path`."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)


def run(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_module_runs_in_a_process_of_its_own() -> None:
    assert "Usage" in run(program.command("workbench", "--help"))


def test_a_few_lines_run_in_a_process_of_their_own() -> None:
    assert run(program.script("import sys; print(sys.argv[0])")) == "-c"


def test_from_source_nothing_is_taken_for_pythons_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["workbench", "-c", "raise SystemExit(7)"])
    assert not program.played_python()


@pytest.mark.usefixtures("built")
def test_a_built_app_runs_a_module_as_python_would(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(sys.modules, "workbench.lanes.parity", raising=False)  # a new process has not loaded it
    command = program.command("workbench.lanes.parity", str(tmp_path / "nowhere"))
    monkeypatch.setattr(sys, "argv", ["workbench", *command[1:]])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        main()
    assert sys.argv == ["workbench.lanes.parity", str(tmp_path / "nowhere")]


@pytest.mark.usefixtures("built")
def test_a_built_app_runs_a_few_lines_as_python_would(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["workbench", *program.script("import sys; print(__name__, sys.argv)")[1:], "more"]
    )
    assert main() == 0
    assert capsys.readouterr().out == "__main__ ['-c', 'more']\n"


@pytest.mark.usefixtures("built")
def test_a_built_app_runs_no_module_but_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["workbench", "-m", "http.server"])
    assert not program.played_python()


@pytest.mark.usefixtures("built")
def test_a_built_app_still_has_its_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["workbench", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.strip() == workbench.__version__


@pytest.mark.usefixtures("built")
def test_what_a_built_app_starts_looks_for_libraries_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["workbench"])
    environment = {
        "LD_LIBRARY_PATH": f"{tmp_path}:/usr/local/lib",
        "QT_PLUGIN_PATH": f"{tmp_path}/PySide6/Qt/plugins",
        "HOME": "/home/somebody",
        "_PYI_PARENT_PROCESS_LEVEL": "1",
    }
    monkeypatch.setattr(program.os, "environ", environment)
    assert not program.played_python()
    assert environment == {"LD_LIBRARY_PATH": "/usr/local/lib", "HOME": "/home/somebody"}


def calls(path: Path, name: str) -> list[ast.Call]:
    """The calls of a function, by its dotted name, in a file that mentions it."""
    text = path.read_text(encoding="utf-8")
    if name.rpartition(".")[2] not in text:
        return []
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and ast.unparse(node.func) == name]


def test_nothing_else_starts_python() -> None:
    """`sys.executable` has one home, and multiprocessing only spawns, which a built app can do."""
    others = [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "program.py"]
    assert [path.name for path in others if "sys.executable" in path.read_text(encoding="utf-8")] == []
    spawned = [call for path in others for call in calls(path, "multiprocessing.get_context")]
    assert spawned and {ast.unparse(call.args[0]) for call in spawned} == {"'spawn'"}
    forked = ("os.fork", "os.execv", "multiprocessing.Process", "multiprocessing.Pool", "ProcessPoolExecutor")
    assert [ast.unparse(call) for path in others for name in forked for call in calls(path, name)] == []


def test_every_module_that_is_started_is_there_and_runs_when_started() -> None:
    started = {
        str(call.args[0].value)
        for path in PACKAGE.rglob("*.py")
        for name in ("program.command", "follow", "_run_child")  # the last two hand a module on to the first
        for call in calls(path, name)
        if isinstance(call.args[0], ast.Constant)
    }
    assert {"workbench.tuning.train", "workbench.lanes.parity", "workbench.ui.bench_ui"} <= started
    for name in started:
        place = PACKAGE.parent / name.replace(".", "/")
        path = place / "__main__.py" if place.is_dir() else place.with_suffix(".py")
        assert 'if __name__ == "__main__":' in path.read_text(encoding="utf-8"), name
