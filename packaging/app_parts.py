"""What goes into the built app and what stays out, as packaging/app.spec and packaging/build_app.py read it.

PyInstaller freezes the program itself, Python's standard library and Qt. All other libraries are copied as the files
pip installed, beside it: they look for their own sources, data and shared libraries where they lie, import each other
by names PyInstaller cannot see, and a copy takes a minute where following their imports takes many.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from importlib.metadata import Distribution
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENTRY = ROOT / "workbench" / "__main__.py"
LIBRARIES = "libraries"  # the folder of the copied libraries, beside what PyInstaller froze

# Files of the program: (file or folder in the checkout, folder in the app). `paths` looks for them inside the package.
FILES = (
    ("models/catalog.toml", "workbench/models"),
    ("resources/sample", "workbench/resources/sample"),
    ("resources/icon", "workbench/resources/icon"),
    ("resources/general", "workbench/resources/general"),
    ("workbench/ui/style.qss", "workbench/ui"),
    ("workbench/report/page.html", "workbench/report"),
    ("workbench/report/page.css", "workbench/report"),
    ("workbench/report/page.js", "workbench/report"),
)
RECORDED = (("resources/welcome.json", "workbench/resources"),)  # by record_welcome.py; a checkout may be without

# Distributions that PyInstaller freezes, and one that is never imported: only what they say of themselves is copied,
# for the doctor, which holds versions against pyproject.toml, and for their licences.
FROZEN = ("workbench", "pyside6", "pyside6-essentials", "pyside6-addons", "pyside6-pdf", "shiboken6")

# Distributions that others require for what the program never does: Chroma's server and its own embedder, charts.
# What only these need stays out with them.
NOT_COPIED = ("kubernetes", "onnxruntime", "uvicorn", "bcrypt", "build", "typer", "qtpy", "pyside6-webengine")

# Files of copied libraries that nothing here opens: tests, headers, benchmarks, servers. By their place in the library.
UNUSED = (
    "*.dist-info/direct_url.json", "*.pth", "_distutils_hack/*", "lib/*", "bin/*", "include/*", "share/*",
    "*/tests/*", "*.pyi", "*.pxd", "*.pyx", "*.h", "*.hpp", "*.cuh", "*.c", "*.cpp", "*.a", "*.lib", "*.cmake",
    "torch/bin/*", "torch/test/*", "torch/include/*", "torch/share/*", "torch/lib/lib*_test.so",
    "torch/lib/libbackend_with_compiler.so", "torch/lib/libaoti_custom_ops.so",
    "chromadb/test/*", "llama_cpp/server/*", "llama_cpp/lib/lib*.so.*.*.*", "llama_cpp/lib/pkgconfig/*",
    "pyarrow/include/*", "pyarrow/src/*", "pyarrow/_flight*", "*libarrow_flight*", "*libarrow_python_flight*",
    "pyarrow/_s3fs*", "*libarrow_s3*", "sklearn/datasets/images/*", "sklearn/datasets/data/*", "qtawesome/fonts/*",
)  # fmt: skip
USED = (
    "torch/bin/torch_shm_manager*", "numpy/_core/tests/__init__.py", "numpy/_core/tests/_natype.py",
    "qtawesome/fonts/phosphor-*",
)  # fmt: skip

# Parts of the standard library that no program at work needs.
STDLIB_LEFT_OUT = (
    "test",
    "tkinter",
    "_tkinter",
    "turtle",
    "turtledemo",
    "idlelib",
    "lib2to3",
    "ensurepip",
    "pydoc_data",
    "this",
    "antigravity",
)

# What PyInstaller finds and nothing here uses, by its place in the app: Qt's parts for other programs and for devices
# without a desktop, GTK's (the plugin that looks like GTK must not meet a system's GTK with half of its libraries from
# another machine), and metadata, which is copied with the libraries.
FROZEN_UNUSED = (
    "*.dist-info/*", "PySide6/Qt/qml/*", "PySide6/Qt/translations/*", "*virtualkeyboard*", "*plugins/sqldrivers/*",
    "*plugins/egldeviceintegrations/*", "*libqeglfs*", "*libqvnc*", "*libqlinuxfb*", "*libqminimal*", "*libqvkkhr*",
    "*libqgtk3*", "libgtk*", "libgdk*", "libatk*", "libatspi*", "libepoxy*", "libcairo*", "libpango*", "libthai*",
    "libdatrie*", "libfribidi*", "libpixman*",
    *(f"*Qt6{name}*" for name in (
        "Qml", "Quick", "VirtualKeyboard", "WebEngine", "3D", "Designer", "Multimedia", "Sql", "Egl",
    )),
)  # fmt: skip


def version() -> str:
    """The version, from its only place."""
    text = (ROOT / "workbench" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found is not None, "workbench/__init__.py names no version"
    return found[1]


def app_folder() -> Path:
    """Where the app of this version is built."""
    return ROOT / "dist" / f"workbench-{version()}"


def executable() -> Path:
    """The program in it."""
    return app_folder() / ("workbench.exe" if sys.platform == "win32" else "workbench")


def own_files() -> list[tuple[str, str]]:
    """The program's files as PyInstaller wants them: (path, folder in the app). Raises FileNotFoundError."""
    for name, _ in FILES:
        if not (ROOT / name).exists():
            raise FileNotFoundError(f"{name} is named in packaging/app_parts.py and is not there.")
    compiler = Path(sys.prefix) / "llama-compiler.txt"  # what `workbench doctor` says of the engine
    maybe = [*((ROOT / name, target) for name, target in RECORDED), (compiler, ".")]
    return [
        *((str(ROOT / name), target) for name, target in FILES),
        *((str(path), target) for path, target in maybe if path.exists()),
    ]


