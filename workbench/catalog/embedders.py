"""Embedders: sentence-transformers folders that a person has, looked at before they are taken in, and found by name"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench import paths
from workbench.catalog.embedder_folder import token_limit
from workbench.catalog.folders import WEIGHTS, take_in
from workbench.catalog.records import Model
from workbench.errors import BadModel, InputError, MissingFile

CONFIG, TOKENIZER, MODULES = "config.json", "tokenizer.json", "modules.json"
# What an embedder is made of: its modules' settings, the tokenizer, and weights in safetensors. Pickled weights, code
# and copies of the weights for other programs (onnx/, openvino/) are neither fetched nor taken in.
WANTED = re.compile(
    r"(model\.safetensors|(modules|config|config_sentence_transformers|sentence_bert_config|tokenizer"
    r"|tokenizer_config|special_tokens_map|added_tokens)\.json|vocab\.txt|merges\.txt|sentencepiece\.bpe\.model"
    r"|spiece\.model|\d+_[A-Za-z]+/(config\.json|model\.safetensors))"
)
# The library's own modules, by the last part of their name, that make one vector of a text's tokens.
KNOWN = ("Transformer", "Pooling", "Normalize", "Dense", "LayerNorm", "Dropout")
OWN_FOLDER = re.compile(r"\d+_[A-Za-z]+")
ACTIVATION = re.compile(r"torch\.nn\.modules\.(activation|linear)\.[A-Za-z0-9]+")
LEAST_TOKENS = 64  # that one must read at once: below that a passage says too little to be found by


def look_at(folder: Path) -> None:
    """Raises MissingFile or BadModel, saying why, unless a folder holds an embedder that can be used.

    Nothing in it is run: only the library's own modules are known, and only weights in safetensors are read.
    """
    if not folder.is_dir():
        raise MissingFile(f"There is no folder {folder}: name the one that holds {MODULES} and {WEIGHTS}.")
    for name in (MODULES, CONFIG, TOKENIZER, WEIGHTS):
        if not (folder / name).is_file():
            why = "only weights in that format are loaded" if name == WEIGHTS else "without it the model cannot be read"
            raise BadModel(f"The folder {folder.name} has no {name}: {why}.")
    for name in (CONFIG, "tokenizer_config.json", "sentence_bert_config.json", "config_sentence_transformers.json"):
        if (folder / name).is_file():
            _refuse_code(_read_object(folder / name, folder), folder)
    modules = _read(folder / MODULES, folder)
    if not isinstance(modules, list) or len(modules) < 2 or not all(isinstance(each, dict) for each in modules):
        raise BadModel(f"The {MODULES} of {folder.name} names no way from a text's tokens to one vector.")
    for place, module in enumerate(modules):
        _check_module(folder, place, module)
    _check_weights(folder / WEIGHTS, folder)
    most = _limit(folder)
    if most < LEAST_TOKENS:
        raise BadModel(
            f"The embedder in {folder.name} reads {most} tokens at once; at least {LEAST_TOKENS} are needed."
        )


def import_embedder(folder: Path) -> Model:
    """Take an embedder in; a second import of the same weights finds the first. Raises as `look_at`, and DiskFull.

    It appears whole or not at all, and of the folder only what is WANTED is taken.
    """
    folder = folder.expanduser().absolute()
    look_at(folder)
    return take_in(folder, list(_taken(folder)), "embedding")


def starter() -> Model:
    """The embedder that comes with the program, which a knowledge base uses unless a person chose another."""
    from workbench.catalog.models import catalogue

    return next(each for each in catalogue() if each.kind == "embedding" and each.source == "included")


def embedders() -> tuple[Model, ...]:
    """The embedders that are here, the one that comes with the program first."""
    from workbench.catalog.models import list_models

    return tuple(each for each in list_models() if each.kind == "embedding" and each.path is not None)


def choose_embedder(name: str) -> Model:
    """The embedder of that name, which must be here. Raises InputError for another kind of model, MissingFile."""
    from workbench.catalog.models import model_named

    model = model_named(name)
    if model.kind != "embedding":
        there = ", ".join(each.name for each in embedders())
        raise InputError(f"{model.title} is no embedder: here are {there}.")
    find_embedder(name)
    return model


def find_embedder(name: str) -> Path:
    """Where the embedder lies that documents are indexed with.

    Only a name is looked for, never a path: it may stand in a project that somebody else made. Raises MissingFile, with
    the ways out, where it is gone.
    """
    if name == starter().name:
        return paths.starter_embedder()
    from workbench.catalog.models import list_models

    known = next((each for each in list_models() if each.kind == "embedding" and each.name == name), None)
    if known is not None and known.path is not None:
        return known.path
    get = f"fetch it with `workbench models fetch {name}`" if known is not None else "import it again"
    raise MissingFile(
        f"The embedder {name[:60]!r} of these documents is not on this machine: {get}, or index them with another one "
        "(the Documents page, or `workbench index FOLDER --embedder NAME`)."
    )


def _taken(folder: Path) -> Iterator[str]:
    for path in sorted([*folder.iterdir(), *folder.glob("*/*")]):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and WANTED.fullmatch(name):
            yield name


def _check_module(folder: Path, place: int, module: dict[str, Any]) -> None:
    """Raise BadModel unless a module is the library's own, lies where it is looked for and has weights of one kind."""
    kind, where = str(module.get("type", "")), str(module.get("path", ""))
    name = kind.rpartition(".")[2]
    if not kind.startswith("sentence_transformers.") or name not in KNOWN or (place == 0) != (name == "Transformer"):
        raise BadModel(
            f"The embedder in {folder.name} has a part ({kind[:80]}) that is not read here: code of its own is never "
            "run, and a text must become one vector by the library's usual modules."
        )
    if place == 0 and where:
        raise BadModel(
            f"The embedder in {folder.name} keeps its weights in {where[:40]}, where they are not looked for."
        )
    if place and not OWN_FOLDER.fullmatch(where):
        raise BadModel(f"The {MODULES} of {folder.name} names a folder {where[:40]!r}, which is not looked into.")
    own = folder / where / CONFIG
    settings = _read_object(own, folder) if place and own.is_file() else {}
    if name == "Dense" and not ACTIVATION.fullmatch(str(settings.get("activation_function", ""))):
        raise BadModel(f"The embedder in {folder.name} has an activation function that is not known here.")
    if name in ("Dense", "LayerNorm"):
        if not (folder / where / WEIGHTS).is_file():
            raise BadModel(
                f"The folder {folder.name}/{where} has no {WEIGHTS}: only weights in that format are loaded."
            )
        _check_weights(folder / where / WEIGHTS, folder)


