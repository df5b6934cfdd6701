"""What models there are: those that come with the program, those of the catalogue, those fetched and imported.

A fetched or imported model is a folder `models/NAME` in the person's data folder with its files and `model.json`, which
is written last: without it the folder is unfinished and is not listed.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench import paths, records
from workbench.catalog import memory
from workbench.catalog.architectures import CHAT, OTHER
from workbench.catalog.fast_copies import drop_orphans
from workbench.catalog.gguf_header import GgufHeader, read_header
from workbench.catalog.records import Model
from workbench.errors import BadModel, DiskFull, InputError, MissingFile

MANIFEST = "model.json"
DISK_MARGIN = 200_000_000  # bytes that stay free: a full disk breaks more than a download
GOOD_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

# What tells the usual chat templates apart; only shown to people, rendering uses the model's own template.
FAMILIES = (
    ("<|im_start|>", "chatml"), ("<|start_header_id|>", "llama-3"), ("<start_of_turn>", "gemma"),
    ("<|start_of_role|>", "granite"), ("[INST]", "mistral"), ("<|assistant|>", "phi"), ("<|user|>", "phi"),
)  # fmt: skip


@lru_cache(maxsize=1)
def catalogue() -> tuple[Model, ...]:
    """The models of `models/catalog.toml`, without regard to what is here."""
    with (paths.catalog_folder() / "catalog.toml").open("rb") as file:
        return tuple(_from_catalogue(each) for each in tomllib.load(file)["model"])


def _from_catalogue(entry: dict[str, Any]) -> Model:
    kv, tokens = entry.pop("kv", 0), entry.pop("tokens", 0)
    size = entry["size"]
    needed = memory.estimate(size, kv, tokens) if entry["kind"] == "chat" else memory.estimate_embedder(size)
    return Model(**entry, memory=needed, fits=memory.fits(needed))


def list_models() -> tuple[Model, ...]:
    """Every model, in the catalogue's order and then the imported ones by name; `path` is set where it is here."""
    here = {each.name: each for each in _installed()}
    listed = [_included(each) if each.source == "included" else here.pop(each.name, each) for each in catalogue()]
    return (*listed, *(here[name] for name in sorted(here)))


def find_model(name_or_path: str | Path) -> Path:
    """Where a model lies: a chat model's GGUF file, an embedder's folder.

    Takes a name of the catalogue, of an imported model, or any path. Raises MissingFile where it is not here, saying
    how it can be had.
    """
    path = Path(name_or_path).expanduser()
    if path.is_file() or (path / "modules.json").is_file():
        return path.resolve()
    model = model_named(str(name_or_path))
    if model.path is None:
        how = (
            f"fetch it with `workbench models fetch {model.name}`" if model.source != "included" else "run `make setup`"
        )
        raise MissingFile(f"{model.title} is not on this machine yet: {how}.")
    return model.path