def own_modules() -> list[str]:
    """Every module of the program: pages and commands are imported by names in strings."""
    return sorted(_modules_under(ROOT, ROOT / "workbench"))


def stdlib_modules() -> list[str]:
    """The standard library, whole: which parts the copied libraries import is not followed."""
    folder = Path(sysconfig.get_path("stdlib"))
    found = set()
    for name in sorted(sys.stdlib_module_names - {*STDLIB_LEFT_OUT, "__main__"}):
        if importlib.util.find_spec(name) is not None:
            found.add(name)
            found |= {each for each in _modules_under(folder, folder / name) if ".test" not in each}
    return sorted(found)


def _modules_under(root: Path, folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def required() -> dict[str, Distribution]:
    """The distributions that go in, by name: those pyproject.toml names and all they need, without NOT_COPIED.

    Raises PackageNotFoundError for one that is not installed.
    """
    waiting = ["workbench", *PYPROJECT["project"]["dependencies"]]
    alone = {plain_name(Requirement(each).name) for each in PYPROJECT["tool"]["workbench"]["weights"]}
    waiting += PYPROJECT["tool"]["workbench"]["weights"]
    found: dict[str, Distribution] = {}
    while waiting:
        wanted = Requirement(waiting.pop())
        name = plain_name(wanted.name)
        if name in found or name in NOT_COPIED or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        found[name] = importlib.metadata.distribution(name)
        if name not in alone:  # only a file of these is used, not what their code would need
            waiting += found[name].requires or []
    return found


def plain_name(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def library_files() -> Iterator[tuple[Path, PurePosixPath]]:
    """Each file of the copied libraries and its place below LIBRARIES."""
    for name, each in required().items():
        for file in each.files or []:
            place = PurePosixPath(file.as_posix())
            path = Path(str(each.locate_file(file)))
            if place.suffix == ".pyc" and not path.exists():  # compiled again when it is missing
                continue
            wanted = name not in FROZEN or (place.parts[0].endswith(".dist-info") and place.name != "RECORD")
            if wanted and ".." not in place.parts and not is_unused(place):
                yield path, place


def is_unused(place: PurePosixPath) -> bool:
    """Whether a library's file stays out; its compiled form goes the way of its source."""
    if place.suffix == ".pyc" and place.parent.name == "__pycache__":
        place = place.parent.parent / f"{place.name.split('.')[0]}.py"
    name = str(place)
    return any(fnmatch(name, each) for each in UNUSED) and not any(fnmatch(name, each) for each in USED)


def top_names() -> list[str]:
    """Every importable name that is installed and not frozen: PyInstaller is told to leave them all alone."""
    return sorted(name for name, who in owners().items() if not {plain_name(each) for each in who} & set(FROZEN))


@cache
def owners() -> dict[str, list[str]]:
    """Every importable name with the distributions it belongs to."""
    return dict(importlib.metadata.packages_distributions())


def is_older() -> bool:
    """Whether the built app is older than something it was made from, and so not what the sources say."""
    sources = [*(ROOT / "workbench").rglob("*.py"), ROOT / "pyproject.toml", *(ROOT / "packaging").glob("app*")]
    sources += [ROOT / name for name, _ in FILES]
    return executable().stat().st_mtime < max(path.stat().st_mtime for path in sources)


def is_unused_frozen(place: str) -> bool:
    """Whether a file that PyInstaller found stays out."""
    return any(fnmatch(place.replace("\\", "/"), each) for each in FROZEN_UNUSED)