def _refuse_code(settings: dict[str, Any], folder: Path) -> None:
    """Raise BadModel where settings ask for program code, or for another way through the model than its own."""
    if "auto_map" in settings or "trust_remote_code" in json.dumps(settings):
        raise BadModel(f"The model in {folder.name} needs program code of its own, which is never run here.")
    ways = settings.get("modality_config")
    if ways is not None and (
        not isinstance(ways, dict) or list(ways) != ["text"] or _method(ways["text"]) != "forward"
    ):
        raise BadModel(f"The model in {folder.name} is not one for texts alone, which is all that is read here.")


def _limit(folder: Path) -> int:
    try:
        return token_limit(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadModel(f"The {CONFIG} of {folder.name} cannot be read: get the model anew.") from error


def _method(way: Any) -> str:
    return str(way.get("method", "")) if isinstance(way, dict) else ""


def _read_object(path: Path, folder: Path) -> dict[str, Any]:
    found = _read(path, folder)
    if not isinstance(found, dict):
        raise BadModel(f"The {path.name} of {folder.name} cannot be read: get the model anew.")
    return found


def _read(path: Path, folder: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadModel(f"The {path.name} of {folder.name} cannot be read: get the model anew.") from error


def _check_weights(path: Path, folder: Path) -> None:
    """Read the header of some weights. Raises BadModel where it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            count = len(list(file.keys()))
    except (OSError, SafetensorError) as error:
        raise BadModel(f"The {path.name} of {folder.name} is damaged: get the model anew.") from error
    if not count:
        raise BadModel(f"The {path.name} of {folder.name} holds no weights: get the model anew.")
