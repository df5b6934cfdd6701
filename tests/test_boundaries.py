"""The four rules of ARCHITECTURE.md, kept by reading the imports of every module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import workbench

PACKAGE = Path(workbench.__file__).parent
QT = {"PySide6", "shiboken6", "pyqtgraph", "qtawesome", "superqt"}

# What each folder may import of the program, besides the modules at its root and itself.
JOURNEY = ["documents", "index", "retrieval", "lanes", "evaluation", "advice", "report"]
MAY_IMPORT = {stage: {*JOURNEY[:place], "catalog"} for place, stage in enumerate(JOURNEY)}
MAY_IMPORT["catalog"] = set()
MAY_IMPORT["tuning"] = {"documents", "index", "retrieval", "catalog"}
for later in ("evaluation", "advice", "report"):
    MAY_IMPORT[later].add("tuning")

# The modules at the root that everything stands on; the other root modules read the stages, as ui and cli do.
FOUNDATION = {
    "errors",
    "events",
    "records",
    "paths",
    "project",
    "bases",
    "children",
    "program",
    "settings",
    "priority",
    "processor",
    "stops",
    "turns",
    "__init__",
}

# Heavy library: the modules (or folders, with a slash) that may import it, inside a function. `bench` measures ours
# against the bare libraries and may import them all.
HOMES = {
    "torch": ("index/embed", "index/quick", "index/rerank", "index/tokens", "tuning/"),
    "transformers": ("tuning/", "index/embed", "index/rerank"),
    "peft": ("tuning/",),
    "trl": ("tuning/",),
    "unsloth": ("tuning/",),
    "datasets": ("tuning/",),
    "accelerate": ("tuning/",),
    "sentence_transformers": ("index/embed", "index/rerank"),
    "chromadb": ("index/store",),
    "llama_cpp": ("lanes/",),
    "huggingface_hub": ("catalog/hub",),
    "onnxruntime": (),
}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """ "lanes/llama" for workbench/lanes/llama.py."""
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def imported(node: ast.AST, path: Path) -> list[str]:
    """The dotted names an import statement reaches, relative ones resolved."""
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        parts = ["workbench", *path.relative_to(PACKAGE).parent.parts]
        base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [base])])
    return [f"{base}.{each.name}" for each in node.names]


@cache
def imports(path: Path) -> tuple[tuple[str, int], ...]:
    """Every import of a module, wherever it stands, with its line."""
    found = ((name, node) for node in ast.walk(tree(path)) for name in imported(node, path))
    return tuple((name, node.lineno) for name, node in found)  # type: ignore[attr-defined]


def imports_at_load(path: Path) -> Iterator[tuple[str, int]]:
    """The imports that run when the module is loaded: those outside functions and outside `if TYPE_CHECKING`."""

    def walk(node: ast.AST) -> Iterator[tuple[str, int]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                continue
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            for name in imported(child, path):
                yield name, child.lineno  # type: ignore[attr-defined]
            yield from walk(child)

    return walk(tree(path))


def of_program(path: Path) -> Iterator[tuple[str, int]]:
    """What a module imports of the program itself: folder or root module, and line."""
    for name, line in imports(path):
        parts = name.split(".")
        if parts[0] == "workbench" and len(parts) > 1:
            yield parts[1], line


def is_home(module: str, library: str) -> bool:
    return module.startswith("bench/") or any(
        module.startswith(home) if home.endswith("/") else module == home for home in HOMES[library]
    )


def test_nothing_outside_ui_imports_qt() -> None:
    broken = [
        f"{name_of(path)}:{line} imports {name}"
        for path in modules()
        if not name_of(path).startswith("ui/")
        for name, line in imports(path)
        if name.split(".")[0] in QT
    ]
    assert not broken


def test_a_stage_imports_only_folders_before_it() -> None:
    broken = []
    for path in modules():
        folder = name_of(path).split("/")[0]
        if folder not in MAY_IMPORT:
            continue
        allowed = MAY_IMPORT[folder] | FOUNDATION | {folder}
        folders = {each.name for each in PACKAGE.iterdir()} | {each.stem for each in PACKAGE.glob("*.py")}
        broken += [
            f"{name_of(path)}:{line} imports {name}"
            for name, line in of_program(path)
            if name in folders and name not in allowed
        ]
    assert not broken


def test_every_folder_has_its_place_in_the_rules() -> None:
    readers = {"ui", "bench", "commands"}  # they read stages; nothing before them may import them
    folders = {each.name for each in PACKAGE.iterdir() if (each / "__init__.py").exists()}
    assert folders == set(MAY_IMPORT) | (readers & folders)


def test_the_foundation_stands_on_nothing_above_it() -> None:
    broken = [
        f"{name_of(path)}:{line} imports {name}"
        for path in modules()
        if name_of(path) in FOUNDATION
        for name, line in of_program(path)
        if name in MAY_IMPORT or name in {"ui", "cli", "commands", "bench"}
    ]
    assert not broken


def test_lanes_and_tuning_never_meet() -> None:
    assert "tuning" not in MAY_IMPORT["lanes"] and "lanes" not in MAY_IMPORT["tuning"]


@pytest.mark.parametrize("library", sorted(HOMES))
def test_a_heavy_library_is_imported_in_its_home_only(library: str) -> None:
    broken = [
        f"{name_of(path)}:{line} imports {name}"
        for path in modules()
        for name, line in imports(path)
        if name.split(".")[0] == library and not is_home(name_of(path), library)
    ]
    assert not broken


def test_no_heavy_library_is_imported_when_a_module_is_loaded() -> None:
    broken = [
        f"{name_of(path)}:{line} imports {name}"
        for path in modules()
        for name, line in imports_at_load(path)
        if name.split(".")[0] in HOMES
    ]
    assert not broken


def test_the_reader_of_imports_sees_relative_and_nested_ones() -> None:
    path = PACKAGE / "lanes" / "imagined.py"
    node = ast.parse("from ..tuning import adapter").body[0]
    assert imported(node, path) == ["workbench.tuning.adapter"]
    node = ast.parse("from .lane import Lane").body[0]
    assert imported(node, path) == ["workbench.lanes.lane.Lane"]
