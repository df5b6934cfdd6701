"""Rerankers: cross-encoders that a person has in a folder, looked at before they are taken in"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench.catalog.folders import WEIGHTS, take_in
from workbench.catalog.records import Model
from workbench.errors import BadModel, MissingFile

CONFIG, TOKENIZER = "config.json", "tokenizer.json"
# What is taken of the folder: data for the library's own classes. Everything else, code above all, stays where it is.
TAKEN = (WEIGHTS, CONFIG, TOKENIZER, "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def is_reranker(folder: Path) -> bool:
    """Whether a folder says that it holds a model for classifying, whatever else is in it."""
    with suppress(OSError, ValueError, AttributeError):
        kinds = json.loads((folder / CONFIG).read_text(encoding="utf-8")).get("architectures") or ()
        return any(str(each).endswith("ForSequenceClassification") for each in kinds)
    return False


def look_at(folder: Path) -> dict[str, Any]:
    """The config.json of a folder that holds a usable cross-encoder. Raises MissingFile or BadModel, saying why not."""
    if not folder.is_dir():
        raise MissingFile(f"There is no folder {folder}: name the one that holds config.json and {WEIGHTS}.")
    for name in (CONFIG, WEIGHTS, TOKENIZER):
        if not (folder / name).is_file():
            why = "only weights in that format are loaded" if name == WEIGHTS else "without it the model cannot be read"
            raise BadModel(f"The folder {folder.name} has no {name}: {why}.")
    config = _read_config(folder)
    kinds = [str(each) for each in config.get("architectures") or ()]
    if not any(each.endswith("ForSequenceClassification") for each in kinds):
        raise BadModel(
            f"The model in {folder.name} is no reranker ({', '.join(kinds)[:60] or 'its kind is not named'}): a folder "
            "is taken when it holds a cross-encoder, that is a model for classifying pairs of texts, or an embedder "
            "with its modules.json, as sentence-transformers saves one."
        )
    labels = config.get("num_labels") or len(config.get("id2label") or (0, 1))
    if labels != 1:
        raise BadModel(f"The model in {folder.name} gives {labels} numbers for a pair of texts; a reranker gives one.")
    if "auto_map" in config:
        raise BadModel(f"The model in {folder.name} needs program code of its own, which is never run here.")
    if _parts(folder) > 1:
        raise BadModel(f"The model in {folder.name} has parts beside the transformer, which are not read here.")
    _check_weights(folder)
    return config


def import_reranker(folder: Path) -> Model:
    """Take a cross-encoder in; a second import of the same weights finds the first. Raises as `look_at`, and DiskFull.

    It appears whole or not at all, and of the folder only TAKEN is taken.
    """
    folder = folder.expanduser().absolute()
    look_at(folder)
    return take_in(folder, [each for each in TAKEN if (folder / each).is_file()], "reranker", WEIGHTS)


def rerankers() -> tuple[Model, ...]:
    """The rerankers that are here, by name."""
    from workbench.catalog.models import list_models

    return tuple(each for each in list_models() if each.kind == "reranker" and each.path is not None)


def first_reranker() -> Path:
    """Where the first of them lies. Raises MissingFile where there is none."""
    for each in rerankers():
        if each.path is not None:
            return each.path
    raise MissingFile("No reranker is here: take in a folder with a cross-encoder by `workbench models import FOLDER`.")


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadModel(f"The {CONFIG} of {folder.name} cannot be read: get the model anew.") from error
    if not isinstance(found, dict):
        raise BadModel(f"The {CONFIG} of {folder.name} cannot be read: get the model anew.")
    return found


def _parts(folder: Path) -> int:
    """How many parts modules.json names, of which the first is the transformer; 1 where there is no such file."""
    with suppress(OSError, ValueError, TypeError):
        return len(json.loads((folder / "modules.json").read_text(encoding="utf-8")))
    return 1


def _check_weights(folder: Path) -> None:
    """Read the header of the weights. Raises BadModel where it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as file:
            names = list(file.keys())
    except (OSError, SafetensorError) as error:
        raise BadModel(f"The {WEIGHTS} of {folder.name} is damaged: get the model anew.") from error
    if not any("classifier" in name or "score" in name for name in names):
        raise BadModel(f"The {WEIGHTS} of {folder.name} lacks the layer that gives a pair its number.")