def model_named(name: str) -> Model:
    """The model of that name. Raises MissingFile with the nearest names where there is none."""
    models = {each.name: each for each in list_models()}
    if name in models:
        return models[name]
    if os.sep in name or name.endswith(".gguf"):
        raise MissingFile(f"There is no model file at {name}.")
    near = difflib.get_close_matches(name, models, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "`workbench models list` shows all there are."
    raise MissingFile(f"There is no model called {name!r}. {hint}")


def import_model(path: Path) -> Model:
    """Take a GGUF chat model of the person's own, or a folder with an embedder or a reranker; what is here already is
    found again.

    The file is linked where that is possible and copied where not, and appears whole or not at all. Raises
    MissingFile, BadModel (damaged, an adapter, a part of a split model, not a chat model), DiskFull.
    """
    path = path.expanduser()
    if path.is_dir():
        from workbench.catalog import embedders, rerankers

        is_reranker = rerankers.is_reranker(path) or not (path / embedders.MODULES).is_file()
        return rerankers.import_reranker(path) if is_reranker else embedders.import_embedder(path)
    header = read_header(path)
    _refuse_unusable(header, path.name)
    digest = records.hash_file(path)
    for each in list_models():
        if each.sha256 == digest and each.path is not None:
            return each
    name = free_name(header.name or path.stem)
    needed = memory.estimate_header(header)
    model = Model(
        name=name,
        title=f"{header.name or path.stem}, {header.quantisation}",
        kind="chat",
        license=str(header.metadata.get("general.license", "")) or "not stated",
        size=header.size,
        memory=needed,
        source="imported",
        file=f"{name}.gguf",
        sha256=digest,
        template=template_family(header),
        parameters=_short_count(header.parameters),
        context=header.context_length,
        fits=memory.fits(needed),
        note="" if header.chat_template else "It has no chat template, so it may only continue text.",
        quantisation=header.quantisation,
    )
    with unfinished_folder(name) as folder:
        link_or_copy(path, folder / model.file)
        return finish(folder, model)


def remove_model(name: str) -> None:
    """Delete a fetched or imported model. Raises InputError for the included ones, MissingFile where it is not here."""
    model = model_named(name)
    if model.source == "included":
        raise InputError(f"{model.title} comes with the program and cannot be removed.")
    folder = _folder(name)
    if not folder.is_dir():
        raise MissingFile(f"{model.title} is not on this machine, so there is nothing to remove.")
    with contextlib.suppress(FileNotFoundError):
        (folder / MANIFEST).unlink()  # from here on it is not listed, however far the rest comes
    shutil.rmtree(folder)
    drop_orphans()


def template_family(header: GgufHeader) -> str:
    """The family of a model's chat template, for people: "chatml", "llama-3"; "own" where it is none of the usual."""
    if not header.chat_template:
        return ""
    return next((family for mark, family in FAMILIES if mark in header.chat_template), "own")


def require_disk(folder: Path, needed: int) -> None:
    """Raise DiskFull unless `needed` bytes fit on the folder's disk with a margin."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed + DISK_MARGIN:
        raise DiskFull(
            f"This needs {needed / 1e9:.2f} GB and the disk that holds {folder} has {free / 1e9:.2f} GB free: "
            "make room and start again; nothing was changed."
        )


@contextlib.contextmanager
def unfinished_folder(name: str) -> Iterator[Path]:
    """A new folder beside the models that goes away again unless `finish` gave it its place."""
    paths.model_folder().mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=paths.model_folder()))
    try:
        with records.naming_full_disk(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def finish(folder: Path, model: Model) -> Model:
    """Give a folder that holds all of a model its manifest and then its place; the model, with its path."""
    records.write_json(folder / MANIFEST, replace(model, path=None))
    target = _folder(model.name)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(folder, target)
    return replace(model, path=target / model.file if model.kind == "chat" else target)


def _folder(name: str) -> Path:
    if not GOOD_NAME.fullmatch(name):
        raise InputError(f"{name!r} is not a model's name.")
    return paths.model_folder() / name


def _installed() -> Iterator[Model]:
    """The models that were fetched or imported; folders without a sound manifest are left out."""
    if not paths.model_folder().is_dir():
        return
    for manifest in sorted(paths.model_folder().glob(f"*/{MANIFEST}")):
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
            model: Model = records.from_plain(Model, records.read_json(manifest))
            path = manifest.parent / model.file if model.kind == "chat" else manifest.parent
            if path.exists() and model.name == manifest.parent.name:
                yield replace(model, path=path, fits=memory.fits(model.memory))


def _included(model: Model) -> Model:
    find = paths.starter_model if model.kind == "chat" else paths.starter_embedder
    try:
        path = find()
    except MissingFile:
        return model
    return replace(model, path=path, file=path.name)


def _refuse_unusable(header: GgufHeader, name: str) -> None:
    """Raise BadModel, saying what the file is, unless it is a whole chat model."""
    split = header.metadata.get("split.count", 0)
    if header.kind == "adapter":
        raise BadModel(f"{name} is an adapter, not a model: it works only on top of the model it was trained on.")
    if isinstance(split, int) and split > 1:
        raise BadModel(f"{name} is one of {split} parts of a model: join them with llama-gguf-split --merge first.")
    if header.kind != "model" or header.architecture in OTHER:
        what = header.kind if header.kind != "model" else header.architecture
        raise BadModel(f"{name} is a helper file ({what}), not a model that can chat.")
    if header.architecture not in CHAT:
        raise BadModel(f"{name} has the architecture {header.architecture[:40]!r}, which this llama.cpp does not know.")
    if not header.tensors or not header.vocabulary:
        raise BadModel(f"{name} has no {'vocabulary' if header.tensors else 'weights'}, so it cannot answer anything.")


def free_name(title: str) -> str:
    """A short name made of a title that no model has yet."""
    base = re.sub(r"[^a-z0-9.]+", "-", title.lower()).strip("-.")[:48].rstrip("-.") or "model"
    taken = {each.name for each in list_models()}
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(each for each in names if each not in taken)


def link_or_copy(source: Path, target: Path) -> None:
    """Put a big file in another place at once where the disk can do that, else copy it. Raises DiskFull."""
    try:
        os.link(source.resolve(), target)
    except OSError:  # another disk, or a file system without links
        require_disk(target.parent, source.stat().st_size)
        shutil.copyfile(source, target)


def _short_count(values: int) -> str:
    """ "135M" for 134515008, "1.5B" for 1543714304."""
    return f"{values / 1e9:.1f}B" if values >= 1e9 else f"{values / 1e6:.0f}M"
